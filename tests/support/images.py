"""Images for tests: made of Debian's busybox on the spot, and a registry to pull them from.

archive = busybox_archive(tmp_path / "busybox.tar", "localhost/busybox:test", cmd=["sleep", "9"])
podium.runtime.images.archive.load(store, archive)

with running_registry(tmp_path) as registry:
    digest = registry.push("willvelida/kuard", "latest", busybox_image())
    ... pull f"{registry.host}/willvelida/kuard" ...
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import http.client
import importlib.util
import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from support.ports import free_port

BUSYBOX = Path("/bin/busybox")
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
#: What a registry with ``protected=True`` asks for, and the same as htpasswd keeps it (bcrypt).
CREDENTIALS = ("reader", "s3cret-word")
_HTPASSWD = "reader:$2b$04$abcdefghijklmnopqrstuuzQDw2v3CQSMowG.sq3X.nH1lfmlmQMW\n"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
ARCHITECTURE = _ARCHITECTURES.get(os.uname().machine, os.uname().machine)


@dataclass(frozen=True)
class Entry:
    """One entry of a layer's archive; ``type`` is one of tarfile's constants."""

    name: str
    content: bytes = b""
    type: bytes = tarfile.REGTYPE
    mode: int = 0o644
    link: str = ""
    uid: int = 0
    gid: int = 0
    mtime: float = 0
    device: tuple[int, int] = (0, 0)
    pax: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TestImage:
    """An image by its parts; layers are uncompressed archives, the lowest first."""

    __test__ = False  # not a test class, whatever it is called

    layers: Sequence[bytes]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config_bytes(self) -> bytes:
        return json.dumps(
            {
                "architecture": ARCHITECTURE,
                "os": "linux",
                "config": dict(self.config),
                "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in self.layers]},
            }
        ).encode()

    @property
    def id(self) -> str:
        return digest(self.config_bytes)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def directory(name: str, mode: int = 0o755, **more: Any) -> Entry:
    return Entry(name, type=tarfile.DIRTYPE, mode=mode, **more)


def symlink(name: str, target: str) -> Entry:
    return Entry(name, type=tarfile.SYMTYPE, link=target, mode=0o777)


def hardlink(name: str, target: str) -> Entry:
    return Entry(name, type=tarfile.LNKTYPE, link=target)


def layer(*entries: Entry) -> bytes:
    """Return an uncompressed layer with *entries* in their order."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.mode, info.linkname = entry.type, entry.mode, entry.link
            info.uid, info.gid, info.mtime = entry.uid, entry.gid, entry.mtime  # type: ignore[assignment]
            info.size = len(entry.content)
            info.devmajor, info.devminor = entry.device
            info.pax_headers = dict(entry.pax)
            archive.addfile(info, io.BytesIO(entry.content))
    return target.getvalue()


@cache
def busybox_layer() -> bytes:
    """Return a root file system of busybox and its applets."""
    listing = subprocess.run([BUSYBOX, "--list"], check=True, stdout=subprocess.PIPE, text=True)
    applets = sorted(set(listing.stdout.split()) - {"busybox"})
    return layer(
        directory("bin"),
        Entry("bin/busybox", BUSYBOX.read_bytes(), mode=0o755),
        *(symlink(f"bin/{applet}", "busybox") for applet in applets),
        *(directory(name) for name in ("dev", "etc", "proc", "sys", "var")),
        directory("root", 0o700),
        directory("tmp", 0o1777),
        Entry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
        Entry("etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
    )


def busybox_image(
    *,
    cmd: Sequence[str] = ("sh",),
    entrypoint: Sequence[str] = (),
    env: Sequence[str] = ("PATH=/bin",),
    user: str = "",
    working_dir: str = "",
    layers: Sequence[bytes] = (),
) -> TestImage:
    """Return an image of busybox, with *layers* on top."""
    config = {
        "Cmd": list(cmd),
        "Entrypoint": list(entrypoint),
        "Env": list(env),
        "User": user,
        "WorkingDir": working_dir,
    }
    return TestImage((busybox_layer(), *layers), {k: v for k, v in config.items() if v})


def docker_archive(path: Path, image: TestImage, *names: str) -> Path:
    """Write what ``docker save`` would."""
    config = image.config_bytes
    files = {f"{image.id.removeprefix('sha256:')}.json": config}
    layers = []
    for number, content in enumerate(image.layers):
        layers.append(f"layer{number}/layer.tar")
        files[layers[-1]] = content
    manifest = [{"Config": next(iter(files)), "RepoTags": list(names), "Layers": layers}]
    files["manifest.json"] = json.dumps(manifest).encode()
    path.write_bytes(layer(*(Entry(name, content) for name, content in files.items())))
    return path


def busybox_archive(path: Path, *names: str, **options: Any) -> Path:
    """Write a docker-archive of :func:`busybox_image` with *options*."""
    return docker_archive(path, busybox_image(**options), *names)


def demo_archive(path: Path, name: str = "localhost/kuard:demo") -> Path:
    """Write the demo image, as ``make run`` has it."""
    source = Path(__file__).parents[2] / "tools" / "demo_image.py"
    spec = importlib.util.spec_from_file_location("podium_demo_image", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(path, name, BUSYBOX)
    return path


@dataclass(frozen=True)
class Registry:
    """A registry on loopback. ``host`` is what images of it begin with."""

    host: str
    root: Path
    credentials: tuple[str, str] | None = None

    def push(self, repository: str, tag: str, image: TestImage) -> str:
        """Upload *image*; return its manifest's digest."""
        blobs = [gzip.compress(content, 1, mtime=0) for content in image.layers]
        manifest = json.dumps(self._manifest(repository, image, blobs)).encode()
        return self.push_manifest(repository, tag, manifest, DOCKER_MANIFEST)

    def _manifest(self, repository: str, image: TestImage, blobs: list[bytes]) -> dict[str, Any]:
        for blob in (*blobs, image.config_bytes):
            self.push_blob(repository, blob)
        return {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": descriptor(image.config_bytes, DOCKER_CONFIG),
            "layers": [descriptor(blob, DOCKER_LAYER) for blob in blobs],
        }

    def push_blob(self, repository: str, content: bytes) -> str:
        status, headers, _ = self._call("POST", f"/v2/{repository}/blobs/uploads/")
        assert status == 202, f"upload refused: {status}"
        location = headers["Location"]
        place = location.partition(self.host)[2] if self.host in location else location
        separator = "&" if "?" in place else "?"
        url = f"{place}{separator}digest={digest(content)}"
        status, _, body = self._call("PUT", url, content, "application/octet-stream")
        assert status == 201, f"blob refused: {status} {body!r}"
        return digest(content)

    def push_manifest(self, repository: str, tag: str, content: bytes, media_type: str) -> str:
        url = f"/v2/{repository}/manifests/{tag}"
        status, _, body = self._call("PUT", url, content, media_type)
        assert status == 201, f"manifest refused: {status} {body!r}"
        return digest(content)

    def ready(self) -> bool:
        try:
            return self._call("GET", "/v2/")[0] in (200, 401)
        except OSError:
            return False

    def _call(
        self, method: str, url: str, body: bytes = b"", content_type: str = ""
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Content-Type": content_type} if content_type else {}
        if self.credentials:
            encoded = base64.b64encode(":".join(self.credentials).encode()).decode()
            headers["Authorization"] = f"Basic {encoded}"
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, url, body or None, headers)
            response = connection.getresponse()
            return response.status, dict(response.headers.items()), response.read()
        finally:
            connection.close()


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


@contextmanager
def running_registry(directory: Path, *, protected: bool = False) -> Iterator[Registry]:
    """Run Debian's docker-registry on a free loopback port, its data below *directory*.

    A *protected* one asks for CREDENTIALS (HTTP basic).
    """
    root = directory / "registry"
    root.mkdir(parents=True)
    host = f"127.0.0.1:{free_port()}"
    settings: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(root / "data")}},
        "http": {"addr": host},
    }
    if protected:
        htpasswd = root / "htpasswd"
        htpasswd.write_text(_HTPASSWD)
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(htpasswd)}}
    config = root / "config.yml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    registry = Registry(host, root, CREDENTIALS if protected else None)
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
        )
        try:
            deadline = time.monotonic() + 60
            while not registry.ready():
                assert process.poll() is None, (root / "log").read_text()
                assert time.monotonic() < deadline, "docker-registry did not come up in 60 s"
                time.sleep(0.02)
            yield registry
        finally:
            process.kill()
            process.wait()

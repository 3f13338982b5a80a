"""Archives as docker, podman and skopeo write them, and those that lie."""

import gzip
import json
import os

import pytest
import zstandard

from podium.runtime.images import archive
from podium.runtime.images.archive import RunOptions
from podium.runtime.images.limits import Limits
from podium.runtime.images.spec import InvalidImage
from podium.runtime.images.store import ImageStore
from support.images import (
    ARCHITECTURE,
    Entry,
    TestImage,
    busybox_image,
    descriptor,
    digest,
    docker_archive,
    layer,
    symlink,
)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
IMAGE = TestImage((layer(Entry("base")), layer(Entry("top"))), {"Cmd": ["sh"]})


@pytest.fixture
def store(tmp_path):
    store = ImageStore(tmp_path / "images")
    store.open()
    return store


def untouched(store):
    assert store.index().images == {}
    assert os.listdir(store.root / "ingest") == []
    return True


class Layout:
    """An OCI layout in the making."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def blob(self, content, media_type, **more):
        self.files[f"blobs/sha256/{digest(content)[7:]}"] = content
        return descriptor(content, media_type) | more

    def manifest(self, image, compress=gzip.compress, suffix="+gzip", **more):
        content = {
            "schemaVersion": 2,
            "config": self.blob(image.config_bytes, CONFIG),
            "layers": [self.blob(compress(data), LAYER + suffix) for data in image.layers],
        }
        return self.blob(json.dumps(content).encode(), MANIFEST, **more)

    def index(self, *manifests, **more):
        content = {"schemaVersion": 2, "manifests": list(manifests)}
        return self.blob(json.dumps(content).encode(), INDEX, **more)

    def write(self, path, *manifests):
        index = {"schemaVersion": 2, "manifests": list(manifests)}
        self.files["index.json"] = json.dumps(index).encode()
        path.write_bytes(layer(*(Entry(name, data) for name, data in self.files.items())))
        return path


def platform(architecture, system="linux"):
    return {"architecture": architecture, "os": system}


@pytest.mark.parametrize(
    "compress",
    [
        pytest.param(lambda data: data, id="tar"),
        pytest.param(gzip.compress, id="tar.gz"),
        pytest.param(zstandard.ZstdCompressor().compress, id="tar.zst"),
    ],
)
def test_docker_archive(store, tmp_path, compress):
    path = docker_archive(tmp_path / "image.tar", IMAGE, "busybox:1.36", "localhost/b:x")
    path.write_bytes(compress(path.read_bytes()))
    (loaded,) = archive.load(store, path)
    assert loaded.id == IMAGE.id
    assert loaded.names == ["docker.io/library/busybox:1.36", "localhost/b:x"]
    assert store.config(IMAGE.id).cmd == ("sh",)
    assert store.index().images[IMAGE.id].size == len(IMAGE.config_bytes) + sum(
        len(data) for data in IMAGE.layers
    )
    assert [os.listdir(path) for path in store.layers(IMAGE.id)] == [["top"], ["base"]]


def test_docker_archive_without_names(store, tmp_path):
    (loaded,) = archive.load(store, docker_archive(tmp_path / "image.tar", IMAGE))
    assert loaded.names == []
    assert store.index().resolve(IMAGE.id) == IMAGE.id


def test_docker_archive_with_linked_layers(store, tmp_path):
    """Older versions of docker save write a layer that is there twice as a link."""
    image = TestImage((IMAGE.layers[0], IMAGE.layers[0]))
    manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar", "b/layer.tar"]}]
    path = tmp_path / "image.tar"
    path.write_bytes(
        layer(
            Entry("a/layer.tar", image.layers[0]),
            symlink("b/layer.tar", "../a/layer.tar"),
            Entry("c.json", image.config_bytes),
            Entry("manifest.json", json.dumps(manifest).encode()),
        )
    )
    assert archive.load(store, path)[0].id == image.id


def test_loading_twice_changes_nothing(store, tmp_path):
    path = docker_archive(tmp_path / "image.tar", IMAGE, "one:1")
    first = archive.load(store, path)
    before = store.index()
    assert archive.load(store, path) == first
    assert store.index() == before


@pytest.mark.parametrize(
    ("annotations", "names"),
    [
        pytest.param(
            {
                "io.containerd.image.name": "docker.io/library/b:1",
                "org.opencontainers.image.ref.name": "1",
            },
            ["docker.io/library/b:1"],
            id="containerd",
        ),
        pytest.param(
            {"org.opencontainers.image.ref.name": "example.com/b:1"}, ["example.com/b:1"], id="full"
        ),
        pytest.param(
            {"org.opencontainers.image.ref.name": "b:1"}, ["docker.io/library/b:1"], id="short"
        ),
        pytest.param({"org.opencontainers.image.ref.name": "latest"}, [], id="bare-tag"),
        pytest.param({}, [], id="none"),
    ],
)
def test_oci_archive(store, tmp_path, annotations, names):
    layout = Layout()
    path = layout.write(tmp_path / "oci.tar", layout.manifest(IMAGE, annotations=annotations))
    (loaded,) = archive.load(store, path)
    assert (loaded.id, loaded.names) == (IMAGE.id, names)


@pytest.mark.parametrize(
    ("compress", "suffix"),
    [(lambda data: data, ""), (zstandard.ZstdCompressor().compress, "+zstd")],
    ids=["plain", "zstd"],
)
def test_oci_layers_in_other_forms(store, tmp_path, compress, suffix):
    layout = Layout()
    path = layout.write(tmp_path / "oci.tar", layout.manifest(IMAGE, compress, suffix))
    assert archive.load(store, path)[0].id == IMAGE.id


def test_oci_index_of_several_platforms(store, tmp_path):
    layout = Layout()
    other = TestImage((layer(Entry("other")),))
    inner = layout.index(
        layout.manifest(other, platform=platform("other")),
        layout.manifest(other, platform=platform("unknown", "unknown")),
        layout.manifest(IMAGE, platform=platform(ARCHITECTURE)),
    )
    assert [i.id for i in archive.load(store, layout.write(tmp_path / "a", inner))] == [IMAGE.id]


def test_oci_archive_for_other_machines(store, tmp_path):
    layout = Layout()
    path = layout.write(tmp_path / "oci.tar", layout.manifest(IMAGE, platform=platform("other")))
    with pytest.raises(InvalidImage, match="no image for this platform"):
        archive.load(store, path)
    assert untouched(store)


# Archives that lie


def lying(tmp_path, files, *more):
    path = tmp_path / "lie.tar"
    path.write_bytes(layer(*(Entry(name, data) for name, data in files.items()), *more))
    return path


def test_a_layer_that_is_another_one(store, tmp_path):
    real = TestImage((layer(Entry("harmless")),))
    config = f"{real.id[7:]}.json"
    manifest = [{"Config": config, "RepoTags": ["x:1"], "Layers": ["layer.tar"]}]
    path = lying(
        tmp_path,
        {
            config: real.config_bytes,
            "layer.tar": layer(Entry("evil")),
            "manifest.json": json.dumps(manifest).encode(),
        },
    )
    with pytest.raises(InvalidImage, match="wrong diff id"):
        archive.load(store, path)
    assert untouched(store)
    assert [path.name for path in store.layers_dir.iterdir()] == ["empty"]


def test_a_blob_that_is_another_one(store, tmp_path):
    layout = Layout()
    manifest = layout.manifest(IMAGE)
    for name in [n for n in layout.files if n.startswith("blobs/")]:
        forged = Layout()
        forged.files = dict(layout.files)
        forged.files[name] = gzip.compress(layer(Entry("evil")))
        with pytest.raises(InvalidImage, match="digest"):
            archive.load(store, forged.write(tmp_path / "oci.tar", manifest))
        assert untouched(store)


def test_a_config_that_is_another_one(store, tmp_path):
    manifest = [{"Config": f"{'0' * 64}.json", "RepoTags": [], "Layers": []}]
    files = {f"{'0' * 64}.json": IMAGE.config_bytes, "manifest.json": json.dumps(manifest).encode()}
    with pytest.raises(InvalidImage, match="digest"):
        archive.load(store, lying(tmp_path, files))


def test_a_bad_second_image_leaves_the_first(store, tmp_path):
    manifest = [
        {"Config": "one.json", "RepoTags": ["one:1"], "Layers": ["0", "1"]},
        {"Config": "one.json", "RepoTags": ["two:1"], "Layers": ["missing", "1"]},
    ]
    files = {"one.json": IMAGE.config_bytes, "0": IMAGE.layers[0], "1": IMAGE.layers[1]}
    files["manifest.json"] = json.dumps(manifest).encode()
    with pytest.raises(InvalidImage, match="lacks 'missing'"):
        archive.load(store, lying(tmp_path, files))
    assert list(store.index().names) == ["docker.io/library/one:1"]


def test_a_link_to_a_file_of_this_machine_is_no_file(store, tmp_path):
    path = lying(tmp_path, {}, symlink("manifest.json", "/etc/passwd"))
    with pytest.raises(InvalidImage, match="not an image archive"):
        archive.load(store, path)


@pytest.mark.parametrize(
    ("manifest", "error"),
    [
        pytest.param(b"{", "invalid manifest.json", id="no-json"),
        pytest.param(b'{"Config": "x"}', "invalid manifest.json", id="no-list"),
        pytest.param(b"[" * 100_000, "invalid manifest.json", id="deep"),
        pytest.param(b'[{"Config": "../../etc/passwd"}]', "lacks", id="path"),
        pytest.param(b'[{"Config": "c", "RepoTags": ["UP:1"]}]', "must be lowercase", id="name"),
        pytest.param(b'[{"Config": "c", "Layers": ["c"]}]', "mismatched", id="layer-count"),
    ],
)
def test_manifests_that_cannot_be(store, tmp_path, manifest, error):
    config = TestImage(()).config_bytes
    with pytest.raises(InvalidImage, match=error):
        archive.load(store, lying(tmp_path, {"manifest.json": manifest, "c": config}))
    assert untouched(store)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"rootfs": {"diff_ids": ["sha256:../../x"]}}', id="digest-with-a-path"),
        pytest.param(b'{"rootfs": {"diff_ids": ["md5:00"]}}', id="other-digest"),
        pytest.param(
            json.dumps({"rootfs": {"diff_ids": ["sha256:" + "0" * 64] * 501}}).encode(), id="many"
        ),
        pytest.param(b'{"rootfs": {}, "config": {"Env": [1]}}', id="wrong-type"),
    ],
)
def test_configs_that_cannot_be(store, tmp_path, config):
    manifest = b'[{"Config": "c", "Layers": []}]'
    with pytest.raises(InvalidImage):
        archive.load(store, lying(tmp_path, {"manifest.json": manifest, "c": config}))


@pytest.mark.parametrize(
    "data",
    [b"", b"not an archive", bytes(10_000), gzip.compress(b"text")[:10], gzip.compress(b"text")],
    ids=["empty", "text", "zeros", "cut-gzip", "gzip-of-text"],
)
def test_files_that_are_no_archives(store, tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(InvalidImage):
        archive.load(store, tmp_path / "file")
    assert untouched(store)


def test_a_cut_archive(store, tmp_path):
    path = docker_archive(tmp_path / "image.tar", busybox_image(), "one:1")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InvalidImage):
        archive.load(store, path)
    assert untouched(store)


def test_a_compressed_bomb(store, tmp_path):
    path = docker_archive(tmp_path / "i.tar", TestImage((layer(Entry("z", bytes(3_000_000))),)))
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(InvalidImage, match="too large"):
        archive.load(store, path, limits=Limits(bytes=1_000_000))
    assert untouched(store)


# Root file systems


def test_import(store, tmp_path):
    (tmp_path / "rootfs.tar").write_bytes(gzip.compress(layer(Entry("bin/sh", mode=0o755))))
    options = RunOptions(["-c", "date"], ["/bin/sh"], ["A=1", "B=two words"], "/work")
    imported = archive.import_rootfs(store, tmp_path / "rootfs.tar", "tools", options)
    assert imported.names == ["docker.io/library/tools:latest"]
    config = store.config(imported.id)
    assert (config.cmd, config.entrypoint) == (("-c", "date"), ("/bin/sh",))
    assert (config.env, config.working_dir) == (("A=1", "B=two words"), "/work")
    assert (config.architecture, config.os) == (ARCHITECTURE, "linux")
    assert os.path.exists(f"{store.layers(imported.id)[0]}/bin/sh")
    again = archive.import_rootfs(store, tmp_path / "rootfs.tar", "tools", options)
    assert again == imported


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        pytest.param("UP", RunOptions(), "lowercase", id="name"),
        pytest.param("x", RunOptions(env=["A"]), "--env 'A'", id="env-without-value"),
        pytest.param("x", RunOptions(env=["=A"]), "--env '=A'", id="env-without-name"),
        pytest.param("x", RunOptions(working_dir="w"), "--workdir 'w'", id="relative-workdir"),
    ],
)
def test_import_refuses(store, tmp_path, name, options, error):
    (tmp_path / "rootfs.tar").write_bytes(layer(Entry("f")))
    with pytest.raises((ValueError, InvalidImage), match=error):
        archive.import_rootfs(store, tmp_path / "rootfs.tar", name, options)
    assert untouched(store)


def test_import_of_a_file_that_is_no_archive(store, tmp_path):
    (tmp_path / "rootfs.tar").write_text("text " * 500)
    with pytest.raises(InvalidImage, match="not a tar archive"):
        archive.import_rootfs(store, tmp_path / "rootfs.tar", "x", RunOptions())
    assert untouched(store)

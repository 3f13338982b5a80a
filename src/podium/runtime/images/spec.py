"""The documents of the OCI image specification, and Docker's older ones: read and checked. Pure.

Everything here comes from outside: what is decoded has been checked for its types, and digests for
their form, so that they can be used as file names.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from podium.runtime.images.reference import is_digest
from podium.runtime.port import RuntimeFailure

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)

#: More than any real document has; a registry or an archive that sends more is refused.
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
MAX_LAYERS = 500  # overlayfs stacks no more than that

_LAYER_PREFIXES = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
)
_T = TypeVar("_T")


class InvalidImage(RuntimeFailure):
    """An image, archive or layer that is not what it has to be; nothing of it was kept."""


class Platform(msgspec.Struct, frozen=True, rename="lower"):
    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel"):
    """Content by its digest. ``size`` is in bytes."""

    digest: str
    size: int
    media_type: str = ""
    annotations: dict[str, str] | None = None
    platform: Platform | None = None

    def __post_init__(self) -> None:
        check_digest(self.digest)
        if self.size < 0:
            raise ValueError(f"negative size {self.size} of {self.digest}")


class Index(msgspec.Struct, frozen=True, rename="camel"):
    """An image index or a manifest list: one image for several platforms, or several images."""

    manifests: list[Descriptor]
    media_type: str = ""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    config: Descriptor
    layers: list[Descriptor]
    media_type: str = ""


class _RootFS(msgspec.Struct, frozen=True):
    diff_ids: list[str] | None = None


class _Execution(msgspec.Struct, frozen=True, rename="pascal"):
    user: str | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    labels: dict[str, str] | None = None
    volumes: dict[str, object] | None = None
    exposed_ports: dict[str, object] | None = None


class _Document(msgspec.Struct, frozen=True):
    rootfs: _RootFS
    os: str = ""
    architecture: str = ""
    config: _Execution | None = None


class ImageConfig(msgspec.Struct, frozen=True):
    """What an image says about running it. Lists and texts are empty where it says nothing."""

    env: Sequence[str] = ()  #: ``NAME=value``
    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    working_dir: str = ""
    user: str = ""  #: ``user[:group]``, each a name or a number
    stop_signal: str = ""
    volumes: Sequence[str] = ()
    exposed_ports: Sequence[str] = ()
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    diff_ids: Sequence[str] = ()  #: digests of the unpacked layers, the lowest first
    architecture: str = ""
    os: str = ""


def decode_config(data: bytes) -> ImageConfig:
    """Read an image's configuration. Raises InvalidImage."""
    document = _decode(data, _Document, "image configuration")
    diff_ids = tuple(document.rootfs.diff_ids or ())
    if len(diff_ids) > MAX_LAYERS:
        raise InvalidImage(f"the image has {len(diff_ids)} layers; {MAX_LAYERS} are supported")
    for diff_id in diff_ids:
        _refuse_bad_digest(diff_id)
    run = document.config or _Execution()
    return ImageConfig(
        env=tuple(run.env or ()),
        entrypoint=tuple(run.entrypoint or ()),
        cmd=tuple(run.cmd or ()),
        working_dir=run.working_dir or "",
        user=run.user or "",
        stop_signal=run.stop_signal or "",
        volumes=tuple(sorted(run.volumes or ())),
        exposed_ports=tuple(sorted(run.exposed_ports or ())),
        labels=dict(run.labels or {}),
        diff_ids=diff_ids,
        architecture=document.architecture,
        os=document.os,
    )


def decode_manifest(data: bytes, media_type: str = "") -> Manifest | Index:
    """Read an image manifest or an index of them. *media_type* is the one it was announced with.

    Raises InvalidImage; also for the schemas that carried no configuration (Docker's schema 1).
    """
    kind = _decode(data, _Kind, "image manifest")
    announced = kind.media_type or media_type
    if kind.schema_version == 1 or "docker.distribution.manifest.v1+" in announced:
        raise InvalidImage("Docker image manifest schema 1 is no longer supported")
    if kind.manifests is not None:
        return _decode(data, Index, "image index")
    manifest = _decode(data, Manifest, "image manifest")
    for layer in manifest.layers:
        if layer.media_type and not layer.media_type.startswith(_LAYER_PREFIXES):
            raise InvalidImage(
                f"unsupported layer media type {layer.media_type!r}: this is not a container image"
            )
    return manifest


def decode_index(data: bytes) -> Index:
    """Read ``index.json`` of an OCI layout. Raises InvalidImage."""
    return _decode(data, Index, "index.json")


def select_platform(index: Index) -> Descriptor | None:
    """Return the manifest in *index* for Linux on this machine.

    None where there is none. Manifests that name no platform are taken where no other fits.
    """
    wanted = _platforms(os.uname().machine)
    best: tuple[int, Descriptor] | None = None
    for descriptor in index.manifests:
        rank = _rank(descriptor.platform, wanted)
        if rank is not None and (best is None or rank < best[0]):
            best = (rank, descriptor)
    return best[1] if best else None


def machine_architecture() -> str:
    """Return this machine's architecture as images name it (``amd64``)."""
    return _platforms(os.uname().machine)[0][0]


def check_digest(digest: str) -> None:
    """Raise ValueError unless *digest* is a SHA-256 digest in its canonical form."""
    if not is_digest(digest):
        raise ValueError(f"invalid or unsupported digest {digest!r}")


class _Kind(msgspec.Struct, frozen=True, rename="camel"):
    schema_version: int = 2
    media_type: str = ""
    manifests: list[msgspec.Raw] | None = None


def _decode(data: bytes, wanted: type[_T], what: str) -> _T:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidImage(f"{what} of {len(data)} bytes is too large")
    try:
        return msgspec.json.decode(data, type=wanted)
    except (msgspec.DecodeError, ValueError, RecursionError) as exc:
        raise InvalidImage(f"invalid {what}: {exc}") from None


def _refuse_bad_digest(digest: str) -> None:
    try:
        check_digest(digest)
    except ValueError as exc:
        raise InvalidImage(f"invalid image configuration: {exc}") from None


_ARCHITECTURES: dict[str, list[tuple[str, str]]] = {
    "x86_64": [("amd64", "")],
    "aarch64": [("arm64", "v8"), ("arm64", "")],
    "armv7l": [("arm", "v7"), ("arm", "v6"), ("arm", "v5"), ("arm", "")],
    "armv6l": [("arm", "v6"), ("arm", "v5"), ("arm", "")],
    "i686": [("386", "")],
    "ppc64le": [("ppc64le", "")],
    "riscv64": [("riscv64", "")],
    "s390x": [("s390x", "")],
}


def _platforms(machine: str) -> list[tuple[str, str]]:
    return _ARCHITECTURES.get(machine, [(machine, "")])


def _rank(offered: Platform | None, wanted: list[tuple[str, str]]) -> int | None:
    """How well *offered* fits, the smaller the better; None when it does not run here."""
    if offered is None or not offered.os:
        return len(wanted) + 1
    if offered.os != "linux":
        return None
    for rank, (architecture, variant) in enumerate(wanted):
        if offered.architecture == architecture and offered.variant == variant:
            return rank
    if offered.architecture == wanted[0][0] and wanted[0][0] != "arm":
        return len(wanted)
    return None

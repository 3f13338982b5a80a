"""Every kind that is served is read from protobuf, with all fields that have a number.

The numbers are facts, ``types/protobuf.json``; what is tested is that nothing of a kind is missing
there, and that each sort of value comes back as what it was.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pytest

from podium.api import codec, protobuf, schema
from podium.api.scheme import RESOURCES
from podium.api.types.meta_v1 import DeleteOptions

#: Fields whose number is not known: they came after kubectl 1.34, which carries the descriptors.
WITHOUT_NUMBER = frozenset(
    """
    CSIDriverSpec.preventPodSchedulingIfMissing CSINode.status ClusterTrustBundleProjection.user
    DownwardAPIVolumeFile.user DownwardAPIVolumeSource.defaultUser EmptyDirVolumeSource.mode
    GRPCAction.mode HTTPGetAction.protocol HorizontalPodAutoscalerCondition.observedGeneration
    JobSpec.scheduling KeyToPath.user NodeSpec.podPreemptionPolicy
    NodeSystemInfo.runningInUserNamespace PersistentVolumeClaimStatus.healthStatus
    PodCertificateProjection.user PodSpec.evictionResponders PodSpec.schedulingGroup
    PodStatus.nodeAllocatableResourceClaimStatuses PodStatus.volumeHealth
    ProjectedVolumeSource.defaultUser ResourceHealth.message SecretVolumeSource.defaultUser
    ServiceAccountTokenProjection.user TokenRequestSpec.attestations VolumeMount.bindMountOptions
    VolumeMountStatus.volumeStatus ConfigMapVolumeSource.defaultUser
    """.split()
)
KINDS = sorted(
    {resource.type for resource in RESOURCES}
    | {sub.type for resource in RESOURCES for sub in resource.subresources if sub.type}
    | {DeleteOptions},
    key=lambda cls: (cls.__module__, cls.__name__),
)
#: A value of each sort, as JSON has it and as protobuf has it.
SAMPLES: dict[str, tuple[Any, bytes]] = {
    "time": ("2024-01-02T03:04:05Z", b"\x08\xa5\xfa\xcd\xac\x06\x10\x00"),
    "microtime": ("2024-01-02T03:04:05.000006Z", b"\x08\xa5\xfa\xcd\xac\x06\x10\xf0\x2e"),
    "quantity": ("500m", b"\x0a\x04500m"),
    "intstr": ("web", b"\x08\x01\x10\x00\x1a\x03web"),
    "raw": ({"a": 1}, b'\x0a\x07{"a":1}'),
    "strings": (["a", "b"], b"\x0a\x01a\x0a\x01b"),
    "string": ("x", b"x"),
    "bytes": ("AP8=", b"\x00\xff"),
}


@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: f"{cls.__module__[18:]}.{cls.__name__}")
def test_a_kind_with_all_its_fields(cls: type[Any]) -> None:
    name = schema.definition_of(cls)
    wanted, raw = _sample(name)
    said = codec.to_plain(cls())
    types = _field(1, (said.get("apiVersion") or "v1").encode()) + _field(2, cls.__name__.encode())
    body = protobuf.MAGIC + _field(1, types) + _field(2, raw)
    found, unknown = protobuf.decode(body, cls)
    assert (found.pop("kind"), unknown) == (cls.__name__, [])
    del found["apiVersion"]
    assert found == wanted
    codec.from_plain(cls, {"kind": cls.__name__, **found})


def test_every_other_field_has_a_number() -> None:
    messages = {name for cls in KINDS for name in _reachable(schema.definition_of(cls))}
    missing = {
        f"{name.rpartition('.')[2]}.{member}"
        for name in messages
        for member in schema.definition(name).get("properties", {})
        if member not in {"kind", "apiVersion", *protobuf.members(name)}
    }
    assert missing == WITHOUT_NUMBER


def _reachable(root: str) -> Iterator[str]:
    """Yield the messages that *root* is made of."""
    seen, waiting = set(), [root]
    while waiting:
        name = waiting.pop()
        members = protobuf.members(name)
        if name in seen or not members:
            continue
        seen.add(name)
        yield name
        waiting += members.values()


def _sample(name: str) -> tuple[dict[str, Any], bytes]:
    """Return a message with a value in each field, as JSON has it and as protobuf."""
    plain: dict[str, Any] = {}
    raw = b""
    for number, (member, kind, what) in protobuf._messages()[name].items():
        value, data = _value(kind)
        if what == "inline":
            plain |= value
        elif what == "map":
            plain[member] = {"k": value}
            data = _field(1, b"k") + _field(2, data)
        else:
            plain[member] = [value] if what == "many" else value
        raw += _field(int(number), data)
    return plain, raw


def _value(kind: str) -> tuple[Any, bytes | int]:
    if kind in ("int", "bool"):
        return (True, 1) if kind == "bool" else (7, 7)
    if kind == "double":
        return 0.5, struct.pack("<d", 0.5)
    return SAMPLES.get(kind) or _sample(kind)


def _field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

"""Pods are made of templates: what a spec says was, most times, found valid in another Pod before.

Validating a spec takes as long as everything else in a create; to tell that it is like an earlier
one takes a twentieth of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256

from podium.api import codec
from podium.api.field import FieldError
from podium.api.types.core_v1 import Pod, PodSpec

#: How many are remembered, at some hundred bytes each.
_MOST = 16_384
#: The name of the volume that admission adds for the token: the one thing in a spec that differs
#: from Pod to Pod, all names of this form being as good as each other.
_TOKEN_VOLUME = re.compile("kube-api-access-[a-z0-9]{5}")

_valid: dict[bytes, None] = {}
#: Digests of likenesses and the keys of the annotations beside, that earn no warning.
_quiet: dict[bytes, None] = {}


def judged_once(
    pod: Pod, judge: Callable[[Pod], list[FieldError]], likeness: bytes = b""
) -> list[FieldError]:
    """Return the offences that *judge* finds in the spec, unless one that was alike had none.

    The metadata is not shown to it, but for specs that hang together with that. *likeness* is what
    :func:`likeness_of` says of the spec, where somebody has asked already.
    """
    spec = pod.spec
    if spec.resource_claims or any(volume.ephemeral for volume in spec.volumes):
        return judge(pod)
    likeness = likeness or likeness_of(spec)
    if likeness in _valid:
        return []
    found = judge(Pod(spec=spec))
    if not found:
        _note(_valid, likeness)
    return found


def warned_once(pod: Pod, warn: Callable[[Pod], Iterable[str]], likeness: bytes) -> list[str]:
    """Return the warnings that *warn* finds, unless a Pod that was alike earned none.

    *warn* looks at the spec, and at which annotations there are.
    """
    keys = "\n".join(sorted(pod.metadata.annotations))
    seen = sha256(likeness + keys.encode()).digest()
    if seen in _quiet:
        return []
    found = list(warn(pod))
    if not found:
        _note(_quiet, seen)
    return found


def _note(memory: dict[bytes, None], seen: bytes) -> None:
    if len(memory) >= _MOST:
        memory.clear()
    memory[seen] = None


def likeness_of(spec: PodSpec) -> bytes:
    """Return a digest of what *spec* says, the same for all that are alike."""
    said = codec.encode(spec)
    for volume in spec.volumes:
        if _TOKEN_VOLUME.fullmatch(volume.name):
            said = said.replace(volume.name.encode(), b"\0")
            break  # a second one keeps its name, by which the two are told apart
    return sha256(said).digest()

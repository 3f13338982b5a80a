"""When a Pod is looked at again, and what a namespace's new level means for the Pods it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from podium.api.go_text import quote
from podium.api.types.core_v1 import Pod
from podium.api.validation.pod_annotations import SECCOMP_CONTAINER, SECCOMP_POD
from podium.domain.pod_security.levels import LevelVersion, Policy, stricter
from podium.domain.pod_security.standards import evaluate, reasons
from podium.domain.pod_security.visiting import AnyContainer

#: Pods of a namespace that are looked at when its level changes.
MOST_PODS = 3000


def is_significant(new: Pod, old: Pod) -> bool:
    """Whether an update changes anything that a standard is about: other fields are immutable, or
    harmless."""
    if _annotation(new, SECCOMP_POD) != _annotation(old, SECCOMP_POD):
        return True
    for now, before in (
        (new.spec.containers, old.spec.containers),
        (new.spec.init_containers, old.spec.init_containers),
    ):
        if len(now) != len(before):
            return True
        if any(_changes(new, a, old, b) for a, b in zip(now, before, strict=True)):
            return True
    known = {container.name: container for container in old.spec.ephemeral_containers}
    return any(
        container.name not in known or _changes(new, container, old, known[container.name])
        for container in new.spec.ephemeral_containers
    )


def _changes(new: Pod, container: AnyContainer, old: Pod, before: AnyContainer) -> bool:
    if container.image != before.image:
        return True
    key = SECCOMP_CONTAINER + container.name
    return _annotation(new, key) != _annotation(old, key)


def _annotation(pod: Pod, key: str) -> str:
    return pod.metadata.annotations.get(key, "")


def concerns_present_pods(new: Policy, old: Policy) -> bool:
    """Whether Pods that were allowed may not be, by a namespace's *new* policy."""
    wanted, before = new.enforce, old.enforce
    if wanted == before or wanted.level == "privileged":
        return False
    return wanted.version != before.version or stricter(wanted.level, before.level)


def present_pods(namespace: str, enforce: LevelVersion, pods: Sequence[Pod]) -> list[str]:
    """Return the warnings about Pods that would not be allowed any more.

    Of Pods with the same controller one comes first, the others only if there is room.
    """
    offenders: dict[str, list[str]] = defaultdict(list)
    for pod in _by_importance(pods)[:MOST_PODS]:
        if found := evaluate(enforce, pod):
            offenders[reasons(found)].append(pod.metadata.name)
    warnings = []
    if len(pods) > MOST_PODS:
        warnings.append(
            "new PodSecurity enforce level only checked against the first "
            f"{MOST_PODS} of {len(pods)} existing pods"
        )
    if offenders:
        warnings.append(
            f"existing pods in namespace {quote(namespace)} violate the new PodSecurity enforce "
            f"level {quote(str(enforce))}"
        )
    return warnings + sorted(f"{_who(names)}: {why}" for why, names in offenders.items())


def _by_importance(pods: Sequence[Pod]) -> list[Pod]:
    first: list[Pod] = []
    others: list[Pod] = []
    seen: set[str] = set()
    for pod in pods:
        controllers = [ref.uid for ref in pod.metadata.owner_references if ref.controller]
        (others if seen.issuperset(controllers) and controllers else first).append(pod)
        seen.update(controllers)
    return first + others


def _who(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{min(names)} (and {others} other {'pod' if others == 1 else 'pods'})"

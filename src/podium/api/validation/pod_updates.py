"""What an update may change of a Pod."""

from __future__ import annotations

import msgspec

from podium.api import go_text
from podium.api.annotations import MIRROR
from podium.api.field import FieldError, Path, Verbatim, forbidden, invalid, required
from podium.api.types.core_v1 import (
    Affinity,
    Container,
    NodeAffinity,
    NodeSelectorTerm,
    Pod,
    PodSchedulingGate,
    PodSpec,
    Toleration,
)
from podium.api.validation.common import MAX_INT32, Errors, in_range
from podium.api.validation.differences import differences
from podium.api.validation.pod_annotations import (
    validate_pod_annotations_update,
    without_old_cost,
)
from podium.api.validation.pods import ANNOTATIONS, SPEC, validate_pod_fields
from podium.api.validation.scheduling import validate_tolerations

UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
)
_GRACE = (
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate_pod_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return the offences of replacing *old* by *new*, beyond those of the metadata.

    Images, a shorter deadline and further tolerations are what may change, and what scheduling
    gates leave open while there are some.
    """
    found = validate_pod_fields(new)
    errors = without_old_cost(found, ANNOTATIONS, old)
    errors += validate_pod_annotations_update(ANNOTATIONS, new, old)
    unchanged = new.spec == old.spec
    if unchanged and not found:
        return errors
    for name, mine, theirs in (
        ("containers", new.spec.containers, old.spec.containers),
        ("initContainers", new.spec.init_containers, old.spec.init_containers),
    ):
        if len(mine) != len(theirs):
            text = "pod updates may not add or remove containers"
            return [*errors, forbidden(SPEC.child(name), text)]
        errors.extend(_validate_images(SPEC.child(name), mine))
    deadline = list(_validate_deadline(new.spec, old.spec))
    errors += deadline
    if deadline and new.spec.active_deadline_seconds is not None:
        return errors
    errors.extend(
        _only_added_tolerations(
            SPEC.child("tolerations"), new.spec.tolerations, old.spec.tolerations
        )
    )
    errors.extend(
        _only_removed_gates(
            SPEC.child("schedulingGates"), new.spec.scheduling_gates, old.spec.scheduling_gates
        )
    )
    if not unchanged:
        errors.extend(_validate_rest(new.spec, old.spec))
    return errors


def validate_ephemeral_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return the offences of an update by ``/ephemeralcontainers``: nothing goes, nothing changes.

    The order may change, as patches do not keep it.
    """
    errors = without_old_cost(validate_pod_fields(new), ANNOTATIONS, old)
    errors += validate_pod_annotations_update(ANNOTATIONS, new, old)
    if MIRROR in old.metadata.annotations:
        return [forbidden(Path(""), "static pods do not support ephemeral containers")]
    path = SPEC.child("ephemeralContainers")
    wanted = {container.name: container for container in new.spec.ephemeral_containers}
    for was in old.spec.ephemeral_containers:
        now = wanted.get(was.name)
        said = f"existing ephemeral containers {go_text.quote(was.name)} may not be"
        if now is None:
            errors.append(forbidden(path, f"{said} removed\n"))
        elif now != was:
            shown = differences("core.EphemeralContainer", was, now)
            errors.append(forbidden(path, f"{said} changed\n{shown}"))
    return errors


def _validate_images(path: Path, containers: list[Container]) -> Errors:
    for i, container in enumerate(containers):
        if not container.image:
            yield required(path.index(i).child("image"))
        if container.image != container.image.strip():
            text = "must not have leading or trailing whitespace"
            yield invalid(path.index(i).child("image"), container.image, text)


def _validate_deadline(new: PodSpec, old: PodSpec) -> Errors:
    """A deadline may be set, and moved nearer."""
    path = SPEC.child("activeDeadlineSeconds")
    wanted, current = new.active_deadline_seconds, old.active_deadline_seconds
    if wanted is None:
        if current is not None:
            text = "must not update from a positive integer to nil value"
            yield invalid(path, "null", text)
        return
    yield from in_range(path, wanted, 0, MAX_INT32)
    if current is not None and current < wanted <= MAX_INT32:
        yield invalid(path, wanted, "must be less than or equal to previous value")


def _only_added_tolerations(path: Path, new: list[Toleration], old: list[Toleration]) -> Errors:
    def key(toleration: Toleration) -> tuple[str, ...]:
        return (toleration.key, toleration.operator, toleration.value, toleration.effect)

    present = {key(toleration) for toleration in new}
    if any(key(toleration) not in present for toleration in old):
        text = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden(path, text)
    else:
        yield from validate_tolerations(path, new)


def _only_removed_gates(
    path: Path, new: list[PodSchedulingGate], old: list[PodSchedulingGate]
) -> Errors:
    known = {gate.name for gate in old}
    for i, gate in enumerate(new):
        if gate.name not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            yield forbidden(path.index(i).child("name"), text)


def _validate_rest(new: PodSpec, old: PodSpec) -> Errors:
    """With all that may change set back, nothing may differ."""
    settled = msgspec.structs.replace(
        new,
        containers=_with_images(new.containers, old.containers),
        init_containers=_with_images(new.init_containers, old.init_containers),
        active_deadline_seconds=old.active_deadline_seconds,
        tolerations=old.tolerations,
        scheduling_gates=old.scheduling_gates,
    )
    grace = old.termination_grace_period_seconds
    if grace is not None and grace < 0 and new.termination_grace_period_seconds == 1:
        settled.termination_grace_period_seconds = grace
    if old.scheduling_gates:
        yield from _settle_gated(settled, old)
    if settled != old:
        shown = differences("core.PodSpec", old, settled)
        fields = f"{', '.join(UPDATABLE)} or {_GRACE}"
        text = f"pod updates may not change fields other than {fields}\n{shown}"
        yield forbidden(SPEC, text)


def _with_images(new: list[Container], old: list[Container]) -> list[Container]:
    return [
        msgspec.structs.replace(mine, image=theirs.image)
        for mine, theirs in zip(new, old, strict=True)
    ]


def _settle_gated(settled: PodSpec, old: PodSpec) -> Errors:
    """A gated Pod may still be directed to fewer nodes: by more labels, more requirements."""
    if settled.node_selector != old.node_selector:
        path = SPEC.child("nodeSelector")
        for key, value in sorted(old.node_selector.items()):
            if settled.node_selector.get(key) != value:
                text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
                yield invalid(path, settled.node_selector, text)
                break
        settled.node_selector = old.node_selector
    mine, theirs = _node_affinity(settled), _node_affinity(old)
    if mine != theirs:
        yield from _validate_terms(mine, theirs)
        affinity = settled.affinity or Affinity()
        affinity = msgspec.structs.replace(affinity, node_affinity=theirs)
        settled.affinity = None if old.affinity is None and affinity == Affinity() else affinity


def _node_affinity(spec: PodSpec) -> NodeAffinity | None:
    return spec.affinity.node_affinity if spec.affinity is not None else None


def _validate_terms(new: NodeAffinity | None, old: NodeAffinity | None) -> Errors:
    """Each term of the old required node selector is kept, at most with more in it."""
    path = SPEC.child("affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    before, after = _terms(old), _terms(new)
    if before and len(before) != len(after):
        text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        yield invalid(path, _dump(after), text)
        return
    for i, was in enumerate(before):
        if not _narrows(after[i], was):
            text = "only additions are allowed (no mutations or deletions)"
            yield invalid(path.index(i), _dump(after[i]), text)


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _terms(affinity: NodeAffinity | None) -> list[NodeSelectorTerm]:
    selector = affinity and affinity.required_during_scheduling_ignored_during_execution
    return selector.node_selector_terms if selector else []


def _narrows(new: NodeSelectorTerm, old: NodeSelectorTerm) -> bool:
    """A term without requirements matches nothing, and goes on doing so."""
    if not old.match_expressions and not old.match_fields:
        return not new.match_expressions and not new.match_fields
    return (
        old.match_expressions == new.match_expressions[: len(old.match_expressions)]
        and old.match_fields == new.match_fields[: len(old.match_fields)]
    )


def _dump(terms: list[NodeSelectorTerm] | NodeSelectorTerm) -> Verbatim:
    return Verbatim(msgspec.json.encode(terms).decode())

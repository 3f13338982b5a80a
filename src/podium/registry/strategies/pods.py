"""Pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from podium.api import errors
from podium.api.defaults.pods import name_service_account, set_defaults_pod
from podium.api.field import FieldError
from podium.api.resources import qos_class
from podium.api.types.core_v1 import Binding, Pod, PodCondition, PodIP, PodStatus
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta, StatusDetails
from podium.api.validation.alike import likeness_of, warned_once
from podium.api.validation.pod_resize import validate_pod_resize
from podium.api.validation.pod_status import validate_binding, validate_pod_status_update
from podium.api.validation.pod_updates import validate_ephemeral_update, validate_pod_update
from podium.api.validation.pods import validate_pod
from podium.domain.pods import restart_request
from podium.domain.pods.termination import LONGEST_GRACE
from podium.registry.strategies import pod_table
from podium.registry.strategies.base import (
    Strategy,
    UpdateRules,
    copy_field,
    keep_system_metadata,
)
from podium.registry.strategies.closed_gates import (
    drop_closed_fields,
    drop_closed_status_fields,
)
from podium.registry.strategies.pod_preparation import (
    copy_app_armor_annotations,
    keep_observed_generations,
    merge_label_keys,
    take_resources,
)
from podium.registry.strategies.pod_warnings import name_warnings, pod_warnings
from podium.registry.strategies.table import Cell, RowCondition

_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_FINISHED = ("Succeeded", "Failed")


class RestartRequest(msgspec.Struct, kw_only=True):
    """What POST to ``restart`` asks for; comes from the request's query, never as an object."""

    kind: str = "Restart"
    metadata: ObjectMeta = msgspec.field(default_factory=ObjectMeta)
    containers: Sequence[str] = ()


class PodStrategy(Strategy[Pod]):
    counts_generations = True
    returns_deleted_object = True
    columns = pod_table.COLUMNS
    field_labels = frozenset({
        "spec.hostNetwork",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.nominatedNodeName",
        "status.phase",
        "status.podIP",
        "status.podIPs",
    })  # fmt: skip

    # ------------------------------------------------------------------ create

    def default(self, obj: Pod) -> None:
        set_defaults_pod(obj)
        _agree_on_addresses(obj.status)

    def prepare_for_create(self, obj: Pod, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        name_service_account(obj.spec)  # admission may have chosen it
        obj.status = PodStatus(phase="Pending", qos_class=qos_class(obj))
        if obj.spec.scheduling_gates:
            gated = PodCondition(
                type="PodScheduled",
                status="False",
                reason="SchedulingGated",
                message=_GATED,
                last_transition_time=now.replace(microsecond=0),
            )
            obj.status.conditions = [gated]
        drop_closed_fields(obj.spec)
        merge_label_keys(obj)
        copy_app_armor_annotations(obj)

    def validate(self, obj: Pod) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_pod(obj)

    def judge(self, obj: Pod) -> tuple[list[FieldError], list[str]]:
        likeness = likeness_of(obj.spec)
        found = self.validate_metadata(obj) + validate_pod(obj, likeness)
        if found:
            return found, []
        warnings = list(name_warnings(obj.metadata.name, "the Pod's hostname"))
        return [], warnings + warned_once(obj, pod_warnings, likeness)

    # ------------------------------------------------------------------ update

    def rules(self, subresource: str = "") -> UpdateRules[Pod]:
        if subresource == "ephemeralcontainers":
            prepare, validate = self._prepare_ephemeral_update, self._validate_ephemeral_update
            return UpdateRules(prepare, validate, owns=False)
        if subresource == "resize":
            return UpdateRules(self._prepare_resize, self._validate_resize, take=take_resources)
        return super().rules(subresource)

    def prepare_for_update(self, new: Pod, old: Pod, now: datetime) -> None:
        name_service_account(new.spec)
        drop_closed_fields(new.spec, old.spec)
        super().prepare_for_update(new, old, now)

    def validate_update(self, new: Pod, old: Pod) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_pod_update(new, old)

    def prepare_for_status_update(self, new: Pod, old: Pod, now: datetime) -> None:
        super().prepare_for_status_update(new, old, now)
        new.metadata.owner_references = old.metadata.owner_references
        new.status.qos_class = new.status.qos_class or old.status.qos_class
        keep_observed_generations(new.status, old.status)
        drop_closed_status_fields(new.status, old.status)

    def validate_status_update(self, new: Pod, old: Pod) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_pod_status_update(new, old)

    def reset_fields(self, subresource: str = "") -> Sequence[tuple[str, ...]]:
        if subresource == "status":
            return (("spec",), ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))
        return (("status",),)

    def _prepare_ephemeral_update(self, new: Pod, old: Pod, now: datetime) -> None:
        """Take nothing but the ephemeral containers from *new*."""
        wanted = new.spec.ephemeral_containers
        super().prepare_for_status_update(new, old, now)
        for name in ("labels", "annotations", "finalizers", "owner_references"):
            copy_field(new.metadata, old.metadata, name)
        new.spec = msgspec.structs.replace(old.spec, ephemeral_containers=wanted)
        drop_closed_fields(new.spec, old.spec)
        copy_field(new, old, "status")
        self.count_generation(new, old)

    def _validate_ephemeral_update(self, new: Pod, old: Pod) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_ephemeral_update(new, old)

    def _prepare_resize(self, new: Pod, old: Pod, now: datetime) -> None:
        drop_closed_fields(new.spec, old.spec)
        keep_system_metadata(new, old)
        self.count_generation(new, old)

    def _validate_resize(self, new: Pod, old: Pod) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_pod_resize(new, old)

    # ------------------------------------------------------------------ bind, delete

    def post(
        self, subresource: str, obj: Pod, body: Binding | RestartRequest, now: datetime
    ) -> None:
        """``binding``: assign the Pod to a node, once; ``restart``: ask for new runs of containers.

        Raises ApiError: 409 for a Pod that is assigned, gated or being deleted already, and for one
        of which nothing can be restarted; 400 for containers that it does not have.
        """
        if isinstance(body, RestartRequest):
            return _ask_for_restart(obj, body.containers)
        if subresource != "binding":
            return super().post(subresource, obj, body, now)
        offences = validate_binding(body)
        if offences:
            raise errors.failure(500, "", "; ".join(map(str, offences)))
        obstacle = _obstacle(obj, body)
        if obstacle:
            raise _binding_conflict(obj.metadata.name, obstacle)
        obj.spec.node_name = body.target.name
        obj.metadata.annotations = {**obj.metadata.annotations, **body.metadata.annotations}
        scheduled = PodCondition(
            type="PodScheduled", status="True", last_transition_time=now.replace(microsecond=0)
        )
        others = [c for c in obj.status.conditions if c.type != "PodScheduled"]
        obj.status.conditions = [*others, scheduled]
        obj.status.nominated_node_name = ""
        return None

    def grace_period(self, obj: Pod, options: DeleteOptions) -> int | None:
        """What the request asks for, else what the Pod does; nothing where nothing can run."""
        if not obj.spec.node_name or obj.status.phase in _FINISHED:
            return 0
        asked = options.grace_period_seconds
        if asked is None:
            asked = obj.spec.termination_grace_period_seconds or 0
        return min(asked, LONGEST_GRACE) if asked >= 0 else 1

    # ------------------------------------------------------------------ select and print

    def field_label(self, label: str) -> str:
        if label == "spec.host":
            return "spec.nodeName"
        return super().field_label(label)

    def fields(self, obj: Pod) -> Mapping[str, str]:
        spec, status = obj.spec, obj.status
        address = status.pod_ips[0].ip if status.pod_ips else status.pod_ip
        return {
            "metadata.name": obj.metadata.name,
            "metadata.namespace": obj.metadata.namespace,
            "spec.hostNetwork": "true" if spec.host_network else "false",
            "spec.nodeName": spec.node_name,
            "spec.restartPolicy": spec.restart_policy,
            "spec.schedulerName": spec.scheduler_name,
            "spec.serviceAccountName": spec.service_account_name,
            "status.nominatedNodeName": status.nominated_node_name,
            "status.phase": status.phase,
            "status.podIP": address,
            "status.podIPs": address,
        }

    def row(self, obj: Pod, now: datetime) -> list[Cell]:
        return pod_table.pod_row(obj, now)

    def row_conditions(self, obj: Pod) -> Sequence[RowCondition]:
        match obj.status.phase:
            case "Succeeded":
                return (pod_table.SUCCEEDED,)
            case "Failed":
                return (pod_table.FAILED,)
        return ()


def _ask_for_restart(pod: Pod, containers: Sequence[str]) -> None:
    try:
        asked = restart_request.request(pod, containers)
    except restart_request.CannotRestart as exc:
        if not exc.conflict:
            raise errors.bad_request(str(exc)) from None
        details = StatusDetails(name=pod.metadata.name, kind="pods/restart")
        raise errors.failure(409, "Conflict", str(exc), details) from None
    pod.metadata.annotations = {**pod.metadata.annotations, restart_request.ANNOTATION: asked}


def _agree_on_addresses(status: PodStatus) -> None:
    """``podIP`` is the first of ``podIPs``; where they disagree, ``podIP`` is right."""
    if status.pod_ip and (not status.pod_ips or status.pod_ips[0].ip != status.pod_ip):
        status.pod_ips = [PodIP(ip=status.pod_ip)]
    elif status.pod_ips:
        status.pod_ip = status.pod_ips[0].ip


def _obstacle(pod: Pod, binding: Binding) -> str:
    """Return why *pod* cannot be bound; "" if it can."""
    name = pod.metadata.name
    wanted = binding.metadata.uid
    if wanted and wanted != pod.metadata.uid:
        return (
            f"Precondition failed: UID in precondition: {wanted}, "
            f"UID in object meta: {pod.metadata.uid}"
        )
    if pod.metadata.deletion_timestamp is not None:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if pod.spec.node_name:
        return f'pod {name} is already assigned to node "{pod.spec.node_name}"'
    if pod.spec.scheduling_gates:
        return f"pod {name} has non-empty .spec.schedulingGates"
    return ""


def _binding_conflict(name: str, why: str) -> errors.ApiError:
    message = f'Operation cannot be fulfilled on pods/binding "{name}": {why}'
    details = StatusDetails(name=name, kind="pods/binding")
    return errors.failure(409, "Conflict", message, details)


STRATEGY = PodStrategy

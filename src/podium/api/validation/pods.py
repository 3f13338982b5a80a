"""Validation of Pods: what create and every update check; ``pod_updates`` has what may change."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, forbidden, invalid, required
from podium.api.types.core_v1 import (
    Pod,
    PodDNSConfig,
    PodSchedulingGroup,
    PodSpec,
    ResourceRequirements,
)
from podium.api.validation.alike import judged_once
from podium.api.validation.common import (
    MAX_INT32,
    Errors,
    dns1123_label,
    dns1123_subdomain,
    in_range,
    ip_address,
    labels,
    one_of,
    qualified_name,
)
from podium.api.validation.containers import (
    RESTART_POLICIES,
    Surroundings,
    validate_containers,
    validate_ephemeral_containers,
    validate_image_spaces,
    validate_init_containers,
)
from podium.api.validation.operating_system import validate_os, validate_windows_options
from podium.api.validation.pod_annotations import (
    validate_pod_annotations,
    validate_profiles_agree,
)
from podium.api.validation.pod_relations import (
    validate_file_keys,
    validate_host_network_ports,
    validate_host_users,
    validate_hostname_override,
    validate_resource_claims,
)
from podium.api.validation.resources import validate_container_resources, validate_pod_resources
from podium.api.validation.scheduling import (
    validate_affinity,
    validate_gates,
    validate_spread,
    validate_tolerations,
)
from podium.api.validation.security import validate_pod_security_context
from podium.api.validation.volumes import validate_volumes

DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
MAX_NAMESERVERS, MAX_SEARCHES, MAX_SEARCH_CHARACTERS = 3, 32, 2048
_BAD_IP = "must be valid IP address"

SPEC, ANNOTATIONS = Path("spec"), Path("metadata.annotations")


def validate_pod(pod: Pod, likeness: bytes = b"") -> list[FieldError]:
    """Return the offences of a new Pod's annotations and spec, defaults filled in.

    *likeness* is the spec's (``alike``), where it is known.
    """
    errors = validate_pod_fields(pod, likeness)
    if pod.spec.ephemeral_containers:
        errors.append(forbidden(SPEC.child("ephemeralContainers"), "cannot be set on create"))
    if pod.spec.node_name and pod.spec.scheduling_gates:
        text = "cannot be set until all schedulingGates have been cleared"
        errors.append(forbidden(SPEC.child("nodeName"), text))
    errors.extend(validate_profiles_agree(SPEC, pod))
    return errors


def validate_pod_fields(pod: Pod, likeness: bytes = b"") -> list[FieldError]:
    """Return the offences that do not depend on whether the Pod is new."""
    found = list(validate_pod_annotations(ANNOTATIONS, pod))
    return found + judged_once(pod, _validate_spec, likeness)


def _validate_spec(pod: Pod) -> list[FieldError]:
    errors = list(validate_pod_spec(SPEC, pod))
    if not pod.spec.service_account_name:
        errors.extend(_tokens_without_account(SPEC.child("volumes"), pod.spec))
    for name, containers in (
        ("containers", pod.spec.containers),
        ("initContainers", pod.spec.init_containers),
    ):
        for i, container in enumerate(containers):
            errors.extend(validate_image_spaces(SPEC.child(name).index(i), container))
    return errors


def validate_pod_spec(path: Path, pod: Pod, *, template: bool = False) -> Errors:
    """Check a Pod's spec, or a template's, in upstream's order."""
    spec = pod.spec
    if spec.termination_grace_period_seconds is None:
        yield required(path.child("terminationGracePeriodSeconds"))
    volumes, errors = validate_volumes(path.child("volumes"), spec.volumes, pod.metadata.name)
    yield from errors
    yield from validate_resource_claims(path.child("resourceClaims"), pod)
    surroundings = Surroundings(
        volumes=volumes,
        claims={claim.name for claim in spec.resource_claims if claim.name},
        restart_policy=spec.restart_policy,
        grace_period=spec.termination_grace_period_seconds,
        host_users=spec.host_users is not False,
        system=spec.os.name if spec.os is not None else None,
    )
    yield from validate_containers(path.child("containers"), spec.containers, surroundings)
    yield from validate_init_containers(path.child("initContainers"), spec, surroundings)
    at = path.child("ephemeralContainers")
    yield from validate_ephemeral_containers(at, spec, surroundings)
    yield from validate_pod_resources(path.child("resources"), pod)
    yield from validate_host_network_ports(path.child("containers"), spec, template=template)
    yield from one_of(path.child("restartPolicy"), spec.restart_policy, RESTART_POLICIES)
    yield from one_of(path.child("dnsPolicy"), spec.dns_policy, DNS_POLICIES)
    yield from labels(path.child("nodeSelector"), spec.node_selector)
    yield from validate_pod_security_context(path.child("securityContext"), spec)
    yield from validate_affinity(path.child("affinity"), spec.affinity)
    yield from _validate_dns(path.child("dnsConfig"), spec.dns_config, spec.dns_policy)
    for i, gate in enumerate(spec.readiness_gates):
        at = path.child("readinessGates").index(i).child("conditionType")
        yield from qualified_name(at, gate.condition_type)
    yield from validate_gates(path.child("schedulingGates"), spec.scheduling_gates)
    at = path.child("topologySpreadConstraints")
    yield from validate_spread(at, spec.topology_spread_constraints)
    yield from validate_windows_options(path, spec)
    yield from validate_host_users(path, spec)
    yield from validate_hostname_override(path, spec)
    yield from _validate_names(path, spec)
    yield from _validate_rest(path, spec)
    yield from validate_os(path, spec)
    yield from _validate_scheduling_group(path.child("schedulingGroup"), spec.scheduling_group)
    yield from validate_file_keys(path, spec)


def _validate_names(path: Path, spec: PodSpec) -> Errors:
    for name, value in (
        ("serviceAccountName", spec.service_account_name),
        ("nodeName", spec.node_name),
    ):
        if value:
            yield from dns1123_subdomain(path.child(name), value)
    if spec.active_deadline_seconds is not None:
        at = path.child("activeDeadlineSeconds")
        yield from in_range(at, spec.active_deadline_seconds, 1, MAX_INT32)
    for name, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        if value:
            yield from dns1123_label(path.child(name), value)


def _validate_rest(path: Path, spec: PodSpec) -> Errors:
    yield from validate_tolerations(path.child("tolerations"), spec.tolerations)
    for alias in spec.host_aliases:
        yield from ip_address(path.child("hostAliases", "ip"), alias.ip, _BAD_IP)
        for hostname in alias.hostnames:
            yield from dns1123_subdomain(path.child("hostAliases", "hostnames"), hostname)
    if spec.priority_class_name:
        yield from dns1123_subdomain(path.child("priorityClassName"), spec.priority_class_name)
    if spec.runtime_class_name is not None:
        yield from dns1123_subdomain(path.child("runtimeClassName"), spec.runtime_class_name)
    if spec.preemption_policy is not None:
        at = path.child("preemptionPolicy")
        yield from one_of(at, spec.preemption_policy, PREEMPTION_POLICIES)
    overhead = ResourceRequirements(limits=spec.overhead)
    yield from validate_container_resources(path.child("overhead"), overhead, ())


def _validate_scheduling_group(path: Path, group: PodSchedulingGroup | None) -> Errors:
    if group is None:
        return
    at = path.child("podGroupName")
    if not group.pod_group_name:
        yield invalid(at, None, "must specify one of: `podGroupName`")
    else:
        yield from dns1123_subdomain(at, group.pod_group_name)


def _validate_dns(path: Path, config: PodDNSConfig | None, policy: str) -> Errors:
    if policy == "None":
        if config is None:
            yield required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.nameservers:
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(path.child("nameservers"), text)
            return
    if config is None:
        return
    at, servers = path.child("nameservers"), config.nameservers
    if len(servers) > MAX_NAMESERVERS:
        yield invalid(at, servers, f"must not have more than {MAX_NAMESERVERS} nameservers")
    for i, server in enumerate(servers):
        yield from ip_address(at.index(i), server, _BAD_IP)
    yield from _validate_searches(path.child("searches"), config.searches)
    for i, option in enumerate(config.options):
        if not option.name:
            yield required(path.child("options").index(i), "must not be empty")


def _validate_searches(path: Path, searches: list[str]) -> Errors:
    if len(searches) > MAX_SEARCHES:
        yield invalid(path, searches, f"must not have more than {MAX_SEARCHES} search paths")
    if len(" ".join(searches)) > MAX_SEARCH_CHARACTERS:
        text = (
            f"must not have more than {MAX_SEARCH_CHARACTERS} characters "
            "(including spaces) in the search list"
        )
        yield invalid(path, searches, text)
    for i, search in enumerate(searches):
        if search == "." or not names.dns1123_subdomain(search.replace("_", "x").removesuffix(".")):
            continue  # an underscore is allowed here, and the root
        yield from dns1123_subdomain(path.index(i), search.removesuffix("."))


def _tokens_without_account(path: Path, spec: PodSpec) -> Errors:
    for i, volume in enumerate(spec.volumes):
        if volume.projected is None:
            continue
        for j, source in enumerate(volume.projected.sources):
            if source.service_account_token is not None:
                at = path.index(i).child("projected", "sources").index(j)
                text = "must not be specified when serviceAccountName is not set"
                yield forbidden(at.child("serviceAccountToken"), text)

"""Fields that a Pod may set and this node does not do: none is passed over in silence.

What is served is listed, field by field; whatever else of a spec differs from its empty value is
reported. A field that a later API version adds is therefore refused until somebody serves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import IPv4Address
from typing import Any

import msgspec

from podium.api.resources import is_huge_page
from podium.api.types import core_v1
from podium.api.types.core_v1 import Container, Pod, Volume
from podium.domain.pods import backoff
from podium.domain.pods.apparmor import NO_MODULES, SecurityModules
from podium.domain.pods.containers import as_container
from podium.domain.pods.empty_dirs import MEMORY
from podium.domain.pods.nul_bytes import nul_bytes
from podium.domain.pods.probes import PERIODS_ANNOTATION, probe_periods, probes_of

REASON = "UnsupportedField"

_POD = frozenset(
    "active_deadline_seconds affinity automount_service_account_token containers dns_config "
    "dns_policy enable_service_links ephemeral_containers host_aliases host_ipc host_network "
    "host_pid host_users hostname hostname_override image_pull_secrets init_containers node_name "
    "node_selector os overhead preemption_policy priority "
    "priority_class_name readiness_gates resources restart_policy runtime_class_name "
    "scheduler_name "
    "security_context "
    "service_account service_account_name set_hostname_as_fqdn share_process_namespace subdomain "
    "termination_grace_period_seconds tolerations topology_spread_constraints volumes".split()
)
_CONTAINER = frozenset(
    "args command env env_from image image_pull_policy lifecycle liveness_probe name ports "
    "readiness_probe resize_policy resources restart_policy restart_policy_rules security_context "
    "startup_probe stdin stdin_once termination_message_path termination_message_policy tty "
    "volume_mounts working_dir".split()
)
_PROBE = frozenset(
    "exec failure_threshold grpc http_get initial_delay_seconds period_seconds success_threshold "
    "tcp_socket termination_grace_period_seconds timeout_seconds".split()
)
_HTTP_GET = frozenset("host http_headers path port scheme".split())
_GRPC = frozenset("port service".split())
_LIFECYCLE = frozenset("post_start pre_stop stop_signal".split())
_HOOK = frozenset("exec http_get sleep tcp_socket".split())
_PORT = frozenset("container_port name protocol host_ip host_port".split())
_MOUNT = frozenset(
    "mount_path mount_propagation name read_only recursive_read_only sub_path sub_path_expr".split()
)
_ENV_SOURCE = frozenset(
    "config_map_key_ref field_ref file_key_ref resource_field_ref secret_key_ref".split()
)
_EMPTY_DIR = frozenset(("medium", "size_limit"))
_KEYED_VOLUME = frozenset("default_mode items name optional secret_name".split())
_ITEM = frozenset("key mode path field_ref resource_field_ref".split())
_PROJECTED = frozenset("default_mode sources".split())
_PROJECTION = frozenset("config_map downward_api secret service_account_token".split())
_TOKEN = frozenset("audience expiration_seconds path".split())
_POD_SECURITY = frozenset(
    "app_armor_profile fs_group fs_group_change_policy run_as_group run_as_non_root run_as_user "
    "seccomp_profile "
    "supplemental_groups supplemental_groups_policy sysctls".split()
)
#: Without the kernel's part these have no effect, upstream neither; with it we do not serve them.
_SELINUX = frozenset(("se_linux_options", "se_linux_change_policy"))
_SECURITY = frozenset(
    "allow_privilege_escalation app_armor_profile capabilities privileged proc_mount "
    "read_only_root_filesystem run_as_group run_as_non_root run_as_user seccomp_profile".split()
)
_LIMITS = frozenset(("cpu", "ephemeral-storage", "memory"))

#: Values that say the same as leaving the field out.
_HARMLESS: dict[str, tuple[Any, ...]] = {
    "app_armor_profile": (core_v1.AppArmorProfile(type="Unconfined"),),
}
_DNS_POLICIES = ("", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")


def unsupported_fields(pod: Pod, modules: SecurityModules = NO_MODULES) -> list[str]:
    """Return the path of each field that the Pod sets and the node does not do."""
    return list(_pod_fields(pod, modules))


def unsupported_ephemeral_fields(
    pod: Pod,
    name: str,
    modules: SecurityModules = NO_MODULES,
) -> list[str]:
    """Like :func:`unsupported_fields`, of one ephemeral container: these come after admission."""
    found: list[str] = []
    for number, ephemeral in enumerate(pod.spec.ephemeral_containers):
        if ephemeral.name == name:
            path = f"spec.ephemeralContainers[{number}]"
            found += _container_fields(as_container(ephemeral), path, modules)
            found += nul_bytes(ephemeral, path)
    return found


def unsupported_message(paths: list[str]) -> str:
    """What the Pod's status and the event say."""
    return f"this node does not support: {', '.join(paths)}"


def _pod_fields(pod: Pod, modules: SecurityModules) -> Iterator[str]:
    spec = pod.spec
    yield from _others(spec, _POD, "spec")
    yield from nul_bytes(spec, "spec")
    if spec.security_context is not None:
        served = _POD_SECURITY if modules.selinux else _POD_SECURITY | _SELINUX
        yield from _others(spec.security_context, served, "spec.securityContext")
    if spec.dns_policy not in _DNS_POLICIES:
        yield "spec.dnsPolicy"
    for name, containers in (
        ("initContainers", spec.init_containers),
        ("containers", spec.containers),
    ):
        for number, container in enumerate(containers):
            yield from _container_fields(container, f"spec.{name}[{number}]", modules)
    for number, ephemeral in enumerate(spec.ephemeral_containers):
        path = f"spec.ephemeralContainers[{number}]"
        yield from _container_fields(as_container(ephemeral), path, modules)
    for number, volume in enumerate(spec.volumes):
        yield from _volume_fields(volume, f"spec.volumes[{number}]")
        if volume.image is not None and spec.host_users is False:
            yield f"spec.volumes[{number}].image"  # an overlay's owners cannot be mapped
    try:
        probe_periods(pod, "")
    except ValueError as exc:
        yield f"metadata.annotations[{PERIODS_ANNOTATION}]: {exc}"
    try:
        backoff.pod_back_off(pod, backoff.UPSTREAM)
    except ValueError as exc:
        yield f"metadata.annotations[{backoff.ANNOTATION}]: {exc}"


def _container_fields(container: Container, path: str, modules: SecurityModules) -> Iterator[str]:
    yield from _others(container, _CONTAINER, path)
    if container.security_context is not None:
        served = _SECURITY if modules.selinux else _SECURITY | _SELINUX
        yield from _others(container.security_context, served, f"{path}.securityContext")
    for number, port in enumerate(container.ports):
        yield from _others(port, _PORT, f"{path}.ports[{number}]")
        if port.host_port and port.host_ip and not _is_ipv4(port.host_ip):
            yield f"{path}.ports[{number}].hostIP"
    for number, mount in enumerate(container.volume_mounts):
        yield from _others(mount, _MOUNT, f"{path}.volumeMounts[{number}]")
    yield from _health_fields(container, path)
    for number, entry in enumerate(container.env):
        if entry.value_from is not None:
            yield from _others(entry.value_from, _ENV_SOURCE, f"{path}.env[{number}].valueFrom")
    for number, rule in enumerate(container.restart_policy_rules):
        if rule.action != "Restart":
            yield f"{path}.restartPolicyRules[{number}].action"
    if container.resources.claims:
        yield f"{path}.resources.claims"
    for name in sorted(set(container.resources.limits) - _LIMITS):
        # Extended resources are the scheduler's to count, no node limits them.
        if "/" not in name and not is_huge_page(name):
            yield f"{path}.resources.limits[{name}]"


def _is_ipv4(text: str) -> bool:
    """Nodes have no addresses of other families here; the API takes any text for a hostIP."""
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _health_fields(container: Container, path: str) -> Iterator[str]:
    """Probes and lifecycle hooks."""
    for kind, probe in probes_of(container):
        at = f"{path}.{kind.value.lower()}Probe"
        yield from _others(probe, _PROBE, at)
        if probe.http_get is not None:
            yield from _others(probe.http_get, _HTTP_GET, f"{at}.httpGet")
        if probe.grpc is not None:
            yield from _others(probe.grpc, _GRPC, f"{at}.grpc")
    if container.lifecycle is None:
        return
    yield from _others(container.lifecycle, _LIFECYCLE, f"{path}.lifecycle")
    for name, hook in (
        ("postStart", container.lifecycle.post_start),
        ("preStop", container.lifecycle.pre_stop),
    ):
        if hook is not None:
            yield from _others(hook, _HOOK, f"{path}.lifecycle.{name}")
            if hook.http_get is not None:
                yield from _others(hook.http_get, _HTTP_GET, f"{path}.lifecycle.{name}.httpGet")


def _volume_fields(volume: Volume, path: str) -> Iterator[str]:
    """Volumes of sources that are not served fail to mount, as where a plugin is missing."""
    if volume.empty_dir is not None:
        yield from _others(volume.empty_dir, _EMPTY_DIR, f"{path}.emptyDir")
        if volume.empty_dir.medium not in ("", MEMORY):
            yield f"{path}.emptyDir.medium"
    for name, source in (
        ("configMap", volume.config_map),
        ("secret", volume.secret),
        ("downwardAPI", volume.downward_api),
    ):
        if source is not None:
            yield from _keyed(source, f"{path}.{name}")
    if volume.projected is not None:
        yield from _projected(volume.projected, f"{path}.projected")


def _keyed(source: Any, path: str) -> Iterator[str]:
    yield from _others(source, _KEYED_VOLUME, path)
    for number, item in enumerate(source.items):
        yield from _others(item, _ITEM, f"{path}.items[{number}]")


def _projected(source: core_v1.ProjectedVolumeSource, path: str) -> Iterator[str]:
    yield from _others(source, _PROJECTED, path)
    for number, projection in enumerate(source.sources):
        at = f"{path}.sources[{number}]"
        yield from _others(projection, _PROJECTION, at)
        if projection.service_account_token is not None:
            yield from _others(
                projection.service_account_token, _TOKEN, f"{at}.serviceAccountToken"
            )
        for name, keyed in (
            ("configMap", projection.config_map),
            ("secret", projection.secret),
            ("downwardAPI", projection.downward_api),
        ):
            if keyed is not None:
                yield from _keyed(keyed, f"{at}.{name}")


def _others(value: msgspec.Struct, served: frozenset[str], path: str) -> Iterator[str]:
    """Fields of *value* that say something and are not *served*."""
    for name, encoded, empty in _unserved(type(value), served):
        found = getattr(value, name)
        if found == empty or found in _HARMLESS.get(name, ()):
            continue
        if isinstance(found, msgspec.Struct) and found == type(found)():
            continue  # ``affinity: {}`` asks for nothing
        yield f"{path}.{encoded}"


@cache
def _unserved(
    struct: type[msgspec.Struct], served: frozenset[str]
) -> Sequence[tuple[str, str, Any]]:
    """The fields of *struct* that are not *served*: name, name in JSON, and value when empty."""
    return [
        (field.name, field.encode_name, _empty(field))
        for field in msgspec.structs.fields(struct)
        if field.name not in served
    ]


def _empty(field: Any) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory()

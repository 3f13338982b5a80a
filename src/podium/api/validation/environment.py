"""Validation of environment variables, and of references to fields of the Pod itself."""

from __future__ import annotations

import re

from podium.api import names
from podium.api.field import Path, invalid, not_supported, required
from podium.api.quantity import canonical, parse
from podium.api.types.core_v1 import (
    ConfigMapEnvSource,
    ConfigMapKeySelector,
    EnvFromSource,
    EnvVar,
    FileKeySelector,
    ObjectFieldSelector,
    ResourceFieldSelector,
    SecretEnvSource,
    SecretKeySelector,
)
from podium.api.validation.common import Errors, dns1123_label, invalid_each, no_backsteps

#: What ``fieldRef`` of an environment variable may name, beside single labels and annotations.
ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
#: What ``fieldRef`` of a downwardAPI file may name, beside single labels and annotations.
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
CONTAINER_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BINARY_DIVISORS = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"


def validate_env(path: Path, variables: list[EnvVar]) -> Errors:
    for i, variable in enumerate(variables):
        at = path.index(i)
        if not variable.name:
            yield required(at.child("name"))
        else:
            yield from _validate_name(at.child("name"), variable.name)
        yield from _validate_value_from(at.child("valueFrom"), variable)


def _validate_name(path: Path, name: str) -> Errors:
    """A name may hold any printable ASCII character but the equals sign."""
    if "=" in name or not (name.isascii() and name.isprintable()):
        yield invalid(
            path,
            name,
            "a valid environment variable name must consist only of printable ASCII characters "
            "other than '='",
        )


def _validate_value_from(path: Path, variable: EnvVar) -> Errors:
    source = variable.value_from
    if source is None:
        return
    count = 0
    if source.field_ref is not None:
        count += 1
        yield from validate_field_ref(path.child("fieldRef"), source.field_ref, ENV_FIELDS)
    if source.resource_field_ref is not None:
        count += 1
        yield from validate_resource_field_ref(
            path.child("resourceFieldRef"), source.resource_field_ref, in_volume=False
        )
    if source.config_map_key_ref is not None:
        count += 1
        yield from _validate_key_ref(path.child("configMapKeyRef"), source.config_map_key_ref)
    if source.secret_key_ref is not None:
        count += 1
        yield from _validate_key_ref(path.child("secretKeyRef"), source.secret_key_ref)
    if source.file_key_ref is not None:
        count += 1
        yield from _validate_file_key_ref(path.child("fileKeyRef"), source.file_key_ref)

    if count == 0:
        wanted = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(path, "", f"must specify one of: {wanted}")
    elif variable.value:
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _validate_key_ref(path: Path, ref: ConfigMapKeySelector | SecretKeySelector) -> Errors:
    yield from invalid_each(path.child("name"), ref.name, names.dns1123_subdomain(ref.name))
    if not ref.key:
        yield required(path.child("key"))
    else:
        yield from invalid_each(path.child("key"), ref.key, names.config_map_key(ref.key))


def _validate_file_key_ref(path: Path, ref: FileKeySelector) -> Errors:
    if not ref.key:
        yield required(path.child("key"))
    else:
        yield from _validate_name(path.child("key"), ref.key)
    if not ref.volume_name:
        yield required(path.child("volumeName"))
    else:
        yield from dns1123_label(path.child("volumeName"), ref.volume_name)
    if not ref.path:
        yield required(path.child("path"))
    else:
        yield from no_backsteps(path.child("path"), ref.path)


def validate_field_ref(path: Path, ref: ObjectFieldSelector, known: tuple[str, ...]) -> Errors:
    """Check a reference to a field of the Pod; *known* are the whole fields it may name."""
    if not ref.api_version:
        yield required(path.child("apiVersion"))
        return
    if not ref.field_path:
        yield required(path.child("fieldPath"))
        return
    problem = _unknown_field(ref)
    if problem:
        text = f"error converting fieldPath: {problem}"
        yield invalid(path.child("fieldPath"), ref.field_path, text)
        return
    name = _field_name(ref.field_path)
    whole, key = _subscripted(ref.field_path)
    if not whole:
        if name not in known:
            yield not_supported(path.child("fieldPath"), name, known)
        return
    if whole == "metadata.annotations":
        key = key.lower()
    yield from invalid_each(path, key, names.qualified_name(key))


_CONVERTIBLE = (*ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName",
                "status.phase", "spec.host")  # fmt: skip


def _field_name(field_path: str) -> str:
    return "spec.nodeName" if field_path == "spec.host" else field_path


def _subscripted(field_path: str) -> tuple[str, str]:
    """Split ``metadata.labels['a']`` (``SplitMaybeSubscriptedPath``); "" twice for other paths."""
    whole, bracket, key = field_path.removesuffix("']").partition("['")
    return (whole, key) if field_path.endswith("']") and bracket else ("", "")


def _unknown_field(ref: ObjectFieldSelector) -> str:
    """Return why the downward API does not know the field at all; "" if it does."""
    if ref.api_version != "v1":
        return f"unsupported pod version: {ref.api_version}"
    whole, _ = _subscripted(ref.field_path)
    if whole:
        if whole in ("metadata.annotations", "metadata.labels"):
            return ""
        return f"field label does not support subscript: {ref.field_path}"
    return (
        "" if ref.field_path in _CONVERTIBLE else (f"field label not supported: {ref.field_path}")
    )


def validate_resource_field_ref(
    path: Path, ref: ResourceFieldSelector, *, in_volume: bool
) -> Errors:
    """Check a reference to a container's request or limit."""
    if in_volume and not ref.container_name:
        yield required(path.child("containerName"))
    elif not ref.resource:
        yield required(path.child("resource"))
    elif ref.resource not in CONTAINER_RESOURCES and not ref.resource.startswith(_HUGE_PAGES):
        yield not_supported(path.child("resource"), ref.resource, CONTAINER_RESOURCES)
    yield from _validate_divisor(path.child("divisor"), ref)


def _validate_divisor(path: Path, ref: ResourceFieldSelector) -> Errors:
    if ref.divisor is None or parse(ref.divisor).value == 0:
        return
    what = ref.resource.partition(".")[2]
    if what == "cpu":
        allowed, name = "1m and 1", "cpu"
    elif what == "memory":
        allowed, name = _BINARY_DIVISORS, "memory"
    elif what == "ephemeral-storage":
        allowed, name = _BINARY_DIVISORS, "local ephemeral storage"
    elif ref.resource.startswith(_HUGE_PAGES):
        allowed, name = _BINARY_DIVISORS, "hugepages"
    else:
        return
    if canonical(ref.divisor) not in re.split(r", | and ", allowed):
        text = f"only divisor's values {allowed} are supported with the {name} resource"
        yield invalid(path, ref.resource, text)


def validate_env_from(path: Path, sources: list[EnvFromSource]) -> Errors:
    for i, source in enumerate(sources):
        at = path.index(i)
        if source.prefix:
            yield from _validate_name(at.child("prefix"), source.prefix)
        count = 0
        if source.config_map_ref is not None:
            count += 1
            yield from _validate_env_source(at.child("configMapRef"), source.config_map_ref)
        if source.secret_ref is not None:
            count += 1
            yield from _validate_env_source(at.child("secretRef"), source.secret_ref)
        if count == 0:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif count > 1:
            yield invalid(path, "", "may not have more than one field specified at a time")


def _validate_env_source(path: Path, source: ConfigMapEnvSource | SecretEnvSource) -> Errors:
    if not source.name:
        yield required(path.child("name"))
    else:
        problems = names.name_is_dns_subdomain(source.name, True)  # as if more were to follow
        yield from invalid_each(path.child("name"), source.name, problems)

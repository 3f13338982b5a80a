"""The environment of a container: Services, ``envFrom``, ``env``, in upstream's order."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping

import msgspec

from podium.api.types.core_v1 import (
    ConfigMap,
    Container,
    EnvVarSource,
    FileKeySelector,
    Pod,
    Secret,
)
from podium.domain.pods.downward import DownwardFacts, UnknownField, field_value, resource_value
from podium.domain.pods.env_file import file_value
from podium.domain.pods.expansion import expand


class EnvironmentProblem(ValueError):
    """A container cannot be configured yet; the text goes with CreateContainerConfigError."""


class EnvironmentSources(msgspec.Struct, frozen=True):
    """``config_map`` and ``secret`` find an object of the Pod's namespace, or None.

    ``file`` reads a file of a volume, by the volume's name and the path in it. It raises
    EnvironmentProblem.
    """

    config_map: Callable[[str], ConfigMap | None]
    secret: Callable[[str], Secret | None]
    services: Mapping[str, str]
    facts: DownwardFacts
    file: Callable[[str, str], str]


def environment(pod: Pod, container: Container, sources: EnvironmentSources) -> dict[str, str]:
    """Return all variables. Raises EnvironmentProblem when something is missing."""
    variables = _from_objects(container, sources)
    for entry in container.env:
        if entry.value_from is None:
            value: str | None = expand(entry.value, variables, sources.services)
        else:
            value = _referenced(pod, container, entry.value_from, sources)
        if value is not None:
            variables[entry.name] = value
    for name, text in sources.services.items():
        variables.setdefault(name, text)
    return variables


def _from_objects(container: Container, sources: EnvironmentSources) -> dict[str, str]:
    variables: dict[str, str] = {}
    for entry in container.env_from:
        if entry.config_map_ref is not None:
            config_map = sources.config_map(entry.config_map_ref.name)
            if config_map is not None:
                _add(variables, entry.prefix, config_map.data)
            elif not entry.config_map_ref.optional:
                raise EnvironmentProblem(f'configmap "{entry.config_map_ref.name}" not found')
        if entry.secret_ref is not None:
            secret = sources.secret(entry.secret_ref.name)
            if secret is not None:
                _add(variables, entry.prefix, secret_texts(secret))
            elif not entry.secret_ref.optional:
                raise EnvironmentProblem(f'secret "{entry.secret_ref.name}" not found')
    return variables


def _add(variables: dict[str, str], prefix: str, data: Mapping[str, str]) -> None:
    for key, value in data.items():
        name = prefix + key
        # Since 1.34 any printable ASCII is a name, but for the sign that ends it.
        if "=" not in name and name.isascii() and name.isprintable():
            variables[name] = value


def _referenced(
    pod: Pod, container: Container, source: EnvVarSource, sources: EnvironmentSources
) -> str | None:
    """The value of a ``valueFrom``; None when it is optional and not there."""
    namespace = pod.metadata.namespace
    try:
        if source.field_ref is not None:
            return field_value(pod, source.field_ref, sources.facts)
        if source.resource_field_ref is not None:
            return resource_value(pod, source.resource_field_ref, container, sources.facts)
    except UnknownField as exc:
        raise EnvironmentProblem(str(exc)) from exc
    if source.config_map_key_ref is not None:
        config_ref = source.config_map_key_ref
        config_map = sources.config_map(config_ref.name)
        wanted = _Key("ConfigMap", namespace, config_ref.name, config_ref.key)
        return wanted.find(config_map.data if config_map else None, bool(config_ref.optional))
    if source.secret_key_ref is not None:
        secret_ref = source.secret_key_ref
        secret = sources.secret(secret_ref.name)
        wanted = _Key("Secret", namespace, secret_ref.name, secret_ref.key)
        return wanted.find(secret_texts(secret) if secret else None, bool(secret_ref.optional))
    if source.file_key_ref is not None:
        return _from_file(source.file_key_ref, sources)
    return None


def _from_file(reference: FileKeySelector, sources: EnvironmentSources) -> str | None:
    text = sources.file(reference.volume_name, reference.path)
    try:
        value = file_value(text, reference.key)
    except ValueError as exc:
        raise EnvironmentProblem("couldn't parse env file") from exc
    if value:
        return value
    if reference.optional:
        return None
    raise EnvironmentProblem(
        f'environment variable key "{reference.key}" not found in file "{reference.path}"'
    )


class _Key(msgspec.Struct, frozen=True):
    """A key of an object, as messages name it."""

    kind: str
    namespace: str
    name: str
    key: str

    def find(self, data: Mapping[str, str] | None, optional: bool) -> str | None:
        if data is not None and self.key in data:
            return data[self.key]
        if optional:
            return None
        if data is None:
            raise EnvironmentProblem(f'{self.kind.lower()} "{self.name}" not found')
        raise EnvironmentProblem(
            f"couldn't find key {self.key} in {self.kind} {self.namespace}/{self.name}"
        )


def secret_texts(secret: Secret) -> dict[str, str]:
    """A Secret's values as text; bytes that are not UTF-8 are kept, for the runtime to refuse."""
    return {
        key: b64decode(value).decode("utf-8", "surrogateescape")
        for key, value in secret.data.items()
    }

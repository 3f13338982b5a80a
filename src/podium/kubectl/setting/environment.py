"""``kubectl set env``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from podium.api import names
from podium.kubectl.choosing import choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.session import Session
from podium.kubectl.updating import SET_FLAGS, check, chosen, matching, pod_spec, update

Map = dict[str, Any]
_CONFIG_MAPS = ResourceType("", "v1", "configmaps", "ConfigMap", True)
_SECRETS = ResourceType("", "v1", "secrets", "Secret", True)


def run(invocation: Invocation) -> int:
    words, changes = _split(invocation.words)
    _check(invocation, words)
    values = invocation.values
    new, removed = _parsed([*values.env, *changes])
    if values.__getattr__("from"):
        new += _imported(invocation)
    if values.prefix:
        new = [{**one, "name": values.prefix + one["name"]} for one in new]

    def change(type_: ResourceType, obj: Map) -> None:
        for one in _containers(invocation, type_, obj):
            before = one.get("env") or []
            if not values.overwrite:
                _check_new(before, new)
            after = _merged(before, new, removed)
            if after or before:
                one["env"] = after
            if values.list:
                name = obj["metadata"].get("name", "")
                print(f"# {type_.kind} {name}, container {one['name']}")
                _list(invocation, after, obj, one)

    objects = chosen(invocation, words)
    if values.list:
        for item in objects:
            change(item.type, item.read(invocation.session))
        return 0
    failed = "failed to patch env update to pod template:"
    return update(invocation, objects, change, "env updated", failed)


def _check(invocation: Invocation, words: Sequence[str]) -> None:
    values = invocation.values
    if values.all and values.selector:
        raise CommandError("cannot set --all and --selector at the same time")
    check(invocation)
    if not given(values) and not words:
        raise CommandError(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>"
        )
    if values.list and values.output:
        raise CommandError("--list and --output may not be specified together")
    if values.keys and not values.__getattr__("from"):
        raise CommandError(
            "when specifying --keys, a configmap or secret must be provided with --from"
        )


def _containers(invocation: Invocation, type_: ResourceType, obj: Map) -> list[Map]:
    """Return the containers that are meant; say so where there are none."""
    pattern = invocation.values.containers
    spec = pod_spec(type_, obj)
    found = matching([*spec["containers"], *(spec.get("initContainers") or ())], pattern)
    if not found:
        name = obj["metadata"].get("name", "")
        print(f"Warning: {type_.kind}/{name} does not have any containers matching "
              f'"{pattern}"', file=sys.stderr)  # fmt: skip
    return found


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what names objects and what changes them."""
    objects, changes = list[str](), list[str]()
    for word in words:
        if word.find("=") > 0 or word.endswith("-"):
            changes.append(word)
        elif changes:
            raise CommandError(
                f"all resources must be specified before environment changes: {' '.join(words)}"
            )
        else:
            objects.append(word)
    return objects, changes


def _parsed(texts: Sequence[str]) -> tuple[list[Map], set[str]]:
    new: list[Map] = []
    removed: set[str] = set()
    lines = list(texts)
    if "-" in lines:
        lines.remove("-")
        lines += [line for line in sys.stdin.read().splitlines() if "=" in line]
    for text in lines:
        name, equals, value = text.partition("=")
        if equals:
            if problems := names.env_var(name):
                raise CommandError(f'"{name}" is not a valid key name: {";".join(problems)}')
            new.append({"name": name, "value": value} if value else {"name": name})
        elif text.endswith("-"):
            removed.add(text[:-1])
        else:
            raise CommandError(f"unknown environment variable: {text}")
    for one in new:
        if one["name"] in removed:
            raise CommandError(
                "can not both modify and remove the same environment variable in the same command"
            )
    return new, removed


def _imported(invocation: Invocation) -> list[Map]:
    """Return a variable for each key of the ConfigMap or Secret of ``--from``."""
    values, found = invocation.values, list[Map]()
    for item in choose(invocation, [values.__getattr__("from")]):
        if item.type.kind not in ("ConfigMap", "Secret"):
            item.read(invocation.session)
            raise CommandError("unsupported resource specified in --from")
        ref = "secretKeyRef" if item.type.kind == "Secret" else "configMapKeyRef"
        for key in sorted(item.read(invocation.session).get("data") or ()):
            if values.keys and key not in values.keys:
                continue
            name = re.sub(r"[^a-zA-Z0-9_]", "_", key).upper()
            if name != key:
                print(f"Warning: key {key} transferred to {name}", file=sys.stderr)
            found.append({"name": name, "valueFrom": {ref: {"name": item.name, "key": key}}})
    return found


def _check_new(before: Sequence[Map], new: Sequence[Map]) -> None:
    there = {one["name"]: one for one in before}
    for one in new:
        if one["name"] in there:
            value = there[one["name"]].get("value", "")
            raise CommandError(
                f"'{one['name']}' already has a value ({value}), and --overwrite is false"
            )


def _merged(before: Sequence[Map], new: Sequence[Map], removed: set[str]) -> list[Map]:
    by_name = {one["name"]: one for one in new}
    result = [by_name.pop(one["name"], one) for one in before if one["name"] not in removed]
    return result + list(by_name.values())


def _list(invocation: Invocation, variables: Sequence[Map], obj: Map, container: Map) -> None:
    """Print the variables of a container; with --resolve the values that are behind sources."""
    failures: dict[str, list[str]] = {}
    for variable in variables:
        name, source, shown = variable["name"], variable.get("valueFrom"), _shown(variable)
        if source is not None and invocation.values.resolve:
            try:
                shown = f"{name}={_value(invocation.session, source, obj, container)}"
            except (StatusError, ValueError) as error:
                failures.setdefault(str(error), []).append(name)
        print(shown)
    for why, names_ in failures.items():
        named = ", ".join(sorted(names_))
        print(f"error retrieving reference for {named}: {why}", file=sys.stderr)


def _shown(variable: Map) -> str:
    source = variable.get("valueFrom")
    if source is None:
        return f"{variable['name']}={variable.get('value', '')}"
    return f"# {variable['name']} from {_source(source)}"


def _source(source: Map) -> str:
    if "configMapKeyRef" in source:
        ref = source["configMapKeyRef"]
        return f"configmap {ref.get('name', '')}, key {ref['key']}"
    if "secretKeyRef" in source:
        ref = source["secretKeyRef"]
        return f"secret {ref.get('name', '')}, key {ref['key']}"
    if "fieldRef" in source:
        return f"field path {source['fieldRef']['fieldPath']}"
    if "resourceFieldRef" in source:
        ref = source["resourceFieldRef"]
        if ref.get("containerName"):
            return f"resource field {ref['containerName']}/{ref['resource']}"
        return f"resource field {ref['resource']}"
    return "invalid valueFrom"


def _value(session: Session, source: Map, obj: Map, container: Map) -> str:
    """Return what is behind a source. Raises StatusError and ValueError where that is nothing."""
    for field, type_, what in (
        ("configMapKeyRef", _CONFIG_MAPS, "config map"),
        ("secretKeyRef", _SECRETS, "secret"),
    ):
        if field in source:
            name, key = source[field].get("name", ""), source[field]["key"]
            path = type_.path(session.namespace, name)
            data = session.http.request("GET", path).json().get("data") or {}
            if key not in data:
                raise ValueError(f"key {key} not found in {what} {name}")
            text: str = data[key]
            return _decoded(text) if type_ is _SECRETS else text
    if "fieldRef" in source:
        return _of_object(obj, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return _of_container(container, source["resourceFieldRef"])
    raise ValueError("invalid valueFrom")


def _decoded(text: str) -> str:
    import base64

    return base64.b64decode(text).decode(errors="replace")


def _of_object(obj: Map, path: str) -> str:
    from podium.domain.pods.downward import format_map

    metadata = obj["metadata"]
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return str(metadata.get(path.partition(".")[2], ""))
    found = re.fullmatch(r"metadata\.(labels|annotations)(\['(.*)'\])?", path)
    if found is None:
        raise ValueError(f"unsupported fieldPath: {path}")
    values = metadata.get(found[1]) or {}
    return str(values.get(found[3], "")) if found[2] else format_map(values)


def _of_container(container: Map, reference: Map) -> str:
    """Return what a container asks for or may have, 0 where that is not said."""
    from podium.api import codec
    from podium.api.types.core_v1 import Container, Pod, ResourceFieldSelector
    from podium.domain.pods.downward import DownwardFacts, resource_value

    plain = {name: value for name, value in reference.items() if name != "containerName"}
    selector = codec.from_plain(ResourceFieldSelector, plain)
    own = codec.from_plain(Container, container)
    if selector.resource.startswith("requests."):  # that a limit is one, too, is the kubelet's
        own.resources.limits = {}
    return resource_value(Pod(), selector, own, DownwardFacts())


COMMAND = Command(
    usage="kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
    short="Update environment variables on a pod template",
    examples="kubectl set env deployment/web TIER=front DEBUG-\n\n"
    "# From a ConfigMap\nkubectl set env deployment/web --from=configmap/settings",
    run=run,
    flags=(
        *SET_FLAGS,
        Flag("containers", "*", "The names of containers in the selected pod templates to change - "
             "may use wildcards", short="c"),
        Flag("env", [], "Specify a key-value pair for an environment variable to set into each "
             "container.", short="e", kind=Kind.ARRAY),
        Flag("from", usage="The name of a resource from which to inject environment variables"),
        Flag("keys", [], "Comma-separated list of keys to import from specified resource",
             kind=Kind.LIST),
        Flag("list", False, "If true, display the environment and any changes in the standard "
             "format. this flag will removed when we have kubectl view env.", kind=Kind.BOOL),
        Flag("overwrite", True, "If true, allow environment to be overwritten, otherwise reject "
             "updates that overwrite existing environment.", kind=Kind.BOOL),
        Flag("prefix", usage="Prefix to append to variable names"),
        Flag("resolve", False, "If true, show secret or configmap references when listing "
             "variables", kind=Kind.BOOL),
    ),
)  # fmt: skip

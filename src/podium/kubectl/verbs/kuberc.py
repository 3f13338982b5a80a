"""``kubectl kuberc``: the file of preferences, shown and changed."""

from __future__ import annotations

import json
import os
from typing import Any

from podium.kubectl import formats
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.preferences import POLICIES, VERSION, Unfit, path_of, read
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    MISSING_KEYS_FLAG,
    TEMPLATE_FLAG,
)

Map = dict[str, Any]

_SECTIONS = ("defaults", "aliases", "credentialplugin")
#: The order of fields in JSON.
_ORDER = ("kind", "apiVersion", "defaults", "aliases", "credentialPluginPolicy",
          "credentialPluginAllowlist")  # fmt: skip
_INNER = ("name", "command", "prependArgs", "appendArgs", "options", "default")
_OFFER = {
    "kind": "Preference",
    "apiVersion": VERSION,
    "defaults": [
        {"command": "apply", "options": [{"name": "server-side", "default": "true"}]},
        {"command": "delete", "options": [{"name": "interactive", "default": "true"}]},
    ],
}


def view(invocation: Invocation) -> int:
    values = invocation.values
    path, explicit = _path(values)
    try:
        found = _read(path)
    except FileNotFoundError as exc:
        if explicit:
            raise CommandError(f"kuberc file not found at {path}") from exc
        return _offer(path)
    show = formats.printer(values, formats.FOR_WRITERS)
    document = _in_order({"defaults": [], "aliases": []} | _without_none(found), _ORDER)
    if values.output == "json":
        print(json.dumps(document, indent=4, ensure_ascii=False))
    elif values.output == "kyaml":
        from podium.kubectl.printing.kyaml import dump

        print(dump(document, sort=False), end="")
    elif show is None:
        print("preference.kubectl.config.k8s.io/<unknown>")
    else:
        print(show(document), end="")
    return 0


def _path(values: Values) -> tuple[str, bool]:
    path, explicit = path_of(values.kuberc)
    if not path:
        raise CommandError("KUBERC is disabled via KUBERC=off environment variable")
    return path, explicit


def _read(path: str) -> Map:
    """Return the preferences of a file. Raises CommandError, and FileNotFoundError."""
    try:
        found, strict = read(path)
    except FileNotFoundError:
        raise
    except (OSError, Unfit) as exc:
        raise CommandError(f"error reading kuberc file: {exc}") from exc
    if found is None:
        strict = ("error converting Preferences to v1beta1.Preferences: expected pointer, but got "
                  "invalid kind")  # fmt: skip
    if found is None or strict:
        raise CommandError(f"error reading kuberc file: {strict}")
    defaults = found.get("defaults")
    if defaults is not None:
        defaults = [{"options": None, **entry} for entry in defaults]
    return {**found, "apiVersion": VERSION, "defaults": defaults}


def _offer(path: str) -> int:
    """Ask whether there is to be a file."""
    print(f"kuberc file not found at {path}")
    print("Would you like to generate a default kuberc file with recommended options? (y/N): ",
          end="", flush=True)  # fmt: skip
    try:
        answer = input()
    except EOFError:
        return 0
    if answer.strip().lower() == "y":
        _save(path, _OFFER)
    return 0


def _save(path: str, document: Map) -> None:
    from podium.kubectl.printing.yaml_text import dump

    whole = {"defaults": None, "aliases": None} | _without_none(document)
    directory = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    except OSError as exc:
        what = f"mkdir {exc.filename}: {(exc.strerror or '').lower()}"
        raise CommandError(f"failed to create directory {directory}: {what}") from exc
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(dump(whole))
    except OSError as exc:
        what = (exc.strerror or "").lower()
        raise CommandError(f"error writing kuberc file: open {path}: {what}") from exc
    print(f"Updated {path}")


def _without_none(document: Map) -> Map:
    return {name: value for name, value in document.items() if value is not None}


def _in_order(value: Any, order: tuple[str, ...] = _INNER) -> Any:
    if isinstance(value, dict):
        return {name: _in_order(value[name]) for name in order if name in value}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


def change(invocation: Invocation) -> int:
    values = invocation.values
    path, _ = _path(values)
    _check(values)
    try:
        found = _read(path)
    except FileNotFoundError:
        found = {"kind": "Preference", "apiVersion": VERSION}
    options = [_option(text) for text in values.option]
    if values.section == "defaults":
        wanted: Map = {"command": values.command, "options": options or None}
        _put(found, wanted, "command", f'defaults for command "{values.command}" already exist',
             values)  # fmt: skip
    elif values.section == "aliases":
        wanted = {"name": values.name, "command": values.command}
        given = {"prependArgs": values.prependarg, "appendArgs": values.appendarg,
                 "options": options}  # fmt: skip
        wanted |= {name: value for name, value in given.items() if value}
        _put(found, wanted, "name", f'alias "{values.name}" already exists', values)
    else:
        if values.policy == "Allowlist":
            found["credentialPluginAllowlist"] = _allowed(values.allowlist_entry)
        found["credentialPluginPolicy"] = values.policy
    _save(path, found)
    return 0


def _option(text: str) -> Map:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f'invalid option format "{text}", expected flag=value')
    return {"name": name.lstrip("-"), "default": value}


def _put(found: Map, wanted: Map, key: str, there: str, values: Values) -> None:
    """Put an entry into its section; what it does not say of one that is there stays."""
    entries = list(found.get(values.section) or ())
    place = next((i for i, one in enumerate(entries) if one.get(key) == wanted[key]), None)
    if place is None:
        entries.append(wanted)
    elif not values.overwrite:
        raise CommandError(f"{there}, use --overwrite to replace")
    else:
        entries[place] = {**entries[place], **_without_none(wanted)}
    found[values.section] = entries


def _allowed(texts: list[str]) -> list[Map]:
    entries, wrong = [], []
    for pair in (pair for text in texts for pair in text.split(",")):
        name, equals, value = pair.partition("=")
        if not equals:
            wrong.append(f'improperly formatted allowlist entry: "{pair}"')
        elif name == "name":
            wrong.append('allowlist entry field "name" is deprecated, use "command" instead')
        elif name != "command":
            wrong.append(f'unrecognized allowlist entry field: "{name}"')
        elif not value.strip():
            wrong.append(f'empty value in allowlist entry for field "{name}"')
        else:
            entries.append({"command": value})
    if len(wrong) > 1:
        raise Said("\n".join(wrong))
    if wrong:
        raise CommandError(wrong[0])
    return entries


def _check(values: Values) -> None:
    section, policy = values.section, values.policy
    if section not in _SECTIONS:
        raise CommandError(
            '--section must be "defaults", "aliases", or "credentialplugin", got: ' + section
        )
    for wrong, text in (
        (section == "aliases" and not values.name, "--name is required when --section=aliases"),
        (section == "defaults" and values.name,
         "--name should not be specified when --section=defaults"),
        (section == "defaults" and (values.prependarg or values.appendarg),
         "--prependarg and --appendarg are only valid for --section=aliases"),
        (section != "credentialplugin" and not values.command,
         "--command is required when --section=aliases or --section=defaults"),
    ):  # fmt: skip
        if wrong:
            raise CommandError(text)
    if section == "credentialplugin":
        _check_policy(policy, listed=bool(values.allowlist_entry))


def _check_policy(policy: str, *, listed: bool) -> None:
    where = "when --section=credentialplugin"
    if not policy:
        raise CommandError(f"--policy is required {where}")
    if policy not in POLICIES:
        raise CommandError(
            f' --policy must be  "AllowAll", "DenyAll", or "Allowlist", got: {policy}'
        )
    if policy != "Allowlist" and listed:
        raise CommandError(f"--allowlist-entry may only be used {where} and --policy=Allowlist")
    if policy == "Allowlist" and not listed:
        raise CommandError(f"--allowlist-entry is required {where} and --policy=Allowlist")


_KUBERC = Flag("kuberc", usage="Path to the kuberc file to use for preferences. This can be "
               "disabled by exporting KUBECTL_KUBERC=false feature gate or turning off the feature "
               "KUBERC=off.")  # fmt: skip


def _repeated(name: str, usage: str) -> Flag:
    return Flag(name, [], f"{usage} (can be specified multiple times)", kind=Kind.ARRAY)


COMMAND = Command(
    usage="kubectl kuberc SUBCOMMAND [options]",
    short="Manage kuberc configuration files",
    long="Show and change preferences: aliases of commands, and defaults of their flags.",
    examples="""
# Pods always with their nodes
kubectl kuberc set --section defaults --command get --option output=wide

# kubectl getn, for kubectl get nodes
kubectl kuberc set --section aliases --name getn --command get --prependarg nodes

# What there is
kubectl kuberc view
""",
    children={
        "set": Command(
            "kubectl kuberc set --section (defaults|aliases) --command COMMAND [options]",
            "Set values in the kuberc configuration",
            change,
            flags=(
                _repeated("allowlist-entry", "Allowlist entry the form field=value"),
                Flag("appendarg", [], "Argument to append to the command (can be specified "
                     "multiple times, for aliases only)", kind=Kind.ARRAY),
                Flag("command", usage="Command to configure (e.g., 'get', 'create', 'set env')"),
                _KUBERC,
                Flag("name", usage="Alias name (required for --section=aliases)"),
                _repeated("option", "Flag option in the form flag=value"),
                Flag("overwrite", False, "Allow overwriting existing entries", kind=Kind.BOOL),
                Flag("policy", usage="Plugin policy to use for exec credential plugins, must be "
                     "one of 'AllowAll', 'DenyAll' or 'Allowlist'"),
                Flag("prependarg", [], "Argument to prepend to the command (can be specified "
                     "multiple times, for aliases only)", kind=Kind.ARRAY),
                Flag("section", usage="Section to modify: 'defaults', 'aliases', or "
                     "'credentialplugin'", required=True),
            ),
        ),
        "view": Command(
            "kubectl kuberc view [options]",
            "Display the current kuberc configuration",
            view,
            flags=(
                _KUBERC,
                Flag("output", "yaml", "Output format. One of: (json, yaml, kyaml, name, "
                     "go-template, go-template-file, template, templatefile, jsonpath, "
                     "jsonpath-as-json, jsonpath-file).", short="o", kind=Kind.FORMAT),
                TEMPLATE_FLAG,
                MISSING_KEYS_FLAG,
                MANAGED_FIELDS_FLAG,
            ),
        ),
    },
)  # fmt: skip

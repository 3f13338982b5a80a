"""``~/.kube/kuberc``: aliases of commands, defaults of flags, which credential plugins may run.

The file is that of ``--kuberc``, of ``$KUBERC`` (``off``: none), or else ``~/.kube/kuberc``. Here
it is read and checked; what it makes of a command line is in ``preferring``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from podium.kubectl.errors import CommandError, Said

Map = dict[str, Any]

GROUP = "kubectl.config.k8s.io"
VERSION = f"{GROUP}/v1beta1"
POLICIES = ("AllowAll", "DenyAll", "Allowlist")
#: What older versions call it.
_OLD_NAMES = {"v1alpha1": {"overrides": "defaults", "flags": "options"}, "v1beta1": {}}
_OPTIONS = {"name": str, "default": str}
#: Fields of the present version with their types; lists have that of their items.
_DEFAULTS: Map = {"command": str, "options": [_OPTIONS]}
_ALIASES: Map = {"name": str, "command": str, "prependArgs": [str], "appendArgs": [str],
                 "options": [_OPTIONS]}  # fmt: skip
_PREFERENCE: Map = {
    "kind": str, "apiVersion": str, "defaults": [_DEFAULTS], "aliases": [_ALIASES],
    "credentialPluginPolicy": str,
    "credentialPluginAllowlist": [{"name": str, "command": str}],
}  # fmt: skip


class Unapplied(Said):
    """The preferences are wrong, or cannot be followed."""

    def __init__(self, text: str) -> None:
        super().__init__(f"error occurred while applying preferences {text}")


class Unfit(ValueError):
    """No usable preferences are in a file."""


def path_of(explicit: str) -> tuple[str, bool]:
    """Return the file, and whether it must be there; "" for none. Raises CommandError."""
    variable = os.environ.get("KUBERC", "")
    if variable == "off":
        if explicit:
            raise CommandError(
                "disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive"
            )
        return "", False
    return explicit or variable or os.path.expanduser("~/.kube/kuberc"), bool(explicit or variable)


def explicit_path(arguments: Sequence[str]) -> str:
    """Return what ``--kuberc`` says among *arguments*, "" where it is not. Raises Unapplied."""
    for place, word in enumerate(arguments):
        if word == "--":
            break
        if word == "--kuberc" or word.startswith("--kuberc="):
            following = arguments[place + 1] if place + 1 < len(arguments) else ""
            path = word.partition("=")[2] if "=" in word else following
            if not path:
                raise Unapplied("kuberc file is not found")
            return path
    return ""


def load(arguments: Sequence[str]) -> Map | None:
    """Return the preferences for a command line, None for none. Raises Unapplied."""
    try:
        path, explicit = path_of(explicit_path(arguments))
        if not path:
            return None
        found, strict = read(path)
    except FileNotFoundError as exc:
        if explicit:
            raise Unapplied(f"kuberc error kuberc: {_words(exc)}") from exc
        return None
    except (Unfit, OSError) as exc:
        text = _words(exc) if isinstance(exc, OSError) else str(exc)
        if explicit:
            raise Unapplied(f"kuberc error kuberc: {text}") from exc
        print(f"kuberc: no preferences loaded from {path}: {text}", end="", file=sys.stderr)
        return None
    except CommandError as exc:
        raise exc if isinstance(exc, Unapplied) else Unapplied(f"kuberc error {exc}") from exc
    if strict:
        print(f"kuberc: ignoring strict decoding error in {path}: {strict}", end="",
              file=sys.stderr)  # fmt: skip
    if found is not None:
        _check(found)
    return found


def _words(error: OSError) -> str:
    return f"open {error.filename}: {(error.strerror or '').lower()}"


def read(path: str) -> tuple[Map | None, str]:
    """Return the first preferences in a file, None in an empty one, and what they have too much.

    Raises OSError, and Unfit where there are none.
    """
    from podium.api import yaml_json

    nothing = Unfit(f"no valid preferences found in {path}, use --v=5 to see details")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError as exc:
        raise nothing from exc
    parts = [part for part in re.split(r"^---\s*$", text, flags=re.M) if part.strip()]
    for part in parts:
        try:
            found = yaml_json.load(part)[0]
        except yaml_json.YamlFailure:
            continue
        if isinstance(found, dict) and found.get("kind") == "Preference":
            group, _, version = str(found.get("apiVersion")).partition("/")
            if group == GROUP and version in _OLD_NAMES and _fits(found, version):
                return _decoded(found, version)
    if parts:
        raise nothing
    return None, ""


def _fits(found: Map, version: str) -> bool:
    return _typed(_renamed(found, _OLD_NAMES[version]), _PREFERENCE)


def _typed(value: Any, wanted: Any) -> bool:
    if value is None:
        return True
    if isinstance(wanted, list):
        return isinstance(value, list) and all(_typed(item, wanted[0]) for item in value)
    if isinstance(wanted, dict):
        known = isinstance(value, dict)
        return known and all(_typed(value[name], wanted[name]) for name in wanted if name in value)
    return isinstance(value, wanted)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        # A name of the present version is none in an old one.
        hidden = {new: f"\0{new}" for new in names.values()}
        return {names.get(k, hidden.get(k, k)): _renamed(v, names) for k, v in value.items()}
    return value


def _decoded(found: Map, version: str) -> tuple[Map, str]:
    renamed = _renamed(found, _OLD_NAMES[version])
    unknown: list[str] = []
    known: Map = _known(renamed, _PREFERENCE, "", unknown)
    fields = ", ".join(f'unknown field "{name}"' for name in unknown)
    return known, f"strict decoding error: {fields}" if unknown else ""


def _known(value: Any, wanted: Any, place: str, unknown: list[str]) -> Any:
    """Return what is known of *value*; the names of all else go to *unknown*."""
    if isinstance(value, list):
        return [_known(item, wanted[0], f"{place}[{i}]", unknown) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, inner in value.items():
        path = f"{place}.{name}" if place else name
        if name in wanted:
            kept[name] = _known(inner, wanted[name], path, unknown)
        else:
            unknown.append(path.replace("\0", ""))
    return kept


def _check(found: Map) -> None:
    """Raise Unapplied for preferences that nobody can follow."""
    names = set()
    for alias in found.get("aliases") or ():
        name = alias.get("name") or ""
        if not re.fullmatch("[a-zA-Z]+", name):
            raise Unapplied("invalid alias name, can only include alphabetical characters")
        if name in names:
            raise Unapplied(f"duplicate alias name {name}")
        names.add(name)
        _check_options(alias)
    for default in found.get("defaults") or ():
        _check_options(default)
    _check_plugins(found.get("credentialPluginPolicy") or "", found)


def _check_options(entry: Map) -> None:
    for option in entry.get("options") or ():
        name = option.get("name") or ""
        if name.startswith("-"):
            raise Unapplied(f"flag name {name} should be in long form without dashes")


def _check_plugins(policy: str, found: Map) -> None:
    listed = found.get("credentialPluginAllowlist")
    if policy not in ("", *POLICIES):
        raise Unapplied(f'unknown plugin policy: "{policy}"')
    if policy != "Allowlist":
        if listed is not None:
            raise Unapplied(
                f'misconfigured credential plugin allowlist: plugin policy is "{policy}" but '
                "allowlist is non-nil"
            )
        return
    if not listed:
        kind = 'empty; use "DenyAll" policy instead' if listed is not None else "unspecified"
        raise Unapplied(f'credential plugin policy set to "Allowlist", but allowlist is {kind}')
    for number, entry in enumerate(listed, 1):
        command = entry.get("command") or entry.get("name") or ""
        if not command:
            raise Unapplied(
                f"misconfigured credential plugin allowlist: empty allowlist entry #{number}"
            )
        if command != os.path.normpath(command):
            normal = os.path.normpath(command)
            raise Unapplied(f'non-normalized file path: "{command}" vs "{normal}"')

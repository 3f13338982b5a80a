"""``describe`` of roles and who has them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]

_TITLES = "Resources\tNon-Resource URLs\tResource Names\tVerbs"


class _Rule(NamedTuple):
    """A rule for one resource, or one path; *name* is of the only object it is for."""

    group: str | None
    resource: str
    url: str
    name: str


def role(lines: Lines, obj: Map, _now: datetime) -> None:
    """Write a Role or ClusterRole, its rules one resource a line."""
    describe.head(lines, obj["metadata"], namespaced=False)
    verbs: dict[_Rule, list[str]] = {}
    for rule in obj.get("rules") or ():
        for one in _broken_down(rule):
            known = verbs.setdefault(one, [])
            known += [verb for verb in rule.get("verbs") or () if verb not in known]
    lines.add(0, "PolicyRule:")
    ordered = sorted(verbs, key=lambda rule: _order(rule, verbs[rule]))
    rows = (_row(rule, verbs[rule]) for rule in ordered)
    dashes = "---------\t-----------------\t--------------\t-----"
    lines.add(1, _TITLES)
    for row in (dashes, *rows):
        lines.add(1, row)


def _broken_down(rule: Map) -> Iterator[_Rule]:
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for name in rule.get("resourceNames") or ("",):
                yield _Rule(group, resource, "", name)
    for url in rule.get("nonResourceURLs") or ():
        yield _Rule(None, "", url, "")


def _order(rule: _Rule, verbs: list[str]) -> str:
    """The text of a rule in Go, by which upstream's sorts them."""
    parts = (" ".join(verbs), rule.group or "", rule.resource, rule.name, rule.url)
    return ",".join(f"[{part}]" for part in parts)


def _row(rule: _Rule, verbs: list[str]) -> str:
    kind, slash, sub = rule.resource.partition("/")
    shown = f"{kind}.{rule.group}" if rule.group else kind
    cells = (f"{shown}{slash}{sub}", f"[{rule.url}]", f"[{rule.name}]", f"[{' '.join(verbs)}]")
    return "\t".join(cells)


def binding(lines: Lines, obj: Map, _now: datetime) -> None:
    """Write a RoleBinding or ClusterRoleBinding."""
    describe.head(lines, obj["metadata"], namespaced=False)
    lines.add(0, "Role:")
    lines.add(1, f"Kind:\t{obj['roleRef'].get('kind', '')}")
    lines.add(1, f"Name:\t{obj['roleRef'].get('name', '')}")
    lines.add(0, "Subjects:")
    lines.table(
        1,
        "Kind\tName\tNamespace",
        (f"{one['kind']}\t{one['name']}\t{one.get('namespace', '')}"
         for one in obj.get("subjects") or ()),
    )  # fmt: skip

"""Rules as one line each, so that the tables of default roles can be read.

``verbs | groups | resources [| names]``, or ``verbs | /path /path``; words are set apart by blanks,
``core`` is the group without a name.
"""

from __future__ import annotations

from podium.api.types.rbac_v1 import PolicyRule

#: Words that stand for several verbs.
_VERBS = {
    "read": ("get", "list", "watch"),
    "write": ("create", "delete", "deletecollection", "patch", "update"),
    "all-verbs": (
        "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
    ),
    "read-update": ("get", "list", "patch", "update", "watch"),
}  # fmt: skip

#: What everybody who reports events needs.
EVENTS = "create patch update | core events.k8s.io | events"


def rules(*lines: str) -> list[PolicyRule]:
    return [_rule(line) for line in lines]


def _rule(line: str) -> PolicyRule:
    """Everything in a rule is sorted, as upstream's builder leaves it."""
    verbs, *rest = ([*part.split()] for part in line.split("|"))
    expanded = sorted({verb for word in verbs for verb in _VERBS.get(word, (word,))})
    if len(rest) == 1:
        return PolicyRule(verbs=expanded, non_resource_urls=sorted(rest[0]))
    groups, resources, *names = rest
    return PolicyRule(
        verbs=expanded,
        api_groups=sorted("" if group == "core" else group for group in groups),
        resources=sorted(resources),
        resource_names=sorted(names[0]) if names else [],
    )

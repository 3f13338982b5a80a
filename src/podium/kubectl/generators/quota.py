"""``kubectl create quota``."""

from __future__ import annotations

from podium.api import quantity
from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag


def _quota(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    spec: Map = {}
    if values.hard:
        spec["hard"] = quantities(values.hard)
    if values.scopes:
        spec["scopes"] = _scopes(values.scopes)
    return {"spec": spec, "status": {}}


def quantities(text: str, wrong: str = "Invalid argument syntax") -> dict[str, str]:
    """Return the resources of ``cpu=1,memory=1Gi``. Raises CommandError; *wrong* is how the text of
    it begins."""
    found = {}
    for part in text.split(","):
        name, equals, amount = part.partition("=")
        if not equals or "=" in amount:
            raise CommandError(f"{wrong} {part}, expected <resource>=<value>")
        try:
            found[name] = str(quantity.parse(amount))
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
    return found


def _scopes(text: str) -> list[str]:
    found: dict[str, None] = {}
    for scope in text.split(","):
        if scope == "":
            raise CommandError('invalid resource quota scope ""')
        found[scope] = None
    return list(found)


QUOTA = generator(
    dry_run_usage("quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2]"),
    "Create a quota with the specified name",
    creates(resource("", "v1", "resourcequotas", "ResourceQuota"), _quota,
            "failed to create quota:"),
    (
        Flag("hard", usage="A comma-delimited set of resource=quantity pairs that define a hard "
             "limit."),
        Flag("scopes", usage="A comma-delimited set of quota scopes that must all match each "
             "object tracked by the quota."),
    ),
    aliases=("resourcequota",),
)  # fmt: skip

"""``kubectl create role`` and ``create clusterrole``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, resource
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind

_VERBS = (
    "* get delete list create update patch watch proxy deletecollection use bind escalate "
    "impersonate"
).split()
_URL_VERBS = "* get post put delete patch head options".split()
_RBAC = "rbac.authorization.k8s.io"
#: Verbs for some resources only: (group, resource).
_SPECIAL = {
    "use": (("policy", "podsecuritypolicies"), ("extensions", "podsecuritypolicies")),
    "bind": ((_RBAC, "roles"), (_RBAC, "clusterroles")),
    "escalate": ((_RBAC, "roles"), (_RBAC, "clusterroles")),
    "impersonate": (("", "users"), ("", "serviceaccounts"), ("", "groups"),
                    ("authentication.k8s.io", "userextras")),
}  # fmt: skip
_FLAGS = (
    Flag("verb", [], "Verb that applies to the resources contained in the rule", kind=Kind.LIST),
    Flag("resource", [], "Resource that the rule applies to", kind=Kind.LIST),
    Flag("resource-name", [], "Resource in the white list that the rule applies to, repeat this "
         "flag for multiple items", kind=Kind.ARRAY),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Resource:
    """A resource as it was named; *found* says that the server has it."""

    group: str
    name: str
    subresource: str
    found: bool = False

    @property
    def full(self) -> str:
        return f"{self.name}/{self.subresource}" if self.subresource else self.name


def _role(invocation: Invocation, _name: str) -> Map:
    verbs = _verbs(invocation.values.verb)
    if not verbs:
        raise CommandError("at least one verb must be specified")
    resources = _resources(invocation)
    _warn_of_verbs(verbs)
    if not resources:
        raise CommandError("at least one resource must be specified")
    _check(resources, verbs)
    names = list(dict.fromkeys(invocation.values.resource_name))
    return {"rules": _rules(verbs, resources, names)}


def _cluster_role(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    verbs, urls = _verbs(values.verb), list(dict.fromkeys(values.non_resource_url))
    names = list(dict.fromkeys(values.resource_name))
    aggregated = _pairs(values.aggregation_rule)
    if aggregated:
        if urls or verbs or values.resource or names:
            raise CommandError(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or "
                "resourceNames"
            )
        return {"rules": None, "aggregationRule": {"clusterRoleSelectors": [
            {"matchLabels": aggregated}]}}  # fmt: skip
    if not verbs:
        raise CommandError("at least one verb must be specified")
    resources = _resources(invocation)
    if not resources and not urls:
        raise CommandError("one of resource or nonResourceURL must be specified")
    if resources:
        _warn_of_verbs(verbs)
        _check(resources, verbs)
    if urls:
        _check_urls(urls, verbs)
    rules = _rules(verbs, resources, names)
    if urls:
        rules.append({"verbs": verbs, "nonResourceURLs": urls})
    return {"rules": rules}


def _pairs(text: str) -> dict[str, str]:
    pairs = {}
    for part in text.split(",") if text else ():
        key, equals, value = part.partition("=")
        if not equals:
            raise CommandError(
                f'invalid argument "{text}" for "--aggregation-rule" flag: malformed pair, expect '
                "string=string\nSee 'kubectl create clusterrole --help' for usage."
            )
        pairs[key] = value
    return pairs


def _verbs(given: Sequence[str]) -> list[str]:
    return ["*"] if "*" in given else list(dict.fromkeys(given))


def _warn_of_verbs(verbs: Sequence[str]) -> None:
    for verb in verbs:
        if verb not in _VERBS:
            print(f"Warning: '{verb}' is not a standard resource verb", file=sys.stderr)


def _resources(invocation: Invocation) -> list[_Resource]:
    """Return what ``--resource`` names, with the server's own names where it has it."""
    found: list[_Resource] = []
    for text in invocation.values.resource:
        whole, slash, subresource = text.partition("/")
        name, dot, group = whole.partition(".")
        if whole == "*" and not slash and not dot:
            return [_Resource("", "*", "", True)]
        found.append(_Resource(group, name, subresource))
    discovery = Discovery(invocation.session.http)
    return [_as_served(one, discovery) for one in found]


def _as_served(resource: _Resource, discovery: Discovery) -> _Resource:
    word = f"{resource.name}.{resource.group}" if resource.group else resource.name
    if not resource.name or resource.name == "*":
        return resource
    try:
        type_ = discovery.find(word)
    except CommandError:
        return resource
    return replace(resource, group=type_.group, name=type_.plural, found=True)


def _check(resources: Sequence[_Resource], verbs: Sequence[str]) -> None:
    """Raise CommandError for what a rule cannot be about."""
    for one in resources:
        if not one.name:
            raise CommandError("resource must be specified if apiGroup/subresource specified")
        if one.name == "*":
            return
        special = [verb for verb in verbs if verb in _SPECIAL]
        for verb in special:
            if (one.group, one.name) not in _SPECIAL[verb]:
                raise CommandError(
                    f"can not perform '{verb}' on '{one.name}' in group '{one.group}'"
                )
        if not one.found and not special:
            where = f' in group "{one.group}"' if one.group else ""
            raise Said(f'the server doesn\'t have a resource type "{one.name}"{where}')


def _check_urls(urls: Sequence[str], verbs: Sequence[str]) -> None:
    for verb in verbs:
        if verb not in _URL_VERBS:
            raise CommandError(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url == "*":
            continue
        if not url.startswith("/"):
            raise CommandError("nonResourceURL should start with /")
        if "*" in url[:-1]:
            raise CommandError(
                "nonResourceURL only supports wildcard matches when '*' is at the end"
            )


def _rules(verbs: list[str], resources: Sequence[_Resource], names: list[str]) -> list[Map]:
    """One rule for each group."""
    groups: dict[str, dict[str, None]] = {}
    for one in resources:
        groups.setdefault(one.group, {})[one.full] = None
    named = {"resourceNames": names} if names else {}
    return [
        {"verbs": verbs, "apiGroups": [group], "resources": list(groups[group]), **named}
        for group in sorted(groups)
    ]


ROLE = generator(
    dry_run_usage(
        "role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]"
    ),
    "Create a role with single rule",
    creates(resource(_RBAC, "v1", "roles", "Role"), _role),
    _FLAGS,
)
CLUSTER_ROLE = generator(
    dry_run_usage(
        "clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename]"
    ),
    "Create a cluster role",
    creates(resource(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False), _cluster_role),
    (
        *_FLAGS,
        Flag("non-resource-url", [], "A partial url that user should have access to.",
             kind=Kind.LIST),
        Flag("aggregation-rule", usage="An aggregation label selector for combining ClusterRoles."),
    ),
)  # fmt: skip

"""``kubectl auth can-i``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Failed
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.printing.table import Aligner

Map = dict[str, Any]
_ROOT = "/apis/authorization.k8s.io/v1"
_VERBS = frozenset(
    "get list watch create update patch delete deletecollection use bind impersonate * approve "
    "sign escalate attest".split()
)
_URL_VERBS = frozenset("get put post head options delete patch *".split())
#: Names that rules may have and no server lists.
_NO_RESOURCES = ("groups", "users")


def run(invocation: Invocation) -> int:
    values, words = invocation.values, invocation.words
    if values.list:
        return _list(invocation)
    if len(words) != 2:
        raise CommandError(
            "you must specify two arguments: verb resource or verb resource/resourceName.\n"
            "See 'kubectl auth can-i -h' for help and examples."
        )
    verb, what = words
    if what.startswith("/"):
        spec = _of_url(values, verb, what)
    else:
        spec = _of_resource(invocation, verb, what)
    if values.no_headers:
        raise CommandError("--no-headers cannot be set without --list specified")
    status = _ask(invocation, "selfsubjectaccessreviews", "SelfSubjectAccessReview", spec)
    allowed = bool(status.get("allowed"))
    if not values.quiet:
        said = ["yes" if allowed else "no"]
        if not allowed:
            said += [status[one] for one in ("reason", "evaluationError") if status.get(one)]
        print(" - ".join(said))
    if not allowed:
        raise Failed
    return 0


def _ask(invocation: Invocation, plural: str, kind: str, spec: Map) -> Map:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    body = json.dumps(review).encode()
    answer = invocation.session.http.request("POST", f"{_ROOT}/{plural}", body=body)
    status: Map = answer.json().get("status") or {}
    return status


def _of_url(values: Values, verb: str, url: str) -> Map:
    if values.subresource:
        raise CommandError("--subresource can not be used with NonResourceURL")
    if verb not in _URL_VERBS:
        _warn(f"verb '{verb}' is not a known verb")
    return {"nonResourceAttributes": {"verb": verb, "path": url}}


def _of_resource(invocation: Invocation, verb: str, what: str) -> Map:
    values, session = invocation.values, invocation.session
    word, _, name = what.partition("/")
    type_ = None if word == "*" else _found(word.lower(), Discovery(session.http))
    if not values.all_namespaces:
        if type_ is not None and not type_.namespaced:
            where = f" in group '{type_.group}'" if type_.group else ""
            _warn(f"resource '{type_.plural}' is not namespace scoped{where}")
        if verb not in _VERBS:
            _warn(f"verb '{verb}' is not a known verb")
    attributes = {
        "namespace": "" if values.all_namespaces else session.namespace,
        "verb": verb,
        "group": type_.group if type_ else "",
        "resource": type_.plural if type_ else word,
        "subresource": values.subresource,
        "name": name,
    }
    return {"resourceAttributes": {k: v for k, v in attributes.items() if v}}


def _found(word: str, discovery: Discovery) -> ResourceType | None:
    try:
        return discovery.find(word)
    except CommandError:
        resource, _, group = word.partition(".")
        if word not in _NO_RESOURCES:
            where = f" in group '{group}'" if group else ""
            _warn(f"the server doesn't have a resource type '{resource}'{where}")
        return None


def _warn(text: str) -> None:
    print(f"Warning: {text}\n", file=sys.stderr)


# -- all that is allowed


def _list(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise CommandError("list option must be specified with no arguments")
    if values.quiet or values.all_namespaces or values.subresource:
        raise CommandError(
            "list option can't be specified with neither quiet, all-namespaces nor subresource "
            "options"
        )
    spec = {"namespace": invocation.session.namespace}
    status = _ask(invocation, "selfsubjectrulesreviews", "SelfSubjectRulesReview", spec)
    if status.get("incomplete"):
        print(f"Warning: the list may be incomplete: {status.get('evaluationError', '')}",
              file=sys.stderr)  # fmt: skip
    rows = [] if values.no_headers else [_TITLES]
    for line in Aligner().lines([*rows, *_rows(status)]):
        print(line)
    return 0


_TITLES = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]
_Rule = tuple[list[str], str, str, list[str], list[str]]  # verbs, group, resource, names, URLs


def _rows(status: Map) -> list[list[str]]:
    """Return rules as rows: one for each resource and name, with all that may be done to it."""
    compact: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    rules: list[_Rule] = []
    for rule in status.get("resourceRules") or ():
        for group, resource, name in _parts(rule):
            verbs = compact.setdefault((group, resource, name), [])
            verbs += [verb for verb in rule["verbs"] if verb not in verbs]
    for rule in status.get("nonResourceRules") or ():
        for url in rule.get("nonResourceURLs") or ():
            rules += [([verb], "", "", [], [url]) for verb in rule["verbs"]]
    for (group, resource, names), verbs in compact.items():
        rules.append((verbs, group, resource, list(names), []))
    rules.sort(key=_key)
    return [
        [_combined(resource, group), _go(urls), _go(names), _go(verbs)]
        for verbs, group, resource, names, urls in rules
    ]


def _parts(rule: Map) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for name in rule.get("resourceNames") or ("",):
                yield group, resource, (name,) if name else ()


def _key(rule: _Rule) -> str:
    """The rule as Go prints it: that is what upstream's sorts by."""
    verbs, group, resource, names, urls = rule
    groups, resources = ([], []) if urls else ([group], [resource])
    return (
        f"&PolicyRule{{Verbs:{_go(verbs)},APIGroups:{_go(groups)},Resources:{_go(resources)},"
        f"ResourceNames:{_go(names)},NonResourceURLs:{_go(urls)},}}"
    )


def _go(texts: list[str]) -> str:
    return f"[{' '.join(texts)}]"


def _combined(resource: str, group: str) -> str:
    plain, slash, subresource = resource.partition("/")
    combined = f"{plain}.{group}" if group else plain
    return f"{combined}{slash}{subresource}"


COMMAND = Command(
    usage="kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
    short="Check whether an action is allowed",
    long="Ask the server whether something may be done; the exit code says it, too.",
    examples="kubectl auth can-i create pods\nkubectl auth can-i get pods --subresource=log\n"
    "kubectl auth can-i list nodes --as=ann\n\n# All that is allowed\nkubectl auth can-i --list",
    run=run,
    flags=(
        Flag("all-namespaces", False, "If true, check the specified action in all namespaces.",
             short="A", kind=Kind.BOOL),
        Flag("list", False, "If true, prints all allowed actions.", kind=Kind.BOOL),
        Flag("no-headers", False, "If true, prints allowed actions without headers",
             kind=Kind.BOOL),
        Flag("quiet", False, "If true, suppress output and just return the exit code.", short="q",
             kind=Kind.BOOL),
        Flag("subresource", usage="SubResource such as pod/log or deployment/scale"),
    ),
)  # fmt: skip

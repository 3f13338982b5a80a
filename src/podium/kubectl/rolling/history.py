"""``kubectl rollout history``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.files import given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.printing.tabwriter import align
from podium.kubectl.rolling.common import FLAGS, WITHOUT_HISTORY, check_revision, chosen
from podium.kubectl.rolling.revisions import revisions, template_of
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    each,
    named,
    printed,
)

Map = dict[str, Any]
_CAUSE = "kubernetes.io/change-cause"
_SHOWN = ("DaemonSet", "Deployment", "StatefulSet")


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words or given(values):
        check_revision(values.revision)
    check_output(values)

    def show(found: tuple[Chosen, Map]) -> None:
        one, obj = found
        if one.type.kind not in _SHOWN:
            what = f"{one.type.kind}.{one.type.group}".removesuffix(".")
            if one.type.kind in WITHOUT_HISTORY:
                raise CommandError(f'no history viewer has been implemented for "{what}"')
            raise CommandError(
                f'error retrieving history for "{what}", no visitor method exists for '
                f"{{{one.type.group} {one.type.kind}}}"
            )
        history = revisions(invocation.session, one, obj)
        if values.output or values.template:
            _print_objects(invocation, history)
            return
        text = _text(one.type.kind, obj, history, values.revision)
        title = f"with revision #{values.revision}" if values.revision else ""
        print(f"{named(one.type)}/{one.name} {title}")
        print(text)

    return each(chosen(invocation, tells=False), show)


def _print_objects(invocation: Invocation, history: dict[int, Map]) -> None:
    values = invocation.values
    wanted = [values.revision] if values.revision else sorted(history)
    for number in wanted:
        if number not in history:
            raise CommandError("unable to find the specified revision")
        revision = history[number]
        group, _, version = revision["apiVersion"].partition("/")
        type_ = ResourceType(group, version, "", revision["kind"], True)
        printed(invocation, type_, revision, "", typed=True, parts=True)


def _text(kind: str, obj: Map, history: dict[int, Map], revision: int) -> str:
    if not history:
        return "No rollout history found."
    if revision:
        if revision not in history:
            raise CommandError("unable to find the specified revision")
        template = template_of(history[revision], obj, kind)
        if kind == "Deployment" and (cause := _cause(history[revision])):
            metadata = template["metadata"]
            annotations = {**(metadata.get("annotations") or {}), _CAUSE: cause}
            template = {**template, "metadata": {**metadata, "annotations": annotations}}
        return described(template)
    if kind == "StatefulSet":
        return "".join(f"{line}\n" for line in ("REVISION", *map(str, history)))
    rows = ["REVISION\tCHANGE-CAUSE"]
    for number, found in history.items():
        rows.append(f"{number}\t{_cause(found) or '<none>'}")
    return align("\n".join(rows)) + "\n"


def _cause(revision: Map) -> str:
    text: str = (revision["metadata"].get("annotations") or {}).get(_CAUSE, "")
    return text


def described(template: Map) -> str:
    """Return a template of Pods as ``describe`` shows it."""
    from podium.kubectl.printing.describe import Lines
    from podium.kubectl.printing.describe_workloads import template as write

    lines = Lines()
    write(lines, template)
    return lines.plain()


COMMAND = Command(
    usage="kubectl rollout history (TYPE NAME | TYPE/NAME) [flags] [options]",
    short="View rollout history",
    examples="kubectl rollout history deployment/web\n"
    "kubectl rollout history deployment/web --revision=3",
    run=run,
    flags=(
        *FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
        Flag("revision", 0, "See the details, including podTemplate of the revision specified",
             kind=Kind.INT),
    ),
)  # fmt: skip

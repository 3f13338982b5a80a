"""``kubectl certificate approve|deny``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from podium.kubectl.choosing import Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS, given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.writing import MANAGED_FIELDS_FLAG, OUTPUT_FLAGS, check_output, each, printed


def _decides(verb: str, condition: str) -> Callable[[Invocation], int]:
    reason, did = f"Kubectl{verb.title()}", condition.lower()

    def run(invocation: Invocation) -> int:
        values, session = invocation.values, invocation.session
        if not invocation.words and not given(values):
            raise CommandError("one or more CSRs must be specified as <name> or -f <filename>")
        check_output(values)
        if given(values):
            found = choose(invocation, invocation.words)
        else:
            type_ = Discovery(session.http).find("certificatesigningrequests")
            found = [Chosen(type_, "", name) for name in invocation.words]

        def decide(one: Chosen) -> None:
            if one.type.namespaced:
                what = f'/{one.type.version}, Resource={one.type.plural} "{one.name}"'
                raise CommandError(f"no namespace set on resource {one.type.group}{what}")
            obj: dict[str, Any] = one.read(session)
            status = obj.setdefault("status", {})
            conditions = status.get("conditions") or []
            if values.force or all(old["type"] != condition for old in conditions):
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                kept = [old for old in conditions if old["type"] != condition]
                decision = {"type": condition, "status": "True", "reason": reason,
                            "message": f"This CSR was {did} by kubectl certificate {verb}.",
                            "lastUpdateTime": now}  # fmt: skip
                status["conditions"] = [*kept, decision]
                path = one.type.path("", one.name, "approval")
                obj = session.send("PUT", path, (), obj)
            printed(invocation, one.type, obj, did, parts=True)

        return each(found, decide)

    return run


_FLAGS = (
    *FILE_FLAGS, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG,
    Flag("force", False, "Update the CSR even if it is already approved.", kind=Kind.BOOL),
)  # fmt: skip


def run(invocation: Invocation) -> int:
    """Without a subcommand: the help, which is no error here."""
    from podium.kubectl.help import command_help

    print(command_help(invocation.path, COMMAND))
    return 0


COMMAND = Command(
    usage="kubectl certificate SUBCOMMAND [options]",
    run=run,
    short="Modify certificate resources",
    children={
        "approve": Command(
            usage="kubectl certificate approve (-f FILENAME | NAME) [options]",
            short="Approve a certificate signing request",
            run=_decides("approve", "Approved"),
            flags=_FLAGS,
        ),
        "deny": Command(
            usage="kubectl certificate deny (-f FILENAME | NAME) [options]",
            short="Deny a certificate signing request",
            run=_decides("deny", "Denied"),
            flags=_FLAGS,
        ),
    },
)

"""``resourceVersion`` as requests give it, and upstream's words about it.

Follows ``k8s.io/apiserver/pkg/storage`` and the API concepts' "resource versions".
"""

from __future__ import annotations

from podium.api import errors, field
from podium.api.errors import ApiError
from podium.api.field import FieldError, Path
from podium.api.go_text import quote
from podium.api.types.meta_v1 import StatusCause, StatusDetails
from podium.registry.types import ListOptions

EXACT = "Exact"
NOT_OLDER_THAN = "NotOlderThan"

_MATCH = Path("resourceVersionMatch")
_INITIAL = Path("sendInitialEvents")


_LIMIT = 1 << 64


def parse(text: str) -> int:
    """Return the revision that *text* names, 0 for none. Raises ApiError (400)."""
    if not text:
        return 0
    why = ""
    if not (text.isascii() and text.isdigit()):
        why = "invalid syntax"
    elif len(text) > 20 or int(text) >= _LIMIT:
        why = "value out of range"
    if not why:
        return int(text)
    quoted = quote(text)
    offence = field.invalid(
        Path("resourceVersion"), text, f"strconv.ParseUint: parsing {quoted}: {why}"
    )
    raise errors.bad_request(str(offence))


def too_large(asked: int, current: int) -> ApiError:
    """504 for a read that wants a revision which has not been reached in time."""
    return errors.failure(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {asked}, current: {current}",
        StatusDetails(
            retry_after_seconds=1,
            causes=[
                StatusCause(reason="ResourceVersionTooLarge", message="Too large resource version")
            ],
        ),
    )


def check_list_options(options: ListOptions) -> None:
    """Raises ApiError (422, or 400) for combinations that a list does not take."""
    found: list[FieldError] = []
    match = options.resource_version_match
    if match:
        if not options.resource_version:
            found.append(
                field.forbidden(
                    _MATCH,
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                )
            )
        if options.continue_:
            found.append(_forbidden_with_continue(_MATCH))
        if match not in (EXACT, NOT_OLDER_THAN):
            found.append(field.not_supported(_MATCH, match, (EXACT, NOT_OLDER_THAN, "")))
        if match == EXACT and options.resource_version == "0":
            found.append(
                field.forbidden(
                    _MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
                )
            )
    if options.send_initial_events is not None:
        found.append(field.forbidden(_INITIAL, "sendInitialEvents is forbidden for list"))
    _refuse(found)


def check_watch_options(options: ListOptions) -> None:
    """Raises ApiError (422) for combinations that a watch does not take."""
    found: list[FieldError] = []
    match = options.resource_version_match
    if match:
        if options.send_initial_events is None:
            found.append(
                field.forbidden(
                    _MATCH,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                    "provided",
                )
            )
        if match != NOT_OLDER_THAN:
            found.append(field.not_supported(_MATCH, match, (NOT_OLDER_THAN,)))
        if options.continue_:
            found.append(_forbidden_with_continue(_MATCH))
    if options.send_initial_events is not None:
        if match != NOT_OLDER_THAN:
            found.append(
                field.forbidden(
                    _MATCH,
                    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
                )
            )
        if options.continue_:
            found.append(_forbidden_with_continue(_INITIAL))
    _refuse(found)


def _forbidden_with_continue(path: Path) -> FieldError:
    return field.forbidden(path, f"{path} is forbidden when continue is provided")


def _refuse(found: list[FieldError]) -> None:
    if found:
        raise errors.invalid_kind("meta.k8s.io", "ListOptions", "", found)

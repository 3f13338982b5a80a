"""Options that requests carry in their query, checked as upstream checks them. Pure.

Follows ``k8s.io/apimachinery/pkg/apis/meta/v1`` (conversion and validation) and
``pkg/apis/meta/internalversion/validation``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from podium.api import field
from podium.api.codec import Validation
from podium.api.errors import bad_request, invalid_kind
from podium.api.field import FieldError, Path
from podium.api.meta import validate_field_manager
from podium.api.types.meta_v1 import DeleteOptions
from podium.apiserver.paths import Query
from podium.registry.types import ListOptions

META_GROUP = "meta.k8s.io"
_VALIDATIONS: Mapping[str, Validation] = {
    "Ignore": "Ignore",
    "Warn": "Warn",
    "Strict": "Strict",
}
_SUPPORTED = ("", *sorted(_VALIDATIONS))
#: Characters beyond which a number is none that fits, without its being read.
_MOST_DIGITS = 100
_INT = re.compile(r"[+-]?[0-9]+\Z")


class WriteOptions(msgspec.Struct, frozen=True):
    """CreateOptions, UpdateOptions and PatchOptions."""

    dry_run: bool = False
    field_manager: str = ""
    force: bool = False
    field_validation: Validation = "Warn"


def integer(query: Query, name: str) -> int | None:
    """Return a whole number, None when it is not given. Raises ApiError (400)."""
    text = query.get(name)
    if not text:
        return None
    if not _INT.match(text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    number = int(text) if len(text) <= _MOST_DIGITS else 2**63
    if not -(2**63) <= number < 2**63:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def list_options(query: Query) -> ListOptions:
    """Return the options of a list or watch; the registry checks them. Raises ApiError (400)."""
    timeout = integer(query, "timeoutSeconds")
    return ListOptions(
        label_selector=query.get("labelSelector"),
        field_selector=query.get("fieldSelector"),
        resource_version=query.get("resourceVersion"),
        resource_version_match=query.get("resourceVersionMatch"),
        limit=integer(query, "limit") or 0,
        continue_=query.get("continue"),
        timeout_seconds=None if timeout is None else float(timeout),
        allow_watch_bookmarks=query.flag("allowWatchBookmarks"),
        send_initial_events=_optional_flag(query, "sendInitialEvents"),
    )


def _optional_flag(query: Query, name: str) -> bool | None:
    return query.flag(name) if query.all(name) else None


def write_options(query: Query, kind: str, *, applies: bool = False) -> WriteOptions:
    """Return the options of a write; *kind* (``CreateOptions``…) is named in errors (422).

    *applies* says that the write is a server-side apply, which must name its manager.
    """
    dry_run = list(query.all("dryRun"))
    manager = query.get("fieldManager")
    validation = query.get("fieldValidation")
    found: list[FieldError] = []
    if applies and not manager:
        found.append(field.required(Path("fieldManager"), "is required for apply patch"))
    if kind == "PatchOptions" and query.all("force") and not applies:
        found.append(field.forbidden(Path("force"), "may not be specified for non-apply patch"))
    found += validate_field_manager(manager, Path("fieldManager"))
    found += _dry_run_offences(dry_run)
    if validation and validation not in _VALIDATIONS:
        found.append(field.not_supported(Path("fieldValidation"), validation, _SUPPORTED))
    if found:
        raise invalid_kind(META_GROUP, kind, "", found)
    return WriteOptions(
        bool(dry_run), manager, query.flag("force"), _VALIDATIONS.get(validation, "Warn")
    )


def _dry_run_offences(dry_run: list[str]) -> list[FieldError]:
    if all(value == "All" for value in dry_run):
        return []
    return [field.not_supported(Path("dryRun"), dry_run, ("All",))]


def delete_options(query: Query) -> DeleteOptions:
    """Return the options of a deletion that has no body."""
    return DeleteOptions(
        grace_period_seconds=integer(query, "gracePeriodSeconds"),
        dry_run=list(query.all("dryRun")),
        orphan_dependents=_optional_flag(query, "orphanDependents"),
        propagation_policy=query.get("propagationPolicy") or None,
    )

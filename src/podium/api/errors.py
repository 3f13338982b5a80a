"""Kubernetes' own errors: a ``Status`` with reason, code, message and details, as an exception.

Texts follow ``k8s.io/apimachinery/pkg/api/errors``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from podium.api.field import FieldError
from podium.api.go_text import quote
from podium.api.types.meta_v1 import Status, StatusCause, StatusDetails

if TYPE_CHECKING:
    from podium.api.scheme import Resource

#: Characters about what is wrong with one object after which the rest stays untold.
_MOST_TOLD = 4 * 1024 * 1024


class ApiError(Exception):
    """A request that failed; :attr:`status` is the body of the answer, ``code`` its HTTP code."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status

    @property
    def code(self) -> int:
        return self.status.code

    @property
    def reason(self) -> str:
        return self.status.reason


def failure(code: int, reason: str, message: str, details: StatusDetails | None = None) -> ApiError:
    """Return an error of any sort; the functions below know the common ones."""
    return ApiError(
        Status(status="Failure", code=code, reason=reason, message=message, details=details)
    )


def _about(resource: Resource, name: str) -> StatusDetails:
    return StatusDetails(name=name, group=resource.group, kind=resource.plural)


def not_found(resource: Resource, name: str) -> ApiError:
    return failure(
        404, "NotFound", f"{resource.qualified} {quote(name)} not found", _about(resource, name)
    )


def already_exists(resource: Resource, name: str) -> ApiError:
    return failure(
        409,
        "AlreadyExists",
        f"{resource.qualified} {quote(name)} already exists",
        _about(resource, name),
    )


MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> ApiError:
    return failure(
        409,
        "Conflict",
        f"Operation cannot be fulfilled on {resource.qualified} {quote(name)}: {why}",
        _about(resource, name),
    )


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    if name:
        message = f"{resource.qualified} {quote(name)} is forbidden: {why}"
    else:
        message = f"{resource.qualified} is forbidden: {why}"
    return failure(403, "Forbidden", message, _about(resource, name))


def unauthorized() -> ApiError:
    return failure(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiError:
    return failure(400, "BadRequest", message)


def undetermined_name(name: str) -> ApiError:
    """400 for a body without a name, sent to the path of *name*."""
    return bad_request(
        f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
    )


def method_not_supported(resource: Resource, action: str) -> ApiError:
    return failure(
        405,
        "MethodNotAllowed",
        f"{action} is not supported on resources of kind {quote(resource.qualified)}",
        StatusDetails(group=resource.group, kind=resource.plural),
    )


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> ApiError:
    """422 with every offence in *errors*, in their order."""
    return _invalid(resource.error_group or resource.group, resource.kind, name, errors)


def invalid_kind(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    """Like :func:`invalid`, for bodies of subresources (``Binding``, ``TokenRequest``)."""
    return _invalid(group, kind, name, errors)


def _invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> ApiError:
    causes = list(_causes(errors))
    # Upstream drops repeated texts.
    texts = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    why = f": {summary}" if texts else ""
    qualified = f"{kind}.{group}" if group else kind
    return failure(
        422,
        "Invalid",
        f"{qualified} {quote(name)} is invalid{why}",
        StatusDetails(name=name, group=group, kind=kind, causes=causes),
    )


def _causes(errors: Sequence[FieldError]) -> Iterator[StatusCause]:
    """Several errors may each show the same large value: the first ones fill the answer."""
    told = 0
    for error in errors:
        cause = StatusCause(reason=error.type, message=error.body(), field=error.field)
        yield cause
        told += len(cause.message)
        if told > _MOST_TOLD:
            return


def expired(message: str) -> ApiError:
    return failure(410, "Expired", message)


def gone(message: str) -> ApiError:
    return failure(410, "Gone", message)


def internal(message: str) -> ApiError:
    return failure(
        500,
        "InternalError",
        f"Internal error occurred: {message}",
        StatusDetails(causes=[StatusCause(message=message)]),
    )

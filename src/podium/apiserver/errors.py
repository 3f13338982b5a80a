"""Errors that belong to a request and to no kind; the kinds' own are in ``podium.api.errors``.

Texts follow ``k8s.io/apimachinery/pkg/api/errors`` (``NewGenericServerResponse``) and
``k8s.io/apiserver/pkg/endpoints``.
"""

from __future__ import annotations

from podium.api.errors import ApiError, failure
from podium.api.types.meta_v1 import StatusDetails


class PathNotFound(Exception):
    """Nothing is served at this path; the answer is plain text, as upstream's multiplexer gives."""

    TEXT = "404 page not found\n"


def resource_not_found() -> ApiError:
    """The group and version are served, but have no such resource."""
    return failure(
        404, "NotFound", "the server could not find the requested resource", StatusDetails()
    )


def method_not_allowed() -> ApiError:
    return failure(
        405,
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
        StatusDetails(),
    )


def too_large(why: str) -> ApiError:
    return failure(413, "RequestEntityTooLarge", f"Request entity too large: {why}")


def timed_out() -> ApiError:
    return failure(
        504,
        "Timeout",
        "Timeout: request did not complete within the allotted timeout",
        StatusDetails(),
    )


def plain_failure(code: int, message: str) -> ApiError:
    """A failure without a reason, as upstream gives for errors it did not foresee."""
    return failure(code, "", message)

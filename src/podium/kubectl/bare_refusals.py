"""Refusals that are no ``Status``: of a proxy on the way, or of a server in trouble. Pure.

Follows ``NewGenericServerResponse`` of apimachinery.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOT_NOW = "has received too many requests and has asked us to try again later"
_TOO_SLOW = (
    "was unable to return a response in the time allotted, but may still be processing the request"
)
#: Reasons, and what "the server" did; "" where it says that itself.
_KNOWN = {
    400: ("BadRequest", "rejected our request for an unknown reason"),
    401: ("Unauthorized", "has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "could not find the requested resource"),
    405: ("MethodNotAllowed", "does not allow this method on the requested resource"),
    406: ("NotAcceptable", ""),
    409: ("Conflict", "reported a conflict"),
    415: ("UnsupportedMediaType", ""),
    422: ("Invalid", "rejected our request due to an error in our request"),
    429: ("TooManyRequests", _NOT_NOW),
    503: ("ServiceUnavailable", "is currently unable to handle the request"),
    504: ("Timeout", _TOO_SLOW),
}


def status(code: int, method: str, path: str, said: str) -> dict[str, Any]:
    """Return what stands for an answer of *code* to a request, which came with a text."""
    other = f"responded with the status code {code} but did not return more information"
    reason, text = _KNOWN.get(code, ("", other))
    message = f"the server {text}" if text else said
    if code == 409 and method == "POST":
        reason = "AlreadyExists"
    if code >= 500 and not reason:
        reason = "InternalError"
        quoted = json.dumps(said, ensure_ascii=False)
        message = f"an error on the server ({quoted}) has prevented the request from succeeding"
    if what := _object(path):
        message += f" ({method.lower()} {what})"
    return {"code": code, "reason": reason, "message": message}


def _object(path: str) -> str:
    """Return ``deployments.apps web``, or its type alone; "" for a path of something else."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, rest = "", parts[2:]
    elif parts[0] == "apis":
        group, rest = parts[1] if len(parts) > 1 else "", parts[3:]
    else:
        return ""
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    if not rest:
        return ""
    resource = f"{rest[0]}.{group}" if group else rest[0]
    return " ".join([resource, *rest[1:2]])

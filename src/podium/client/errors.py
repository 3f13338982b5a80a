"""How a request fails: refused by the server (ApiError), or not answered at all (Unreachable)."""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec

from podium.api.decoders import decoder_of
from podium.api.errors import ApiError, failure
from podium.api.types.meta_v1 import Status


class Unreachable(Exception):
    """The API server gave no answer: not there, cut off, or too slow. Trying again may help."""


class ConfigurationError(Exception):
    """A kubeconfig or a certificate that cannot be used."""


#: What any request may raise.
REQUEST_ERRORS = (ApiError, Unreachable)
#: So many attempts in a row, each later than the one before, take as long as a restart of the
#: server may: some three to six seconds.
_QUIET_FAILURES = 6


def log_level(error: Exception, failures: int) -> int:
    """Return how loudly to tell of *error*, behind *failures* others: that the server cannot be
    reached is no news at once."""
    is_news = failures >= _QUIET_FAILURES or not isinstance(error, Unreachable)
    return logging.WARNING if is_news else logging.DEBUG


#: Reasons for codes, for answers that carry no ``Status`` (a proxy's page, an empty body).
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Gone",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def error_from(code: int, body: bytes) -> ApiError:
    """Return the error that an answer with HTTP status *code* stands for."""
    try:
        status = decoder_of(Status).decode(body)
    except msgspec.MsgspecError:
        status = None
    if status is not None and status.kind == "Status" and status.status == "Failure":
        status.code = status.code or code
        return ApiError(status)
    text = body[:2048].decode(errors="replace").strip()
    try:
        text = text or HTTPStatus(code).phrase
    except ValueError:
        text = f"HTTP status {code}"
    return failure(code, _REASONS.get(code, ""), text)

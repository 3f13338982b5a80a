"""Refusals that are no Status, as client-go tells of them."""

from __future__ import annotations

import pytest

from podium.kubectl.bare_refusals import status
from podium.kubectl.errors import StatusError

_PODS = "/api/v1/namespaces/a/pods"


@pytest.mark.parametrize(
    ("code", "method", "path", "line"),
    [
        (500, "GET", "/version", 'Error from server (InternalError): an error on the server ("x") '
         "has prevented the request from succeeding"),
        (503, "GET", _PODS, "Error from server (ServiceUnavailable): the server is currently "
         "unable to handle the request (get pods)"),
        (404, "PATCH", "/apis/apps/v1/namespaces/a/deployments/b/scale", "Error from server "
         "(NotFound): the server could not find the requested resource (patch deployments.apps b)"),
        (403, "DELETE", "/api/v1/namespaces/a", "Error from server (Forbidden): x (delete "
         "namespaces a)"),
        (401, "GET", f"{_PODS}/b", "error: You must be logged in to the server (the server has "
         "asked for the client to provide credentials (get pods b))"),
        (409, "POST", _PODS, "Error from server (AlreadyExists): the server reported a conflict "
         "(post pods)"),
        (418, "GET", "", "Error from server: the server responded with the status code 418 but did "
         "not return more information"),
    ],
)  # fmt: skip
def test_refusals(code, method, path, line):
    assert StatusError(status(code, method, path, "x")).lines() == line

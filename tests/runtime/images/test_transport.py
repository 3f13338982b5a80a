"""What Go's net package would say."""

import errno
import os
from types import SimpleNamespace

import aiohttp
import pytest

from podium.runtime.images.transport import describe

KEY = SimpleNamespace(host="reg.example.com", port=443, is_ssl=True, ssl=True)


def os_error(number):
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        pytest.param(
            aiohttp.ClientConnectorError(KEY, os_error(errno.ECONNREFUSED)),
            "dial tcp reg.example.com:443: connect: connection refused",
            id="refused",
        ),
        pytest.param(
            aiohttp.ClientConnectorError(KEY, os_error(errno.ENETUNREACH)),
            "dial tcp reg.example.com:443: connect: network is unreachable",
            id="no-network",
        ),
        pytest.param(
            aiohttp.ClientConnectorDNSError(KEY, OSError("any")),
            "dial tcp: lookup reg.example.com: no such host",
            id="no-such-host",
        ),
        pytest.param(
            aiohttp.ClientConnectorCertificateError(KEY, ValueError("unknown authority")),
            "tls: failed to verify certificate: x509: unknown authority",
            id="certificate",
        ),
        pytest.param(aiohttp.ServerTimeoutError(), "i/o timeout", id="timeout"),
        pytest.param(TimeoutError(), "i/o timeout", id="bare-timeout"),
        pytest.param(aiohttp.ServerDisconnectedError(), "EOF", id="closed"),
        pytest.param(aiohttp.ClientPayloadError("x"), "unexpected EOF", id="cut-short"),
        pytest.param(
            aiohttp.ClientOSError(errno.ECONNRESET, "x"),
            "read: connection reset by peer",
            id="reset",
        ),
        pytest.param(ValueError(), "ValueError", id="anything-says-something"),
    ],
)
def test_describe(failure, words):
    assert describe(failure) == words

"""What is said where there is no answer, in the words of Go's libraries."""

from __future__ import annotations

import socket
import ssl

from podium.kubectl.urls import Url


def unreachable(server: Url, cause: Exception) -> str:
    """Return the line for a *server* that could not be asked."""
    if isinstance(cause, ConnectionRefusedError):
        return (
            f"The connection to the server {server.authority} was refused - "
            "did you specify the right host or port?"
        )
    return f"Unable to connect to the server: {words(server, cause)}"


def words(server: Url, cause: Exception) -> str:
    """Return what went wrong."""
    host = server.host
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_certificate(host, cause)}"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(cause, TimeoutError):
        return f"dial tcp {server.address}: i/o timeout"
    if isinstance(cause, ssl.SSLError):
        reason = (cause.reason or "").lower().replace("_", " ")
        if "wrong version number" in reason:
            return "http: server gave HTTP response to HTTPS client"
        return f"remote error: tls: {reason}"
    if isinstance(cause, OSError) and cause.strerror:
        return f"dial tcp {server.address}: connect: {cause.strerror.lower()}"
    return str(cause)


def _certificate(host: str, cause: ssl.SSLCertVerificationError) -> str:
    if "expired" in cause.verify_message or "not yet valid" in cause.verify_message:
        return "certificate has expired or is not yet valid"
    if "mismatch" in cause.verify_message:
        name = cause.verify_message.partition("'")[2].partition("'")[0]
        return f"certificate is not valid for {name or host}"
    return "certificate signed by unknown authority"

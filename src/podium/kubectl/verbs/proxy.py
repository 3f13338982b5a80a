"""``kubectl proxy``: the API on a port of this machine, without certificates."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind, Values


def run(invocation: Invocation) -> int:
    values, http = invocation.values, invocation.session.http
    if values.unix_socket and values.changed("port"):
        raise CommandError("cannot set --unix-socket and --port at the same time")
    if not 0 <= values.port < 1 << 16:
        raise CommandError(f"listen tcp: address {values.port}: invalid port")
    if values.www and not os.path.exists(values.www):
        print(f"W Failed to stat static file directory {values.www}: "
              f"stat {values.www}: no such file or directory", file=sys.stderr)  # fmt: skip
    patterns = _filter_patterns(values)
    with _listening(values) as listening:
        # What is asked from now on waits until there is somebody to answer.
        from podium.kubectl.proxying import Filter, Site, run_until_interrupted

        site = Site(
            _slashed(values.api_prefix), values.www, _slashed(values.www_prefix),
            Filter(*patterns) if patterns is not None else None, values.append_server_path,
        )  # fmt: skip
        run_until_interrupted(http, site, listening)
    return 130


def _listening(values: Values) -> socket.socket:
    """Listen, and say so. Raises CommandError."""
    path = values.unix_socket
    try:
        if path:
            found = _listening_below(path)
            print(f"Starting to serve on {path}", flush=True)
            return found
        family = socket.AF_INET6 if ":" in values.address else socket.AF_INET
        found = socket.create_server((values.address, values.port), family=family, backlog=128)
    except OSError as exc:
        kind, where = ("unix", path) if path else ("tcp", f"{values.address}:{values.port}")
        why = os.strerror(exc.errno or 0).lower()
        raise CommandError(f"listen {kind} {where}: bind: {why}") from exc
    shown = f"[{values.address}]" if ":" in values.address else values.address
    print(f"Starting to serve on {shown}:{found.getsockname()[1]}", flush=True)
    return found


def _listening_below(path: str) -> socket.socket:
    """Listen where only this user gets in."""
    if Path(path).is_socket():
        Path(path).unlink()  # left there by one before
    found = socket.socket(socket.AF_UNIX)
    before = os.umask(0o077)
    try:
        found.bind(path)
        found.listen(128)
    except OSError:
        found.close()
        raise
    finally:
        os.umask(before)
    return found


def _slashed(prefix: str) -> str:
    return prefix if prefix.endswith("/") else f"{prefix}/"


def _filter_patterns(values: Values) -> list[list[re.Pattern[str]]] | None:
    """Return what a Filter is made of, None for none. Raises CommandError."""
    if values.disable_filter:
        if not values.unix_socket:
            print("W Request filter disabled, your proxy is vulnerable to XSRF attacks, please be "
                  "cautious", file=sys.stderr)  # fmt: skip
        return None
    given = (
        values.accept_paths, values.reject_paths, values.accept_hosts, values.reject_methods
    )  # fmt: skip
    return [_patterns(text) for text in given]


def _patterns(text: str) -> list[re.Pattern[str]]:
    try:
        return [re.compile(part) for part in text.split(",")] if text else []
    except re.error as exc:
        failed = Said(f"F Error compiling re: error parsing regexp: {exc}: `{text}`")
        failed.exit_code = 255
        raise failed from exc


COMMAND = Command(
    usage="kubectl proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] "
    "[--api-prefix=prefix] [options]",
    short="Run a proxy to the Kubernetes API server",
    long="Serve the API on a port of this machine, to whoever gets there, as you. Files of a "
    "directory\ncan be served beside it.",
    examples="""
# All of the API
kubectl proxy

# A part of it, and files
kubectl proxy --www=/my/files --www-prefix=/static/ --api-prefix=/api/

# On any port that is free; it is printed
kubectl proxy --port=0
""",
    run=run,
    flags=(
        Flag("accept-hosts", r"^localhost$,^127\.0\.0\.1$,^\[::1\]$",
             "Regular expression for hosts that the proxy should accept."),
        Flag("accept-paths", "^.*", "Regular expression for paths that the proxy should accept."),
        Flag("address", "127.0.0.1", "The IP address on which to serve on."),
        Flag("api-prefix", "/", "Prefix to serve the proxied API under."),
        Flag("append-server-path", False, "If true, enables automatic path appending of the kube "
             "context server path to each request.", kind=Kind.BOOL),
        Flag("disable-filter", False, "If true, disable request filtering in the proxy. This is "
             "dangerous, and can leave you vulnerable to XSRF attacks, when used with an "
             "accessible port.", kind=Kind.BOOL),
        Flag("keepalive", 0.0, "keepalive specifies the keep-alive period for an active network "
             "connection. Set to 0 to disable keepalive.", kind=Kind.DURATION),
        Flag("port", 8001, "The port on which to run the proxy. Set to 0 to pick a random port.",
             short="p", kind=Kind.INT),
        Flag("reject-methods", "^$", "Regular expression for HTTP methods that the proxy should "
             "reject (example --reject-methods='POST,PUT,PATCH'). "),
        Flag("reject-paths", "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach", "Regular expression "
             "for paths that the proxy should reject. Paths specified here will be rejected even "
             "accepted by --accept-paths."),
        Flag("unix-socket", usage="Unix socket on which to run the proxy.", short="u"),
        Flag("www", usage="Also serve static files from the given directory under the specified "
             "prefix.", short="w"),
        Flag("www-prefix", "/static/", "Prefix to serve static files under, if static file "
             "directory is specified.", short="P"),
    ),
)  # fmt: skip

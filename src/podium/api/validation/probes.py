"""Validation of probes and lifecycle hooks."""

from __future__ import annotations

from podium.api import names
from podium.api.field import Path, forbidden, invalid, not_supported, required
from podium.api.types.core_v1 import (
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    Lifecycle,
    LifecycleHandler,
    Probe,
    SleepAction,
    TCPSocketAction,
)
from podium.api.validation.common import (
    NOT_POSITIVE,
    Errors,
    invalid_each,
    non_negative,
    port_number,
    port_number_or_name,
)

_HANDLERS = (
    ("exec", "exec"),
    ("http_get", "httpGet"),
    ("tcp_socket", "tcpSocket"),
    ("grpc", "grpc"),
    ("sleep", "sleep"),
)


def validate_liveness_probe(path: Path, probe: Probe | None, grace: int | None) -> Errors:
    """Liveness and startup probes alike: one success has to be enough."""
    if probe is None:
        return
    yield from _validate_probe(path, probe, grace)
    if probe.success_threshold != 1:
        yield invalid(path.child("successThreshold"), probe.success_threshold, "must be 1")


def validate_readiness_probe(path: Path, probe: Probe | None, grace: int | None) -> Errors:
    if probe is None:
        return
    yield from _validate_probe(path, probe, grace)
    if probe.termination_grace_period_seconds is not None:
        yield invalid(
            path.child("terminationGracePeriodSeconds"),
            probe.termination_grace_period_seconds,
            "must not be set for readinessProbes",
        )


def _validate_probe(path: Path, probe: Probe, grace: int | None) -> Errors:
    yield from _validate_handler(path, probe, grace)
    yield from non_negative(path.child("initialDelaySeconds"), probe.initial_delay_seconds)
    yield from non_negative(path.child("timeoutSeconds"), probe.timeout_seconds)
    yield from non_negative(path.child("periodSeconds"), probe.period_seconds)
    yield from non_negative(path.child("successThreshold"), probe.success_threshold)
    yield from non_negative(path.child("failureThreshold"), probe.failure_threshold)
    seconds = probe.termination_grace_period_seconds
    if seconds is not None and seconds <= 0:
        yield invalid(path.child("terminationGracePeriodSeconds"), seconds, NOT_POSITIVE)


_ONLY_WINDOWS = ("SIGKILL", "SIGTERM")
_LINUX = (
    "SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT "
    "SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMIN SIGSEGV SIGSTKFLT SIGSTOP "
    "SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH "
    "SIGXCPU SIGXFSZ"
).split()
_REAL_TIME = [f"SIGRTMIN+{n}" for n in range(1, 16)] + [f"SIGRTMAX-{n}" for n in range(1, 15)]
#: By operating system, sorted.
STOP_SIGNALS = {"linux": sorted([*_LINUX, *_REAL_TIME]), "windows": sorted(_ONLY_WINDOWS)}


def validate_lifecycle(
    path: Path, lifecycle: Lifecycle | None, grace: int | None, system: str | None
) -> Errors:
    """*grace* is the Pod's termination grace period, which a sleep may not exceed; *system* its
    operating system, if it names one."""
    if lifecycle is None:
        return
    if lifecycle.post_start is not None:
        yield from _validate_handler(path.child("postStart"), lifecycle.post_start, grace)
    if lifecycle.pre_stop is not None:
        yield from _validate_handler(path.child("preStop"), lifecycle.pre_stop, grace)
    signal = lifecycle.stop_signal
    at = path.child("stopSignal")
    if signal is None:
        return
    if system is None:
        yield forbidden(at, "may not be set for containers with empty `spec.os.name`")
    elif signal not in STOP_SIGNALS.get(system, (signal,)):
        yield not_supported(at, signal, STOP_SIGNALS[system])


def _validate_handler(path: Path, handler: Probe | LifecycleHandler, grace: int | None) -> Errors:
    count = 0
    for attribute, name in _HANDLERS:
        action = getattr(handler, attribute, None)
        if action is None:
            continue
        count += 1
        if count > 1:
            yield forbidden(path.child(name), "may not specify more than 1 handler type")
        else:
            yield from _validate_action(path.child(name), action, grace)
    if count == 0:
        yield required(path, "must specify a handler type")


def _validate_action(path: Path, action: object, grace: int | None) -> Errors:
    match action:
        case ExecAction():
            if not action.command:
                yield required(path.child("command"))
        case HTTPGetAction():
            yield from _validate_http_get(path, action)
        case TCPSocketAction():
            yield from port_number_or_name(path.child("port"), action.port)
        case GRPCAction():
            yield from port_number(path.child("port"), action.port)
        case SleepAction():
            if grace is not None and not 0 <= action.seconds <= grace:
                text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                yield invalid(path, action.seconds, text)


def _validate_http_get(path: Path, action: HTTPGetAction) -> Errors:
    if not action.path:
        yield required(path.child("path"))
    yield from port_number_or_name(path.child("port"), action.port)
    if action.scheme not in ("HTTP", "HTTPS"):
        yield not_supported(path.child("scheme"), action.scheme, ("HTTP", "HTTPS"))
    for header in action.http_headers:
        at = path.child("httpHeaders")
        yield from invalid_each(at, header.name, names.http_header(header.name))

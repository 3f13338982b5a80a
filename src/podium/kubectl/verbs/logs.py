"""``kubectl logs``: of one container, of all of a Pod's, of those that a selector finds."""

from __future__ import annotations

import sys
from typing import Any

from podium.kubectl.attachable import (
    activity,
    checked_timeout,
    first_pod,
    named_object,
    selector_of,
    timeout_flag,
)
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.log_following import LogRequest, follow, show
from podium.kubectl.pods import (
    container_status,
    default_container,
    every_container,
    named_container,
)

Json = dict[str, Any]
#: Lines of each container's log where a selector finds them and nothing else is asked for.
_SELECTED_TAIL = 10
_HELP = "\nSee 'kubectl logs -h' for help and examples"
_USAGE = """\
expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command"""


def run(invocation: Invocation) -> int:
    values, words, http = invocation.values, list(invocation.words), invocation.session.http
    if len(words) > 2 or (not words and not values.selector):
        raise CommandError(_USAGE + _HELP)
    if values.selector and words:
        raise CommandError(f"only a selector (-l) or a POD name is allowed{_HELP}")
    timeout = checked_timeout(invocation, usage=False)
    _moment(values.since_time)
    pods = _pods(invocation, words[:1], timeout)
    container = words[1] if len(words) == 2 else values.container
    _check(invocation, container)
    requests = [one for pod in pods for one in _requests(invocation, pod, container)]
    if values.follow and len(requests) > 1:
        if len(requests) > values.max_log_requests:
            raise CommandError(
                f"you are attempting to follow {len(requests)} log streams, but maximum allowed "
                f"concurrency is {values.max_log_requests}, use --max-log-requests to increase the "
                "limit"
            )
        follow(http, requests, ignore_errors=values.ignore_errors)
        return 0
    for request in requests:
        try:
            show(http, request)
        except CommandError as exc:
            if not values.ignore_errors:
                raise
            print(f"error: {exc}", flush=True)
    return 0


# -- which Pods


def _pods(invocation: Invocation, words: list[str], timeout: float) -> list[Json]:
    session, values = invocation.session, invocation.values
    discovery = Discovery(session.http)
    pods = discovery.find("pods")
    if values.selector:
        listed = _selected(invocation, pods)
        if not listed:
            print(f"No resources found in {session.namespace} namespace.", file=sys.stderr)
        return listed
    try:
        type_, obj = named_object(invocation, discovery, words)
    except StatusError as error:
        if error.code == 404:
            raise CommandError(
                f'error from server (NotFound): {error} in namespace "{session.namespace}"'
            ) from error
        raise
    if type_.kind == "Pod":
        return [obj]
    selector = selector_of(type_, obj, "cannot get the logs from")
    first_pod(invocation, pods, selector, timeout)
    query = [("labelSelector", selector)]
    listed = session.http.request("GET", pods.path(session.namespace), query).json()["items"]
    if values.all_pods:
        return list(listed)
    listed.sort(key=lambda pod: activity(pod, restarts_first=True))
    if len(listed) > 1:
        name = listed[0]["metadata"]["name"]
        print(f"Found {len(listed)} pods, using pod/{name}", file=sys.stderr)
    return list(listed[:1])


def _selected(invocation: Invocation, pods: ResourceType) -> list[Json]:
    selector: str = invocation.values.selector
    path, query = pods.path(invocation.session.namespace), [("labelSelector", selector)]
    try:
        return list(invocation.session.http.request("GET", path, query).json()["items"])
    except StatusError as error:
        if error.code != 400:
            raise
        message = (
            f'Unable to find "/v1, Resource=pods" that match label selector "{selector}", field '
            f'selector "": {error}'
        )
        raise StatusError({**error.status, "message": message}) from error


# -- which containers


def _requests(invocation: Invocation, pod: Json, container: str) -> list[LogRequest]:
    values, metadata = invocation.values, pod["metadata"]
    pods = Discovery(invocation.session.http).find("pods")
    path = pods.path(metadata["namespace"], metadata["name"], "log")
    query, prefixed = _query(invocation), values.prefix or values.all_pods
    found = []
    for one in _containers(invocation, pod, container):
        prefix = f"[pod/{metadata['name']}/{one}] ".encode() if prefixed else b""
        run = container_status(pod, one).get("containerID", "")
        found.append(LogRequest(path, [*query, ("container", one)], prefix, run))
    return found


def _containers(invocation: Invocation, pod: Json, container: str) -> list[str]:
    values = invocation.values
    if values.all_containers:
        return [one["name"] for _, one in every_container(pod)]
    if container:
        return [named_container(pod, container)]
    chosen = default_container(pod)
    if not values.all_pods:
        chosen.announce()
    return [chosen.name]


# -- what of them


def _moment(text: str) -> str:
    """Return a time of the command line as it is asked for. Raises CommandError."""
    if not text:
        return ""
    from podium.api.go_time import format_time, parse_time

    try:
        return format_time(parse_time(text))
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


def _check(invocation: Invocation, container: str) -> None:
    """Raises CommandError."""
    values = invocation.values
    if values.since_time and values.since:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if values.all_containers and container:
        raise CommandError(
            f"--all-containers=true should not be specified with container name {container}"
        )
    if values.changed("container") and len(invocation.words) == 2:
        raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
    for name, wrong in (("limit-bytes", values.limit_bytes < 0), ("since", values.since < 0)):
        if wrong:
            raise CommandError(f"--{name} must be greater than 0")
    if values.tail < -1:
        raise CommandError("--tail must be greater than or equal to -1")


def _query(invocation: Invocation) -> list[tuple[str, str]]:
    values = invocation.values
    query = [(name, "true") for name in ("follow", "previous", "timestamps")
             if getattr(values, name)]  # fmt: skip
    if values.insecure_skip_tls_verify_backend:
        query.append(("insecureSkipTLSVerifyBackend", "true"))
    if values.selector and not values.changed("tail"):
        query.append(("tailLines", str(_SELECTED_TAIL)))
    elif values.tail >= 0:
        query.append(("tailLines", str(values.tail)))
    if values.limit_bytes:
        query.append(("limitBytes", str(values.limit_bytes)))
    if values.since:
        query.append(("sinceSeconds", str(int(values.since + 0.5))))
    if values.since_time:
        query.append(("sinceTime", _moment(values.since_time)))
    return query


COMMAND = Command(
    usage="kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
    short="Print the logs for a container in a pod",
    long="Print what a container has written, and with -f what it writes from now on.",
    examples="""
# Of a Pod's only container
kubectl logs web

# As they are written, of one of several containers
kubectl logs -f web -c main

# Of the container that ran before
kubectl logs -p web

# Of all containers of all Pods with a label, with their names
kubectl logs -l app=web --all-containers --prefix
""",
    run=run,
    flags=(
        Flag("all-containers", False, "Get all containers' logs in the pod(s).", kind=Kind.BOOL),
        Flag("all-pods", False, "Get logs from all pod(s). Sets prefix to true.", kind=Kind.BOOL),
        Flag("container", usage="Print the logs of this container", short="c"),
        Flag("follow", False, "Specify if the logs should be streamed.", short="f",
             kind=Kind.BOOL),
        Flag("ignore-errors", False, "If watching / following pod logs, allow for any errors that "
             "occur to be non-fatal", kind=Kind.BOOL),
        Flag("insecure-skip-tls-verify-backend", False, "Skip verifying the identity of the "
             "kubelet that logs are requested from.  In theory, an attacker could provide invalid "
             "log content back. You might want to use this if your kubelet serving certificates "
             "have expired.", kind=Kind.BOOL),
        Flag("limit-bytes", 0, "Maximum bytes of logs to return. Defaults to no limit.",
             kind=Kind.INT),
        Flag("max-log-requests", 5, "Specify maximum number of concurrent logs to follow when "
             "using by a selector. Defaults to 5.", kind=Kind.INT),
        timeout_flag(20.0),
        Flag("prefix", False, "Prefix each log line with the log source (pod name and container "
             "name)", kind=Kind.BOOL),
        Flag("previous", False, "If true, print the logs for the previous instance of the "
             "container in a pod if it exists.", short="p", kind=Kind.BOOL),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects "
             "must satisfy all of the specified label constraints.", short="l"),
        Flag("since", 0.0, "Only return logs newer than a relative duration like 5s, 2m, or 3h. "
             "Defaults to all logs. Only one of since-time / since may be used.",
             kind=Kind.DURATION),
        Flag("since-time", usage="Only return logs after a specific date (RFC3339). Defaults to "
             "all logs. Only one of since-time / since may be used."),
        Flag("tail", -1, "Lines of recent log file to display. Defaults to -1 with no selector, "
             "showing all log lines otherwise 10, if a selector is provided.", kind=Kind.INT),
        Flag("timestamps", False, "Include timestamps on each line in the log output",
             kind=Kind.BOOL),
    ),
)  # fmt: skip

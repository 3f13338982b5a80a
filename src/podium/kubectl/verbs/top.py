"""``kubectl top``: what nodes and Pods use, by the Metrics API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from podium.api import quantity
from podium.api.quantity import Amount
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.help import go_duration
from podium.kubectl.lists import items
from podium.kubectl.printing import ages
from podium.kubectl.printing.table import Aligner

Object = dict[str, Any]

_METRICS = "/apis/metrics.k8s.io/v1beta1"
_PODS = ResourceType("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", True)
_NODES = ResourceType("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False)
_MIB = 1 << 20
_USED = {"cpu": "CPU(cores)", "memory": "MEMORY(bytes)", "swap": "SWAP(bytes)"}
_ZERO = Amount(0)
#: Seconds that a Pod may be without metrics.
_PATIENCE = 120


def pods(invocation: Invocation) -> int:
    values, words, http = invocation.values, invocation.words, invocation.session.http
    if len(words) > 1:
        raise invocation.misused("pod [NAME | -l label]")
    if words and values.selector:
        raise CommandError("only one of NAME or selector can be provided")
    _check(invocation)
    everywhere = values.all_namespaces
    if words and everywhere:
        raise CommandError("a resource cannot be retrieved by name across all namespaces")
    namespace = invocation.session.namespace
    place = "" if everywhere else f"/namespaces/{namespace}"
    if words:
        found = [http.request("GET", _PODS.path(namespace, words[0])).json()]
    else:
        query = _selection(invocation, "selector", "field-selector")
        found = list(items(http, _PODS.path("" if everywhere else namespace), query, chunk=0))
        if not found:
            _explain(invocation, f"/api/v1{place}/pods", query)
            where = "" if everywhere else f" in {namespace} namespace"
            raise _Nothing(f"No resources found{where}.")
    _print_pods(invocation, sorted(found, key=_pod_key(values.sort_by, everywhere=everywhere)))
    return 0


class _Nothing(Said):
    """There is nothing to show, which is no failure."""

    exit_code = 0


def _explain(invocation: Invocation, path: str, query: Sequence[tuple[str, str]]) -> None:
    """Raise CommandError where there are Pods, but nothing is known of what they use."""
    now = datetime.now(UTC)
    pods = list(items(invocation.session.http, path, query))
    for pod in pods:
        seconds = (now - ages.parse(pod["metadata"]["creationTimestamp"])).total_seconds()
        if seconds > _PATIENCE:
            name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
            age = go_duration(seconds)
            raise CommandError(f"Metrics not available for pod {name}, age: {age}")
    if pods:
        raise CommandError("metrics not available yet")


def _pod_key(sort_by: str, *, everywhere: bool) -> Callable[[Object], Any]:
    def key(pod: Object) -> Any:
        metadata = pod["metadata"]
        name = (metadata.get("namespace", "") if everywhere else "", metadata["name"])
        return (-_sum(pod["containers"]).get(sort_by, _ZERO).value, name) if sort_by else name

    return key


def _print_pods(invocation: Invocation, found: Sequence[Object]) -> None:
    values = invocation.values
    titles = ["NAMESPACE"] if values.all_namespaces else []
    titles += ["POD", "NAME"] if values.containers else ["NAME"]
    width = len(titles)
    measured = _measured(values)
    rows = [] if values.no_headers else [[*titles, *(_USED[name] for name in measured)]]
    total: dict[str, Amount] = {}
    for pod in found:
        metadata = pod["metadata"]
        first = [metadata.get("namespace", "")] if values.all_namespaces else []
        total = _added(total, _sum(pod["containers"]))
        if not values.containers:
            rows.append([*first, metadata["name"], *_shown(_sum(pod["containers"]), measured)])
            continue
        parts = [(one["name"], _sum([one])) for one in pod["containers"]]
        parts.sort(key=lambda part: part[0])
        if values.sort_by:
            parts.sort(key=lambda part: -part[1].get(values.sort_by, _ZERO).value)
        for name, used in parts:
            rows.append([*first, metadata["name"], name, *_shown(used, measured)])
    if values.sum:
        blank = [""] * width
        line = ["________", "________"]  # two, whatever is measured
        rows += [[*blank, *[""] * (len(measured) - 2), *line], [*blank, *_shown(total, measured)]]
    _print(rows)


def nodes(invocation: Invocation) -> int:
    values, words, http = invocation.values, invocation.words, invocation.session.http
    if len(words) > 1:
        raise invocation.misused("node [NAME | -l label]")
    if words and values.selector:
        raise CommandError("only one of NAME or --selector can be provided")
    _check(invocation)
    if words:
        found = [http.request("GET", _NODES.path(name=words[0])).json()]
        known = [http.request("GET", f"/api/v1/nodes/{words[0]}").json()]
    else:
        query = _selection(invocation, "selector")
        found = list(items(http, _NODES.path(), query, chunk=0))
        known = list(items(http, "/api/v1/nodes", query))
    if not found:
        raise CommandError("metrics not available yet")
    field = "capacity" if values.show_capacity else "allocatable"
    room = {node["metadata"]["name"]: (node.get("status") or {}).get(field) or {} for node in known}
    measured = _measured(values)
    if "swap" in measured:
        for node in known:
            room[node["metadata"]["name"]] |= _swap_of(node)
    titles = [title for name in measured for title in (_USED[name], f"{name.upper()}(%)")]
    rows = [] if values.no_headers else [["NAME", *titles]]
    by = values.sort_by
    for node in (
        sorted(found, key=lambda node: str(node["metadata"]["name"]))
        if not by
        else sorted(found, key=lambda node: -_amounts(node["usage"]).get(by, _ZERO).value)
    ):
        name = node["metadata"]["name"]
        used, whole = _amounts(node["usage"]), _amounts(room.pop(name, {}))
        rows.append([name, *_of_node(used, whole, measured)])
    rows += [[name, *["<unknown>"] * len(titles)] for name in sorted(room)]
    _print(rows)
    return 0


def _measured(values: Values) -> tuple[str, ...]:
    """Return the resources that are shown."""
    return ("cpu", "memory", "swap") if values.show_swap else ("cpu", "memory")


def _swap_of(node: Object) -> dict[str, str]:
    """Return the swap that a node says it has: nothing where it says none."""
    swap = ((node.get("status") or {}).get("nodeInfo") or {}).get("swap") or {}
    return {"swap": str(swap["capacity"])} if swap.get("capacity") is not None else {}


def _of_node(
    used: Mapping[str, Amount], room: Mapping[str, Amount], measured: Sequence[str]
) -> list[str]:
    cells = []
    for text, name in zip(_shown(used, measured), measured, strict=True):
        if name == "swap" and name not in room:
            cells += ["<unknown>", "<unknown>"]
            continue
        whole = room.get(name, _ZERO)
        share = int(used.get(name, _ZERO).milli() / whole.milli() * 100) if whole else None
        cells += [text, "<unknown>" if share is None else f"{share}%"]
    return cells


def _check(invocation: Invocation) -> None:
    values = invocation.values
    if values.sort_by not in ("", "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")
    try:
        invocation.session.http.request("GET", _METRICS)
    except StatusError as error:
        if error.code not in (404, 503):
            raise
        raise CommandError("Metrics API not available") from error


def _selection(invocation: Invocation, *names: str) -> list[tuple[str, str]]:
    query = []
    for name, key in zip(names, ("labelSelector", "fieldSelector"), strict=False):
        text = getattr(invocation.values, name.replace("-", "_"))
        query += [(key, text)] if text else []
    return query


def _amounts(usage: Mapping[str, str]) -> dict[str, Amount]:
    return {name: quantity.parse(text) for name, text in usage.items()}


def _sum(containers: Iterable[Object]) -> dict[str, Amount]:
    total: dict[str, Amount] = {}
    for container in containers:
        total = _added(total, _amounts(container["usage"]))
    return total


def _added(one: Mapping[str, Amount], other: Mapping[str, Amount]) -> dict[str, Amount]:
    return {name: one.get(name, _ZERO) + other.get(name, _ZERO) for name in {**one, **other}}


def _shown(used: Mapping[str, Amount], measured: Sequence[str]) -> list[str]:
    found = [(name, used.get(name, _ZERO)) for name in measured]
    return [f"{amount.milli()}m" if name == "cpu" else f"{int(amount) // _MIB}Mi"
            for name, amount in found]  # fmt: skip


def _print(rows: Sequence[Sequence[str]]) -> None:
    """The last column is padded, too."""
    for line in Aligner().lines([*row, ""] for row in rows):
        print(line)


def _selectors(kind: str) -> tuple[Flag, ...]:
    return (
        Flag("no-headers", False, "If present, print output without headers.", kind=Kind.BOOL),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects "
             "must satisfy all of the specified label constraints.", short="l"),
        Flag("sort-by", usage=f"If non-empty, sort {kind} list using specified field. The field "
             "can be either 'cpu' or 'memory'."),
        Flag("show-swap", False, f"Print {kind[:-1]} resources related to swap memory.",
             kind=Kind.BOOL),
        Flag("use-protocol-buffers", True, "Enables using protocol-buffers to access Metrics API.",
             kind=Kind.BOOL),
    )  # fmt: skip


COMMAND = Command(
    usage="kubectl top [flags] [options]",
    short="Display resource (CPU/memory) usage",
    long="Show how much CPU and memory nodes and Pods use.",
    children={
        "node": Command(
            "kubectl top node [NAME | -l label] [options]",
            "Display resource (CPU/memory) usage of nodes",
            nodes,
            aliases=("nodes", "no"),
            flags=(
                *_selectors("nodes"),
                Flag("show-capacity", False, "Print node resources based on Capacity instead of "
                     "Allocatable(default) of the nodes.", kind=Kind.BOOL),
            ),
        ),
        "pod": Command(
            "kubectl top pod [NAME | -l label] [options]",
            "Display resource (CPU/memory) usage of pods",
            pods,
            aliases=("pods", "po"),
            flags=(
                *_selectors("pods"),
                Flag("all-namespaces", False, "If present, list the requested object(s) across all "
                     "namespaces. Namespace in current context is ignored even if specified with "
                     "--namespace.", short="A", kind=Kind.BOOL),
                Flag("containers", False, "If present, print usage of containers within a pod.",
                     kind=Kind.BOOL),
                Flag("field-selector", usage="Selector (field query) to filter on, supports '=', "
                     "'==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server "
                     "only supports a limited number of field queries per type."),
                Flag("sum", False, "Print the sum of the resource usage", kind=Kind.BOOL),
            ),
        ),
    },
)  # fmt: skip

"""``kubectl get``: objects as a table, or as they are."""

from __future__ import annotations

import json
import sys

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.files import FILE_FLAGS, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.printing.table import Aligner, cell
from podium.kubectl.targets import Target, resolve
from podium.kubectl.writing import as_text, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from podium.kubectl.discovery import ResourceType
    from podium.kubectl.flags import Values
    from podium.kubectl.http import Query

    _Printer = Callable[[dict[str, Any]], str]

_TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,"
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
_FORMATS = ("custom-columns", "json", "jsonpath", "name", "wide", "yaml")
#: Formats that take a text behind ``=``.
_WITH_TEXT = ("custom-columns", "jsonpath")
_NO_WORDS = """\
You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain \
pods).
See 'kubectl get -h' for help and examples"""


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    if values.raw:
        sys.stdout.write(session.http.request("GET", values.raw).body.decode())
        return 0
    if not invocation.words and not values.filename:
        raise Said(_NO_WORDS)
    show = _printer(values)
    targets = _targets(invocation)
    if (values.selector or values.field_selector) and any(target.name for target in targets):
        raise CommandError("name cannot be provided when a selector is specified")
    if values.watch or values.watch_only:
        return _watch(invocation, targets, show)
    if show is None:
        return _Tables(invocation, targets).print()
    return _print_objects(invocation, targets, show)


def _targets(invocation: Invocation) -> list[Target]:
    discovery = Discovery(invocation.session.http)
    if not invocation.values.filename:
        return resolve(invocation.words, discovery)
    if invocation.words:
        raise CommandError(
            "when paths, URLs, or stdin is provided as input, you may not specify resource "
            "arguments as well"
        )
    return [
        Target(manifest.type, manifest.name, manifest.namespace)
        for manifest in manifests(invocation, discovery)
    ]


def _printer(values: Values) -> _Printer | None:
    """Return what shows documents in the format asked for, None for the server's tables.

    Raises CommandError for no format, and for a text that is wrong.
    """
    output, equals, text = str(values.output).partition("=")
    if output not in ("", *_FORMATS) or (equals and output not in _WITH_TEXT):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{values.output}", '
            f"allowed formats are: {','.join(_FORMATS)}"
        )
    if output in ("", "wide"):
        return None
    if output in _WITH_TEXT:
        from podium.kubectl.verbs import get_formats

        made = get_formats.jsonpath if output == "jsonpath" else get_formats.custom_columns
        return made(text, headers=not values.no_headers)
    return lambda document: as_text(document, output)


# -- reading


def _read(
    invocation: Invocation, target: Target, accept: str, query: Query = ()
) -> Iterator[dict[str, Any]]:
    """Yield what there is of a target: the object, or the list in pieces."""
    values, session = invocation.values, invocation.session
    namespace = "" if values.all_namespaces else target.namespace or session.namespace
    path = target.type.path(namespace, target.name, values.subresource)
    if target.name:
        if values.all_namespaces and target.type.namespaced:
            raise CommandError("a resource cannot be retrieved by name across all namespaces")
        answer = session.http.request("GET", path, query, accept=accept)
        session.warn(answer)
        yield answer.json()
        return
    listing = [*query]
    for name, text in (
        ("labelSelector", values.selector),
        ("fieldSelector", values.field_selector),
        ("limit", str(values.chunk_size or "")),
    ):
        listing += [(name, text)] if text else []
    token = ""
    while True:
        paged = [*listing, *([("continue", token)] if token else [])]
        answer = session.http.request("GET", path, paged, accept=accept)
        session.warn(answer)
        document = answer.json()
        yield document
        token = (document.get("metadata") or {}).get("continue", "")
        if not token:
            return


class _Problems:
    """Failures that do not keep other targets from being shown."""

    def __init__(self, ignore_not_found: bool) -> None:
        self._ignore = ignore_not_found
        self._found: list[StatusError] = []

    def take(self, error: StatusError) -> None:
        if not (self._ignore and error.code == 404):
            self._found.append(error)

    def end(self) -> int:
        """Print them; return the exit code."""
        if not self._found:
            return 0
        sys.stdout.flush()
        for error in self._found:
            print(error.lines(), file=sys.stderr)
        return 1


# -- tables


class _Tables:
    """The tables of some targets, one under the other."""

    def __init__(self, invocation: Invocation, targets: Sequence[Target]) -> None:
        self._invocation, self._targets = invocation, targets
        self._values = invocation.values
        kinds = {(target.type.group, target.type.plural) for target in targets}
        self._prefixed = self._values.show_kind or len(kinds) > 1
        self._problems = _Problems(self._values.ignore_not_found)
        self._printed = False
        self._aligner = Aligner()
        self._definitions: list[Any] = []

    def follow(self, type_: ResourceType, table: dict[str, Any]) -> None:
        """Print a table's rows under those of tables before it; only the first has headers."""
        self._definitions = table.get("columnDefinitions") or self._definitions
        table = {**table, "columnDefinitions": self._definitions}
        rows = list(self._rows(type_, table, heading=not self._printed))
        for line in self._aligner.lines(rows):
            print(line)
        self._printed = self._printed or bool(rows)

    def print(self) -> int:
        query: list[tuple[str, str]] = []
        last: ResourceType | None = None
        rows: list[Sequence[str]] = []
        for target in self._targets:
            try:
                for table in _read(self._invocation, target, _TABLE, query):
                    found = list(self._rows(target.type, table, heading=target.type != last))
                    if not found:
                        continue
                    if target.type != last:
                        self._flush(rows)
                        rows, last = [], target.type
                    rows += found
            except StatusError as error:
                self._problems.take(error)
        self._flush(rows)
        code = self._problems.end()
        if not self._printed and not code and not self._values.ignore_not_found:
            self._say_nothing_found()
        return code

    def _rows(
        self, type_: ResourceType, table: dict[str, Any], *, heading: bool
    ) -> Iterator[Sequence[str]]:
        rows = table.get("rows") or []
        if not rows:
            return
        definitions = table["columnDefinitions"]
        wide = self._values.output == "wide"
        shown = [
            index for index, column in enumerate(definitions) if wide or not column.get("priority")
        ]
        names = self._values.all_namespaces and type_.namespaced
        labels = self._values.label_columns
        if heading and not self._values.no_headers:
            titles = [str(definitions[index]["name"]).upper() for index in shown]
            titles = ["NAMESPACE", *titles] if names else titles
            titles += [label.rpartition("/")[2].upper() for label in labels]
            yield [*titles, *(["LABELS"] if self._values.show_labels else [])]
        for row in rows:
            metadata = (row.get("object") or {}).get("metadata") or {}
            cells = [cell(row["cells"][index]) for index in shown]
            if self._prefixed and cells:
                kind = type_.kind.lower()
                cells[0] = (
                    f"{kind}.{type_.group}/{cells[0]}" if type_.group else f"{kind}/{cells[0]}"
                )
            if names:
                cells.insert(0, metadata.get("namespace", ""))
            found = metadata.get("labels") or {}
            cells += [found.get(label) or "" for label in labels]
            yield [*cells, *([_labels(found)] if self._values.show_labels else [])]

    def _flush(self, rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        if self._printed:
            print()
        for line in Aligner().lines(rows):
            print(line)
        self._printed = True

    def _say_nothing_found(self) -> None:
        sys.stdout.flush()
        namespaced = any(target.type.namespaced for target in self._targets)
        if namespaced and not self._values.all_namespaces:
            namespace = self._invocation.session.namespace
            print(f"No resources found in {namespace} namespace.", file=sys.stderr)
        else:
            print("No resources found", file=sys.stderr)


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


# -- objects as they are


def _print_objects(invocation: Invocation, targets: Sequence[Target], show: _Printer) -> int:
    values, problems = invocation.values, _Problems(invocation.values.ignore_not_found)
    found: list[tuple[ResourceType, dict[str, Any]]] = []
    for target in targets:
        try:
            for document in _read(invocation, target, "application/json"):
                for obj in _objects(target, document):
                    if values.output in ("json", "yaml") and not values.show_managed_fields:
                        (obj.get("metadata") or {}).pop("managedFields", None)
                    found.append((target.type, obj))
        except StatusError as error:
            problems.take(error)
    if values.output == "name":
        for type_, obj in found:
            print(f"{named(type_)}/{obj['metadata']['name']}")
        return problems.end()
    single = len(targets) == 1 and targets[0].name
    if single and not found:
        return problems.end()
    document = found[0][1] if single else _listed([obj for _, obj in found])
    print(show(document), end="")
    return problems.end()


def _objects(target: Target, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if target.name or "items" not in document:
        yield document
        return
    for item in document["items"] or ():
        yield {
            "apiVersion": target.type.group_version,
            "kind": target.type.kind,
            **item,
        }


def _listed(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


# -- watching


def _watch(invocation: Invocation, targets: Sequence[Target], show: _Printer | None) -> int:
    """Print what there is, unless --watch-only, and then each change until the server ends."""
    values, session = invocation.values, invocation.session
    if len({(target.type.group, target.type.plural) for target in targets}) > 1:
        raise CommandError("you may only specify a single resource type")
    if len(targets) != 1:
        raise CommandError("you may only watch a single resource or type of resource at a time")
    target = targets[0]
    accept = _TABLE if show is None else "application/json"
    out = _follower(invocation, target, show)
    version = ""
    for document in _read(invocation, target, accept):
        version = document["metadata"]["resourceVersion"]
        if not values.watch_only:
            out(document)
    fields = [f"metadata.name={target.name}"] if target.name else []
    fields += [values.field_selector] if values.field_selector else []
    query = [("watch", "true"), ("resourceVersion", version), ("fieldSelector", ",".join(fields))]
    query += [("labelSelector", values.selector)] if values.selector else []
    namespace = "" if values.all_namespaces else target.namespace or session.namespace
    sys.stdout.flush()
    for line in session.http.stream(target.type.path(namespace), query, accept=accept):
        event = json.loads(line)
        if event["type"] == "ERROR":
            raise StatusError(event["object"])
        if event["type"] != "BOOKMARK":
            out(event["object"])
            sys.stdout.flush()
    return 0


def _follower(
    invocation: Invocation, target: Target, show: _Printer | None
) -> Callable[[dict[str, Any]], None]:
    """Return what prints a list, and then one object after the other."""
    if show is None:
        tables = _Tables(invocation, [target])
        return lambda document: tables.follow(target.type, document)
    values, first = invocation.values, True

    def out(document: dict[str, Any]) -> None:
        nonlocal first
        for obj in _objects(target, document):
            if values.output == "name":
                print(f"{named(target.type)}/{obj['metadata']['name']}")
                continue
            if values.output in ("json", "yaml") and not values.show_managed_fields:
                (obj.get("metadata") or {}).pop("managedFields", None)
            print("---\n" if values.output == "yaml" and not first else "", end="")
            print(show(obj), end="")
            first = False

    return out


COMMAND = Command(
    usage="kubectl get [(-o|--output=)json|yaml|name|wide|jsonpath|custom-columns] "
    "(-f FILENAME | TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) "
    "[flags] [options]",
    short="Display one or many resources",
    long="Show objects: a table of the most important of them, or with -o all of it.",
    examples="""
# All Pods of the namespace
kubectl get pods

# With node and address
kubectl get pods -o wide

# One Pod, whole
kubectl get pod web -o yaml

# Pods by their labels, in all namespaces
kubectl get pods -A -l app=web

# Names and images alone
kubectl get pods -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image
kubectl get pods -o jsonpath='{range .items[*]}{.metadata.name}{"\\n"}{end}'
""",
    run=run,
    flags=(
        *FILE_FLAGS,
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces. Namespace in current context is ignored even if specified with "
             "--namespace.", short="A", kind=Kind.BOOL),
        Flag("chunk-size", 500, "Return large lists in chunks rather than all at once. Pass 0 to "
             "disable.", kind=Kind.INT),
        Flag("field-selector", usage="Selector (field query) to filter on, supports '=', '==', and "
             "'!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a "
             "limited number of field queries per type."),
        Flag("ignore-not-found", False, "If set to true, suppresses NotFound error for specific "
             "objects that do not exist.", kind=Kind.BOOL),
        Flag("label-columns", [], "Accepts a comma separated list of labels that are going to be "
             "presented as columns.", short="L", kind=Kind.LIST),
        Flag("no-headers", False, "When using the default or custom-column output format, don't "
             "print headers (default print headers).", kind=Kind.BOOL),
        Flag("output", usage="Output format. One of: (json, yaml, name, wide, jsonpath=TEMPLATE, "
             "custom-columns=SPEC).", short="o"),
        Flag("raw", usage="Raw URI to request from the server.  Uses the transport specified by "
             "the kubeconfig file."),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)).", short="l"),
        Flag("show-kind", False, "If present, list the resource type for the requested "
             "object(s).", kind=Kind.BOOL),
        Flag("show-labels", False, "When printing, show all labels as the last column (default "
             "hide labels column)", kind=Kind.BOOL),
        Flag("show-managed-fields", False, "If true, keep the managedFields when printing objects "
             "in JSON or YAML format.", kind=Kind.BOOL),
        Flag("watch", False, "After listing/getting the requested object, watch for changes.",
             short="w", kind=Kind.BOOL),
        Flag("watch-only", False, "Watch for changes to the requested object(s), without "
             "listing/getting first.", kind=Kind.BOOL),
        Flag("subresource", usage="If specified, gets the subresource of the requested object."),
    ),
)  # fmt: skip

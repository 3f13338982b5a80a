"""``kubectl get``: objects as a table, or as they are."""

from __future__ import annotations

import sys

from podium.kubectl import formats
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, Said, StatusError, Unread
from podium.kubectl.files import FILE_FLAGS, given, single
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import Target, resolve
from podium.kubectl.verbs.get_reading import Problems, objects, place, read
from podium.kubectl.verbs.get_tables import Tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podium.kubectl.flags import Values
    from podium.kubectl.formats import Printer

_NO_WORDS = """\
You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain \
pods).
See '{path} -h' for help and examples"""


def run(invocation: Invocation) -> int:
    values = invocation.values
    if values.raw:
        return _raw(invocation)
    watches = values.watch or values.watch_only
    if values.output_watch_events and not watches:
        raise CommandError(
            "--output-watch-events option can only be used with --watch or --watch-only"
        )
    if not invocation.words and not given(values):
        raise Said(_NO_WORDS.format(path=invocation.path))
    if values.show_labels and values.output not in ("", "wide"):
        raise CommandError(f"--show-labels option cannot be used with {values.output} printer")
    targets = _targets(invocation)
    try:
        show = formats.printer(values)
    except CommandError:
        if not _is_there(invocation, targets):
            return 0
        raise
    known = [one for one in targets if not isinstance(one, CommandError)]
    named = not given(values) and any(target.name for target in known)
    if (values.selector or values.field_selector) and named:
        raise CommandError("name cannot be provided when a selector is specified")
    if values.subresource and any(not target.name for target in known):
        raise CommandError("subresource cannot be used when bulk resources are specified")
    if watches:
        from podium.kubectl.verbs.get_watch import watch

        _raise_first(invocation, targets)
        return watch(invocation, known, show)
    if show is None and values.output != "name":
        return Tables(invocation, targets).print()
    return _print_objects(invocation, targets, show)


def _raw(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise CommandError("arguments may not be passed when --raw is specified")
    if values.watch or values.watch_only or values.selector:
        raise CommandError(
            "--raw may not be specified with other flags that filter the server request or alter "
            "the output"
        )
    if values.output:
        raise CommandError("--raw and --output are mutually exclusive")
    if not values.raw.startswith("/"):
        raise CommandError(
            f'--raw must be a valid URL path: parse "{values.raw}": invalid URI for request'
        )
    for piece in invocation.session.http.raw(values.raw):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return 0


def _is_there(invocation: Invocation, targets: Sequence[Target | CommandError]) -> bool:
    """Whether there is what alone is asked for: upstream looks for it before it looks at formats.

    Raises StatusError where there is not, unless that is to be ignored.
    """
    only = targets[0] if len(targets) == 1 else None
    if isinstance(only, Target) and only.name:
        try:
            invocation.session.http.one(only.type.path(place(invocation, only), only.name))
        except StatusError as error:
            if invocation.values.ignore_not_found and error.code == 404:
                return False
            raise
    return True


def _raise_first(invocation: Invocation, targets: Sequence[Target | CommandError]) -> None:
    """Raise CommandError for the first object of several that cannot be read."""
    for one in targets:
        if isinstance(one, CommandError):
            raise one
        if given(invocation.values) and len(targets) > 1:
            invocation.session.http.one(one.type.path(place(invocation, one), one.name))


def _targets(invocation: Invocation) -> Sequence[Target | CommandError]:
    discovery = Discovery(invocation.session.http)
    if not given(invocation.values):
        return resolve(invocation.words, discovery)
    if invocation.words:
        raise CommandError(
            "when paths, URLs, or stdin is provided as input, you may not specify resource "
            "arguments as well"
        )
    from podium.kubectl.manifests import entries, having

    return [
        found
        if isinstance(found, CommandError)
        else Target(found.type, found.name, found.namespace)
        for found in having(entries(invocation, discovery), invocation.values.selector)
    ]


def _print_objects(
    invocation: Invocation, targets: Sequence[Target | CommandError], show: Printer | None
) -> int:
    """Print objects whole; without *show* their names."""
    values, problems = invocation.values, Problems(invocation.values.ignore_not_found)
    found: list[dict[str, Any]] = []
    for target in targets:
        if isinstance(target, CommandError):
            problems.take(target)
            continue
        try:
            for document in read(invocation, target, "application/json"):
                found += objects(target, document)
        except StatusError as error:
            problems.take(error)
    if given(values) and single(values) and problems.found:
        raise Unread(problems.found)  # upstream shows one file's objects, or none
    only = targets[0] if len(targets) == 1 else None
    alone = isinstance(only, Target) and bool(only.name)
    if values.sort_by and found and not alone:
        from podium.kubectl.sorting import ordered

        try:
            found = ordered(found, values.sort_by, lambda obj: obj)
        except CommandError as error:
            if not problems.found:
                raise
            problems.take(error)
            return problems.end()
    if show is None:
        from podium.kubectl.writing import name_of

        for obj in found:
            print(name_of(obj))
        return problems.end()
    if alone and not found:
        return problems.end()
    print(show(_document(found, values, alone=alone)), end="")
    return problems.end()


def _document(found: Sequence[dict[str, Any]], values: Values, *, alone: bool) -> dict[str, Any]:
    plain = [formats.without_managers(obj, values) for obj in found]
    if alone:
        return plain[0]
    listed = {"apiVersion": "v1", "items": plain, "kind": "List"}
    return {**listed, "metadata": {"resourceVersion": ""}}


COMMAND = Command(
    usage="kubectl get [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|"
    "templatefile|jsonpath|jsonpath-as-json|jsonpath-file|custom-columns|custom-columns-file|wide] "
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
        Flag("allow-missing-template-keys", True, "If true, ignore any errors in templates when a "
             "field or map key is missing in the template. Only applies to golang and jsonpath "
             "output formats.", kind=Kind.BOOL),
        Flag("server-print", True, "If true, have the server return the appropriate table output. "
             "Supports extension APIs and CRDs.", kind=Kind.BOOL),
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
        Flag("output", usage="Output format. One of: (json, yaml, kyaml, name, go-template, "
             "go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file, "
             "custom-columns, custom-columns-file, wide). See custom columns "
             "[https://kubernetes.io/docs/reference/kubectl/#custom-columns], golang template "
             "[http://golang.org/pkg/text/template/#pkg-overview] and jsonpath template "
             "[https://kubernetes.io/docs/reference/kubectl/jsonpath/].", short="o",
             kind=Kind.FORMAT),
        Flag("output-watch-events", False, "Output watch event objects when --watch or "
             "--watch-only is used. Existing objects are output as initial ADDED events.",
             kind=Kind.BOOL),
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
        Flag("sort-by", usage="If non-empty, sort list types using this field specification.  The "
             "field specification is expressed as a JSONPath expression (e.g. '{.metadata.name}'). "
             "The field in the API resource specified by this JSONPath expression must be an "
             "integer or a string."),
        Flag("template", usage="Template string or path to template file to use when "
             "-o=go-template, -o=go-template-file. The template format is golang templates "
             "[http://golang.org/pkg/text/template/#pkg-overview]."),
        Flag("subresource", usage="If specified, gets the subresource of the requested object."),
    ),
)  # fmt: skip

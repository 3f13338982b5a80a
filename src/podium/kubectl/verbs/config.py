"""``kubectl config``: kubeconfig files, shown and changed. What sets entries is ``config_set``."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from podium.kubectl import formats
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.help import command_help
from podium.kubectl.kubeconfig import LISTS
from podium.kubectl.kubeconfig_files import PATHS, Files, complete
from podium.kubectl.printing.table import Aligner
from podium.kubectl.verbs import config_set
from podium.kubectl.writing import MISSING_KEYS_FLAG, TEMPLATE_FLAG

_OMITTED = ("certificate-authority-data", "client-certificate-data", "client-key-data")
_SECRET = ("token", "password")
#: The order of fields in JSON.
_ORDER = (
    "kind apiVersion preferences name cluster context user server tls-server-name "
    "insecure-skip-tls-verify certificate-authority certificate-authority-data proxy-url "
    "disable-compression client-certificate client-certificate-data client-key client-key-data "
    "token tokenFile as as-uid as-groups as-user-extra username password auth-provider exec "
    "command args env apiVersion installHint provideClusterInfo interactiveMode namespace "
    "extensions clusters users contexts current-context"
).split()


def view(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise invocation.misused(f"unexpected arguments: [{' '.join(invocation.words)}]")
    show = formats.printer(values, formats.FOR_WRITERS)
    if not values.merge and not values.kubeconfig:
        raise CommandError("if merge==false a precise file must be specified")
    if not values.merge and not os.path.exists(values.kubeconfig):
        raise CommandError(f"open {values.kubeconfig}: no such file or directory")
    files = Files(values)
    document = _document(files, values)
    if values.flatten:
        _flatten(document)
    elif not values.raw:
        _hide(document)
    if values.output == "json":
        print(json.dumps(_in_order(document), indent=4, ensure_ascii=False))
    elif values.output == "kyaml":
        from podium.kubectl.printing.kyaml import dump

        print(dump(_in_order(document), sort=False), end="")
    elif show is None:
        print("config/<unknown>")
    else:
        print(show(document), end="")
    return 0


def _document(files: Files, values: Values) -> dict[str, Any]:
    config = files.config
    current, minify = values.context or config.current_context, values.minify
    chosen = {kind: list(config.entries(kind)) for kind in LISTS}
    if minify:
        if not current:
            raise CommandError("current-context must exist in order to minify")
        if current not in config.contexts:
            raise CommandError(f"cannot locate context {current}")
        context = config.contexts[current]
        wanted = {"contexts": current, "clusters": context.get("cluster"),
                  "users": context.get("user")}  # fmt: skip
        chosen = {kind: [name for name in names if name == wanted[kind]]
                  for kind, names in chosen.items()}  # fmt: skip
    document: dict[str, Any] = {**config.others, "current-context": current}

    def of(kind: str, name: str) -> dict[str, Any]:
        whole = values.flatten or len(files.paths) > 1
        return files.resolved(kind, name) if whole else dict(config.entries(kind)[name])

    for kind, inner in LISTS.items():
        document[kind] = [{"name": name, inner: of(kind, name)}
                          for name in chosen[kind]]  # fmt: skip
    return complete(document)


def _entries(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one[LISTS[kind]] for one in document[kind] or ()]


def _hide(document: dict[str, Any]) -> None:
    for kind in ("clusters", "users"):
        for entry in _entries(document, kind):
            entry.update({key: "DATA+OMITTED" for key in _OMITTED if entry.get(key)})
            entry.update({key: "REDACTED" for key in _SECRET if entry.get(key)})


def _flatten(document: dict[str, Any]) -> None:
    """Put files into the document."""
    for kind, keys in PATHS.items():
        for entry in _entries(document, kind):
            for key in keys:
                path = entry.get(key) if key != "tokenFile" else None
                if path:
                    entry[f"{key}-data"] = base64.b64encode(config_set.content(key, path)).decode()
                    del entry[key]


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        order = _ORDER if "kind" in value else _ORDER[2:]  # a plugin's version stands later
        known = [key for key in order if key in value]
        keys = dict.fromkeys([*known, *sorted(value)])
        return {key: _in_order(value[key]) for key in keys}
    return [_in_order(item) for item in value] if isinstance(value, list) else value


def current_context(invocation: Invocation) -> int:
    current = Files(invocation.values).config.current_context
    if not current:
        raise CommandError("current-context is not set")
    print(current)
    return 0


def get_contexts(invocation: Invocation) -> int:
    values, config = invocation.values, Files(invocation.values).config
    if values.output not in ("", "name"):
        raise CommandError(
            f"--output {values.output} is not available in kubectl config get-contexts; resetting "
            "to default output format"
        )
    names = sorted(invocation.words or config.contexts)
    there = [name for name in names if name in config.contexts]
    rows: list[Sequence[str]] = []
    if values.output != "name" and not values.no_headers:
        rows.append(["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"])
    for name in there:
        entry = config.contexts[name]
        mark = "*" if name == config.current_context else ""
        rows.append([mark, name, *(str(entry.get(key, "")) for key in
                                   ("cluster", "user", "namespace"))])  # fmt: skip
    lines = there if values.output == "name" else Aligner().lines(rows)
    for line in lines:
        print(line)
    sys.stdout.flush()
    missing = [name for name in names if name not in config.contexts]
    for name in missing:
        print(f"error: context {name} not found", file=sys.stderr)
    return 1 if missing else 0


def _names(kind: str) -> Callable[[Invocation], int]:
    def run(invocation: Invocation) -> int:
        print("NAME")
        for name in sorted(Files(invocation.values).config.entries(kind)):
            print(name)
        return 0

    return run


def use_context(invocation: Invocation) -> int:
    (name,) = config_set.exactly(invocation, 1)
    files = Files(invocation.values)
    if name not in files.config.contexts:
        raise CommandError(f'no context exists with the name: "{name}"')
    files.choose(name)
    print(f'Switched to context "{name}".')
    return 0


def rename_context(invocation: Invocation) -> int:
    old, new = config_set.exactly(invocation, 2)
    files = Files(invocation.values)
    if old not in files.config.contexts:
        raise CommandError(f'cannot rename the context "{old}", it\'s not in {files.default}')
    if new in files.config.contexts:
        raise CommandError(
            f'cannot rename the context "{old}", the context "{new}" already exists in '
            f"{files.default}"
        )
    entry = files.config.contexts[old]
    files.config.origins["contexts", new] = files.config.origins["contexts", old]
    files.put("contexts", new, entry)
    files.remove("contexts", old)
    if files.config.current_context == old:
        files.choose(new)
    print(f'Context "{old}" renamed to "{new}".')
    return 0


def _delete(kind: str, title: str) -> Callable[[Invocation], int]:
    def run(invocation: Invocation) -> int:
        words, files = invocation.words, Files(invocation.values)
        if kind == "contexts" and len(words) != 1:
            print(command_help(invocation.path, COMMAND.children["delete-context"]))
            return 0
        if len(words) != 1:
            raise Said(f"error: {title} to delete is required\nSee '{invocation.path} -h' for help "
                       "and examples")  # fmt: skip
        if words[0] not in files.config.entries(kind):
            raise CommandError(f"cannot delete {title} {words[0]}, not in {files.default}")
        if kind == "contexts" and words[0] == files.config.current_context:
            print("warning: this removed your active context, use \"kubectl config use-context\" "
                  "to select a different one", file=sys.stderr)  # fmt: skip
        path = files.config.origins[kind, words[0]]
        files.remove(kind, words[0])
        print(f"deleted {title} {words[0]} from {path}")
        return 0

    return run


def _bool(name: str, usage: str) -> Flag:
    return Flag(name, False, usage, kind=Kind.BOOL)


_OUTPUT = Flag("output", "yaml", "Output format. One of: (json, yaml, kyaml, name, go-template, "
               "go-template-file, template, templatefile, jsonpath, jsonpath-as-json, "
               "jsonpath-file).", short="o", kind=Kind.FORMAT)  # fmt: skip

CHILDREN = {
    "current-context": Command(
        "kubectl config current-context [flags] [options]", "Display the current-context",
        current_context,
    ),
    "delete-cluster": Command(
        "kubectl config delete-cluster NAME [options]",
        "Delete the specified cluster from the kubeconfig", _delete("clusters", "cluster"),
    ),
    "delete-context": Command(
        "kubectl config delete-context NAME [options]",
        "Delete the specified context from the kubeconfig", _delete("contexts", "context"),
    ),
    "delete-user": Command(
        "kubectl config delete-user NAME [options]",
        "Delete the specified user from the kubeconfig", _delete("users", "user"),
    ),
    "get-clusters": Command(
        "kubectl config get-clusters [options]", "Display clusters defined in the kubeconfig",
        _names("clusters"),
    ),
    "get-contexts": Command(
        "kubectl config get-contexts [(-o|--output=)name)] [options]",
        "Describe one or many contexts", get_contexts,
        flags=(
            _bool("no-headers", "When using the default or custom-column output format, don't "
                  "print headers (default print headers)."),
            Flag("output", usage="Output format. One of: (name).", short="o"),
        ),
    ),
    "get-users": Command(
        "kubectl config get-users [options]", "Display users defined in the kubeconfig",
        _names("users"),
    ),
    "rename-context": Command(
        "kubectl config rename-context CONTEXT_NAME NEW_NAME [options]",
        "Rename a context from the kubeconfig file", rename_context,
    ),
    **config_set.CHILDREN,
    "use-context": Command(
        "kubectl config use-context CONTEXT_NAME [options]",
        "Set the current-context in a kubeconfig file", use_context, aliases=("use",),
    ),
    "view": Command(
        "kubectl config view [flags] [options]",
        "Display merged kubeconfig settings or a specified kubeconfig file", view,
        flags=(
            _bool("flatten", "Flatten the resulting kubeconfig file into self-contained output "
                  "(useful for creating portable kubeconfig files)"),
            _bool("minify", "Remove all information not used by current-context from the output"),
            _OUTPUT,
            _bool("raw", "Display raw byte data and sensitive data"),
            _bool("show-managed-fields", "If true, keep the managedFields when printing objects in "
                  "JSON or YAML format."),
            TEMPLATE_FLAG,
            MISSING_KEYS_FLAG,
            Flag("merge", True, "Merge the full hierarchy of kubeconfig files", kind=Kind.BOOL),
        ),
    ),
}  # fmt: skip

COMMAND = Command(
    usage="kubectl config SUBCOMMAND [options]",
    short="Modify kubeconfig files",
    long="Show kubeconfig files and change them. They are those of --kubeconfig, or else of "
    "$KUBECONFIG,\nall merged, or else ~/.kube/config.",
    children=CHILDREN,
)

"""``kubectl kustomize``: the objects of a directory with a kustomization, as YAML."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, unreadable
from podium.kubectl.flags import Flag
from podium.kubectl.kustomize.build import build
from podium.kubectl.kustomize.objects import CLUSTER_KINDS, KustomizeError, id_of
from podium.kubectl.printing.yaml_text import dump

Map = dict[str, Any]
_ROOT_ONLY, _NONE = "LoadRestrictionsRootOnly", "LoadRestrictionsNone"
_NOT_SERVED = (
    "as-current-user", "enable-alpha-plugins", "enable-helm", "env", "helm-api-versions",
    "helm-command", "helm-debug", "helm-kube-version", "mount", "network", "network-name",
)  # fmt: skip


def run(invocation: Invocation) -> int:
    words = invocation.words
    for name in _NOT_SERVED:
        if invocation.values.changed(name):
            raise CommandError(f"--{name} is not served by this kubectl")
    if len(words) > 1:
        raise CommandError("specify one path to kustomization.yaml")
    restrictor = invocation.values.load_restrictor
    if restrictor not in ("", _ROOT_ONLY, _NONE):
        raise CommandError(
            f"illegal flag value --load-restrictor {restrictor}; legal values: "
            f"[{_ROOT_ONLY} {_NONE}]"
        )
    try:
        objects = build(words[0] if words else ".", restricted=restrictor != _NONE)
    except KustomizeError as exc:
        raise CommandError(str(exc)) from exc
    output = invocation.values.output
    if os.path.isdir(output):
        for name, obj in _files(objects):
            _write(os.path.join(output, name), [obj])
    elif output:
        _write(output, objects)
    else:
        print(_text(objects), end="")
    return 0


def _text(objects: Iterable[Map]) -> str:
    return "---\n".join(dump(obj) for obj in objects)


def _write(path: str, objects: Iterable[Map]) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(_text(objects))
    except OSError as exc:
        raise CommandError(unreadable(exc, path)) from exc


def _files(objects: Iterable[Map]) -> Iterator[tuple[str, Map]]:
    """Yield each object with the name of its file; of several namespaces it has the object's.

    Raises CommandError for a name that would lead out of the directory.
    """
    ids = [(id_of(obj), obj) for obj in objects]
    placed = {one.namespace or "default" for one, _ in ids if one.kind not in CLUSTER_KINDS}
    for one, obj in ids:
        own = one.kind not in CLUSTER_KINDS and len(placed) > 1
        parts = [one.namespace or "default"] if own else []
        parts += [part for part in (one.group, one.version, one.kind, one.name) if part]
        name = f"{'_'.join(parts).lower()}.yaml"
        if os.sep in name:
            raise CommandError(f'"{name}" cannot be the name of a file')
        yield name, obj


COMMAND = Command(
    usage="kubectl kustomize DIR [flags] [options]",
    short="Build a kustomization target from a directory or URL",
    long="Print the objects of a directory with a kustomization.yaml.",
    examples="kubectl kustomize overlays/production",
    run=run,
    flags=(
        Flag("output", usage="If specified, write output to this path.", short="o"),
        Flag("load-restrictor", _ROOT_ONLY, f"if set to '{_NONE}', local kustomizations may load "
             "files from outside their root. This does, however, break the relocatability of the "
             "kustomization."),
        *(Flag(name, usage="Not served.", hidden=True, bare="true") for name in _NOT_SERVED),
    ),
)  # fmt: skip

"""``kubectl kustomize``: the objects of a directory with a kustomization, as YAML."""

from __future__ import annotations

from pathlib import Path

from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag
from podium.kubectl.kustomize.build import build
from podium.kubectl.kustomize.objects import KustomizeError
from podium.kubectl.printing.yaml_text import dump

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
    text = "---\n".join(dump(obj) for obj in objects)
    if invocation.values.output:
        Path(invocation.values.output).write_text(text)
    else:
        print(text, end="")
    return 0


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

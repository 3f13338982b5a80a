"""``kubectl create -f``; what can be created by flags is in ``generators``."""

from __future__ import annotations

from typing import Any

from podium.kubectl import raw
from podium.kubectl.choosing import SELECTOR_FLAG
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import annotated
from podium.kubectl.manifests import Manifest, manifests, selected
from podium.kubectl.recording import RECORD_FLAG, recorded
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    SAVE_CONFIG_FLAG,
    VALIDATE_FLAG,
    about_file,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)


def run(invocation: Invocation) -> int:
    session, values = invocation.session, invocation.values
    if invocation.words:
        raise invocation.misused(f"Unexpected args: [{' '.join(invocation.words)}]")
    if values.raw:
        return _raw(invocation)
    check_output(values)
    query, client = write_query(values), dry_run(values) == "client"

    def create(manifest: Manifest) -> None:
        obj = recorded(invocation, manifest.document)
        obj = annotated(obj) if values.save_config else obj
        if not client:
            try:
                obj = session.send("POST", manifest.collection, query, obj)
            except StatusError as error:
                raise about_file(error, "creating", manifest.source) from error
        printed(invocation, manifest.type, obj, "created", parts=True)

    found = selected(
        manifests(invocation, Discovery(session.http), nameless=True, validates=True),
        values.selector,
    )
    if values.edit:
        return _edited(invocation, list(found))
    count = 0

    def counted(manifest: Manifest) -> None:
        nonlocal count
        count += 1
        create(manifest)

    code = each(found, counted)
    if not count:
        raise CommandError("no objects passed to create")
    return code


def _raw(invocation: Invocation) -> int:
    values = invocation.values
    if not values.filename:
        raise CommandError("must specify one of -f and -k")
    if len(values.filename) != 1:
        raise CommandError("--raw can only use a single local file or stdin")
    raw.check_path(values.raw)
    return raw.send(invocation, "POST")


def _edited(invocation: Invocation, found: list[Manifest]) -> int:
    """Create what somebody's editor makes of the objects, each by itself."""
    from podium.kubectl.editing import HEADER, Item, edit

    if not found:
        raise CommandError("no objects passed to create")
    session, values = invocation.session, invocation.values
    query, discovery = write_query(values), Discovery(session.http)

    def create(item: Item, obj: dict[str, Any]) -> None:
        obj = session.send("POST", item.type.path(item.namespace), query, obj)
        printed(invocation, item.type, obj, "created")

    for one in found:
        item = Item(one.type, one.namespace, one.name, one.document)
        edit([item], create, discovery, values.output, HEADER)
    return 0


def _later(place: str, short: str, *aliases: str) -> Command:
    module = f"podium.kubectl.generators.{place}"
    return Command(usage="", short=short, aliases=aliases, module=module)


_CHILDREN = {
    "clusterrole": _later("role:CLUSTER_ROLE", "Create a cluster role"),
    "clusterrolebinding": _later(
        "binding:CLUSTER_ROLE_BINDING",
        "Create a cluster role binding for a particular cluster role",
    ),
    "configmap": _later(
        "config_map:CONFIG_MAP",
        "Create a config map from a local file, directory or literal value",
        "cm",
    ),
    "cronjob": _later("job:CRON_JOB", "Create a cron job with the specified name", "cj"),
    "deployment": _later(
        "deployment:DEPLOYMENT", "Create a deployment with the specified name", "deploy"
    ),
    "ingress": _later("ingress:INGRESS", "Create an ingress with the specified name", "ing"),
    "job": _later("job:JOB", "Create a job with the specified name"),
    "namespace": _later("namespace:NAMESPACE", "Create a namespace with the specified name", "ns"),
    "poddisruptionbudget": _later(
        "policy:BUDGET", "Create a pod disruption budget with the specified name", "pdb"
    ),
    "priorityclass": _later(
        "policy:PRIORITY_CLASS", "Create a priority class with the specified name", "pc"
    ),
    "quota": _later("quota:QUOTA", "Create a quota with the specified name", "resourcequota"),
    "role": _later("role:ROLE", "Create a role with single rule"),
    "rolebinding": _later(
        "binding:ROLE_BINDING", "Create a role binding for a particular role or cluster role"
    ),
    "secret": _later("secret:SECRET", "Create a secret using a specified subcommand"),
    "service": _later("service:SERVICE", "Create a service using a specified subcommand", "svc"),
    "serviceaccount": _later(
        "namespace:SERVICE_ACCOUNT", "Create a service account with the specified name", "sa"
    ),
    "token": _later("token:TOKEN", "Request a service account token"),
}

COMMAND = Command(
    usage="kubectl create -f FILENAME [options]",
    short="Create a resource from a file or from stdin",
    long="Create objects from files or stdin, in JSON or YAML.",
    examples="# What a file says\nkubectl create -f pod.yaml\n\n"
    "# What another program says\ncat pod.json | kubectl create -f -",
    run=run,
    flags=(*FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
           SAVE_CONFIG_FLAG, manager_flag("kubectl-create"), SELECTOR_FLAG, RECORD_FLAG,
           Flag("edit", False, "Edit the API resource before creating", kind=Kind.BOOL),
           Flag("raw", usage="Raw URI to POST to the server.  Uses the transport specified by the "
                "kubeconfig file."),
           Flag("windows-line-endings", False, "Only relevant if --edit=true. Defaults to the line "
                "ending native to your platform.", kind=Kind.BOOL)),
    children=_CHILDREN,
)  # fmt: skip

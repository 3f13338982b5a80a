"""``kubectl create -f``; what can be created by flags is ``create_kinds``."""

from __future__ import annotations

import json

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import Said, StatusError
from podium.kubectl.files import FILE_FLAGS, Manifest, manifests
from podium.kubectl.verbs.create_kinds import CHILDREN
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    VALIDATE_FLAG,
    about_file,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)


def run(invocation: Invocation) -> int:
    session, values = invocation.session, invocation.values
    if invocation.words:
        raise Said(
            f"error: Unexpected args: [{' '.join(invocation.words)}]\n"
            f"See '{invocation.path} -h' for help and examples"
        )
    query, client = write_query(values), dry_run(values) == "client"

    def create(manifest: Manifest) -> None:
        obj = manifest.document
        if not client:
            body = json.dumps(obj).encode()
            try:
                answer = session.http.request("POST", manifest.collection, query, body=body)
            except StatusError as error:
                raise about_file(error, "creating", manifest.source) from error
            session.warn(answer)
            obj = answer.json()
        printed(invocation, manifest.type, obj, "created")

    return each(manifests(invocation, Discovery(session.http)), create)


COMMAND = Command(
    usage="kubectl create -f FILENAME [options]",
    short="Create a resource from a file or from stdin",
    long="Create objects from files or stdin, in JSON or YAML.",
    examples="# What a file says\nkubectl create -f pod.yaml\n\n"
    "# What another program says\ncat pod.json | kubectl create -f -",
    run=run,
    flags=(*FILE_FLAGS, DRY_RUN_FLAG, OUTPUT_FLAG, VALIDATE_FLAG, MANAGED_FIELDS_FLAG,
           manager_flag("kubectl-create")),
    children=CHILDREN,
)  # fmt: skip

"""Earlier states of what is rolled out: ReplicaSets, or ControllerRevisions."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.discovery import ResourceType
from podium.kubectl.rolling.progress import revision_of
from podium.kubectl.session import Session

Map = dict[str, Any]
_REPLICA_SETS = ResourceType("apps", "v1", "replicasets", "ReplicaSet", True)
_REVISIONS = ResourceType("apps", "v1", "controllerrevisions", "ControllerRevision", True)


def revisions(session: Session, one: Chosen, obj: Map) -> dict[int, Map]:
    """Return the ReplicaSets or ControllerRevisions of an object by their numbers, in order."""
    of_deployment = one.type.kind == "Deployment"
    type_ = _REPLICA_SETS if of_deployment else _REVISIONS
    path = type_.path(one.namespace)
    query = [("labelSelector", _selector(obj))]
    found = {}
    for item in session.http.request("GET", path, query).json()["items"] or ():
        owners = item["metadata"].get("ownerReferences") or ()
        uid = obj["metadata"]["uid"]
        if any(owner.get("controller") and owner["uid"] == uid for owner in owners):
            number = revision_of(item) if of_deployment else item["revision"]
            found[number] = {"apiVersion": type_.group_version, "kind": type_.kind, **item}
    return dict(sorted(found.items()))


def _selector(obj: Map) -> str:
    from podium.api import codec, selectors
    from podium.api.types.meta_v1 import LabelSelector

    plain = obj["spec"].get("selector") or {}
    return str(selectors.from_struct(codec.from_plain(LabelSelector, plain)))


def template_of(revision: Map, obj: Map, kind: str) -> Map:
    """Return the template of Pods that a revision has."""
    if kind == "Deployment":
        template: Map = revision["spec"]["template"]
        return template
    from podium.api import schema, scheme
    from podium.api.patch import strategic

    known = scheme.DAEMONSETS if kind == "DaemonSet" else scheme.STATEFULSETS
    definition = schema.definition_of(known.type)
    patched: Map = strategic.apply(obj, revision["data"], definition)["spec"]["template"]
    return patched

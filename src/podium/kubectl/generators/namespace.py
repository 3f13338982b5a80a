"""``kubectl create namespace`` and ``create serviceaccount``: objects that are but a name."""

from __future__ import annotations

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, resource


def _namespace(_invocation: Invocation, _name: str) -> Map:
    return {"spec": {}, "status": {}}


def _service_account(_invocation: Invocation, _name: str) -> Map:
    return {}


NAMESPACE = generator(
    dry_run_usage("namespace NAME"),
    "Create a namespace with the specified name",
    creates(resource("", "v1", "namespaces", "Namespace", namespaced=False), _namespace),
)
SERVICE_ACCOUNT = generator(
    dry_run_usage("serviceaccount NAME"),
    "Create a service account with the specified name",
    creates(
        resource("", "v1", "serviceaccounts", "ServiceAccount"),
        _service_account,
        "failed to create serviceaccount:",
    ),
)

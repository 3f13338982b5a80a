"""NamespaceLifecycle: nothing is created in a namespace that is missing or being deleted.

Follows ``plugin/pkg/admission/namespace/lifecycle``.
"""

from __future__ import annotations

from podium.api import errors
from podium.api.scheme import NAMESPACES
from podium.api.types.core_v1 import Namespace
from podium.api.types.meta_v1 import StatusCause
from podium.registry.admission.base import AdmissionPlugin, Attributes

#: Namespaces that the control plane itself lives in.
PROTECTED = frozenset({"default", "kube-system", "kube-public"})


class NamespaceLifecycle(AdmissionPlugin):
    name = "NamespaceLifecycle"

    async def admit(self, attributes: Attributes) -> None:
        """Raises ApiError: 404 for a missing namespace, 403 for one that is terminating, and for
        deleting a protected one."""
        if attributes.resource is NAMESPACES:
            if attributes.operation == "DELETE" and attributes.name in PROTECTED:
                text = "this namespace may not be deleted"
                raise errors.forbidden(NAMESPACES, attributes.name, text)
            return
        if attributes.operation != "CREATE" or not attributes.namespace:
            return
        if attributes.resource.plural.endswith("subjectaccessreviews"):
            return
        found = await attributes.reader.read(NAMESPACES, "", attributes.namespace)
        if found is None:
            raise errors.not_found(NAMESPACES, attributes.namespace)
        if _is_terminating(found):
            raise _terminating(attributes)


def _is_terminating(namespace: Namespace) -> bool:
    return namespace.status.phase == "Terminating"


def _terminating(attributes: Attributes) -> errors.ApiError:
    namespace = attributes.namespace
    name = attributes.name or (attributes.obj.metadata.name if attributes.obj is not None else "")
    text = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = errors.forbidden(attributes.resource, name, text)
    cause = StatusCause(
        reason="NamespaceTerminating",
        message=f"namespace {namespace} is being terminated",
        field="metadata.namespace",
    )
    if error.status.details is not None:
        error.status.details.causes = [cause]
    return error

"""Part of NodeRestriction: a node asks for tokens only for audiences that its Pods name.

An audience is named by a projected volume, or by the driver of a CSI volume; for others the node
needs a role with the verb ``request-serviceaccounts-token-audience`` on them. Follows
``plugin/pkg/admission/noderestriction`` (``validateNodeServiceAccountAudience``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from podium.api.go_text import quote
from podium.api.scheme import (
    CSIDRIVERS,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    SERVICEACCOUNTS,
)
from podium.api.types.core_v1 import Pod
from podium.api.user import is_node
from podium.apiserver.auth.rbac.policy import Policy
from podium.apiserver.paths import RequestInfo
from podium.domain.pods.references import claim_names
from podium.registry.admission.base import AdmissionPlugin, Attributes, Reader
from podium.registry.admission.node_restriction import refused

_VERB = "request-serviceaccounts-token-audience"


class NodeAudience(AdmissionPlugin):
    """Comes after NodeRestriction, which has seen to it that the token is bound to a Pod."""

    name = "NodeRestriction"
    resources = (SERVICEACCOUNTS,)

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def admit(self, attributes: Attributes) -> None:
        """Raises ApiError (403)."""
        if attributes.resource is not SERVICEACCOUNTS or attributes.subresource != "token":
            return
        if not is_node(attributes.user):
            return
        spec = attributes.obj.spec
        if len(spec.audiences) > 1:
            raise refused(attributes, "node may only request 0 or 1 audiences")
        audience = spec.audiences[0] if spec.audiences else ""
        ref = spec.bound_object_ref
        pod = await attributes.reader.read(PODS, attributes.namespace, ref.name)
        if pod is not None and await _names(pod, audience, attributes.reader):
            return
        if not self._is_granted(attributes, audience):
            why = (
                f"audience {quote(audience)} not found in pod spec volume, {attributes.user.name} "
                "is not authorized to request tokens for this audience"
            )
            raise refused(attributes, why)

    def _is_granted(self, attributes: Attributes, audience: str) -> bool:
        info = RequestInfo(
            method="",
            path="",
            verb=_VERB,
            is_resource=True,
            namespace=attributes.namespace,
            resource=audience,
            name=attributes.name,
        )
        return self._policy.decide(attributes.user, info).allowed


async def _names(pod: Pod, audience: str, reader: Reader) -> bool:
    for volume in pod.spec.volumes:
        for source in volume.projected.sources if volume.projected else ():
            token = source.service_account_token
            if token is not None and token.audience == audience:
                return True
    async for driver in _drivers(pod, reader):
        found = await reader.read(CSIDRIVERS, "", driver)
        if found is not None and any(
            request.audience == audience for request in found.spec.token_requests
        ):
            return True
    return False


async def _drivers(pod: Pod, reader: Reader) -> AsyncIterator[str]:
    for volume in pod.spec.volumes:
        if volume.csi is not None:
            yield volume.csi.driver
    for name in claim_names(pod):
        claim = await reader.read(PERSISTENTVOLUMECLAIMS, pod.metadata.namespace, name)
        bound = claim.spec.volume_name if claim is not None else ""
        found = await reader.read(PERSISTENTVOLUMES, "", bound) if bound else None
        if found is not None and found.spec.csi is not None:
            yield found.spec.csi.driver

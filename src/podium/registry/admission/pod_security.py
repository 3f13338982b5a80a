"""PodSecurity: Pods keep to the standard that their namespace's labels name.

What is enforced refuses Pods; what is to be warned of is told of Pods and of the templates that
Pods are made from. Follows ``plugin/pkg/admission/security/podsecurity``, without exemptions: there
is no configuration that could name them.
"""

from __future__ import annotations

from typing import Any

from podium.api import errors, scheme
from podium.api.go_text import quote
from podium.api.scheme import NAMESPACES, PODS
from podium.api.types.core_v1 import Namespace, Pod, PodTemplateSpec
from podium.domain.pod_security.levels import LevelVersion, Policy, policy_of
from podium.kit.apart import LARGE, apart
from podium.registry.admission.base import AdmissionPlugin, Attributes

#: Subresources of Pods whose body is no Pod, or cannot change what the standards are about.
_HARMLESS = frozenset({
    "exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status",
})  # fmt: skip
_TEMPLATED = frozenset({
    scheme.CRONJOBS, scheme.DAEMONSETS, scheme.DEPLOYMENTS, scheme.JOBS, scheme.PODTEMPLATES,
    scheme.REPLICASETS, scheme.REPLICATIONCONTROLLERS, scheme.STATEFULSETS,
})  # fmt: skip


class PodSecurity(AdmissionPlugin):
    name = "PodSecurity"
    resources = (NAMESPACES, PODS, *_TEMPLATED)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError: 403 for a Pod, 422 for a namespace's labels."""
        if attributes.operation not in ("CREATE", "UPDATE"):
            return
        resource, subresource = attributes.resource, attributes.subresource
        if resource is NAMESPACES and not subresource:
            await _check_namespace(attributes)
        elif resource is PODS and subresource not in _HARMLESS:
            await _check_pod(attributes)
        elif resource in _TEMPLATED and not subresource:
            await _check_template(attributes)


async def _check_namespace(attributes: Attributes) -> None:
    namespace: Namespace = attributes.obj
    policy, wrong = policy_of(namespace.metadata.labels)
    before, were_wrong = Policy(), None
    if attributes.old is not None:
        before, were_wrong = policy_of(attributes.old.metadata.labels)
    if wrong and wrong != were_wrong:
        raise errors.invalid(NAMESPACES, namespace.metadata.name, wrong)
    if attributes.old is None:
        return

    from podium.domain.pod_security import admission  # most servers enforce nothing

    if admission.concerns_present_pods(policy, before):
        name = namespace.metadata.name
        pods = list(attributes.reader.known(PODS, name))
        attributes.warnings += await apart(
            LARGE, admission.present_pods, name, policy.enforce, pods
        )


async def _check_pod(attributes: Attributes) -> None:
    policy = await _policy(attributes)
    if policy == Policy():
        return

    from podium.domain.pod_security import admission

    pod, old = attributes.obj, attributes.old
    if attributes.operation == "UPDATE" and not admission.is_significant(pod, old):
        return
    if violations := _violations(policy.enforce, pod):
        why = f"violates PodSecurity {quote(str(policy.enforce))}: {violations}"
        raise errors.forbidden(PODS, attributes.name, why)
    _warn(attributes, policy.warn, pod)


async def _check_template(attributes: Attributes) -> None:
    policy = await _policy(attributes)
    template = _template(attributes.obj)
    if template is not None:
        _warn(attributes, policy.warn, template)


def _template(obj: Any) -> Any | None:
    """Return the Pods' template of any kind that has one; a ReplicationController may not."""
    spec = getattr(obj, "spec", obj)
    spec = spec.job_template.spec if hasattr(spec, "job_template") else spec
    return spec.template


async def _policy(attributes: Attributes) -> Policy:
    namespace = await attributes.reader.read(NAMESPACES, "", attributes.namespace)
    return policy_of(namespace.metadata.labels)[0] if namespace is not None else Policy()


def _warn(attributes: Attributes, wanted: LevelVersion, pod: Pod | PodTemplateSpec) -> None:
    if violations := _violations(wanted, pod):
        text = f"would violate PodSecurity {quote(str(wanted))}: {violations}"
        attributes.warnings.append(text)


def _violations(wanted: LevelVersion, pod: Pod | PodTemplateSpec) -> str:
    if wanted.level == "privileged":
        return ""
    from podium.domain.pod_security import standards

    return standards.details(standards.evaluate(wanted, pod))

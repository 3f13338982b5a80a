"""Whether the node takes a Pod on that was bound to it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from podium.api.types.core_v1 import Node, Pod
from podium.domain.pods import apparmor, eviction, shutdown, sysctls, unsupported
from podium.domain.pods.apparmor import NO_MODULES, SecurityModules
from podium.domain.pods.status import Verdict
from podium.domain.pods.sysctls import SysctlAllowlist
from podium.domain.pods.termination import EVICTED
from podium.domain.scheduling.admission import fits


class HouseRules(msgspec.Struct, frozen=True):
    """What the node is able and allowed to do."""

    sysctls: SysctlAllowlist = msgspec.field(default_factory=SysctlAllowlist.of)
    modules: SecurityModules = NO_MODULES
    closing: Callable[[], bool] = lambda: False  #: whether it takes on nobody any more
    #: The node's conditions that tell of pressure.
    pressures: Callable[[], frozenset[str]] = frozenset


def refusal(pod: Pod, node: Node, others: list[Pod], rules: HouseRules) -> Verdict | None:
    """Return why the Pod is refused, None when it is welcome.

    *others* are the Pods that the node has admitted and that are not over.
    """
    if rules.closing():
        return Verdict(shutdown.NOT_ADMITTED, shutdown.NOT_ADMITTED_MESSAGE)
    short = eviction.refused_under(pod, rules.pressures())
    if short:
        return Verdict(EVICTED, short)
    forbidden = rules.sysctls.problem(pod)
    if forbidden:
        return Verdict(sysctls.REASON, forbidden)
    if pod.spec.os is not None and pod.spec.os.name not in ("", "linux"):
        return Verdict(
            "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
        )
    fields = unsupported.unsupported_fields(pod, rules.modules)
    if fields:
        return Verdict(unsupported.REASON, unsupported.unsupported_message(fields))
    refusals = fits(pod, node, others)
    if refusals:
        return Verdict(refusals[0].reason, refusals[0].message)
    unenforceable = apparmor.apparmor_problem(pod, rules.modules)
    if unenforceable:
        return Verdict(apparmor.REASON, unenforceable, blocks=True)
    return None

"""A write weighed against quotas, in upstream's words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.api.types.core_v1 import ResourceQuota, Service
from podium.domain.quota.charging import Demand, is_measured, weigh
from podium.domain.quota.usage import amounts, texts
from support.objects import container, pod

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def quota(name: str = "q", *, used: dict[str, str] | None = None, **hard: str) -> ResourceQuota:
    limits = {key.replace("_", "."): value for key, value in hard.items()}
    plain = {
        "metadata": {"name": name},
        "spec": {"hard": limits},
        "status": {"hard": limits, "used": dict.fromkeys(limits, "0") | (used or {})},
    }
    return codec.from_plain(ResourceQuota, plain)


def judged(
    *quotas: ResourceQuota, obj: Any = None, old: Any = None, resource: Resource = scheme.PODS
) -> tuple[str, dict[str, dict[str, str]]]:
    used = {each.metadata.name: amounts(each.status.used) for each in quotas}
    why, charges = weigh(quotas, used, Demand(resource, obj or pod(), old, NOW))
    return why, {name: texts(charge) for name, charge in charges.items()}


def asking(**requests: str) -> dict[str, Any]:
    return {"containers": [container(resources={"requests": requests})]}


def test_what_fits_is_charged_under_the_limited_names_alone() -> None:
    made = pod(asking(cpu="500m", memory="1Gi"))
    assert judged(quota(pods="1", requests_cpu="1"), obj=made) == (
        "", {"q": {"pods": "1", "requests.cpu": "500m"}}
    )  # fmt: skip


def test_what_exceeds_is_told_with_all_that_it_exceeds() -> None:
    full = quota(
        used={"pods": "2", "requests.cpu": "900m", "requests.memory": "1Gi"},
        pods="2", requests_cpu="1", requests_memory="8Gi",
    )  # fmt: skip
    assert judged(full, obj=pod(asking(cpu="200m", memory="1Gi"))) == (
        "exceeded quota: q, requested: pods=1,requests.cpu=200m, used: pods=2,requests.cpu=900m, "
        "limited: pods=2,requests.cpu=1",
        {},
    )


def test_every_quota_has_to_allow_it() -> None:
    why, charges = judged(quota("a", pods="5"), quota("b", used={"pods": "1"}, pods="1"))
    assert why == "exceeded quota: b, requested: pods=1, used: pods=1, limited: pods=1"
    assert charges == {}
    assert judged(quota("a", pods="5"), quota("b", secrets="0")) == ("", {"a": {"pods": "1"}})


def test_what_has_to_be_stated() -> None:
    limited = quota(limits_cpu="5", requests_memory="5Gi", cpu="5", requests_storage="1")
    made = pod({
        "containers": [container(name="b"), container(name="a", resources={
            "requests": {"memory": "1Gi"}, "limits": {"cpu": "1"}})],
        "initContainers": [container(name="c")],
    })  # fmt: skip
    assert judged(limited, obj=made)[0] == (
        "failed quota: q: must specify cpu for: b,c; limits.cpu for: b,c; requests.memory for: b,c"
    )


def test_what_the_pod_states_as_a_whole_no_container_has_to() -> None:
    made = pod({"resources": {"requests": {"cpu": "1"}}})
    assert judged(quota(requests_cpu="2"), obj=made) == ("", {"q": {"requests.cpu": "1"}})


def test_other_resources_need_not_be_stated() -> None:
    assert judged(quota(**{"requests.ephemeral-storage": "1Gi"})) == ("", {})


def test_a_quota_that_nobody_has_counted_yet() -> None:
    unknown = quota(pods="5", requests_cpu="1")
    del unknown.status.used["pods"]
    why, _ = judged(unknown, obj=pod(asking(cpu="1")))
    assert why == "status unknown for quota: q, resources: pods,requests.cpu"
    unknown.status.hard = {}
    assert judged(unknown) == ("", {})


def test_what_only_is_noted_is_never_refused() -> None:
    full = quota(used={"persistentvolumeclaims": "1"}, persistentvolumeclaims="1")
    claim = codec.from_plain(scheme.PERSISTENTVOLUMECLAIMS.type, {"metadata": {"name": "c"}})
    demand = Demand(scheme.PERSISTENTVOLUMECLAIMS, claim, None, NOW, refusable=False)
    why, charges = weigh([full], {"q": amounts(full.status.used)}, demand)
    assert (why, texts(charges["q"])) == ("", {"persistentvolumeclaims": "1"})


def service(kind: str, ports: int) -> Service:
    listed = [{"port": number} for number in range(1, ports + 1)]
    plain = {"metadata": {"name": "s"}, "spec": {"type": kind, "ports": listed}}
    return codec.from_plain(Service, plain)


@pytest.mark.parametrize(
    ("new", "old", "charged"),
    [
        pytest.param(service("NodePort", 2), service("ClusterIP", 2), {"services.nodeports": "2"},
                     id="becomes-another-type"),
        pytest.param(service("NodePort", 3), service("NodePort", 1), {"services.nodeports": "2"},
                     id="one-more-port"),
        pytest.param(service("NodePort", 1), service("NodePort", 3), None, id="gives-back-nothing"),
        pytest.param(service("ClusterIP", 1), service("ClusterIP", 1), None, id="unchanged"),
    ],
)  # fmt: skip
def test_updates_are_charged_the_difference(
    new: Service, old: Service, charged: dict[str, str] | None
) -> None:
    limits = quota(services="9", services_nodeports="9")
    expected = {"q": charged} if charged else {}
    assert judged(limits, obj=new, old=old, resource=scheme.SERVICES) == ("", expected)


@pytest.mark.parametrize(
    ("resource", "operation", "subresource", "measured"),
    [
        (scheme.PODS, "CREATE", "", True),
        (scheme.PODS, "UPDATE", "", False),
        (scheme.PODS, "UPDATE", "resize", True),
        (scheme.PODS, "CREATE", "binding", False),
        (scheme.SERVICES, "UPDATE", "", True),
        (scheme.PERSISTENTVOLUMECLAIMS, "UPDATE", "", True),
        (scheme.PERSISTENTVOLUMECLAIMS, "UPDATE", "status", True),
        (scheme.SECRETS, "UPDATE", "", False),
        (scheme.RESOURCEQUOTAS, "CREATE", "", True),
        (scheme.SERVICEACCOUNTS, "CREATE", "token", False),
        (scheme.EVENTS, "CREATE", "", False),
        (scheme.NODES, "CREATE", "", False),
        (scheme.SECRETS, "DELETE", "", False),
    ],
    ids=str,
)
def test_what_is_measured(
    resource: Resource, operation: str, subresource: str, measured: bool
) -> None:
    assert is_measured(resource, operation, subresource) is measured

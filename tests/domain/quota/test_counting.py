"""What is taken of a quota, counted anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.api.types.core_v1 import ResourceQuota
from podium.domain.quota import counting
from podium.domain.quota.usage import texts
from support.objects import container, pod

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def quota(*scopes: str, **hard: str) -> ResourceQuota:
    limits = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
    spec: Any = {"hard": limits, "scopes": list(scopes)}
    return codec.from_plain(ResourceQuota, {"metadata": {"name": "q"}, "spec": spec})


@pytest.mark.parametrize(
    ("limits", "resource", "concerned", "alone"),
    [
        pytest.param(quota(pods="1"), scheme.PODS, True, False, id="pods"),
        pytest.param(quota(count__pods="1"), scheme.PODS, True, True, id="pods-whatever-phase"),
        pytest.param(quota("BestEffort", count__pods="1"), scheme.PODS, True, False, id="scoped"),
        pytest.param(quota(secrets="1"), scheme.SECRETS, True, True, id="secrets"),
        pytest.param(quota(services="1"), scheme.SERVICES, True, True, id="services"),
        pytest.param(quota(services_nodeports="1"), scheme.SERVICES, True, False, id="node-ports"),
        pytest.param(quota(requests_storage="1"), scheme.PERSISTENTVOLUMECLAIMS, True, False,
                     id="storage"),
        pytest.param(quota(persistentvolumeclaims="1"), scheme.PERSISTENTVOLUMECLAIMS, True, True,
                     id="claims"),
    ],
)  # fmt: skip
def test_what_has_to_be_known(
    limits: ResourceQuota, resource: Resource, concerned: bool, alone: bool
) -> None:
    assert counting.concerns(limits, resource) is concerned
    assert counting.counts_alone(limits, resource) is alone
    assert not counting.concerns(limits, scheme.CONFIGMAPS)


def test_the_total_of_what_is_covered() -> None:
    limits = quota("NotBestEffort", pods="9", requests_memory="9Gi")
    stated = {"containers": [container(resources={"requests": {"memory": "1Gi", "cpu": "1"}})]}
    found = counting.total(limits, scheme.PODS, [pod(stated), pod(), pod(stated)], NOW)
    assert texts(found) == {"pods": "2", "requests.memory": "2Gi"}


def test_a_number_of_objects() -> None:
    both = quota(secrets="9", count__secrets="9", pods="1")
    assert texts(counting.number(both, scheme.SECRETS, 3)) == {"secrets": "3", "count/secrets": "3"}
    assert counting.number(quota("BestEffort", secrets="9"), scheme.SECRETS, 3) == {}


def test_the_status_names_all_that_is_limited() -> None:
    limits = quota(pods="9", secrets="9")
    found = counting.status(limits, counting.number(limits, scheme.SECRETS, 3))
    assert (found.hard, found.used) == (limits.spec.hard, {"pods": "0", "secrets": "3"})

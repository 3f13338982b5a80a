import pytest

from podium.api.types.meta_v1 import LabelSelector, ObjectMeta
from podium.api.types.rbac_v1 import AggregationRule, ClusterRole, PolicyRule
from podium.controllers.cluster_role_aggregation import aggregated


def rule(resource: str) -> PolicyRule:
    return PolicyRule(verbs=["get"], api_groups=[""], resources=[resource])


def role(name: str, *resources: str, **labels: str) -> ClusterRole:
    metadata = ObjectMeta(name=name, labels=labels)
    return ClusterRole(metadata=metadata, rules=[rule(resource) for resource in resources])


def sum_of(*labels: dict[str, str]) -> ClusterRole:
    selectors = [LabelSelector(match_labels=chosen) for chosen in labels]
    return ClusterRole(
        metadata=ObjectMeta(name="sum", labels={"to": "sum"}),
        aggregation_rule=AggregationRule(cluster_role_selectors=selectors),
        rules=[rule("stale")],
    )


@pytest.mark.parametrize(
    ("labels", "resources"),
    [
        ([{"to": "sum"}], ["pods", "secrets", "nodes"]),
        ([{"to": "other"}, {"to": "sum"}], ["events", "pods", "secrets", "nodes"]),
        ([{"to": "nobody"}], []),
        ([], []),
    ],
    ids=["by name, each once", "selector by selector", "none selected", "no selector"],
)
def test_aggregated_rules(labels: list[dict[str, str]], resources: list[str]) -> None:
    roles = [
        role("b", "secrets", "nodes", to="sum"),
        role("a", "pods", "secrets", to="sum"),
        role("c", "events", to="other"),
        role("d", "leases"),
    ]
    wanted = sum_of(*labels)
    assert aggregated(wanted, [*roles, wanted]) == [rule(resource) for resource in resources]

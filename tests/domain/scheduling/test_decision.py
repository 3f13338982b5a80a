"""Where a Pod goes, and the words when it goes nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.scheduling.decision import Placed, Unschedulable, decide
from podium.domain.scheduling.filters import first_rejection
from podium.domain.scheduling.node_info import NodeInfo, PodDemand

NO_VICTIMS = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
NOT_HELPFUL = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
AFFINITY = "1 node(s) didn't match Pod's node affinity/selector."


def required(*terms):
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}
        }
    }


def expression(key, operator, *values):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def host_port(port, **more):
    return [{"name": "c", "ports": [{"containerPort": port, "hostPort": port, **more}]}]


@pytest.mark.parametrize(
    ("pod_args", "node_args", "message"),
    [
        pytest.param(
            {"requests": {"cpu": "1000", "memory": "100Ti"}},
            {},
            f"1 Insufficient cpu, 1 Insufficient memory. {NO_VICTIMS}",
            id="cpu-and-memory",
        ),
        pytest.param(
            {"requests": {"example.test/thing": "1"}},
            {},
            f"1 Insufficient example.test/thing. {NO_VICTIMS}",
            id="extended-resource-nobody-offers",
        ),
        pytest.param({}, {"pods": "0"}, f"1 Too many pods. {NO_VICTIMS}", id="too-many-pods"),
        pytest.param(
            {"nodeSelector": {"disk": "ssd"}},
            {"labels": {"disk": "hdd"}},
            f"{AFFINITY} {NOT_HELPFUL}",
            id="node-selector",
        ),
        pytest.param(
            {"affinity": required(expression("disk", "In", "ssd"))},
            {},
            f"{AFFINITY} {NOT_HELPFUL}",
            id="node-affinity",
        ),
        pytest.param(
            {},
            {"taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]},
            f"1 node(s) had untolerated taint {{dedicated: db}}. {NOT_HELPFUL}",
            id="taint-with-value",
        ),
        pytest.param(
            {},
            {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]},
            f"1 node(s) had untolerated taint {{node.kubernetes.io/not-ready: }}. {NOT_HELPFUL}",
            id="taint-without-value",
        ),
        pytest.param(
            {},
            {"unschedulable": True},
            f"1 node(s) were unschedulable. {NOT_HELPFUL}",
            id="cordoned",
        ),
        pytest.param(
            {"requests": {"cpu": "1000"}, "preemptionPolicy": "Never"},
            {},
            "1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
            id="never-preempts",
        ),
    ],
)
def test_a_pod_that_fits_nowhere_is_told_why(pod, node, pod_args, node_args, message):
    decision = decide(PodDemand(pod(**pod_args)), [NodeInfo(node(**node_args))])
    assert decision == Unschedulable(f"0/1 nodes are available: {message}")


def test_without_nodes(pod):
    decision = decide(PodDemand(pod()), [])
    assert decision == Unschedulable("no nodes available to schedule pods")


def test_reasons_are_counted_over_the_nodes(pod, node):
    nodes = [
        NodeInfo(node("a", unschedulable=True)),
        NodeInfo(node("b", cpu="1")),
        NodeInfo(node("c", cpu="1", memory="1Mi")),
    ]
    wanted = pod(requests={"cpu": "2", "memory": "1Gi"})
    assert decide(PodDemand(wanted), nodes) == Unschedulable(
        "0/3 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, "
        "2 Insufficient cpu. preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, "
        "2 No preemption victims found for incoming pod."
    )


def test_a_taken_host_port(pod, node):
    there = pod("first", containers=host_port(80))
    decision = decide(
        PodDemand(pod(containers=host_port(80, hostIP="127.0.0.1"))), [NodeInfo(node(), [there])]
    )
    assert decision == Unschedulable(
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. "
        + NO_VICTIMS
    )


def test_lower_priority_is_not_called_no_victim(pod, node):
    there = pod("low", requests={"cpu": "4"}, priority=-1)
    decision = decide(PodDemand(pod(requests={"cpu": "4"})), [NodeInfo(node(), [there])])
    assert isinstance(decision, Unschedulable)
    assert "1 Preemption of pods with lower priority is not supported" in decision.message


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        pytest.param(
            {
                "affinity": {
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {
                                "topologyKey": "kubernetes.io/hostname",
                                "namespaceSelector": {"matchLabels": {"team": "a"}},
                            }
                        ]
                    }
                }
            },
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
            ".namespaceSelector",
            id="namespaces-by-label",
        ),
        pytest.param(
            {"resourceClaims": [{"name": "gpu"}]}, "spec.resourceClaims", id="resource-claims"
        ),
    ],
)
def test_what_is_not_served_is_named_and_not_ignored(pod, node, spec, field):
    decision = decide(PodDemand(pod(**spec)), [NodeInfo(node())])
    assert decision == Unschedulable(
        f"0/1 nodes are available: {field} is not supported by this scheduler. {NOT_HELPFUL}"
    )


def test_unserved_preferences_matter_only_when_there_is_a_choice(pod, node):
    term = {"weight": 1, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname"}}
    preference = {
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]},
    }
    wanted = PodDemand(pod(affinity=preference))
    assert decide(wanted, [NodeInfo(node("a"))]) == Placed("a")
    both = decide(wanted, [NodeInfo(node("a")), NodeInfo(node("b"))])
    assert isinstance(both, Unschedulable)
    assert "spec.affinity.podAntiAffinity.preferred" in both.message


@pytest.mark.parametrize(
    ("operator", "values", "label", "placed"),
    [
        pytest.param("In", ["a", "b"], "b", True, id="in"),
        pytest.param("In", ["a"], None, False, id="in-absent"),
        pytest.param("NotIn", ["a"], None, True, id="not-in-absent"),
        pytest.param("NotIn", ["a"], "a", False, id="not-in"),
        pytest.param("Exists", [], "x", True, id="exists"),
        pytest.param("DoesNotExist", [], "x", False, id="does-not-exist"),
        pytest.param("Gt", ["4"], "5", True, id="greater"),
        pytest.param("Gt", ["5"], "5", False, id="not-greater"),
        pytest.param("Lt", ["5"], "-7", True, id="less"),
        pytest.param("Lt", ["5"], "many", False, id="not-a-number"),
        pytest.param("Gt", ["+4"], "007", True, id="signs-and-zeros"),
        pytest.param("Lt", ["9" * 5000], "1", False, id="beyond-64-bits"),
        pytest.param("Gt", [str(-(2**63) - 1)], "1", False, id="below-64-bits"),
        pytest.param("Near", ["5"], "5", False, id="unknown-operator"),
    ],
)
def test_node_affinity_operators(pod, node, operator, values, label, placed):
    affinity = required(expression("key", operator, *values))
    labels = {} if label is None else {"key": label}
    decision = decide(PodDemand(pod(affinity=affinity)), [NodeInfo(node(labels=labels))])
    assert isinstance(decision, Placed) is placed


def test_node_affinity_terms_are_alternatives_and_an_empty_one_matches_nothing(pod, node):
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node"]}]}
    info = NodeInfo(node())
    assert decide(PodDemand(pod(affinity=required({}, by_name))), [info]) == Placed("node")
    assert isinstance(decide(PodDemand(pod(affinity=required({}))), [info]), Unschedulable)


@pytest.mark.parametrize(
    ("toleration", "placed"),
    [
        pytest.param({"operator": "Exists"}, True, id="everything"),
        pytest.param({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True, id="key"),
        pytest.param({"key": "k", "value": "v"}, True, id="equal-is-the-default"),
        pytest.param({"key": "k", "value": "w"}, False, id="other-value"),
        pytest.param({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False, id="effect"),
    ],
)
def test_tolerations(pod, node, toleration, placed):
    tainted = node(taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}])
    decision = decide(PodDemand(pod(tolerations=[toleration])), [NodeInfo(tainted)])
    assert isinstance(decision, Placed) is placed


def test_a_cordoned_node_takes_those_that_tolerate_it(pod, node):
    toleration = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}
    info = NodeInfo(node(unschedulable=True))
    assert decide(PodDemand(pod(tolerations=[toleration])), [info]) == Placed("node")


def test_the_emptier_node_is_taken(pod, node):
    busy = NodeInfo(node("busy"), [pod(requests={"cpu": "2", "memory": "4Gi"})])
    idle = NodeInfo(node("idle"))
    assert decide(PodDemand(pod(requests={"cpu": "1"})), [busy, idle]) == Placed("idle")


def test_a_preferred_taint_and_a_preferred_label_tip_the_balance(pod, node):
    disliked = node("a", taints=[{"key": "k", "effect": "PreferNoSchedule"}])
    infos = [NodeInfo(disliked), NodeInfo(node("b"))]
    assert decide(PodDemand(pod()), infos) == Placed("b")
    preference = {"weight": 10, "preference": expression("gpu", "Exists")}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preference]}}
    infos = [NodeInfo(node("a")), NodeInfo(node("b", labels={"gpu": "yes"}))]
    assert decide(PodDemand(pod(affinity=affinity)), infos) == Placed("b")


def test_ties_are_broken_by_who_asks(pod, node):
    infos = [NodeInfo(node(name)) for name in ("a", "b", "c")]
    assert decide(PodDemand(pod()), infos, max) == Placed("c")
    assert decide(PodDemand(pod()), infos, min) == Placed("a")


@given(
    demands=st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 4096), st.sampled_from([0, 80, 81])),
        max_size=25,
    )
)
def test_no_node_is_ever_promised_more_than_it_has(pod, node, demands):
    """Placing any Pods one after another never overcommits and never doubles a host port."""
    infos = {name: NodeInfo(node(name, cpu="4", memory="6Gi", pods="5")) for name in "ab"}
    for index, (milli_cpu, mebibytes, port) in enumerate(demands):
        containers = [
            {
                "name": "c",
                "resources": {"requests": {"cpu": f"{milli_cpu}m", "memory": f"{mebibytes}Mi"}},
                "ports": [{"containerPort": 1, "hostPort": port}],
            }
        ]
        demand = PodDemand(pod(f"p{index}", containers=containers))
        decision = decide(demand, list(infos.values()))
        if isinstance(decision, Placed):
            assert first_rejection(demand, infos[decision.node]) is None
            infos[decision.node].add(demand)
    for info in infos.values():
        assert info.pod_count <= 5
        for name, amount in info.requested.items():
            assert amount <= info.allocatable[name]
        ports = [port for demand in info.demands for port in demand.host_ports]
        assert len(ports) == len(set(ports))

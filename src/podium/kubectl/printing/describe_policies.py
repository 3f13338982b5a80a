"""``describe`` of what decides about Pods: priorities, budgets, network policies, scaling. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl import selectors
from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines, rfc1123

Map = Mapping[str, Any]

_ANYWHERE = "(Allowing the specific traffic to all pods in this namespace)"


def priority_class(lines: Lines, obj: Map, _now: datetime) -> None:
    lines.add(0, f"Name:\t{obj['metadata']['name']}")
    lines.add(0, f"Value:\t{obj['value']}")
    lines.add(0, f"GlobalDefault:\t{str(obj.get('globalDefault', False)).lower()}")
    lines.add(0, f"PreemptionPolicy:\t{obj.get('preemptionPolicy', 'PreemptLowerPriority')}")
    lines.add(0, f"Description:\t{obj.get('description', '')}")
    lines.add(0, f"Annotations:\t{describe.inline(obj['metadata'].get('annotations'))}")


def disruption_budget(lines: Lines, obj: Map, _now: datetime) -> None:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    lines.add(0, f"Name:\t{obj['metadata']['name']}")
    lines.add(0, f"Namespace:\t{obj['metadata'].get('namespace', '')}")
    if "minAvailable" in spec:
        lines.add(0, f"Min available:\t{spec['minAvailable']}")
    elif "maxUnavailable" in spec:
        lines.add(0, f"Max unavailable:\t{spec['maxUnavailable']}")
    chosen = spec.get("selector")
    shown = "<unset>" if chosen is None else selectors.as_text(chosen) or "<none>"
    lines.add(0, f"Selector:\t{shown}")
    lines.add(0, "Status:")
    for title, key in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        lines.add(2, f"{title}:\t{status.get(key, 0)}")


def network_policy(lines: Lines, obj: Map, _now: datetime) -> None:
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    made = str(metadata.get("creationTimestamp", "")).replace("T", " ").replace("Z", "")
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"Created on:\t{made} +0000 UTC")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, "Spec:")
    chosen = selectors.as_text(spec.get("podSelector"))
    lines.add(1, f"PodSelector:     {chosen or f'<none> {_ANYWHERE}'}")
    types = spec.get("policyTypes") or ()
    for way, peers in (("Ingress", "from"), ("Egress", "to")):
        if way in types:
            lines.add(1, f"Allowing {way.lower()} traffic:")
            _rules(lines, spec.get(way.lower()) or (), way.lower(), peers)
        else:
            lines.add(1, f"Not affecting {way.lower()} traffic")
    lines.add(1, f"Policy Types: {', '.join(types) or '<none>'}")


def _rules(lines: Lines, rules: Sequence[Map], way: str, peers: str) -> None:
    if not rules:
        lines.add(2, f"<none> (Selected pods are isolated for {way} connectivity)")
    for place, rule in enumerate(rules):
        if place:
            lines.add(2, "----------")
        if not rule.get("ports"):
            lines.add(2, "To Port: <any> (traffic allowed to all ports)")
        for port in rule.get("ports") or ():
            end, protocol = port.get("endPort"), port.get("protocol", "TCP")
            number = port.get("port", "<nil>")
            lines.add(2, f"To Port: {number}/{protocol}" if end is None else
                      f"To Port Range: {number}-{end}/{protocol}")  # fmt: skip
        if not rule.get(peers):
            by = "source" if peers == "from" else "destination"
            lines.add(2, f"{peers.title()}: <any> (traffic not restricted by {by})")
        for peer in rule.get(peers) or ():
            lines.add(2, f"{peers.title()}:")
            _peer(lines, peer)


def _peer(lines: Lines, peer: Map) -> None:
    for title, key in (("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")):
        if peer.get(key) is not None:
            lines.add(3, f"{title}: {selectors.as_text(peer[key]) or '<none>'}")
    block = peer.get("ipBlock")
    if block and "podSelector" not in peer and "namespaceSelector" not in peer:
        lines.add(3, "IPBlock:")
        lines.add(4, f"CIDR: {block['cidr']}")
        lines.add(4, f"Except: {', '.join(block.get('except') or ())}")


def autoscaler(lines: Lines, obj: Map, _now: datetime) -> None:
    """Write a HorizontalPodAutoscaler as autoscaling/v2 has it."""
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    describe.head(lines, metadata)
    lines.add(0, f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}")
    target = spec["scaleTargetRef"]
    lines.add(0, f"Reference:\t{target['kind']}/{target['name']}")
    lines.add(0, "Metrics:\t( current / target )")
    current = status.get("currentMetrics") or ()
    for place, metric in enumerate(spec.get("metrics") or ()):
        _metric(lines, metric, current[place] if place < len(current) else {})
    lines.add(0, f"Min replicas:\t{spec.get('minReplicas', '<unset>')}")
    lines.add(0, f"Max replicas:\t{spec['maxReplicas']}")
    if spec.get("behavior"):
        lines.add(0, "Behavior:")
        _behavior(lines, "Scale Up", spec["behavior"].get("scaleUp"))
        _behavior(lines, "Scale Down", spec["behavior"].get("scaleDown"))
    lines.add(0, f"{target['kind']} pods:\t{status.get('currentReplicas', 0)} current / "
              f"{status.get('desiredReplicas', 0)} desired")  # fmt: skip
    describe.conditions(lines, status.get("conditions"), "Type", "Status", "Reason", "Message")


def _metric(lines: Lines, metric: Map, seen: Map) -> None:
    kind = metric.get("type", "")
    key = kind[:1].lower() + kind[1:]
    source, now = metric.get(key) or {}, (seen.get(key) or {}).get("current") or {}
    target = source.get("target") or {}
    average = "averageValue" in target
    field = "averageValue" if average else "value"
    reached = f"{now.get(field, '<unknown>')} / {target.get(field, '<nil>')}"
    name = (source.get("metric") or {}).get("name", "")
    what = "target average value" if average else "target value"
    if kind == "External":
        lines.add(1, f'"{name}" ({what}):\t{reached}')
    elif kind == "Pods":
        lines.add(1, f'"{name}" on pods:\t{reached}')
    elif kind == "Object":
        on = source["describedObject"]
        lines.add(1, f'"{name}" on {on["kind"]}/{on["name"]} ({what}):\t{reached}')
    elif kind in ("Resource", "ContainerResource"):
        of = f' of container "{source["container"]}"' if kind == "ContainerResource" else ""
        title = f"resource {source['name']}{of} on pods"
        if average:
            lines.add(1, f"{title}:\t{reached}")
        else:
            lines.add(1, f"{title}  (as a percentage of request):\t{_percent(now, target)}")
    else:
        lines.add(1, f'<unknown metric type "{kind}">')


def _percent(now: Map, target: Map) -> str:
    used, wanted = now.get("averageUtilization"), target.get("averageUtilization")
    current = "<unknown>" if used is None else f"{used}% ({now.get('averageValue', '')})"
    return f"{current} / {'<auto>' if wanted is None else f'{wanted}%'}"


def _behavior(lines: Lines, title: str, rules: Map | None) -> None:
    if rules is None:
        return
    lines.add(1, f"{title}:")
    if rules.get("stabilizationWindowSeconds") is not None:
        lines.add(2, f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds")
    if rules.get("policies"):
        lines.add(2, f"Select Policy: {rules.get('selectPolicy', 'Max')}")
        lines.add(2, "Policies:")
    for one in rules.get("policies") or ():
        lines.add(3, f"- Type: {one['type']}\tValue: {one['value']}\t"
                  f"Period: {one['periodSeconds']} seconds")  # fmt: skip

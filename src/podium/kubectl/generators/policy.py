"""``kubectl create priorityclass`` and ``create poddisruptionbudget``."""

from __future__ import annotations

import re

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, int_or_text, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.selectors import as_label_selector


def _priority_class(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    fields: Map = {"value": values.value}
    fields |= {"globalDefault": True} if values.global_default else {}
    fields |= {"description": values.description} if values.description else {}
    return {**fields, "preemptionPolicy": values.preemption_policy}


def _budget(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    least, most = values.min_available, values.max_unavailable
    if not values.selector:
        raise CommandError("a selector must be specified")
    if not least and not most:
        raise CommandError("one of min-available or max-unavailable must be specified")
    if least and most:
        raise CommandError("min-available and max-unavailable cannot be both specified")
    for name, text in (("min-available", least), ("max-unavailable", most)):
        if text and not re.fullmatch(r"\d+%?", text, re.ASCII):
            raise CommandError(f"invalid format specified for {name}")
    spec: Map = {"minAvailable": int_or_text(least)} if least else {}
    spec["selector"] = as_label_selector(values.selector)
    spec |= {"maxUnavailable": int_or_text(most)} if most else {}
    status = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
    return {"spec": spec, "status": status}


PRIORITY_CLASS = generator(
    dry_run_usage("priorityclass NAME --value=VALUE --global-default=BOOL"),
    "Create a priority class with the specified name",
    creates(
        resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False),
        _priority_class,
        "failed to create priorityclass:",
    ),
    (
        Flag("value", 0, "the value of this priority class.", kind=Kind.INT32),
        Flag("global-default", False, "global-default specifies whether this PriorityClass should "
             "be considered as the default priority.", kind=Kind.BOOL),
        Flag("description", usage="description is an arbitrary string that usually provides "
             "guidelines on when this priority class should be used."),
        Flag("preemption-policy", "PreemptLowerPriority", "preemption-policy is the policy for "
             "preempting pods with lower priority."),
    ),
    aliases=("pc",),
)  # fmt: skip
BUDGET = generator(
    dry_run_usage("poddisruptionbudget NAME --selector=SELECTOR --min-available=N"),
    "Create a pod disruption budget with the specified name",
    creates(resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"), _budget,
            "failed to create poddisruptionbudgets:"),
    (
        Flag("min-available", usage="The minimum number or percentage of available pods this "
             "budget requires."),
        Flag("max-unavailable", usage="The maximum number or percentage of unavailable pods this "
             "budget requires."),
        Flag("selector", usage="A label selector to use for this budget. Only equality-based "
             "selector requirements are supported."),
    ),
    aliases=("pdb",),
)  # fmt: skip

"""Validation of what restarts a container: its own policy, rules by exit code, resizes."""

from __future__ import annotations

from podium.api.field import Path, duplicate, invalid, not_supported, required, too_many
from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, ContainerRestartRule
from podium.api.validation.common import Errors, one_of
from podium.api.validation.mounts import AnyContainer

RESTART_POLICIES = ("Always", "Never", "OnFailure")
ACTIONS = ("Restart", "RestartAllContainers")
OPERATORS = ("In", "NotIn")
MAX_RULES, MAX_EXIT_CODES = 20, 255


def validate_restart_policy(path: Path, container: Container, *, init: bool) -> Errors:
    """Check a container's own restart policy, and its rules."""
    policy, rules = container.restart_policy, container.restart_policy_rules
    at = path.child("restartPolicy")
    if policy is None:
        if not rules:
            return
        yield required(at, "must specify restartPolicy when restart rules are used")
        if init:
            return
    elif policy not in RESTART_POLICIES:
        yield not_supported(at, policy, RESTART_POLICIES)
    at = path.child("restartPolicyRules")
    if len(rules) > MAX_RULES:
        yield too_many(at, len(rules), MAX_RULES)
    for i, rule in enumerate(rules):
        yield from _validate_rule(at.index(i), rule)


def _validate_rule(path: Path, rule: ContainerRestartRule) -> Errors:
    if rule.action not in ACTIONS:
        yield not_supported(path.child("action"), rule.action, ACTIONS)
    codes, at = rule.exit_codes, path.child("exitCodes")
    if codes is None:
        yield required(at, "must be specified")
        return
    if codes.operator not in OPERATORS:
        yield not_supported(at.child("operator"), codes.operator, OPERATORS)
    if len(codes.values) > MAX_EXIT_CODES:
        yield too_many(at.child("values"), len(codes.values), MAX_EXIT_CODES)


def validate_resize_policy(path: Path, container: AnyContainer, restart_policy: str) -> Errors:
    """Check what a change of resources means; *restart_policy* is the Pod's."""
    seen: set[str] = set()
    for i, policy in enumerate(container.resize_policy):
        if policy.resource_name in seen:
            yield duplicate(path.index(i), policy.resource_name)
        seen.add(policy.resource_name)
        yield from one_of(path, policy.resource_name, ("cpu", "memory"))
        yield from one_of(path, policy.restart_policy, ("NotRequired", "RestartContainer"))
        if restart_policy == "Never" and policy.restart_policy != "NotRequired":
            text = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield invalid(path, policy.restart_policy, text)


def validate_init_resize_policy(path: Path, container: Container) -> Errors:
    """What runs once is not run again for a resize."""
    if is_sidecar(container):
        return
    for i, policy in enumerate(container.resize_policy):
        if policy.restart_policy == "RestartContainer":
            text = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            yield invalid(path.index(i).child("restartPolicy"), policy.restart_policy, text)

"""Validation of the annotations that mean something on a Pod."""

from __future__ import annotations

from podium.api.field import FieldError, Path, forbidden, invalid
from podium.api.types.core_v1 import Pod
from podium.api.validation.common import Errors, descending_path
from podium.api.validation.operating_system import all_containers

MIRROR = "kubernetes.io/config.mirror"
TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_SECCOMP_PROFILES = ("runtime/default", "docker/default", "unconfined")


def validate_pod_annotations(path: Path, pod: Pod) -> Errors:
    annotations = pod.metadata.annotations
    if annotations.get(MIRROR, "") and not pod.spec.node_name:
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(path.key(MIRROR), annotations[MIRROR], text)
    for key in sorted(annotations):
        value = annotations[key]
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            yield from _validate_seccomp(path.child(key), value)
        elif key.startswith(APP_ARMOR):
            yield from _validate_app_armor(path.key(key), pod, key.removeprefix(APP_ARMOR), value)
    cost = annotations.get(DELETION_COST)
    if cost is not None and not _is_cost(cost):
        yield invalid(path.key(DELETION_COST), cost, "must be a 32bit integer")


def _is_cost(text: str) -> bool:
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit()) or (len(digits) > 1 and digits[0] == "0"):
        return False
    return text != "-0" and -(2**31) <= int(text) < 2**31


def _validate_seccomp(path: Path, profile: str) -> Errors:
    if profile in _SECCOMP_PROFILES:
        return
    if profile.startswith("localhost/"):
        yield from descending_path(path, profile.removeprefix("localhost/"))
    else:
        yield invalid(path, profile, "must be a valid seccomp profile")


def _validate_app_armor(path: Path, pod: Pod, container: str, profile: str) -> Errors:
    if all(c.name != container for _, c in all_containers(Path("spec"), pod.spec)):
        yield invalid(path, container, "container not found")
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(
        "localhost/"
    ):
        yield invalid(path, profile, f'invalid AppArmor profile name: "{profile}"')


def validate_pod_annotations_update(path: Path, new: Pod, old: Pod) -> list[FieldError]:
    """A Pod does not become or cease to be a mirror Pod, nor change its profiles."""
    new_values, old_values = new.metadata.annotations, old.metadata.annotations
    errors: list[FieldError] = []
    for key in sorted({*new_values, *old_values}):
        if new_values.get(key) == old_values.get(key):
            continue
        if key.startswith(APP_ARMOR):
            text = "may not remove or update AppArmor annotations"
            if key not in old_values:
                text = "may not add AppArmor annotations"
            errors.append(forbidden(path.key(key), text))
        if key == MIRROR:
            text = "may not remove or update mirror pod annotation"
            if key not in old_values:
                text = "may not add mirror pod annotation"
            errors.append(forbidden(path.key(key), text))
    return errors

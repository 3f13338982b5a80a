"""Validation of the annotations that mean something on a Pod."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from podium.api import codec, go_json
from podium.api.annotations import MIRROR
from podium.api.errors import ApiError
from podium.api.field import FieldError, Path, forbidden, invalid
from podium.api.types.core_v1 import (
    AppArmorProfile,
    Pod,
    PodSecurityContext,
    SeccompProfile,
    SecurityContext,
    Toleration,
)
from podium.api.validation.common import Errors, descending_path
from podium.api.validation.operating_system import all_containers
from podium.api.validation.scheduling import validate_tolerations

TOLERATIONS = "scheduler.alpha.kubernetes.io/tolerations"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
_PROFILES = (APP_ARMOR, SECCOMP_POD, SECCOMP_CONTAINER)
_SECCOMP_PROFILES = ("runtime/default", "docker/default", "unconfined")


def validate_pod_annotations(path: Path, pod: Pod) -> Errors:
    annotations = pod.metadata.annotations
    if MIRROR in annotations and not pod.spec.node_name:
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield invalid(path.key(MIRROR), annotations[MIRROR], text)
    if annotations.get(TOLERATIONS):
        yield from _validate_tolerations(path, annotations[TOLERATIONS])
    cost = annotations.get(DELETION_COST)
    if cost is not None and not is_cost(cost):
        yield invalid(path.key(DELETION_COST), cost, "must be a 32bit integer")
    keys = sorted(annotations, key=lambda key: (key != SECCOMP_POD, key))
    for key in keys:
        if key == SECCOMP_POD or key.startswith(SECCOMP_CONTAINER):
            yield from _validate_seccomp(path.child(key), annotations[key])
    profiles = [key for key in keys if key.startswith(APP_ARMOR)]
    containers = {c.name for _, c in all_containers(Path("spec"), pod.spec)} if profiles else set()
    for key in profiles:
        name = key.removeprefix(APP_ARMOR)
        yield from _validate_app_armor(path.key(key), containers, name, annotations[key])


def _validate_tolerations(path: Path, text: str) -> Errors:
    """Check the tolerations that lived in an annotation once."""
    try:
        plain = go_json.plain(go_json.load(text.encode()))
        tolerations = [codec.from_plain(Toleration, item) for item in plain]
    except (ValueError, TypeError, ApiError) as error:
        yield invalid(path, TOLERATIONS, str(error))
        return
    yield from validate_tolerations(path.child(TOLERATIONS), tolerations)


def is_cost(text: str) -> bool:
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit()) or (len(digits) > 1 and digits[0] == "0"):
        return False
    return text != "-0" and len(digits) <= 10 and -(2**31) <= int(text) < 2**31


def _validate_seccomp(path: Path, profile: str) -> Errors:
    if profile in _SECCOMP_PROFILES:
        return
    if profile.startswith("localhost/"):
        yield from descending_path(path, profile.removeprefix("localhost/"))
    else:
        yield invalid(path, profile, "must be a valid seccomp profile")


def _validate_app_armor(
    path: Path, containers: Collection[str], container: str, profile: str
) -> Errors:
    if container not in containers:
        yield invalid(path, container, "container not found")
    if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(
        "localhost/"
    ):
        yield invalid(path, profile, f'invalid AppArmor profile name: "{profile}"')


def validate_pod_annotations_update(path: Path, new: Pod, old: Pod) -> list[FieldError]:
    """A Pod does not become or cease to be a mirror Pod, nor change its profiles; the rest is
    checked as for new Pods, but for a deletion cost that was wrong before."""
    new_values, old_values = new.metadata.annotations, old.metadata.annotations
    errors: list[FieldError] = []
    changed = sorted({*new_values, *old_values})
    for key in sorted(changed, key=lambda key: (key not in old_values, key)):
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
    errors += without_old_cost(validate_pod_annotations(path, new), path, old)
    return errors


def without_old_cost(errors: Iterable[FieldError], path: Path, old: Pod) -> list[FieldError]:
    """Pass over a wrong deletion cost where *old* had one: it may be older than the check."""
    if is_cost(old.metadata.annotations.get(DELETION_COST, "0")):
        return list(errors)
    return [error for error in errors if error.field != str(path.key(DELETION_COST))]


def validate_profiles_agree(path: Path, pod: Pod) -> Errors:
    """What a new Pod says of seccomp and AppArmor in annotations must be what its fields say."""
    annotations = pod.metadata.annotations
    if not any(key.startswith(_PROFILES) for key in annotations):
        return
    context = pod.spec.security_context or PodSecurityContext()
    said, at = annotations.get(SECCOMP_POD), path.child("securityContext", "seccompProfile")
    yield from _same_profile("seccomp", at, said, context.seccomp_profile)
    for here, container in all_containers(path, pod.spec):
        own = container.security_context or SecurityContext()
        said = annotations.get(SECCOMP_CONTAINER + container.name)
        at = here.child("securityContext", "seccompProfile")
        yield from _same_profile("seccomp", at, said, own.seccomp_profile)
    if pod.spec.os is not None and pod.spec.os.name == "windows":
        return
    for here, container in all_containers(path, pod.spec):
        own = container.security_context or SecurityContext()
        profile = own.app_armor_profile or context.app_armor_profile
        said = annotations.get(APP_ARMOR + container.name)
        at = here.child("securityContext", "appArmorProfile")
        yield from _same_profile("apparmor", at, said, profile)


def _same_profile(
    what: str, path: Path, said: str | None, profile: SeccompProfile | AppArmorProfile | None
) -> Errors:
    if said is None or profile is None:
        return
    name, local = profile.localhost_profile, said.removeprefix("localhost/")
    agree = {
        "Unconfined": said == "unconfined",
        "RuntimeDefault": said == "runtime/default"
        or (what == "seccomp" and said == "docker/default"),
        "Localhost": said.startswith("localhost/"),
    }
    if not agree.get(profile.type, True):
        yield forbidden(path.child("type"), f"{what} type in annotation and field must match")
    elif profile.type == "Localhost" and local != name:
        text = f"{what} profile in annotation and field must match"
        yield forbidden(path.child("localhostProfile"), text)

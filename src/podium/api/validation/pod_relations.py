"""Validation of what hangs together across a Pod's spec: host namespaces, names of hosts, claims,
files that environment variables come from."""

from __future__ import annotations

from podium.api import go_text
from podium.api.annotations import MIRROR
from podium.api.field import Path, duplicate, forbidden, invalid, not_found, required, too_long
from podium.api.go_text import Verbatim
from podium.api.types.core_v1 import Pod, PodResourceClaim, PodSpec
from podium.api.validation.common import Errors, dns1123_label, dns1123_subdomain
from podium.api.validation.operating_system import all_containers

MAX_HOSTNAME = 64


def validate_resource_claims(path: Path, pod: Pod) -> Errors:
    if MIRROR in pod.metadata.annotations and pod.spec.resource_claims:
        for _ in pod.spec.resource_claims:
            yield forbidden(Path(""), "static pods do not support resource claims")
        return
    seen: set[str] = set()
    for i, claim in enumerate(pod.spec.resource_claims):
        at = path.index(i)
        if not claim.name:
            yield required(at.child("name"))
        elif claim.name in seen:
            yield duplicate(at.child("name"), claim.name)
        else:
            yield from dns1123_label(at.child("name"), claim.name)
        seen.add(claim.name)
        yield from _validate_claim_source(at, claim)


def _validate_claim_source(path: Path, claim: PodResourceClaim) -> Errors:
    by_name, by_template = claim.resource_claim_name, claim.resource_claim_template_name
    if by_name is not None and by_template is not None:
        text = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        yield invalid(path, _dump(claim), text)
    if by_name is None and by_template is None:
        text = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        yield invalid(path, _dump(claim), text)
    if by_name is not None:
        yield from dns1123_subdomain(path.child("resourceClaimName"), by_name)
    if by_template is not None:
        yield from dns1123_subdomain(path.child("resourceClaimTemplateName"), by_template)


def _dump(claim: PodResourceClaim) -> Verbatim:
    """Return the claim as upstream prints it: which fields are set, behind pointers."""
    pointers = ", ".join(
        f"{name}:(*string)({'nil' if value is None else '0xc000000000'})"
        for name, value in (
            ("ResourceClaimName", claim.resource_claim_name),
            ("ResourceClaimTemplateName", claim.resource_claim_template_name),
        )
    )
    return Verbatim(f"core.PodResourceClaim{{Name:{go_text.quote(claim.name)}, {pointers}}}")


def validate_host_network_ports(path: Path, spec: PodSpec, *, template: bool) -> Errors:
    """On the host's network a port is a port of the host; a template may leave that out."""
    if not spec.host_network:
        return
    for i, container in enumerate(spec.containers):
        for j, port in enumerate(container.ports):
            if template and port.host_port == 0:
                continue
            if port.host_port != port.container_port:
                at = path.index(i).child("ports").index(j).child("containerPort")
                text = "must match `hostPort` when `hostNetwork` is true"
                yield invalid(at, port.container_port, text)


def validate_host_users(path: Path, spec: PodSpec) -> Errors:
    """With a user namespace of its own a Pod may not share the host's others, nor take devices."""
    if spec.host_users is not False:
        return
    text = "when `hostUsers` is false"
    for name, value in (
        ("hostNetwork", spec.host_network),
        ("HostPID", spec.host_pid),
        ("HostIPC", spec.host_ipc),
    ):
        if value:
            yield forbidden(path.child(name), text)
    for at, container in all_containers(path, spec):
        if container.volume_devices:
            yield forbidden(at.child("volumeDevices"), text)


def validate_hostname_override(path: Path, spec: PodSpec) -> Errors:
    name, at = spec.hostname_override, path.child("hostnameOverride")
    if name is None:
        return
    if spec.set_hostname_as_fqdn:
        yield forbidden(at, "may not be specified when setHostnameAsFQDN is true")
    if spec.host_network:
        yield forbidden(at, "may not be specified when hostNetwork is true")
    if len(name.encode()) > MAX_HOSTNAME:
        yield too_long(at, MAX_HOSTNAME)
    yield from dns1123_subdomain(at, name)


def validate_file_keys(path: Path, spec: PodSpec) -> Errors:
    """Files with environment variables lie in volumes that live and die with the Pod."""
    volumes = {volume.name: volume for volume in spec.volumes}
    for here, container in all_containers(path, spec):
        for i, variable in enumerate(container.env):
            ref = variable.value_from.file_key_ref if variable.value_from is not None else None
            if ref is None:
                continue
            at = here.child("env").index(i).child("valueFrom", "fileKeyRef", "volumeName")
            volume = volumes.get(ref.volume_name)
            if volume is None:
                yield not_found(at, ref.volume_name)
            elif volume.empty_dir is None:
                yield invalid(at, ref.volume_name, "referenced volume must be of type emptyDir")

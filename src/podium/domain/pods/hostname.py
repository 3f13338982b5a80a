"""A Pod's host name and its ``/etc/hosts``.

Follows ``GeneratePodHostNameAndDomain`` and ``ensureHostsFile`` of upstream's kubelet.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.types.core_v1 import Pod

LONGEST = 63
#: What the kernel's field for a node's name holds.
LONGEST_FQDN = 64

_MANAGED = "# Kubernetes-managed hosts file.\n"
_MANAGED_HOST = "# Kubernetes-managed hosts file (host network).\n"
_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


class NameTooLong(ValueError):
    """The Pod cannot have the host name that it asks for."""


def hostname(pod: Pod) -> str:
    """The first label: ``hostnameOverride``, ``hostname`` or the Pod's name, cut to what fits."""
    spec = pod.spec
    name = spec.hostname_override or spec.hostname or pod.metadata.name
    return name if len(name) <= LONGEST else name[:LONGEST].rstrip("-.")


def domain(pod: Pod, cluster_domain: str) -> str:
    """The domain that ``spec.subdomain`` puts the Pod in; empty without one."""
    if not pod.spec.subdomain or pod.spec.hostname_override is not None:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def kernel_hostname(pod: Pod, cluster_domain: str) -> str:
    """What ``uname -n`` says in the Pod; "" for the node's own name. Raises NameTooLong."""
    if pod.spec.host_network and pod.spec.hostname_override is None:
        return ""
    name, below = hostname(pod), domain(pod, cluster_domain)
    if not below or not pod.spec.set_hostname_as_fqdn:
        return name
    whole = f"{name}.{below}"
    if len(whole) > LONGEST_FQDN:
        raise NameTooLong(
            "failed to construct FQDN from pod hostname and cluster domain, "
            f"FQDN {whole} is too long ({LONGEST_FQDN} characters is the max, "
            f"{len(whole)} characters requested)"
        )
    return whole


def hosts_file(pod: Pod, ips: Sequence[str], cluster_domain: str, of_node: str = "") -> str:
    """The text of ``/etc/hosts`` in the Pod's containers; *of_node* is that of the node, which
    counts on its network."""
    return _hosts(pod, ips, cluster_domain, of_node) + _aliases(pod)


def _hosts(pod: Pod, ips: Sequence[str], cluster_domain: str, of_node: str) -> str:
    if pod.spec.host_network:
        return _MANAGED_HOST + of_node
    name, below = hostname(pod), domain(pod, cluster_domain)
    names = f"{name}.{below}\t{name}" if below else name
    return _MANAGED + _LOCAL + "".join(f"{ip}\t{names}\n" for ip in ips)


def _aliases(pod: Pod) -> str:
    if not pod.spec.host_aliases:
        return ""
    lines = ("\t".join((alias.ip, *alias.hostnames)) for alias in pod.spec.host_aliases)
    return "\n# Entries added by HostAliases.\n" + "".join(f"{line}\n" for line in lines)

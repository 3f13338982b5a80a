"""A Pod's host name and its ``/etc/hosts``."""

from __future__ import annotations

from collections.abc import Sequence

from podium.api.types.core_v1 import Pod

LONGEST = 63

_MANAGED = "# Kubernetes-managed hosts file.\n"
_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


def hostname(pod: Pod) -> str:
    """``spec.hostname``, or the Pod's name cut to what a host name may hold."""
    return pod.spec.hostname or pod.metadata.name[:LONGEST].rstrip("-.")


def domain(pod: Pod, cluster_domain: str) -> str:
    """The domain that ``spec.subdomain`` puts the Pod in; empty without one."""
    if not pod.spec.subdomain:
        return ""
    return f"{pod.spec.subdomain}.{pod.metadata.namespace}.svc.{cluster_domain}"


def hosts_file(pod: Pod, ips: Sequence[str], cluster_domain: str) -> str:
    """The text of ``/etc/hosts`` in the Pod's containers."""
    name, below = hostname(pod), domain(pod, cluster_domain)
    names = f"{name}.{below}\t{name}" if below else name
    text = _MANAGED + _LOCAL + "".join(f"{ip}\t{names}\n" for ip in ips)
    if pod.spec.host_aliases:
        text += "\n# Entries added by HostAliases.\n"
        for alias in pod.spec.host_aliases:
            text += "\t".join((alias.ip, *alias.hostnames)) + "\n"
    return text

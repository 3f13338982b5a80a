"""``/etc/resolv.conf`` of a Pod: the node's own, the cluster's, and ``dnsConfig``.

Follows ``pkg/kubelet/network/dns``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podium.api.types.core_v1 import Pod
from podium.domain.pods.identity import pod_full_name

MAX_NAMESERVERS = 3
MAX_SEARCHES = 32
MAX_SEARCH_LENGTH = 2048
LONGEST_DOMAIN = 253


class Resolver(msgspec.Struct, frozen=True):
    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class DnsEvent(msgspec.Struct, frozen=True):
    reason: str
    message: str


class ClusterDns(msgspec.Struct, frozen=True):
    servers: tuple[str, ...] = ()
    domain: str = ""


def parse_resolv_conf(text: str) -> Resolver:
    """Read what matters of resolv.conf(5): name servers, the last search list, the options."""
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] in "#;":
            continue
        if words[0] == "nameserver" and len(words) > 1:
            servers.append(words[1])
        elif words[0] == "search":
            searches = [word.rstrip(".") or "." for word in words[1:]]
        elif words[0] == "options":
            options = words[1:]
    return Resolver(tuple(servers), tuple(searches), tuple(options))


def pod_resolver(pod: Pod, node: Resolver, cluster: ClusterDns) -> tuple[Resolver, list[DnsEvent]]:
    """Return what the Pod's resolv.conf says, and the events to tell."""
    events: list[DnsEvent] = []
    policy = pod.spec.dns_policy or "ClusterFirst"
    if policy == "None":
        resolver = Resolver()
    elif policy == "Default" or (policy == "ClusterFirst" and pod.spec.host_network):
        resolver = node
    elif cluster.servers:
        resolver = _cluster_first(pod.metadata.namespace, node, cluster)
    else:
        resolver = node
        events.append(
            DnsEvent(
                "MissingClusterDNS",
                f'pod: "{pod_full_name(pod)}". kubelet does not have ClusterDNS IP configured '
                'and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" '
                "policy.",
            )
        )
    resolver = _with_config(pod, resolver)
    return _within_limits(resolver, events), events


def _cluster_first(namespace: str, node: Resolver, cluster: ClusterDns) -> Resolver:
    searches: tuple[str, ...] = ()
    if cluster.domain:
        own = (f"{namespace}.svc.{cluster.domain}", f"svc.{cluster.domain}", cluster.domain)
        searches = tuple(dict.fromkeys(own + node.searches))
    return Resolver(cluster.servers, searches, ("ndots:5",))


def _with_config(pod: Pod, resolver: Resolver) -> Resolver:
    config = pod.spec.dns_config
    if config is None:
        return resolver
    options = {option.partition(":")[0]: option for option in resolver.options}
    for entry in config.options:
        options[entry.name] = f"{entry.name}:{entry.value}" if entry.value else entry.name
    return Resolver(
        _merged(resolver.servers, config.nameservers),
        _merged(resolver.searches, config.searches),
        tuple(options.values()),
    )


def _merged(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _within_limits(resolver: Resolver, events: list[DnsEvent]) -> Resolver:
    servers, searches = resolver.servers, resolver.searches
    if len(servers) > MAX_NAMESERVERS:
        servers = servers[:MAX_NAMESERVERS]
        events.append(
            DnsEvent(
                "DNSConfigForming",
                "Nameserver limits were exceeded, some nameservers have been omitted, "
                f"the applied nameserver line is: {' '.join(servers)}",
            )
        )
    shortened = tuple(s for s in searches[:MAX_SEARCHES] if len(s) <= LONGEST_DOMAIN)
    while len(" ".join(shortened)) > MAX_SEARCH_LENGTH:
        shortened = shortened[:-1]
    if shortened != searches:
        events.append(
            DnsEvent(
                "DNSConfigForming",
                "Search Line limits were exceeded, some search paths have been omitted, "
                f"the applied search line is: {' '.join(shortened)}",
            )
        )
    return Resolver(servers, shortened, resolver.options)

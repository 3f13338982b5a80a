"""What interfaces have carried, read from the text of ``/proc/net/dev``. Pure."""

from __future__ import annotations

from podium.runtime.stats_port import NetworkInterfaceUsage

#: The name that a Pod's own end of its link has.
POD_LINK = "eth0"


def interfaces(text: str) -> dict[str, NetworkInterfaceUsage]:
    """Return the interfaces by name."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        rx_bytes, rx_packets, rx_errors, rx_dropped, *others = map(int, rest.split())
        tx_bytes, tx_packets, tx_errors, tx_dropped = others[4:8]
        found[name.strip()] = NetworkInterfaceUsage(
            name.strip(),
            *(rx_bytes, rx_packets, rx_errors, rx_dropped),
            *(tx_bytes, tx_packets, tx_errors, tx_dropped),
        )
    return found


def seen_from_inside(link: NetworkInterfaceUsage) -> NetworkInterfaceUsage:
    """Turn what the node's end of a Pod's link says into what the Pod's own end does."""
    return NetworkInterfaceUsage(
        POD_LINK,
        *(link.tx_bytes, link.tx_packets, link.tx_errors, link.tx_dropped),
        *(link.rx_bytes, link.rx_packets, link.rx_errors, link.rx_dropped),
    )

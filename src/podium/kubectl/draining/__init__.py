"""What ``kubectl drain``, ``cordon`` and ``uncordon`` do with nodes and the Pods on them."""

"""``podium up`` and ``podium down``: certificates, kubeconfig, configuration, supervision.

The only part that knows every other one; it wires them and holds no rule of theirs.
"""

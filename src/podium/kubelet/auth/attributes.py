"""What a request to the kubelet is to RBAC: a verb on a subresource of the Node. Pure."""

from __future__ import annotations

_VERBS = {
    "POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
}  # fmt: skip
#: Paths, with all below them, and the subresource that each has to itself since 1.32 (KEP-2862);
#: whoever may ``proxy`` gets there as well.
_FINE = {
    "/pods": "pods",
    "/runningpods": "pods",
    "/healthz": "healthz",
    "/configz": "configz",
}
#: Paths whose subresource alone counts.
_OWN = {
    "/stats": "stats",
    "/metrics": "metrics",
    "/logs": "log",
    "/spec": "spec",
    "/checkpoint": "checkpoint",
}


def verb(method: str) -> str:
    return _VERBS.get(method, "")


def subresources(path: str) -> tuple[str, ...]:
    """Return the subresources of ``nodes`` of which one has to be allowed, in order."""
    top = "/" + path.lstrip("/").partition("/")[0]
    if not path.startswith("/") or path.startswith("//"):
        return ("proxy",)
    if top in _OWN:
        return (_OWN[top],)
    if top in _FINE:
        return (_FINE[top], "proxy")
    return ("proxy",)

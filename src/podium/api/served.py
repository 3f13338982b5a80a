"""What is said of a kind that is served: its names, its scope, its verbs, its struct.

The entries themselves are in ``podium.api.scheme``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import msgspec
from msgspec import Struct

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@cache
def _struct(group: str, version: str, kind: str) -> type[Any]:
    """Return the generated struct; its module is imported when it is needed first."""
    package = group.partition(".")[0] or "core"
    module = import_module(f"podium.api.types.{package}_{version}")
    found: type[Any] = getattr(module, kind)
    return found


class Subresource(msgspec.Struct, frozen=True):
    """``/status``, ``/log``, …: a second door to an object, perhaps with a kind of its own."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    #: GVK of the body where it is not the parent's own; of ``v1`` if *group* is empty.
    group: str = ""
    version: str = ""
    kind: str = ""
    #: Whether requests become streams: *kind* then names their options, which are in the query.
    connects: bool = False
    #: Whether they are passed on whatever their method is, and the path behind the name of this.
    anywhere: bool = False

    @property
    def type(self) -> type[Struct] | None:
        """The struct of the body where it is not the parent's own."""
        if not self.kind or self.connects:
            return None
        return _struct(self.group, self.version, self.kind)


STATUS = Subresource("status")
SCALE = Subresource("scale", group="autoscaling", version="v1", kind="Scale")


class Resource(msgspec.Struct, frozen=True, eq=False):
    """One served kind. ``type`` is its struct; ``list_kind`` names its list."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    #: Module under ``podium.registry.strategies``.
    strategy: str = "generic"
    #: Field labels of its strategy that the watch cache keeps an index of.
    indexed_fields: tuple[str, ...] = ()
    #: Whether objects are kept. Reviews are not: a POST is answered, and that is all.
    stored: bool = True
    #: The kind as which objects are stored, for one that is a second view of another.
    view_of: Resource | None = None
    #: The group that errors about invalid objects name, where it is not the kind's own.
    error_group: str = ""
    #: The struct, where it is not the generated one of that group, version and kind.
    struct: type[Any] | None = None

    @property
    def type(self) -> type[Any]:
        return self.struct or _struct(self.group, self.version, self.kind)

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def api_version(self) -> str:
        """``v1``, ``coordination.k8s.io/v1``: what ``apiVersion`` says."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``pods``, ``leases.coordination.k8s.io``: how errors name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        return next((sub for sub in self.subresources if sub.name == name), None)

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of a collection, or of an object when *name* is given."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(filter(None, (name, subresource)))
        return "/".join(parts)

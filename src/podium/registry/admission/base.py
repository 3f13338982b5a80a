"""Admission: what looks at a write between its arrival and its validation, and may change or
refuse it.

Follows ``k8s.io/apiserver/pkg/admission``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from podium.api.scheme import Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import UserInfo

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


class Reader(Protocol):
    """The present state of other objects; the registry implements it."""

    def read(self, resource: Resource, namespace: str, name: str) -> Awaitable[Any | None]:
        """Return the object, not to be changed, or None."""
        ...

    def known(self, resource: Resource, namespace: str) -> Iterator[Any]:
        """Yield what is known of the objects of a namespace (all, for ""), not to be changed:
        writes of the last moment may be missing."""
        ...

    def write_status(self, resource: Resource, obj: Any) -> Awaitable[Any]:
        """Store the status of *obj*, in the server's name. Raises ApiError: 409 when somebody
        wrote since *obj* was read."""
        ...


@dataclass(slots=True)
class Attributes:
    """One write. ``obj`` may be changed in place by ``admit``; ``old`` may not."""

    resource: Resource
    operation: Operation
    namespace: str
    name: str
    user: UserInfo
    reader: Reader
    obj: Any = None
    old: Any = None
    subresource: str = ""
    #: Text to make generated names unique with, five characters as in generateName.
    random_suffix: str = ""
    delete_options: DeleteOptions | None = None
    dry_run: bool = False
    warnings: list[str] = field(default_factory=list)


class AdmissionPlugin(Protocol):
    """``admit`` runs for each plugin in order before validation, then ``validate`` for each.

    Both raise ApiError to refuse. A plugin looks at ``attributes.resource`` first and leaves
    alone what it has nothing to say about.
    """

    name: str

    async def admit(self, attributes: Attributes) -> None: ...

    async def validate(self, attributes: Attributes) -> None: ...

"""Admission: what looks at a write between its arrival and its validation, and may change or
refuse it.

Follows ``k8s.io/apiserver/pkg/admission``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, Self

import msgspec

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import UserInfo
from podium.store.port import StoreError

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]

#: Told how a write has ended: the revision at which the object is stored, None where it is not,
#: UNKNOWN where nobody waited for it.
WhenOver = Callable[[int | None], Awaitable[None]]
UNKNOWN = 0


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


class Attributes(msgspec.Struct):
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
    warnings: list[str] = msgspec.field(default_factory=list)
    now: datetime = msgspec.field(default_factory=lambda: datetime.now(UTC))
    #: What plugins that have allowed the write have to do when it is over.
    when_over: list[WhenOver] = msgspec.field(default_factory=list)

    def forbidden(self, why: str) -> ApiError:
        """403 about the object of the write, whatever is known of its name by now."""
        name = self.name
        if not name and self.obj is not None:
            name = self.obj.metadata.name or self.obj.metadata.generate_name or "Unknown"
        return errors.forbidden(self.resource, name, why)

    async def over(self, stored_at: int | None) -> None:
        waiting, self.when_over = self.when_over, []  # they know of this: nothing goes in circles
        for tell in waiting:
            await tell(stored_at)


class Telling:
    """Tells the plugins how the write in the body ends; the body says where it is stored.

    See :data:`WhenOver`.
    """

    __slots__ = ("_attributes", "stored_at")

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self.stored_at: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        error = raised[1]
        if error is None:
            await self._attributes.over(self.stored_at)
        else:
            known = isinstance(error, ApiError | StoreError)
            await self._attributes.over(None if known else UNKNOWN)


class AdmissionPlugin:
    """``admit`` runs for each plugin in order before validation, then ``validate`` for each.

    Both raise ApiError to refuse; a plugin has one of them, or both. It is shown no other
    *resources* than those that it names, where it names any.
    """

    name: str
    resources: Collection[Resource] | None = None

    async def admit(self, attributes: Attributes) -> None:
        """Change or refuse the write."""

    async def validate(self, attributes: Attributes) -> None:
        """Refuse the complete object."""


Step = Callable[[Attributes], Awaitable[None]]
_Named = Sequence[tuple[str, Step]]


def steps(plugins: Sequence[AdmissionPlugin], resource: Resource) -> tuple[_Named, _Named]:
    """Return what *plugins*, by their names, do about a write of *resource* before validation,
    and behind it."""
    concerned = [
        plugin for plugin in plugins if plugin.resources is None or resource in plugin.resources
    ]
    admit, validate = AdmissionPlugin.admit, AdmissionPlugin.validate
    return (
        [(p.name, p.admit) for p in concerned if type(p).admit is not admit],
        [(p.name, p.validate) for p in concerned if type(p).validate is not validate],
    )

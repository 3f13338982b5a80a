"""What goes in and out of the registry's verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from podium.api.scheme import Resource
from podium.api.templates import Template
from podium.api.user import UserInfo

FieldValidation = Literal["Ignore", "Warn", "Strict"]
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]


class RequestContext(msgspec.Struct):
    """Who writes, and how.

    ``warnings`` collects what goes into HTTP ``Warning`` headers; ``created`` tells that an update
    has made the object (201 instead of 200); ``force`` lets an apply take fields from others;
    ``size`` is how many bytes the client has sent, by which it is told what takes long;
    ``repeated`` are the texts about keys that a patch repeats; ``template`` is what a new object,
    as it was sent, has in common with others. ``may_create`` raises ApiError (403) where what was
    allowed as an update or a patch turns out to create, and that is not allowed.
    """

    user: UserInfo
    dry_run: bool = False
    field_manager: str = ""
    force: bool = False
    field_validation: FieldValidation = "Warn"
    warnings: list[str] = msgspec.field(default_factory=list)
    created: bool = False
    size: int = 0
    repeated: Sequence[str] = ()
    template: Template | None = None
    may_create: Callable[[], None] | None = None


class Stored:
    """An object as of ``revision``; nothing of it is to be changed.

    ``data`` is its JSON with the resourceVersion, the same bytes for every reader; ``fields`` are
    what selectors and indexes look at, besides ``labels``. ``obj`` is the decoded form, shared by
    all: a cache holds that of the objects that were written or asked for last, and of the others
    it is made anew by *decode*. ``key`` is the store's.
    A dry run yields one that was never stored; creating so leaves ``revision`` 0.
    """

    __slots__ = ("_decode", "_obj", "data", "fields", "key", "labels", "revision")

    def __init__(
        self,
        key: str,
        data: bytes,
        revision: int,
        obj: Any,
        fields: Mapping[str, str] | None = None,
        decode: Callable[[Stored], Any] | None = None,
    ) -> None:
        self.key, self.data, self.revision, self._obj = key, data, revision, obj
        self.labels: Mapping[str, str] = obj.metadata.labels
        self.fields = fields or {}
        self._decode = decode

    @property
    def obj(self) -> Any:
        found = self._obj
        if found is None:
            assert self._decode is not None
            found = self._obj = self._decode(self)
        return found

    def drop_decoded(self) -> None:
        """Keep nothing but the bytes, and what selectors look at."""
        self._obj = None


class ListOptions(msgspec.Struct, frozen=True):
    """``meta/v1`` ``ListOptions``, for lists and watches."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    limit: int = 0
    continue_: str = ""
    timeout_seconds: float | None = None
    allow_watch_bookmarks: bool = False
    send_initial_events: bool | None = None


class ListResult(msgspec.Struct, frozen=True):
    """One page. ``remaining`` is known only for lists without selectors, as upstream has it."""

    items: Sequence[Stored]
    resource_version: str
    continue_: str = ""
    remaining: int | None = None


class WatchEvent(msgspec.Struct, eq=False):
    """One event of a watch; shared by all watchers that see the same.

    ``data`` is the object's JSON: for BOOKMARK an empty object with a resourceVersion, for ERROR a
    Status. ``stored`` is None for those two. A DELETED object is in its last state, with the
    resourceVersion of the deletion.
    """

    type: EventType
    data: bytes
    stored: Stored | None = None
    _line: bytes | None = None

    @property
    def line(self) -> bytes:
        """The event as a line of a JSON watch stream, made once for all watchers."""
        if self._line is None:
            self._line = b'{"type":"%s","object":%s}\n' % (self.type.encode(), self.data)
        return self._line


class DeleteResult(msgspec.Struct, frozen=True):
    """``stored`` is the object's last state; ``deleted`` tells whether it is gone."""

    stored: Stored
    deleted: bool


class Statistics(msgspec.Struct, frozen=True):
    """What there is of a resource, how many events have come from the store, and how many its
    watches have been sent."""

    resource: Resource
    objects: int
    events_received: int
    events_sent: int

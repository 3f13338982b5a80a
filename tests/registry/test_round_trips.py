"""What the API takes of a kind stays as it was taken, whatever the schema allows to send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import RESOURCES, Resource
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.user import UserInfo
from podium.apiserver.negotiation import MediaType
from podium.apiserver.tables import INCLUDE_OBJECT, TableOptions, partial, table
from podium.registry.patch import SERVED
from podium.registry.patching import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
)
from podium.registry.registry import Registry
from podium.registry.types import ListOptions, RequestContext, Stored
from support.fuzzing import examples, is_servers_fault
from support.generated import anything, documents
from support.registries import serving, take

T = TypeVar("T")
Document = dict[str, Any]

STORED = [resource for resource in RESOURCES if resource.stored]
every_kind = pytest.mark.parametrize("resource", STORED, ids=lambda resource: resource.qualified)


class Kind:
    """The verbs on one object of one kind, by what is sent and what comes back."""

    def __init__(self, registry: Registry, resource: Resource, name: str = "made") -> None:
        self.registry, self.resource, self.name = registry, resource, name
        self.namespace = "default" if resource.namespaced else ""

    async def create(self, document: Document, *, dry_run: bool = False) -> Stored:
        obj = self._decoded(json.dumps(document).encode())
        return await self.registry.create(
            self.resource, self.namespace, obj, _context("creator", dry_run)
        )

    async def put(self, body: bytes, manager: str, subresource: str = "") -> Stored:
        return await self.registry.update(
            self.resource, self.namespace, self.name, self._decoded(body), _context(manager),
            subresource=subresource,
        )  # fmt: skip

    async def patch(self, change: Any, patch_type: str, manager: str) -> Stored:
        return await self.registry.patch(
            self.resource, self.namespace, self.name, change, patch_type, _context(manager)
        )

    def _decoded(self, body: bytes) -> Any:
        obj, warnings = codec.decode(self.resource, body)
        assert not warnings
        return obj


def _context(manager: str, dry_run: bool = False) -> RequestContext:
    return RequestContext(UserInfo("tester"), dry_run=dry_run, field_manager=manager)


def on_each(
    resource: Resource,
    made: Callable[[Resource], st.SearchStrategy[Document]],
    usually: int,
    check: Callable[[Kind, st.DataObject, Document], Awaitable[None]],
) -> None:
    """Run *check* on generated objects, each with a registry of its own.

    What the API refuses is not looked at further; that must not be all.
    """
    accepted = 0

    @examples(usually)
    @given(st.data())
    def checked(data: st.DataObject) -> None:
        document = data.draw(made(resource))

        async def run() -> object:
            async with serving(resources=STORED) as registry:
                kind = Kind(registry, resource, document["metadata"]["name"])
                return await _outcome(check(kind, data, document))

        nonlocal accepted
        outcome = asyncio.run(run())
        if isinstance(outcome, Exception) and not _is_refusal(outcome):
            raise outcome
        accepted += not isinstance(outcome, Exception)

    checked()
    assert accepted


async def _outcome(attempt: Awaitable[T]) -> T | Exception:
    """Return what *attempt* returns or raises, which need not pass the registry's tasks then."""
    try:
        return await attempt
    except Exception as failure:  # noqa: BLE001 - whatever it is is raised again, or judged
        return failure


def _is_refusal(failure: object) -> bool:
    return isinstance(failure, ApiError) and failure.code in (400, 422)


def _is_upstreams(failure: object) -> bool:
    """A refusal that says 500, as upstream's does."""
    return (
        isinstance(failure, ApiError)
        and failure.code == 500
        and not is_servers_fault(failure.status)
    )


@every_kind
def test_what_is_accepted_comes_back_as_it_was_accepted(resource: Resource) -> None:
    async def check(kind: Kind, _: st.DataObject, document: Document) -> None:
        made = await kind.create(document)
        registry, namespace = kind.registry, kind.namespace
        assert codec.decode_stored(resource.type, made.data) == made.obj
        got = await registry.get(resource, namespace, kind.name)
        listed = await registry.list(resource, namespace, ListOptions())
        async with registry.watch(resource, namespace, ListOptions()) as stream:
            (event,) = await take(stream, 1)
        assert {got.data, event.data, *(item.data for item in listed.items)} == {made.data}
        _views_agree(resource, made, registry)

    on_each(resource, documents, 12, check)


def _views_agree(resource: Resource, made: Stored, registry: Registry) -> None:
    """The Table's row and the PartialObjectMetadata show the same object."""
    shown = json.loads(made.data)
    media = MediaType(kind="Table", group="meta.k8s.io", version="v1")
    whole = {"": "metadata", "Metadata": "metadata", "None": "nothing", "Object": "object"}
    for include in INCLUDE_OBJECT:
        options = TableOptions(include or "Metadata")
        document = table(resource, [made], media, {}, options, registry.now())
        (row,) = json.loads(codec.encode(document))["rows"]
        assert len(row["cells"]) == len(document["columnDefinitions"])
        assert shown["metadata"]["name"] in row["cells"]
        match whole[include]:
            case "metadata":
                assert row["object"]["metadata"] == shown["metadata"]
            case "object":
                assert row["object"] == shown
            case _:
                assert row["object"] is None
    assert json.loads(codec.encode(partial(made)))["metadata"] == shown["metadata"]


@every_kind
def test_writing_what_is_there_is_no_write(resource: Resource) -> None:
    async def check(kind: Kind, _: st.DataObject, document: Document) -> None:
        made = await kind.create(document)
        for subresource in ("", *_doors(resource)):
            again = await kind.put(made.data, "another", subresource)
            assert again.data == made.data, subresource
        for nothing, patch_type in (
            ({}, MERGE_PATCH),
            ({}, STRATEGIC_MERGE_PATCH),
            ([], JSON_PATCH),
            (json.loads(made.data), MERGE_PATCH),
            (json.loads(made.data), STRATEGIC_MERGE_PATCH),
            ([{"op": "replace", "path": "", "value": json.loads(made.data)}], JSON_PATCH),
        ):
            again = await _outcome(kind.patch(nothing, patch_type, "another"))
            if patch_type == STRATEGIC_MERGE_PATCH and _is_upstreams(again):
                continue  # items of a list that lack their keys
            assert isinstance(again, Stored), again
            assert again.data == made.data, patch_type

    on_each(resource, documents, 8, check)


def _doors(resource: Resource) -> list[str]:
    """The subresources that are parts of the object."""
    parts = ("status", "finalize", "ephemeralcontainers")
    return [each.name for each in resource.subresources if each.name in parts]


@every_kind
def test_applying_what_is_there_changes_owners_only(resource: Resource) -> None:
    async def check(kind: Kind, _: st.DataObject, document: Document) -> None:
        made = await kind.create(document)
        config = json.loads(made.data)
        config.pop("status", None)
        kept = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")
        config["metadata"] = {
            name: value for name, value in config["metadata"].items() if name in kept
        }
        applied = await _outcome(kind.patch(config, APPLY_PATCH, "applier"))
        if _is_upstreams(applied):
            return  # lists whose items have no keys, or the same, can be stored and not applied
        assert isinstance(applied, Stored), applied
        assert _without_owners(applied) == _without_owners(made)
        again = await kind.patch(config, APPLY_PATCH, "applier")
        assert again.data == applied.data

    on_each(resource, documents, 8, check)


def _without_owners(stored: Stored) -> Document:
    document: Document = json.loads(stored.data)
    for name in ("managedFields", "resourceVersion"):
        document["metadata"].pop(name, None)
    return document


@every_kind
def test_an_update_ends_in_an_object_that_stays(resource: Resource) -> None:
    """... whatever it was, and whatever becomes of it; and it can be deleted."""

    async def check(kind: Kind, data: st.DataObject, document: Document) -> None:
        made = await kind.create(document)
        wanted = data.draw(documents(resource))
        wanted["metadata"] |= {"name": kind.name, "resourceVersion": str(made.revision)}
        subresource = data.draw(st.sampled_from(["", *_doors(resource)]))
        updated = await _outcome(kind.put(json.dumps(wanted).encode(), "updater", subresource))
        if _is_refusal(updated):
            updated = made
        assert isinstance(updated, Stored), updated
        assert codec.decode_stored(resource.type, updated.data) == updated.obj
        again = await kind.put(updated.data, "another")
        assert again.data == updated.data
        await _delete(kind)

    on_each(resource, documents, 10, check)


async def _delete(kind: Kind) -> None:
    """Delete the object, as its finalizers would have it."""
    arguments = kind.resource, kind.namespace, kind.name
    now = DeleteOptions(grace_period_seconds=0)
    await kind.registry.delete(*arguments, now, _context("deleter"))
    if await kind.registry.read(*arguments) is not None:
        await kind.patch({"metadata": {"finalizers": None}}, MERGE_PATCH, "finalizer")
    left = await kind.registry.read(*arguments)
    if left is not None and kind.resource.kind == "Namespace":
        left = json.loads(codec.encode(left)) | {"spec": {}}
        await kind.put(json.dumps(left).encode(), "finalizer", "finalize")
        left = await kind.registry.read(*arguments)
    assert left is None


@every_kind
def test_a_dry_run_says_what_would_be(resource: Resource) -> None:
    async def check(kind: Kind, _: st.DataObject, document: Document) -> None:
        tried = await kind.create(document, dry_run=True)
        assert await kind.registry.read(resource, kind.namespace, kind.name) is None
        made = await kind.create(document)
        assert _without_identity(tried) == _without_identity(made)

    on_each(resource, documents, 8, check)


def _without_identity(stored: Stored) -> Document:
    text = stored.data.decode().replace(stored.obj.metadata.uid, "<uid>")
    document: Document = json.loads(text)
    document["metadata"].pop("resourceVersion", None)
    return document


@every_kind
def test_no_object_is_an_error_of_the_server(resource: Resource) -> None:
    @examples(15)
    @given(anything(resource), documents(resource))
    def checked(new: Document, old: Document) -> None:
        body = json.dumps(new).encode()

        async def run() -> list[object]:
            async with serving(resources=STORED) as registry:
                kind = Kind(registry, resource, new["metadata"]["name"])
                old["metadata"]["name"] = kind.name
                attempts = [kind.create(new), kind.create(old), kind.put(body, "updater")]
                attempts += [kind.put(body, "updater", door) for door in _doors(resource)]
                attempts += [kind.patch(new, patch_type, "patcher") for patch_type in SERVED]
                return [await _outcome(attempt) for attempt in attempts]

        for outcome in asyncio.run(run()):
            refused = isinstance(outcome, ApiError) and not is_servers_fault(outcome.status)
            if isinstance(outcome, Exception) and not refused:
                raise outcome

    checked()

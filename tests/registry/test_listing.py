"""Lists: what they show, as of when, and in which pages."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, PODS
from podium.api.types.meta_v1 import DeleteOptions
from podium.kit.clock import VirtualClock
from podium.registry import continue_token
from podium.registry.registry import Registry
from podium.registry.types import ListOptions, ListResult
from podium.store.memory import MemoryStore
from support.registries import config_map, context, pod, serving, text


def names(result: ListResult) -> Sequence[str]:
    return [stored.obj.metadata.name for stored in result.items]


async def test_a_list_shows_a_namespace_in_order_of_names() -> None:
    async with serving() as registry:
        await _fill(registry, "b", "a", "c")
        await _fill(registry, "d", namespace="default2")
        result = await registry.list(CONFIGMAPS, "default", ListOptions())
        assert names(result) == ["a", "b", "c"]
        assert (result.resource_version, result.continue_, result.remaining) == ("4", "", None)
        everywhere = await registry.list(CONFIGMAPS, "", ListOptions())
        assert names(everywhere) == ["a", "b", "c", "d"]


async def test_a_list_shows_every_write_that_was_acknowledged() -> None:
    async with serving() as registry:
        for number in range(10):
            await _fill(registry, f"n{number}")
            result = await registry.list(CONFIGMAPS, "default", ListOptions())
            assert len(result.items) == number + 1
            assert result.resource_version == str(number + 1)


async def test_items_are_the_bytes_that_a_get_returns() -> None:
    async with serving() as registry:
        await _fill(registry, "a")
        (item,) = (await registry.list(CONFIGMAPS, "default", ListOptions())).items
        assert item is await registry.get(CONFIGMAPS, "default", "a")


# ---------------------------------------------------------------------- selectors


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(ListOptions(label_selector="app=x"), ["a", "b"], id="label"),
        pytest.param(ListOptions(label_selector="app!=x"), ["c"], id="label-differs"),
        pytest.param(ListOptions(field_selector="metadata.name=b"), ["b"], id="name"),
        pytest.param(ListOptions(field_selector="metadata.name!=b"), ["a", "c"], id="not-name"),
        pytest.param(ListOptions(field_selector="spec.nodeName=one"), ["a", "c"], id="node"),
        pytest.param(ListOptions(field_selector="spec.nodeName="), [], id="no-node"),
        pytest.param(
            ListOptions(field_selector="spec.nodeName=one", label_selector="app=x"),
            ["a"],
            id="node-and-label",
        ),
        pytest.param(ListOptions(field_selector="spec.nodeName=three"), [], id="nothing"),
        pytest.param(
            ListOptions(field_selector="metadata.name=a,spec.nodeName=two"), [], id="contradiction"
        ),
    ],
)
async def test_selectors(options: ListOptions, expected: list[str]) -> None:
    async with serving() as registry:
        await _fill_pods(registry)
        for namespace in ("default", ""):
            assert names(await registry.list(PODS, namespace, options)) == expected


async def test_an_index_follows_its_objects() -> None:
    async with serving() as registry:
        await _fill_pods(registry)
        await registry.delete(
            PODS, "default", "a", DeleteOptions(grace_period_seconds=0), context()
        )
        on_one = ListOptions(field_selector="spec.nodeName=one")
        assert names(await registry.list(PODS, "default", on_one)) == ["c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ListOptions(field_selector="data.a=1"),
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
            id="unknown-field",
        ),
        pytest.param(
            ListOptions(label_selector="n in a"),
            "unable to parse requirement: found 'a' expected: '('",
            id="malformed-labels",
        ),
        pytest.param(
            ListOptions(resource_version="x"),
            'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
            id="resource-version",
        ),
        pytest.param(
            ListOptions(resource_version="18446744073709551616"),
            'resourceVersion: Invalid value: "18446744073709551616": strconv.ParseUint: parsing '
            '"18446744073709551616": value out of range',
            id="resource-version-beyond-all",
        ),
    ],
)
async def test_bad_requests(options: ListOptions, message: str) -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.list(CONFIGMAPS, "default", options)
    assert text(refused.value) == (400, "BadRequest", message)


# ---------------------------------------------------------------------- as of when


async def test_zero_takes_what_the_cache_has() -> None:
    async with serving() as registry:
        await _fill(registry, "a")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        result = await registry.list(CONFIGMAPS, "default", ListOptions(resource_version="0"))
        assert names(result) == ["a"]


@pytest.mark.parametrize("match", ["", "NotOlderThan"])
async def test_zero_knows_no_limit(match: str) -> None:
    """Upstream's cache gives all that it has, too."""
    async with serving() as registry:
        await _fill(registry, "a", "b", "c")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        options = ListOptions(resource_version="0", resource_version_match=match, limit=1)
        result = await registry.list(CONFIGMAPS, "default", options)
        assert (names(result), result.continue_) == (["a", "b", "c"], "")


async def test_a_token_may_not_go_with_a_revision() -> None:
    async with serving() as registry:
        await _fill(registry, "a", "b", "c")
        first = await registry.list(CONFIGMAPS, "default", ListOptions(limit=1))
        for revision, allowed in (("0", True), ("1", False)):
            options = ListOptions(resource_version=revision, continue_=first.continue_)
            if allowed:
                assert names(await registry.list(CONFIGMAPS, "default", options)) == ["b", "c"]
                continue
            with pytest.raises(ApiError) as refused:
                await registry.list(CONFIGMAPS, "default", options)
            assert refused.value.status.message == (
                "specifying resource version is not allowed when using continue"
            )


async def test_exactly_a_revision_of_the_past() -> None:
    async with serving() as registry:
        await _fill(registry, "a", "b", "c")
        options = ListOptions(resource_version="2", resource_version_match="Exact")
        result = await registry.list(CONFIGMAPS, "default", options)
        assert names(result) == ["a", "b"]
        assert result.resource_version == "2"
        assert result.items[0].obj.metadata.resource_version == "1"


async def test_not_older_than_a_revision_shows_the_present() -> None:
    async with serving() as registry:
        await _fill(registry, "a", "b", "c")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        for match in ("", "NotOlderThan"):
            options = ListOptions(resource_version="2", resource_version_match=match)
            assert names(await registry.list(CONFIGMAPS, "default", options)) == ["a", "b", "c"]


async def test_a_revision_that_is_forgotten_has_expired() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await _fill(registry, "a", "b", "c")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        await store.compact(3)
        options = ListOptions(resource_version="1", resource_version_match="Exact")
        with pytest.raises(ApiError) as refused:
            await registry.list(CONFIGMAPS, "default", options)
    assert text(refused.value) == (
        410,
        "Expired",
        "The resourceVersion for the provided list is too old.",
    )


@pytest.mark.parametrize("match", ["", "Exact", "NotOlderThan"])
async def test_a_revision_that_lies_ahead_is_waited_for_and_then_refused(match: str) -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        await _fill(registry, "a")
        options = ListOptions(resource_version="99", resource_version_match=match)
        listing = asyncio.ensure_future(registry.list(CONFIGMAPS, "default", options))
        await clock.advance(3)
        with pytest.raises(ApiError) as refused:
            await listing
    assert text(refused.value) == (
        504,
        "Timeout",
        "Timeout: Too large resource version: 99, current: 1",
    )
    details = refused.value.status.details
    assert details is not None
    assert details.retry_after_seconds == 1
    assert details.causes[0].reason == "ResourceVersionTooLarge"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            ListOptions(resource_version_match="Exact"),
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless "
            "resourceVersion is provided",
            id="match-without-version",
        ),
        pytest.param(
            ListOptions(resource_version="0", resource_version_match="Exact"),
            'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for '
            'resourceVersion "0"',
            id="exactly-zero",
        ),
        pytest.param(
            ListOptions(resource_version="1", resource_version_match="Roughly"),
            'resourceVersionMatch: Unsupported value: "Roughly": supported values: "Exact", '
            '"NotOlderThan", ""',
            id="unknown-match",
        ),
        pytest.param(
            ListOptions(send_initial_events=True),
            "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
            id="initial-events",
        ),
    ],
)
async def test_invalid_options(options: ListOptions, message: str) -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.list(CONFIGMAPS, "default", options)
    assert text(refused.value) == (
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {message}',
    )


# ---------------------------------------------------------------------- pages


@pytest.mark.parametrize("namespace", ["default", ""])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_show_one_state_whatever_is_written_between_them(
    namespace: str, limit: int
) -> None:
    async with serving() as registry:
        await _fill(registry, "a", "b", "c", "d", "e")
        shown: list[str] = []
        versions, remaining, token = set(), [], ""
        while True:
            options = ListOptions(limit=limit, continue_=token)
            page = await registry.list(CONFIGMAPS, namespace, options)
            shown += names(page)
            versions.add(page.resource_version)
            remaining.append(page.remaining)
            token = page.continue_
            if not token:
                break
            await _fill(registry, f"between-{len(shown)}")
            await registry.delete(
                CONFIGMAPS, "default", f"between-{len(shown)}", DeleteOptions(), context()
            )
        assert shown == ["a", "b", "c", "d", "e"]
        assert versions == {"5"}
        left = [5 - limit * page for page in range(1, len(remaining) + 1)]
        assert remaining == [count if count > 0 else None for count in left]


async def test_pages_under_a_selector_are_full_and_do_not_count_the_rest() -> None:
    async with serving() as registry:
        for number in range(20):
            obj = config_map(f"n{number:02}")
            obj.metadata.labels = {"third": str(number % 3)}
            await registry.create(CONFIGMAPS, "default", obj, context())
        shown, token = [], ""
        while True:
            options = ListOptions(label_selector="third=0", limit=3, continue_=token)
            page = await registry.list(CONFIGMAPS, "default", options)
            assert page.remaining is None
            shown.append(list(names(page)))
            token = page.continue_
            if not token:
                break
            await _fill(registry, f"between-{len(shown)}")
        assert shown == [["n00", "n03", "n06"], ["n09", "n12", "n15"], ["n18"]]


async def test_a_token_whose_state_is_forgotten_comes_back_with_another_one() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await _fill(registry, "a", "b", "c")
        page = await registry.list(CONFIGMAPS, "default", ListOptions(limit=1))
        await _fill(registry, "bb")
        await registry.list(CONFIGMAPS, "default", ListOptions())
        await store.compact(4)
        again = ListOptions(limit=2, continue_=page.continue_)
        with pytest.raises(ApiError) as refused:
            await registry.list(CONFIGMAPS, "default", again)
        failure = refused.value
        assert (failure.code, failure.reason) == (410, "Expired")
        assert failure.status.message.startswith("The provided continue parameter is too old")
        onward = ListOptions(limit=2, continue_=failure.status.metadata.continue_)
        rest = await registry.list(CONFIGMAPS, "default", onward)
        assert names(rest) == ["b", "bb"]
        last = await registry.list(
            CONFIGMAPS, "default", ListOptions(limit=2, continue_=rest.continue_)
        )
        assert names(last) == ["c"]


def _token(**members: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        pytest.param("a%%", "illegal base64 data at input byte 1", id="no-base64"),
        pytest.param("abcde", "illegal base64 data at input byte 4", id="cut-off"),
        pytest.param("é", "illegal base64 data at input byte 0", id="no-ascii"),
        pytest.param("eHh4", "invalid character 'x' looking for beginning of value", id="no-json"),
        pytest.param(
            _token(v=1),
            "json: cannot unmarshal number into Go struct field continueToken.v of type string",
            id="no-token",
        ),
        pytest.param(
            _token(v="v0", rv=1, start="a"),
            'server does not recognize this encoded version "v0"',
            id="version",
        ),
        pytest.param(
            _token(v="meta.k8s.io/v1", rv=0, start="a"),
            "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
            id="revision",
        ),
        pytest.param(
            _token(v="meta.k8s.io/v1", rv=1, start=""),
            "encoded start key empty (version meta.k8s.io/v1)",
            id="start",
        ),
        pytest.param(
            _token(v="meta.k8s.io/v1", rv=1, start="../../secrets/x"),
            "../../secrets/x",
            id="out-of-the-prefix",
        ),
    ],
)
def test_tokens_that_are_none(token: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        continue_token.decode(token, "/registry/pods/")
    assert refused.value.code == 400
    prefix = "invalid continue token: continue key is not valid: "
    assert refused.value.status.message == prefix + message


def test_a_token_is_read_as_it_was_written() -> None:
    token = continue_token.encode("/registry/pods/ns/a", "/registry/pods/", 7)
    assert continue_token.decode(token, "/registry/pods/") == continue_token.Position(
        "/registry/pods/ns/a", 7
    )


async def _fill(registry: Registry, *names_: str, namespace: str = "default") -> None:
    for name in names_:
        await registry.create(CONFIGMAPS, namespace, config_map(name), context())


async def _fill_pods(registry: Registry) -> None:
    for name, node, app in (("a", "one", "x"), ("b", "two", "x"), ("c", "one", "y")):
        await registry.create(PODS, "default", pod(name, node=node, labels={"app": app}), context())

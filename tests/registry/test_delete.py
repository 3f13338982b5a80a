"""Deletion: at once, gracefully, held by finalizers, of collections."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, JOBS, PODS
from podium.api.types.batch_v1 import Job, JobSpec
from podium.api.types.core_v1 import (
    Binding,
    Container,
    ObjectReference,
    Pod,
    PodSpec,
    PodStatus,
    PodTemplateSpec,
)
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta, Preconditions
from podium.kit.clock import VirtualClock
from podium.registry.admission.base import AdmissionPlugin, Attributes
from podium.registry.registry import Registry
from podium.registry.types import ListOptions, Stored
from podium.store.memory import MemoryStore
from support.registries import config_map, context, pod, said, serving, take, text

OTHER_UID = "11111111-1111-4111-8111-111111111111"


async def test_an_object_that_nobody_holds_goes_at_once() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a", k="1"), context())
        result = await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
        assert result.deleted
        assert result.stored.obj.metadata.uid == made.obj.metadata.uid
        assert result.stored.revision == 2
        with pytest.raises(ApiError) as gone:
            await registry.get(CONFIGMAPS, "default", "a")
    assert text(gone.value) == (404, "NotFound", 'configmaps "a" not found')


async def test_what_is_not_there_is_not_found() -> None:
    async with serving() as registry:
        with pytest.raises(ApiError) as refused:
            await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
    assert text(refused.value) == (404, "NotFound", 'configmaps "a" not found')


async def test_a_dry_run_answers_and_removes_nothing() -> None:
    store = MemoryStore()
    async with serving(store) as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        result = await registry.delete(
            CONFIGMAPS, "default", "a", DeleteOptions(), context(dry_run=True)
        )
        assert result.deleted
        assert await store.revision() == 1


@pytest.mark.parametrize(
    ("preconditions", "why"),
    [
        pytest.param(
            Preconditions(uid=OTHER_UID),
            f"the UID in the precondition ({OTHER_UID}) does not match the UID in record (UID). "
            "The object might have been deleted and then recreated",
            id="uid",
        ),
        pytest.param(
            Preconditions(resource_version="7"),
            "the ResourceVersion in the precondition (7) does not match the ResourceVersion in "
            "record (1). The object might have been modified",
            id="resource-version",
        ),
    ],
)
async def test_preconditions_that_do_not_hold(preconditions: Preconditions, why: str) -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        with pytest.raises(ApiError) as refused:
            await registry.delete(
                CONFIGMAPS, "default", "a", DeleteOptions(preconditions=preconditions), context()
            )
    why = why.replace("(UID)", f"({made.obj.metadata.uid})")
    assert text(refused.value) == (
        409,
        "Conflict",
        f'Operation cannot be fulfilled on ConfigMap "a": {why}',
    )


async def test_preconditions_that_hold() -> None:
    async with serving() as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        options = DeleteOptions(
            preconditions=Preconditions(uid=made.obj.metadata.uid, resource_version="1")
        )
        assert (await registry.delete(CONFIGMAPS, "default", "a", options, context())).deleted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            DeleteOptions(propagation_policy="Sideways"),
            'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", '
            '"Background", "Orphan", "nil"',
            id="unknown-policy",
        ),
        pytest.param(
            DeleteOptions(propagation_policy="Orphan", orphan_dependents=True),
            'propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation '
            "cannot be both set",
            id="two-policies",
        ),
        pytest.param(
            DeleteOptions(dry_run=["Some"]),
            'dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
            id="dry-run",
        ),
    ],
)
async def test_bad_options(options: DeleteOptions, message: str) -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        with pytest.raises(ApiError) as refused:
            await registry.delete(CONFIGMAPS, "default", "a", options, context())
    assert text(refused.value) == (
        422,
        "Invalid",
        f'DeleteOptions.meta.k8s.io "" is invalid: {message}',
    )


# ---------------------------------------------------------------------- finalizers


async def test_a_finalizer_holds_an_object() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        held = config_map("a")
        held.metadata.finalizers = ["example.com/hold"]
        await registry.create(CONFIGMAPS, "default", held, context())
        result = await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
        assert not result.deleted
        metadata = result.stored.obj.metadata
        assert metadata.deletion_timestamp == clock.now()
        assert metadata.deletion_grace_period_seconds == 0
        again = await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
        assert not again.deleted
        assert again.stored.revision == result.stored.revision


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        pytest.param(
            DeleteOptions(propagation_policy="Orphan"), ["example.com/hold", "orphan"], id="orphan"
        ),
        pytest.param(
            DeleteOptions(propagation_policy="Foreground"),
            ["example.com/hold", "foregroundDeletion"],
            id="foreground",
        ),
        pytest.param(
            DeleteOptions(orphan_dependents=True), ["example.com/hold", "orphan"], id="old-orphan"
        ),
        pytest.param(
            DeleteOptions(propagation_policy="Background"), ["example.com/hold"], id="background"
        ),
    ],
)
async def test_the_propagation_policy_becomes_a_finalizer(
    options: DeleteOptions, finalizers: list[str]
) -> None:
    async with serving() as registry:
        held = config_map("a")
        held.metadata.finalizers = ["example.com/hold"]
        await registry.create(CONFIGMAPS, "default", held, context())
        result = await registry.delete(CONFIGMAPS, "default", "a", options, context())
        assert result.stored.obj.metadata.finalizers == finalizers


# ---------------------------------------------------------------------- graceful deletion


async def test_a_pod_that_runs_is_given_its_grace_period() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        await _running(registry)
        result = await _delete(registry)
        assert (await registry.get(PODS, "default", "p")).revision == result.revision
        metadata = result.obj.metadata
        assert metadata.deletion_timestamp == clock.now() + timedelta(seconds=30)
        assert metadata.deletion_grace_period_seconds == 30


async def test_a_grace_period_can_be_shortened_and_not_lengthened() -> None:
    clock = VirtualClock()
    async with serving(clock=clock) as registry:
        await _running(registry)
        marked = clock.now()
        for asked, given in ((None, 30), (20, 20), (25, 20), (None, 20), (5, 5)):
            await clock.advance(1)
            metadata = (await _delete(registry, asked)).obj.metadata
            assert metadata.deletion_grace_period_seconds == given
            first = marked + timedelta(seconds=1)
            assert metadata.deletion_timestamp == first + timedelta(seconds=given)


async def test_the_first_deletion_alone_counts_as_a_new_generation() -> None:
    async with serving() as registry:
        before = (await _running(registry)).obj.metadata.generation
        assert (await _delete(registry)).obj.metadata.generation == before + 1


async def test_a_negative_grace_period_is_one_second() -> None:
    async with serving() as registry:
        await _running(registry)
        result = await _delete(registry, -5)
        assert result.obj.metadata.deletion_grace_period_seconds == 1


async def test_without_grace_watchers_see_the_mark_and_then_the_deletion() -> None:
    async with serving() as registry:
        await _running(registry)
        async with registry.watch(PODS, "default", ListOptions()) as stream:
            await take(stream, 1)
            options = DeleteOptions(grace_period_seconds=0)
            result = await registry.delete(PODS, "default", "p", options, context())
            assert result.deleted
            events = await take(stream, 2)
        assert [said(event) for event in events] == [("MODIFIED", "p"), ("DELETED", "p")]
        assert events[1].stored is not None
        assert events[1].stored.obj.metadata.deletion_grace_period_seconds == 0


async def test_a_pod_without_a_node_goes_at_once() -> None:
    async with serving() as registry:
        await registry.create(PODS, "default", pod("p"), context())
        assert (await registry.delete(PODS, "default", "p", DeleteOptions(), context())).deleted


async def test_the_final_deletion_of_a_pod_that_is_being_deleted() -> None:
    async with serving() as registry:
        made = await _running(registry)
        await _delete(registry)
        options = DeleteOptions(
            grace_period_seconds=0, preconditions=Preconditions(uid=made.obj.metadata.uid)
        )
        assert (await registry.delete(PODS, "default", "p", options, context())).deleted


async def test_a_finalizer_holds_a_pod_whose_grace_is_over() -> None:
    async with serving() as registry:
        await _running(registry, finalizers=["example.com/hold"])
        await _delete(registry)
        options = DeleteOptions(grace_period_seconds=0)
        result = await registry.delete(PODS, "default", "p", options, context())
        assert not result.deleted
        assert result.stored.obj.metadata.deletion_grace_period_seconds == 0
        free = result.stored.obj.metadata.resource_version
        held = (await registry.get(PODS, "default", "p")).obj
        changed = Pod(
            metadata=ObjectMeta(name="p", namespace="default", resource_version=free),
            spec=held.spec,
        )
        await registry.update(PODS, "default", "p", changed, context())
        with pytest.raises(ApiError):
            await registry.get(PODS, "default", "p")


# ---------------------------------------------------------------------- collections


async def test_a_collection_is_deleted_by_selector_and_returned_as_listed() -> None:
    async with serving() as registry:
        for name in ("a", "b", "c"):
            obj = config_map(name)
            obj.metadata.labels = {"group": "even" if name == "b" else "odd"}
            await registry.create(CONFIGMAPS, "default", obj, context())
        await registry.create(CONFIGMAPS, "other", config_map("a"), context())
        gone = await registry.delete_collection(
            CONFIGMAPS,
            "default",
            DeleteOptions(),
            ListOptions(label_selector="group=odd"),
            context(),
        )
        assert [one.obj.metadata.name for one in gone.items] == ["a", "c"]
        left = await registry.list(CONFIGMAPS, "", ListOptions())
        assert [one.key for one in left.items] == [
            "/registry/configmaps/default/b",
            "/registry/configmaps/other/a",
        ]


async def test_deleting_one_object_twice_at_a_time_succeeds_once() -> None:
    async with serving() as registry:
        await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        outcomes = await asyncio.gather(
            *(
                registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
                for _ in range(5)
            ),
            return_exceptions=True,
        )
        failures = [one.code for one in outcomes if isinstance(one, ApiError)]
        assert failures == [404] * 4


async def _running(registry: Registry, finalizers: list[str] | None = None) -> Stored:
    obj = pod("p")
    obj.metadata.finalizers = finalizers or []
    await registry.create(PODS, "default", obj, context())
    binding = Binding(
        metadata=ObjectMeta(name="p"), target=ObjectReference(kind="Node", name="node")
    )
    bound = await registry.create(
        PODS, "default", binding, context(), name="p", subresource="binding"
    )
    assert bound.obj.spec.node_name == "node"
    status = Pod(
        metadata=ObjectMeta(name="p", finalizers=finalizers or []),
        spec=bound.obj.spec,
        status=PodStatus(phase="Running"),
    )
    return await registry.update(PODS, "default", "p", status, context(), subresource="status")


async def _delete(registry: Registry, grace: int | None = None) -> Stored:
    options = DeleteOptions(grace_period_seconds=grace)
    result = await registry.delete(PODS, "default", "p", options, context())
    assert not result.deleted
    return result.stored


async def test_the_first_failure_ends_the_deletion_of_a_collection() -> None:
    async with serving(admission=[_KeepsB()]) as registry:
        for name in ("a", "b", "c"):
            await registry.create(CONFIGMAPS, "default", config_map(name), context())
        with pytest.raises(ApiError) as refused:
            await registry.delete_collection(
                CONFIGMAPS, "default", DeleteOptions(), ListOptions(), context()
            )
    assert text(refused.value)[2] == 'configmaps "b" is forbidden: it stays'


class _KeepsB(AdmissionPlugin):
    """A plugin that lets nobody delete ``b``."""

    name = "KeepsB"

    async def admit(self, attributes: Attributes) -> None:
        if (attributes.operation, attributes.name) == ("DELETE", "b"):
            raise errors.forbidden(attributes.resource, "b", "it stays")


@pytest.mark.parametrize(
    ("options", "finalizers"),
    [
        pytest.param(DeleteOptions(), ["orphan"], id="left-open"),
        pytest.param(DeleteOptions(propagation_policy="Background"), None, id="background"),
        pytest.param(DeleteOptions(orphan_dependents=False), None, id="orphan-dependents-false"),
    ],
)
async def test_jobs_leave_orphans_unless_told_otherwise(
    options: DeleteOptions, finalizers: list[str] | None
) -> None:
    async with serving(resources=(JOBS,)) as registry:
        template = PodTemplateSpec(
            spec=PodSpec(restart_policy="Never", containers=[Container(name="c", image="app:1")])
        )
        job = Job(metadata=ObjectMeta(name="j"), spec=JobSpec(template=template))
        await registry.create(JOBS, "default", job, context())
        result = await registry.delete(JOBS, "default", "j", options, context())
        assert result.deleted is (finalizers is None)
        if finalizers is not None:
            assert result.stored.obj.metadata.finalizers == finalizers

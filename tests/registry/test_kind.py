"""What all verbs share: admission around them, and pools that writes take from."""

from __future__ import annotations

import asyncio

import pytest

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, IPADDRESSES, SERVICECIDRS, SERVICES
from podium.api.types.core_v1 import Service, ServicePort, ServiceSpec
from podium.api.types.meta_v1 import DeleteOptions, ObjectMeta
from podium.kit.clock import VirtualClock
from podium.registry.admission.base import AdmissionPlugin, Attributes
from podium.registry.patching import MERGE_PATCH
from podium.registry.registry import Registry
from podium.registry.types import ListOptions
from podium.store.memory import MemoryStore
from podium.store.port import Store
from support.registries import config_map, context, serving, text


class Recorder(AdmissionPlugin):
    """A plugin that notes what it is asked, marks what is written, and refuses some names."""

    name = "Recorder"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    async def admit(self, attributes: Attributes) -> None:
        self.asked.append(("admit", attributes.operation, attributes.name))
        if attributes.obj is not None:
            labels = {**attributes.obj.metadata.labels, "seen": attributes.operation}
            attributes.obj.metadata.labels = labels

    async def validate(self, attributes: Attributes) -> None:
        self.asked.append(("validate", attributes.operation, attributes.name))
        if attributes.name == "refused":
            raise errors.forbidden(attributes.resource, attributes.name, "not that one")


async def test_admission_sees_every_write_and_may_change_it() -> None:
    plugin = Recorder()
    async with serving(admission=[plugin]) as registry:
        made = await registry.create(CONFIGMAPS, "default", config_map("a"), context())
        assert made.obj.metadata.labels == {"seen": "CREATE"}
        changed = await registry.patch(
            CONFIGMAPS, "default", "a", {"data": {"k": "v"}}, MERGE_PATCH, context()
        )
        assert changed.obj.metadata.labels == {"seen": "UPDATE"}
        await registry.delete(CONFIGMAPS, "default", "a", DeleteOptions(), context())
    assert plugin.asked == [
        (step, operation, "a")
        for operation in ("CREATE", "UPDATE", "DELETE")
        for step in ("admit", "validate")
    ]


async def test_what_admission_refuses_is_not_stored() -> None:
    store = MemoryStore()
    async with serving(store, admission=[Recorder()]) as registry:
        with pytest.raises(ApiError) as refused:
            await registry.create(CONFIGMAPS, "default", config_map("refused"), context())
        assert text(refused.value) == (
            403,
            "Forbidden",
            'configmaps "refused" is forbidden: not that one',
        )
        assert await store.revision() == 0


async def test_admission_reads_the_present_state_of_other_objects() -> None:
    async with serving() as registry:
        assert await registry.read(CONFIGMAPS, "default", "a") is None
        await registry.create(CONFIGMAPS, "default", config_map("a", k="v"), context())
        found = await registry.read(CONFIGMAPS, "default", "a")
        assert found.data == {"k": "v"}


class Slow(MemoryStore):
    """A store whose writes take a turn of the event loop, so that writers interleave."""

    async def create(self, key: str, value: bytes):  # type: ignore[no-untyped-def]
        await asyncio.sleep(0)
        return await super().create(key, value)


async def test_services_created_at_the_same_time_share_no_address() -> None:
    store: Store = Slow()
    registry = Registry(
        store,
        (),
        VirtualClock(),
        resources=(SERVICES, SERVICECIDRS, IPADDRESSES),
        service_cidr="10.1.0.0/28",
    )

    def service(name: str) -> Service:
        spec = ServiceSpec(selector={"app": "x"}, ports=[ServicePort(port=80)])
        return Service(metadata=ObjectMeta(name=name), spec=spec)

    async with registry.serving():
        outcomes = await asyncio.gather(
            *(
                registry.create(SERVICES, "default", service(f"s{number}"), context())
                for number in range(20)
            ),
            return_exceptions=True,
        )
        made = [one for one in outcomes if not isinstance(one, BaseException)]
        addresses = [stored.obj.spec.cluster_ip for stored in made]
        assert len(set(addresses)) == len(addresses)
        assert all(address.startswith("10.1.0.") for address in addresses)
        failures = [one for one in outcomes if isinstance(one, BaseException)]
        assert failures  # the range holds fewer
        assert {type(one) for one in failures} == {ApiError}
        listed = await registry.list(SERVICES, "", ListOptions())
        assert len(listed.items) == len(made)

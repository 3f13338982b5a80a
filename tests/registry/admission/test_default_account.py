"""The default account of a namespace just made may come a moment after its first Pod."""

import asyncio
from typing import Any

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import PODS, Resource
from podium.api.types.core_v1 import Container, Pod, PodSpec, ServiceAccount
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.user import UserInfo
from podium.registry.admission.base import Attributes
from podium.registry.admission.service_account import ServiceAccountAdmission


class Reader:
    """Has the account from the *given*-th look on."""

    def __init__(self, given: int) -> None:
        self.given, self.looks = given, 0

    async def read(self, resource: Resource, namespace: str, name: str) -> Any | None:
        self.looks += 1
        return ServiceAccount(metadata=ObjectMeta(name=name)) if self.looks >= self.given else None


async def admit(reader: Reader, account: str = "") -> Pod:
    spec = PodSpec(service_account_name=account, containers=[Container(name="c")])
    pod = Pod(metadata=ObjectMeta(name="p", namespace="n"), spec=spec)
    user = UserInfo("jane")
    attributes = Attributes(PODS, "CREATE", "n", "p", user, reader, pod, random_suffix="abcde")
    await ServiceAccountAdmission().admit(attributes)
    return pod


async def test_the_default_account_is_waited_for() -> None:
    reader = Reader(given=3)
    assert (await admit(reader)).spec.service_account_name == "default"
    assert reader.looks == 3


async def test_it_is_waited_for_as_long_as_a_slow_machine_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(ApiError, match='serviceaccount "default" not found'):
        await admit(Reader(given=1000))
    assert 3 < sum(waited) < 5


async def test_other_accounts_are_not() -> None:
    reader = Reader(given=2)
    with pytest.raises(ApiError, match='serviceaccount "robot" not found'):
        await admit(reader, "robot")
    assert reader.looks == 1

"""One of several candidates at a time, decided by who holds a Lease.

The rules and the times are those of ``client-go``'s leader election: a lease is taken over once its
holder has not renewed it for as long as we have seen it unchanged; times in the object written by
other machines' clocks are not compared with ours.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.coordination_v1 import Lease, LeaseSpec
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15.0
RENEW_DEADLINE = 10.0
RETRY_SECONDS = 2.0
RETRY_JITTER = 1.2
#: How long one attempt may take: an answer later than that would not save the lease.
ANSWER_SECONDS = 5.0


class LeadershipLost(Exception):
    """Somebody else may lead now; what was running has been cancelled."""


class Election(msgspec.Struct, frozen=True):
    """What is stood for, and by whom (*identity*, unique among the candidates)."""

    namespace: str
    name: str
    identity: str


def candidate(identity: str) -> str:
    """Return *identity*, or where that is empty a name that no other process stands under: in
    containers on a host's network names of hosts and numbers of processes are the same."""
    return identity or f"{socket.gethostname()}_{os.urandom(8).hex()}"


class LeaderElector:
    """Wait for the lease, then run while it is held."""

    def __init__(self, client: Client, election: Election, clock: Clock) -> None:
        self._client, self._election, self._clock = client, election, clock
        self._observed: LeaseSpec | None = None
        self._observed_at = float("-inf")

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Run *lead* once elected, and return when it returns, giving the lease back.

        Raises LeadershipLost, having cancelled *lead*, when the lease cannot be renewed in time.
        """
        asked = self._clock.monotonic()
        while not await self._acquire_or_renew():
            await self._clock.sleep(RETRY_SECONDS * (1 + RETRY_JITTER * random.random()))
            asked = self._clock.monotonic()
        logger.info("became leader", extra={"lease": self._election.name})
        lost: LeadershipLost | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                renewal = tasks.create_task(self._keep_renewing(asked))
                try:
                    await lead()
                finally:
                    renewal.cancel()
        except* LeadershipLost:
            lost = LeadershipLost(f"lease {self._election.name} was not renewed in time")
        if lost is not None:
            raise lost
        await self._release()

    async def _keep_renewing(self, renewed: float) -> None:
        """Others count from when they see the lease, which may be long before its writer has the
        answer: the deadline counts from when it was asked for, the first time at *renewed*."""
        while True:
            await self._clock.sleep(RETRY_SECONDS)
            asked = self._clock.monotonic()
            if asked - renewed >= RENEW_DEADLINE:
                raise LeadershipLost
            if await self._acquire_or_renew():
                renewed = asked
            elif self._held_by_another() or self._clock.monotonic() - renewed >= RENEW_DEADLINE:
                raise LeadershipLost

    async def _acquire_or_renew(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._try()
        except TimeoutError:
            logger.warning("lease not renewed", extra={"error": "no answer in time"})
        except ApiError as exc:
            if exc.code != 409:
                logger.warning("lease not renewed", extra={"error": exc})
        except Unreachable as exc:
            logger.warning("lease not renewed", extra={"error": exc})
        return False

    async def _try(self) -> bool:
        election, now = self._election, self._clock.now()
        try:
            lease = await self._client.get(scheme.LEASES, election.name, election.namespace)
        except ApiError as exc:
            if exc.code != 404:
                raise
            lease = Lease(metadata=ObjectMeta(name=election.name, namespace=election.namespace))
            lease.spec = self._held(None, now)
            self._observe((await self._client.create(scheme.LEASES, lease)).spec)
            return True
        self._observe(lease.spec)
        if self._held_by_another() and not self._has_run_out(lease.spec):
            return False
        lease.spec = self._held(lease.spec, now)
        self._observe((await self._client.update(scheme.LEASES, lease)).spec)
        return True

    def _observe(self, spec: LeaseSpec) -> None:
        if spec != self._observed:
            self._observed, self._observed_at = spec, self._clock.monotonic()

    def _held_by_another(self) -> bool:
        holder = self._observed.holder_identity if self._observed else None
        return bool(holder) and holder != self._election.identity

    def _has_run_out(self, spec: LeaseSpec) -> bool:
        lasts = spec.lease_duration_seconds or LEASE_SECONDS
        return self._clock.monotonic() >= self._observed_at + lasts

    def _held(self, previous: LeaseSpec | None, now: datetime) -> LeaseSpec:
        ours = previous is not None and previous.holder_identity == self._election.identity
        transitions = (previous.lease_transitions or 0) if previous else 0
        moment = micro_time(now)
        return LeaseSpec(
            holder_identity=self._election.identity,
            lease_duration_seconds=int(LEASE_SECONDS),
            acquire_time=previous.acquire_time if ours and previous else moment,
            renew_time=moment,
            lease_transitions=transitions + (0 if ours or previous is None else 1),
        )

    async def _release(self) -> None:
        """Let the next candidate have the lease at once."""
        try:
            lease = await self._client.get(
                scheme.LEASES, self._election.name, self._election.namespace
            )
            if lease.spec.holder_identity == self._election.identity:
                lease.spec = msgspec.structs.replace(
                    lease.spec, holder_identity="", lease_duration_seconds=1
                )
                await self._client.update(scheme.LEASES, lease)
        except (ApiError, Unreachable) as exc:
            logger.warning("lease not released", extra={"error": exc})


def micro_time(moment: datetime) -> str:
    """Return *moment* (UTC) as ``metav1.MicroTime``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"

"""ResourceQuota: no write takes more than the quotas of its namespace leave.

What a write takes is noted in ``status.used`` of each quota before the object is stored, by an
update that fails when somebody else wrote meanwhile; ``quota_ledger`` keeps counts of what is
stored from losing it again. So the use is exact however many write at the same time. Writes that
come while another one is being noted are noted together. Follows
``k8s.io/apiserver/pkg/admission/plugin/resourcequota``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from podium.api.errors import ApiError
from podium.api.scheme import RESOURCEQUOTAS
from podium.api.types.core_v1 import ResourceQuota, ResourceQuotaStatus
from podium.api.user import SERVER
from podium.domain.quota import charging
from podium.domain.quota.charging import Demand
from podium.domain.quota.scopes import covers
from podium.domain.quota.usage import Amounts, added, amounts, names_of, texts, without
from podium.registry.admission.base import AdmissionPlugin, Attributes, Reader
from podium.registry.admission.quota_ledger import Charge, Ledger

#: How often a status that others write, too, is tried to be changed.
_ATTEMPTS = 10


class _Request(msgspec.Struct, eq=False):
    """A write that waits to be charged."""

    attributes: Attributes
    demand: Demand
    #: Noted by now, by the name of the quota.
    noted: dict[str, Charge] = msgspec.field(default_factory=dict)
    decided: bool = False
    refusal: ApiError | None = None

    def refuse(self, why: str) -> None:
        self.refusal = self.attributes.forbidden(why)
        self.decided = True


class _Namespace:
    """What waits to be charged in one namespace, and what has been."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.waiting: list[_Request] = []


class ResourceQuotaAdmission(AdmissionPlugin):
    name = "ResourceQuota"

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}

    async def admit(self, attributes: Attributes) -> None:
        """Correct what others have counted by what they have missed."""
        if attributes.resource is not RESOURCEQUOTAS:
            return
        if attributes.operation == "DELETE" and attributes.namespace in self._namespaces:
            self._namespaces[attributes.namespace].ledger.forget(attributes.name)
            self._tidy(attributes.namespace)
        elif attributes.subresource == "status" and attributes.user is not SERVER:
            place = self._namespaces.get(attributes.namespace) or _Namespace()
            async with place.ledger.lock:
                place.ledger.correct(attributes.obj)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) where a quota would be exceeded."""
        resource, namespace = attributes.resource, attributes.namespace
        if not namespace or not charging.is_measured(
            resource, attributes.operation, attributes.subresource
        ):
            return
        quotas = attributes.reader.known(RESOURCEQUOTAS, namespace)
        if not any(_may_judge(quota, attributes) for quota in quotas):
            return
        request = _Request(
            attributes,
            Demand(
                resource,
                attributes.obj,
                attributes.old,
                attributes.now,
                refusable=attributes.subresource != "status",
            ),
        )
        await self._charge(request)
        if request.refusal is not None:
            raise request.refusal
        attributes.when_over.append(partial(self._over, request))

    async def _charge(self, request: _Request) -> None:
        """Have *request* decided, together with those that wait beside it."""
        namespace = request.attributes.namespace
        place = self._namespaces.setdefault(namespace, _Namespace())
        place.waiting.append(request)
        try:
            async with place.ledger.lock:
                if not request.decided:
                    batch, place.waiting = place.waiting, []
                    try:
                        await _Round(place.ledger, request.attributes.reader, batch).run()
                    finally:
                        place.waiting[:0] = [each for each in batch if not each.decided]
        except BaseException:
            await self._over(request, None)
            raise
        finally:
            if request in place.waiting:
                place.waiting.remove(request)
            self._tidy(namespace)

    async def _over(self, request: _Request, stored_at: int | None) -> None:
        """Note that the object is stored, or give back what it was charged."""
        namespace = request.attributes.namespace
        for charge in request.noted.values():
            charge.done_at = stored_at
        place = self._namespaces.get(namespace)
        if stored_at is not None or place is None or not request.noted:
            return
        async with place.ledger.lock:
            await give_back(place.ledger, request.attributes.reader, namespace, request.noted)
        self._tidy(namespace)

    def _tidy(self, namespace: str) -> None:
        place = self._namespaces.get(namespace)
        if place and not (place.waiting or place.ledger or place.ledger.lock.locked()):
            del self._namespaces[namespace]


class _Round:
    """Decides a batch of requests. The ledger's lock is held."""

    def __init__(self, ledger: Ledger, reader: Reader, batch: Sequence[_Request]) -> None:
        self._ledger, self._reader, self._batch = ledger, reader, batch
        self._namespace = batch[0].attributes.namespace

    async def run(self) -> None:
        failure: ApiError | None = None
        for _ in range(_ATTEMPTS):
            failure = await self._attempt()
            if failure is None:
                return
        for request in self._open():
            request.refusal, request.decided = failure, True
            await self._undo(request)

    async def _attempt(self) -> ApiError | None:
        """Weigh what is open and note what fits; return why that has to be repeated."""
        quotas = [
            quota
            for known in tuple(self._reader.known(RESOURCEQUOTAS, self._namespace))
            if (quota := await _fresh(self._reader, known)) is not None
        ]
        used = {quota.metadata.name: amounts(quota.status.used) for quota in quotas}
        new = dict(used)
        asked: dict[str, list[tuple[_Request, Charge]]] = {}
        for request in self._open():
            await self._weigh(request, quotas, new, asked)
        failure = None
        for quota in quotas:
            name = quota.metadata.name
            if new[name] != used[name]:
                failure = await self._note(quota, new[name], asked[name]) or failure
        left = {request for found in asked.values() for request, _ in found}
        for request in self._open():
            request.decided = request not in left
        return failure

    async def _weigh(
        self,
        request: _Request,
        quotas: Sequence[ResourceQuota],
        used: dict[str, Amounts],
        asked: dict[str, list[tuple[_Request, Charge]]],
    ) -> None:
        """Add to *used* and *asked* what *request* takes, unless it has to be refused."""
        left = [quota for quota in quotas if quota.metadata.name not in request.noted]
        why, charges = charging.weigh(left, used, request.demand)
        if why:
            request.refuse(why)
            await self._undo(request)
            return
        if request.attributes.dry_run:
            return
        for quota in left:
            name = quota.metadata.name
            usage = charging.taken(quota, request.demand)
            if not usage or not _may_judge(quota, request.attributes):
                continue
            charge = Charge(name, usage, charges.get(name, {}))
            if charge.charged:
                used[name] = added(used[name], charge.charged)
                asked.setdefault(name, []).append((request, charge))
            else:  # not limited yet: whoever counts first has to know of it
                self._keep(request, charge)

    async def _note(
        self, quota: ResourceQuota, used: Amounts, asked: list[tuple[_Request, Charge]]
    ) -> ApiError | None:
        """Write what is used by now; return the conflict where somebody else wrote."""
        before = _revision(quota)
        try:
            await _write(self._reader, quota, used)
        except ApiError as error:
            if error.code == 409:
                return error
            if error.code != 404:
                raise
        self._ledger.settle(quota.metadata.name, before)
        for request, charge in asked:
            self._keep(request, charge)
        asked.clear()
        return None

    def _keep(self, request: _Request, charge: Charge) -> None:
        request.noted[charge.quota] = charge
        self._ledger.note(charge)

    async def _undo(self, request: _Request) -> None:
        await give_back(self._ledger, self._reader, self._namespace, request.noted)
        request.noted = {}

    def _open(self) -> list[_Request]:
        return [request for request in self._batch if not request.decided]


async def give_back(
    ledger: Ledger, reader: Reader, namespace: str, charges: dict[str, Charge]
) -> None:
    """Take what was charged off the quotas again; what cannot be, the next count takes off."""
    for name, charge in charges.items():
        ledger.strike(charge)
        for _ in range(_ATTEMPTS if charge.charged else 0):
            quota = await reader.read(RESOURCEQUOTAS, namespace, name)
            if quota is None:
                break
            used = amounts(quota.status.used)
            try:
                await _write(reader, quota, without(used, charge.charged))
            except ApiError as error:
                if error.code == 409:
                    continue
            break


async def _fresh(reader: Reader, known: ResourceQuota) -> ResourceQuota | None:
    metadata = known.metadata
    found: ResourceQuota | None = await reader.read(
        RESOURCEQUOTAS, metadata.namespace, metadata.name
    )
    return found


async def _write(reader: Reader, quota: ResourceQuota, used: Amounts) -> None:
    """Raises ApiError: 409 when somebody wrote since *quota* was read."""
    status = ResourceQuotaStatus(hard=quota.status.hard, used=texts(used))
    metadata = msgspec.structs.replace(quota.metadata)
    changed = msgspec.structs.replace(quota, metadata=metadata, status=status)
    await reader.write_status(RESOURCEQUOTAS, changed)


def _may_judge(quota: ResourceQuota, attributes: Attributes) -> bool:
    """Whether *quota* limits what the write takes, or is about to."""
    names = {*quota.status.hard, *quota.spec.hard}
    resource = attributes.resource
    return bool(names_of(resource, names)) and covers(quota, resource, attributes.obj)


def _revision(obj: ResourceQuota) -> int:
    return int(obj.metadata.resource_version)

"""A request to a resource on its way to a verb: everything the verbs need, in one hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp.web import BaseRequest

from podium.api import errors
from podium.api import kinds as api_kinds
from podium.api.scheme import Resource, Subresource
from podium.api.user import UserInfo
from podium.apiserver import negotiation
from podium.apiserver.negotiation import MediaType
from podium.apiserver.paths import Query, RequestInfo
from podium.apiserver.query import WriteOptions
from podium.kit.apart import LARGE
from podium.kit.caching import remembered
from podium.kit.clock import Clock
from podium.registry.registry import Registry
from podium.registry.types import RequestContext

if TYPE_CHECKING:
    from podium.apiserver.auth.authenticator import Authenticator
    from podium.apiserver.auth.authorizer import Authorizer
    from podium.apiserver.auth.tokens import TokenSigner
    from podium.apiserver.components import Components
    from podium.apiserver.node_proxy import NodeProxy
    from podium.apiserver.streams import Streams


#: Upstream's limit for the name of a field manager, in bytes.
_MANAGER_LIMIT = 128


class Services(msgspec.Struct, frozen=True):
    """What one server's requests share."""

    registry: Registry
    clock: Clock
    signer: TokenSigner
    nodes: NodeProxy
    streams: Streams
    authenticator: Authenticator
    authorizer: Authorizer
    components: Components
    #: What the kubelets told last of what is used, by the node's uid; ``verbs.usage`` keeps it.
    usage: dict[str, Any] = msgspec.field(default_factory=dict)


class Call(msgspec.Struct):
    """One request to a served resource (and subresource, where the path names one)."""

    request: BaseRequest
    info: RequestInfo
    query: Query
    user: UserInfo
    services: Services
    resource: Resource
    subresource: Subresource | None = None
    #: Texts for ``Warning`` headers; decoding and the registry add to them.
    warnings: list[str] = msgspec.field(default_factory=list)

    @property
    def registry(self) -> Registry:
        return self.services.registry

    @property
    def namespace(self) -> str:
        """The namespace to look in: "" for all, and for kinds that have none."""
        return self.info.namespace if self.resource.namespaced else ""

    @property
    def name(self) -> str:
        return self.info.name

    def media(self, kinds: frozenset[str] = frozenset()) -> MediaType:
        """Return the representation to answer in. Raises ApiError (406)."""
        try:
            return negotiation.for_request(self.request.headers, self.query.get("pretty"), kinds)
        except negotiation.WrongForm as wrong:
            package = api_kinds.internal_package(self.resource.type)
            plural = "List" if kinds == negotiation.LIST_KINDS else ""
            raise wrong.error(f"*{package}.{self.resource.kind}{plural}") from wrong

    def context(self, options: WriteOptions) -> RequestContext:
        """Return what the registry is told of a write."""
        size = self.request.content_length
        return RequestContext(
            user=self.user,
            dry_run=options.dry_run,
            field_manager=options.field_manager or self._manager(),
            force=options.force,
            field_validation=options.field_validation,
            warnings=self.warnings,
            size=LARGE if size is None else size,
            may_create=self._may_create,
        )

    def _may_create(self) -> None:
        info = msgspec.structs.replace(self.info, verb="create")
        decision = self.services.authorizer.decide(self.user, info, self.query)
        if not decision.allowed:
            raise errors.forbidden(self.resource, self.name, decision.reason)

    def _manager(self) -> str:
        return default_manager(self.request.headers.get("User-Agent", ""))


@remembered(256, longest=256)
def default_manager(agent: str) -> str:
    """The default field manager: the user agent up to its first slash, printable, bounded."""
    shown = "".join(filter(str.isprintable, agent.partition("/")[0]))
    return shown.encode()[:_MANAGER_LIMIT].decode(errors="ignore")

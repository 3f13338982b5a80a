"""Admission plugins on their own: what they look up, and the writes that they look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podium.api import codec
from podium.api.errors import ApiError
from podium.api.scheme import NAMESPACES, PODS, SERVICEACCOUNTS, Resource
from podium.api.user import UserInfo
from podium.registry.admission.base import AdmissionPlugin, Attributes, Operation


class Objects:
    """A Reader over a few objects; accounts may be given at once."""

    def __init__(self, **accounts: Any) -> None:
        self.objects: dict[tuple[str, str, str], Any] = {}
        for name, phase in (("default", "Active"), ("ending", "Terminating")):
            self.add(NAMESPACES, {"metadata": {"name": name}, "status": {"phase": phase}}, "")
        for name, fields in {"default": {}, **accounts}.items():
            metadata = {"name": name, **fields.pop("metadata", {})}
            self.add(SERVICEACCOUNTS, {"metadata": metadata, **fields})

    def add(self, resource: Resource, plain: dict[str, Any], namespace: str = "default") -> Any:
        obj = codec.from_plain(resource.type, plain)
        self.objects[resource.plural, namespace, obj.metadata.name] = obj
        return obj

    def known(self, resource: Resource, namespace: str) -> Iterator[Any]:
        for (plural, where, _), obj in self.objects.items():
            if plural == resource.plural and namespace in ("", where):
                yield obj

    async def write_status(self, resource: Resource, obj: Any) -> Any:
        raise AssertionError("nothing here has a status to write")

    async def read(self, resource: Resource, namespace: str, name: str) -> Any | None:
        return self.objects.get((resource.plural, namespace, name))


def write(
    obj: Any,
    *,
    resource: Resource = PODS,
    operation: Operation = "CREATE",
    namespace: str = "default",
    reader: Objects | None = None,
    **more: Any,
) -> Attributes:
    return Attributes(
        resource=resource,
        operation=operation,
        namespace=namespace,
        name=more.pop("name", obj.metadata.name if obj is not None else ""),
        user=UserInfo("someone"),
        reader=reader or Objects(),
        obj=obj,
        random_suffix="abcde",
        **more,
    )


async def judged(plugin: AdmissionPlugin, attributes: Attributes) -> str:
    """Admit and validate; return the message of a refusal, which has to be a 403."""
    try:
        await plugin.admit(attributes)
        await plugin.validate(attributes)
    except ApiError as refused:
        if refused.code != 403:
            raise
        return refused.status.message
    return ""

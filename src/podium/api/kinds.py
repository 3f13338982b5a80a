"""Which struct a group, version and kind mean, and the other way round."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import msgspec

from podium.api.types.modules import GROUPS

#: Where upstream's scheme lives; part of its messages about unknown kinds.
SCHEME = "pkg/runtime/scheme.go:100"

_INTERNAL = {"core_v1": "core"}


class GroupVersionKind(msgspec.Struct, frozen=True):
    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def with_defaults(self, default: GroupVersionKind) -> GroupVersionKind:
        """Fill what is missing from *default*, as upstream's decoder does."""
        group, version = self.group, self.version
        if not version and not group:
            group, version = default.group, default.version
        if not version and group == default.group:
            version = default.version
        return GroupVersionKind(group, version, self.kind or default.kind)

    def not_registered(self) -> str:
        return (
            f'no kind "{self.kind}" is registered for version "{self.api_version}" '
            f'in scheme "{SCHEME}"'
        )


def parse_group_version(text: str) -> tuple[str, str]:
    """Split an ``apiVersion``. Raises ValueError in upstream's words."""
    if text in ("", "/"):
        return "", ""
    parts = text.split("/")
    if len(parts) == 1:
        return "", text
    if len(parts) == 2:
        return parts[0], parts[1]
    raise ValueError(f"unexpected GroupVersion string: {text}")


def of(cls: type[Any]) -> GroupVersionKind:
    """Return what objects of *cls* say they are; those of ``meta/v1`` without group say ``v1``."""
    found = _KINDS.get(cls)
    if found is None:
        fresh = cls()
        group, version = parse_group_version(getattr(fresh, "api_version", "") or "v1")
        found = GroupVersionKind(group, version, getattr(fresh, "kind", "") or cls.__name__)
        _KINDS[cls] = found
    return found


_KINDS: dict[type[Any], GroupVersionKind] = {}


#: Characters of group, version and kind together beyond which there is no such kind.
_LONGEST = 256
#: Kinds of versions that are not served but still read, where a newer one is taken.
_ALIASES = {
    GroupVersionKind("policy", "v1beta1", "Eviction"): GroupVersionKind("policy", "v1", "Eviction")
}
#: Kinds that are the same in every version, served or not.
_UNVERSIONED = ("DeleteOptions",)


def find(said: GroupVersionKind) -> type[Any] | None:
    """Return the struct of a kind, or None when there is no such kind."""
    if len(said.group) + len(said.version) + len(said.kind) > _LONGEST:
        return None  # and not remembered
    return _find(said)


@lru_cache(maxsize=256)
def _find(said: GroupVersionKind) -> type[Any] | None:
    said = _ALIASES.get(said, said)
    own = GROUPS.get((said.group, said.version))
    if own is None and said.kind not in _UNVERSIONED:
        return None
    for name in filter(None, (own, "meta_v1")):
        module = sys.modules.get(f"podium.api.types.{name}")
        module = module or import_module(f"podium.api.types.{name}")
        cls = getattr(module, said.kind, None)
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct) and _is_kind(cls):
            return cls
    return None


def _is_kind(cls: type[Any]) -> bool:
    return {"api_version", "kind"} <= set(cls.__struct_fields__) and (
        bool(cls().kind) or cls.__name__.endswith("Options")
    )


def is_itself(cls: type[Any], obj: Any) -> bool:
    """Tell whether *obj* says that it is what its type is; what says nothing of the sort is."""
    own = _own_words(cls)
    return own is None or bool(obj.kind in own.kinds and obj.api_version in own.versions)


def set_itself(cls: type[Any], obj: Any) -> None:
    """Make *obj* say what its type is."""
    own = _own_words(cls)
    if own is not None:
        obj.kind = own.kind or obj.kind
        obj.api_version = own.api_version or obj.api_version


class _OwnWords(NamedTuple):
    """What objects of a type say they are: when they are made, and all that they may say."""

    kind: str
    api_version: str
    kinds: tuple[str, str]
    versions: tuple[str, str]


def _own_words(cls: type[Any]) -> _OwnWords | None:
    if cls not in _WORDS:
        words = None
        if {"kind", "api_version"} <= set(cls.__struct_fields__):
            expected, fresh = of(cls), cls()
            kinds = (expected.kind, fresh.kind)
            versions = (expected.api_version, fresh.api_version)
            words = _OwnWords(fresh.kind, fresh.api_version, kinds, versions)
        _WORDS[cls] = words
    return _WORDS[cls]


_WORDS: dict[type[Any], _OwnWords | None] = {}


def internal_package(cls: type[Any]) -> str:
    """Return Go's package of the internal type: part of messages about conversions."""
    module = cls.__module__.rsplit(".", 1)[-1]
    return _INTERNAL.get(module, module.removesuffix("_v1"))

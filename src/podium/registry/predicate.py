"""What a list or watch wants to see: a namespace, perhaps one name, labels and fields."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from podium.api import errors, selectors
from podium.api.scheme import Resource
from podium.registry.strategies import strategy_for
from podium.registry.types import ListOptions, Stored


class Interest(NamedTuple):
    """The one index that a predicate is looked up by: what it can match is a part of that.

    ``kind`` is ``all``, ``namespace``, ``key`` or a field label; ``value`` its value.
    """

    kind: str
    value: str = ""


EVERYTHING = Interest("all")


class _FieldTest(msgspec.Struct, frozen=True):
    """One requirement of a field selector, under the label that the strategy's fields have."""

    label: str
    value: str
    equal: bool


class Predicate:
    """Tells which objects a request wants. Raises ApiError (400) for selectors it cannot read."""

    def __init__(
        self,
        resource: Resource,
        namespace: str,
        options: ListOptions,
        *,
        name: str = "",
    ) -> None:
        self.namespace = namespace if resource.namespaced else ""
        self._labels = _parse_labels(options.label_selector)
        self._fields = _parse_fields(options.field_selector, resource)
        wanted = {test.label: test.value for test in self._fields if test.equal}
        self.name = name or wanted.get("metadata.name", "")
        self._explicit_name = name
        self.interest = self._most_selective(wanted, resource)
        #: Whether everything matches.
        self.is_plain = self.interest is EVERYTHING and self.is_interest

    @property
    def selects(self) -> bool:
        """Whether there is more to it than a namespace."""
        return bool(self._labels or self._fields or self.name)

    @property
    def is_interest(self) -> bool:
        """Whether all that :attr:`interest` leads to matches."""
        if self._labels is not None or self._explicit_name:
            return False
        kind = self.interest.kind
        if kind in ("all", "namespace"):
            return not self._fields
        return len(self._fields) == 1 and self._fields[0].label == kind and not self.namespace

    def matches(self, stored: Stored) -> bool:
        fields = stored.fields
        if self.namespace and fields["metadata.namespace"] != self.namespace:
            return False
        if self._explicit_name and fields["metadata.name"] != self._explicit_name:
            return False
        if self._labels is not None and not self._labels.matches(stored.labels):
            return False
        for test in self._fields:
            if (fields.get(test.label, "") == test.value) is not test.equal:
                return False
        return True

    def _most_selective(self, wanted: dict[str, str], resource: Resource) -> Interest:
        namespace = self.namespace or wanted.get("metadata.namespace", "")
        if self.name and (namespace or not resource.namespaced):
            return Interest("key", f"{namespace}/{self.name}" if namespace else self.name)
        for label in resource.indexed_fields:
            if label in wanted:
                return Interest(label, wanted[label])
        return Interest("namespace", namespace) if namespace else EVERYTHING


def _parse_labels(text: str) -> selectors.LabelSelector | None:
    if not text:
        return None
    try:
        return selectors.parse_labels(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from error


def _parse_fields(text: str, resource: Resource) -> tuple[_FieldTest, ...]:
    if not text:
        return ()
    try:
        parsed = selectors.parse_fields(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from error
    strategy = strategy_for(resource)
    return tuple(
        _FieldTest(strategy.field_label(want.field), want.value, want.operator != "!=")
        for want in parsed.requirements
    )

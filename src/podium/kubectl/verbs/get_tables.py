"""The server's tables, as ``get`` prints them."""

from __future__ import annotations

import sys

from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.printing.table import Aligner, cell
from podium.kubectl.verbs.get_reading import TABLE, Problems, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import ResourceType
    from podium.kubectl.http import Query
    from podium.kubectl.targets import Target


#: Fields that lists have as well as their items.
_OF_LISTS = ("kind", "apiVersion", "metadata.resourceVersion")


class Tables:
    """The tables of some targets, one under the other."""

    def __init__(self, invocation: Invocation, targets: Sequence[Target | CommandError]) -> None:
        self._invocation, self._all = invocation, targets
        self._targets = [one for one in targets if not isinstance(one, CommandError)]
        self._values = invocation.values
        kinds = {(target.type.group, target.type.plural) for target in self._targets}
        self._prefixed = self._values.show_kind or len(kinds) > 1
        self._problems = Problems(self._values.ignore_not_found)
        self._printed = False
        self._aligner = Aligner()
        self._definitions: list[Any] = []

    def follow(self, type_: ResourceType, table: dict[str, Any], event: str = "") -> None:
        """Print a table's rows under those of tables before it; only the first has headers.

        With *event* it is the first cell of each row.
        """
        self._definitions = table.get("columnDefinitions") or self._definitions
        table = {**table, "columnDefinitions": self._definitions}
        rows = list(self._rows(type_, table, heading=not self._printed))
        if event:
            headed = not self._printed and not self._values.no_headers
            rows = [
                ["EVENT" if headed and place == 0 else event.ljust(8), *row]
                for place, row in enumerate(rows)
            ]
        for line in self._aligner.lines(rows):
            print(line)
        self._printed = self._printed or bool(rows)

    def print(self) -> int:
        query = [("includeObject", "Object")] if self._values.sort_by else []
        last: ResourceType | None = None
        rows: list[Sequence[str]] = []
        for type_, tables in self._read(query):
            for table in tables:
                found = list(self._rows(type_, table, heading=type_ != last))
                if not found:
                    continue
                if type_ != last:
                    self._flush(rows)
                    rows, last = [], type_
                rows += found
        self._flush(rows)
        code = self._problems.end()
        if not self._printed and not code and not self._values.ignore_not_found:
            self._say_nothing_found()
        return code

    def _read(self, query: Query) -> Iterable[tuple[ResourceType, Iterable[dict[str, Any]]]]:
        """Return the tables of each target with their type."""
        found = self._attempts(query)
        if not self._prefixed or not all(one.name for one in self._targets):
            return found
        there = [(type_, list(tables)) for type_, tables in found]
        kinds = {(type_.group, type_.plural) for type_, tables in there if tables}
        self._prefixed = self._values.show_kind or len(kinds) > 1  # of what is there
        return there

    def _attempts(self, query: Query) -> Iterator[tuple[ResourceType, Iterable[dict[str, Any]]]]:
        for one in self._all:
            if isinstance(one, CommandError):
                self._problems.take(one)
            else:
                yield one.type, self._attempted(one, query)

    def _attempted(self, target: Target, query: Query) -> Iterator[dict[str, Any]]:
        """Yield the tables of a target; why there are no more is told at the end."""
        try:
            yield from self._tables(target, query)
        except StatusError as error:
            self._problems.take(error)

    def _tables(self, target: Target, query: Query) -> Iterator[dict[str, Any]]:
        """Yield the tables of a target; sorted they are one."""
        accept = TABLE if self._values.server_print else "application/json"
        found = map(_as_table, read(self._invocation, target, accept, query))
        if not self._values.sort_by:
            yield from found
            return
        from podium.kubectl.sorting import ordered, unsortable

        tables = list(found)
        if len(self._targets) > 1 and not self._values.sort_by.lstrip("{.").startswith(_OF_LISTS):
            raise unsortable(self._values.sort_by)  # upstream looks for it in the lists themselves
        rows = [row for table in tables for row in table.get("rows") or ()]
        try:
            if len(rows) > 1:
                rows = ordered(rows, self._values.sort_by, lambda row: row["object"])
        except CommandError:
            if len(self._targets) > 1:
                raise
            return  # upstream shows no table of one type that it cannot sort
        yield {**tables[0], "rows": rows}

    def _rows(
        self, type_: ResourceType, table: dict[str, Any], *, heading: bool
    ) -> Iterator[Sequence[str]]:
        rows = table.get("rows") or []
        if not rows:
            return
        definitions = table["columnDefinitions"]
        wide = self._values.output == "wide"
        shown = [
            index for index, column in enumerate(definitions) if wide or not column.get("priority")
        ]
        names = self._values.all_namespaces and type_.namespaced
        labels = self._values.label_columns
        if heading and not self._values.no_headers:
            titles = [str(definitions[index]["name"]).upper() for index in shown]
            titles = ["NAMESPACE", *titles] if names else titles
            titles += [label.rpartition("/")[2].upper() for label in labels]
            yield [*titles, *(["LABELS"] if self._values.show_labels else [])]
        for row in rows:
            metadata = (row.get("object") or {}).get("metadata") or {}
            cells = [cell(row["cells"][index]) for index in shown]
            if self._prefixed and cells:
                kind = type_.kind.lower()
                cells[0] = (
                    f"{kind}.{type_.group}/{cells[0]}" if type_.group else f"{kind}/{cells[0]}"
                )
            if names:
                cells.insert(0, metadata.get("namespace", ""))
            found = metadata.get("labels") or {}
            cells += [found.get(label) or "" for label in labels]
            yield [*cells, *([_labels(found)] if self._values.show_labels else [])]

    def _flush(self, rows: Sequence[Sequence[str]]) -> None:
        if not rows:
            return
        if self._printed and not self._values.no_headers:
            print()
        for line in Aligner().lines(rows):
            print(line)
        self._printed = True

    def _say_nothing_found(self) -> None:
        sys.stdout.flush()
        targets = self._targets
        namespaced = not targets or any(target.type.namespaced for target in targets)
        if namespaced and not self._values.all_namespaces:
            namespace = self._invocation.session.namespace
            print(f"No resources found in {namespace} namespace.", file=sys.stderr)
        else:
            print("No resources found", file=sys.stderr)


def _as_table(document: dict[str, Any]) -> dict[str, Any]:
    """Return what the server has no table for (a subresource) as one."""
    if document.get("kind") == "Table":
        return document
    from datetime import UTC, datetime

    from podium.kubectl.printing import ages

    rows, now = [], datetime.now(UTC)
    for obj in document.get("items", [document]):
        metadata = obj.get("metadata") or {}
        age = ages.since(metadata.get("creationTimestamp"), now)
        rows.append({"cells": [metadata.get("name", ""), age], "object": obj})
    return {"columnDefinitions": [{"name": "Name"}, {"name": "Age"}], "rows": rows}


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"

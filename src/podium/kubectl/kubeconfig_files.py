"""Kubeconfig files, changed: each entry in the file that it stands in, under the file's lock."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from podium.kubectl import kubeconfig
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Values
from podium.kubectl.kubeconfig import LISTS, Kubeconfig

Entry = dict[str, Any]
#: Fields that are paths of files, relative to the kubeconfig that they stand in.
PATHS = {"clusters": ("certificate-authority",), "users": ("client-certificate", "client-key",
                                                          "tokenFile")}  # fmt: skip


class Files:
    """The kubeconfig files of a command, to be read together and changed one by one."""

    def __init__(self, values: Values) -> None:
        self._explicit = values.kubeconfig
        self.paths = kubeconfig.files(values)
        self.config = Kubeconfig()
        for path in self.paths:
            document = kubeconfig.read(path)
            if document is not None:
                self.config.add(path, document)

    @property
    def default(self) -> str:
        """The file for what is in none yet."""
        there = [path for path in self.paths if os.path.exists(path)]
        return there[0] if there else self.paths[-1]

    def put(self, kind: str, name: str, entry: Entry) -> None:
        """Write an entry of ``clusters``, ``contexts`` or ``users``. Raises CommandError."""
        path = self.config.origins.get((kind, name), self.default)
        base = os.path.dirname(os.path.abspath(path))
        kept = {**entry}
        for key in PATHS.get(kind, ()):
            if kept.get(key):
                kept[key] = _relative(os.path.abspath(str(kept[key])), base)

        def change(document: Entry) -> None:
            listed = _named(document, kind)
            listed[name] = kept
            _list(document, kind, listed)

        changed(path, change)
        self.config.entries(kind)[name] = entry
        self.config.origins.setdefault((kind, name), path)

    def remove(self, kind: str, name: str) -> None:
        """Take an entry out of its file."""

        def change(document: Entry) -> None:
            listed = _named(document, kind)
            listed.pop(name, None)
            _list(document, kind, listed)

        changed(self.config.origins[kind, name], change)
        del self.config.entries(kind)[name]

    def choose(self, context: str) -> None:
        """Make a context the current one; "" none."""
        places = [self.default]
        if not context:
            places = [path for path in self.paths
                      if (kubeconfig.read(path) or {}).get("current-context")]  # fmt: skip
        for path in places:
            changed(path, lambda document: document.update({"current-context": context}))
        self.config.current_context = context

    def resolved(self, kind: str, name: str) -> Entry:
        """Return an entry with whole paths."""
        entry = dict(self.config.entries(kind)[name])
        for key in PATHS.get(kind, ()):
            if entry.get(key):
                entry[key] = self.config.path(kind, name, entry, key)
        return entry


def changed(path: str, change: Callable[[Entry], None]) -> None:
    """Rewrite a file under its lock; only its owner may read it. Raises CommandError."""
    directory = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(directory, exist_ok=True)
        with _locked(path):
            document = kubeconfig.read(path) or {}
            change(document)
            _write(os.path.realpath(path), document)
    except OSError as exc:
        raise CommandError(f"open {path}: {(exc.strerror or '').lower()}") from exc


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold ``PATH.lock``, as every kubectl does while it writes."""
    lock = f"{path}.lock"
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise CommandError(f"open {lock}: file exists") from None
    try:
        yield
    finally:
        os.unlink(lock)


def _write(path: str, document: Entry) -> None:
    """Put a whole file into the place of the old one, with its rights."""
    from podium.kubectl.printing.yaml_text import dump

    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o600
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".kubeconfig-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(dump(complete(document)))
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def complete(document: Entry) -> Entry:
    """Return a document with all that a kubeconfig has, entries by name."""
    made = {**document, "apiVersion": "v1", "kind": "Config"}
    made["current-context"] = document.get("current-context") or ""
    for kind in LISTS:
        _list(made, kind, _named(document, kind))
    if not made.get("preferences"):
        made.pop("preferences", None)
    return made


def _named(document: Entry, kind: str) -> dict[str, Entry]:
    inner = LISTS[kind]
    return {str(one.get("name") or ""): dict(one.get(inner) or {})
            for one in document.get(kind) or () if one is not None}  # fmt: skip


def _list(document: Entry, kind: str, entries: dict[str, Entry]) -> None:
    required = {"clusters": ("server",), "contexts": ("cluster", "user"), "users": ()}[kind]
    listed = []
    for name in sorted(entries):
        entry = {**dict.fromkeys(required, ""), **entries[name]}
        shown = {key: value for key, value in entry.items()
                 if key in required or value not in ("", None, [], {}, False)}  # fmt: skip
        listed.append({"name": name, LISTS[kind]: shown})
    document[kind] = listed or None


def _relative(path: str, base: str) -> str:
    """Return *path* as it may stand in a file of *base*: paths below that are relative."""
    return os.path.relpath(path, base) if path.startswith(f"{base}{os.sep}") else path

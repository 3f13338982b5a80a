"""``podium image …``: the node's images from the command line, while the cluster is up or down."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podium.runtime.images.index import ImageIndex
    from podium.runtime.images.registries import Registries
    from podium.runtime.images.store import ImageStore

_PROGRESS_INTERVAL = 0.1  # seconds between two looks of the progress line


def add_parsers(image: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Add ``load``, ``import``, ``pull``, ``ls`` and ``rm`` to the parser of ``podium image``."""
    verbs = image.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_load(verbs, common)
    _add_import(verbs, common)
    _add_pull(verbs, common)
    _add_ls(verbs, common)
    _add_rm(verbs, common)


def load(arguments: argparse.Namespace) -> int:
    """Add the images of an archive."""
    from podium.runtime.images import archive

    line = _Line()
    try:
        loaded = archive.load(_store(arguments), arguments.file, report=line.show)
    finally:
        line.clear()
    for image in loaded:
        for name in image.names:
            print(f"Loaded image: {name}")
        if not image.names:
            print(f"Loaded image ID: {image.id}")
    return 0


def import_(arguments: argparse.Namespace) -> int:
    """Make an image of a root file system."""
    from podium.runtime.images import archive

    options = archive.RunOptions(
        cmd=arguments.cmd,
        entrypoint=arguments.entrypoint,
        env=arguments.env,
        working_dir=arguments.workdir,
    )
    imported = archive.import_rootfs(_store(arguments), arguments.rootfs, arguments.name, options)
    print(f"Imported image: {imported.names[0]}")
    return 0


def pull(arguments: argparse.Namespace) -> int:
    """Fetch an image from its registry, or from the mirrors configured for it."""
    from podium.runtime.images.reference import parse
    from podium.runtime.images.service import LocalImageService

    service = LocalImageService(_images_dir(arguments), _registries(arguments))
    progress = _PullLine() if sys.stderr.isatty() else None
    try:
        asyncio.run(service.pull_image(arguments.ref, progress=progress))
    finally:
        if progress is not None:
            progress.clear()
    index = service.store.index()
    image_id = index.resolve(arguments.ref) or ""
    asked = parse(arguments.ref)
    digests = [name for name in index.digests(image_id) if name.startswith(f"{asked.name}@")]
    print(f"Pulled image: {digests[0] if digests else asked}")
    return 0


def ls(arguments: argparse.Namespace) -> int:
    """Show what there is."""
    store = _store(arguments)
    index = store.index()
    if arguments.output == "json":
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(_as_documents(index))).decode())
        return 0
    rows = [("IMAGE", "TAG", "IMAGE ID", "SIZE"), *_rows(index)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("   ".join([*cells, row[3]]))
    return 0


def rm(arguments: argparse.Namespace) -> int:
    """Remove images by name or ID; all that can be, and 1 when one could not."""
    store = _store(arguments)
    code = 0
    for given in arguments.refs:
        refusal = _refusal(store, given, force=arguments.force)
        if refusal:
            print(f"error: {refusal}", file=sys.stderr)
            code = 1
            continue
        _remove(store, given)
    store.collect()
    return code


def _refusal(store: ImageStore, given: str, *, force: bool) -> str:
    """Say why the image cannot be removed, nothing when it can."""
    index = store.index()
    image_id = index.resolve(given)
    if image_id is None:
        return f"no such image: {given}"
    users = store.holders().get(image_id, [])
    if users and not force and image_id not in _without(index, given).images:
        others = f" and {len(users) - 1} more" if len(users) > 1 else ""
        return (
            f"image {given} is in use by container {users[0][:12]}{others}; delete its Pod first, "
            "or use --force (running containers keep their files)"
        )
    return ""


def _remove(store: ImageStore, given: str) -> None:
    before = store.index()
    after = store.change(lambda index: _without(index, given))
    for name in sorted(set(before.names) - set(after.names)):
        print(f"Untagged: {name}")
    for image_id in sorted(set(before.images) - set(after.images)):
        print(f"Deleted: {image_id}")


def _without(index: ImageIndex, given: str) -> ImageIndex:
    name = index.name_of(given)
    if name:
        return index.without_name(name)
    return index.without_image(index.resolve(given) or "")


def _rows(index: ImageIndex) -> list[tuple[str, str, str, str]]:
    rows = []
    for image_id, record in index.images.items():
        short, size = image_id.removeprefix("sha256:")[:13], human_size(record.size)
        tags = index.tags(image_id)
        for name in tags:
            repository, _, tag = name.rpartition(":")
            rows.append((repository, tag, short, size))
        if not tags:
            digests = index.digests(image_id) or ["<none>"]
            rows.append((digests[0].partition("@")[0], "<none>", short, size))
    return sorted(rows)


def _as_documents(index: ImageIndex) -> dict[str, object]:
    """The same keys that ``crictl images -o json`` prints."""
    return {
        "images": [
            {
                "id": image_id,
                "repoTags": index.tags(image_id),
                "repoDigests": index.digests(image_id),
                "size": str(record.size),
            }
            for image_id, record in sorted(index.images.items())
        ]
    }


def human_size(size: float) -> str:
    """Return *size* bytes in three digits and decimal units: ``2.25MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g}{unit}"
        size /= 1000
    return f"{size:.4g}TB"


class _Line:
    """One line on a terminal that is written over again and again; nothing elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def clear(self) -> None:
        self.show("")


class _PullLine:
    """What a pull does, in one line: layers done, bytes fetched."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._line = _Line()
        self._now = now
        self._shown_at = 0.0
        self._received: dict[str, tuple[int, int]] = {}
        self._unpacking = ""
        self._done = 0

    def downloading(self, digest: str, received: int, total: int) -> None:
        self._received[digest] = (received, total)
        self._show()

    def unpacking(self, digest: str) -> None:
        self._unpacking = digest
        self._show(always=True)

    def done(self, digest: str) -> None:
        self._done += 1
        if digest == self._unpacking:
            self._unpacking = ""
        self._show(always=True)

    def clear(self) -> None:
        self._line.clear()

    def _show(self, *, always: bool = False) -> None:
        if not always and self._now() - self._shown_at < _PROGRESS_INTERVAL:
            return
        self._shown_at = self._now()
        received = sum(have for have, _ in self._received.values())
        total = sum(size for _, size in self._received.values())
        text = f"{self._done} layers done, {human_size(received)} of {human_size(total)} fetched"
        if self._unpacking:
            text += f", unpacking {self._unpacking.removeprefix('sha256:')[:12]}"
        self._line.show(text)


def _images_dir(arguments: argparse.Namespace) -> Path:
    from podium.cluster.cli import data_dir

    return data_dir(arguments) / "images"


def _store(arguments: argparse.Namespace) -> ImageStore:
    from podium.runtime.images.store import ImageStore

    store = ImageStore(_images_dir(arguments))
    store.open()
    return store


def _registries(arguments: argparse.Namespace) -> Registries | None:
    """The flag's file, or the one that the cluster was started with."""
    from podium.cluster import config
    from podium.cluster.cli import data_dir
    from podium.runtime.images import registries

    path: Path | None = arguments.registry_config
    if path is None:
        remembered = config.load(data_dir(arguments))
        path = remembered.registry_config if remembered else None
    return None if path is None else registries.load(path)


def _speaking(verb: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Let *verb*'s failures be one line on stderr and 1."""

    def handle(arguments: argparse.Namespace) -> int:
        from podium.runtime.port import RuntimeFailure

        try:
            return verb(arguments)
        except OSError as exc:
            text = f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc)
            hint = " (run it as root)" if isinstance(exc, PermissionError) and os.geteuid() else ""
            print(f"error: {text}{hint}", file=sys.stderr)
        except (RuntimeFailure, ValueError) as exc:
            print(f"error: {exc}", file=sys.stderr)
        return 1

    return handle


def _add_load(verbs: Any, common: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "load",
        parents=[common],
        help="add the images of an archive",
        description="Add the images of FILE under the names it has for them. FILE is what 'docker "
        "save' or 'podman save' writes (docker-archive or OCI archive), plain, gzip or zstd.",
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.set_defaults(handler=_speaking(load))


def _add_import(verbs: Any, common: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "import",
        parents=[common],
        help="make an image of a root file system",
        description="Make an image called NAME of a tar archive that holds a root file system. "
        "Flags that take a word may be repeated; a word that begins with a dash is given as "
        "--cmd=-x.",
    )
    parser.add_argument("rootfs", type=Path, metavar="ROOTFS.tar")
    parser.add_argument("name", metavar="NAME", help="for instance example.com/tools:1")
    words: dict[str, Any] = {"action": "append", "default": [], "metavar": "WORD"}
    parser.add_argument("--cmd", **words, help="a word of the default arguments")
    parser.add_argument("--entrypoint", **words, help="a word of the command")
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="in the environment"
    )
    parser.add_argument("--workdir", default="", metavar="DIR", help="where the command starts")
    parser.set_defaults(handler=_speaking(import_))


def _add_pull(verbs: Any, common: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "pull",
        parents=[common],
        help="fetch an image from its registry",
        description="Fetch REF from its registry, or from the mirrors that the registry "
        "configuration has for it.",
    )
    parser.add_argument("ref", metavar="REF", help="for instance busybox:1.36")
    parser.add_argument(
        "--registry-config",
        type=Path,
        metavar="FILE",
        help="in the form of k3s's registries.yaml (default: the one given to 'podium up')",
    )
    parser.set_defaults(handler=_speaking(pull))


def _add_ls(verbs: Any, common: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "ls", aliases=["list"], parents=[common], help="list images", description="List images."
    )
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table")
    parser.set_defaults(handler=_speaking(ls))


def _add_rm(verbs: Any, common: argparse.ArgumentParser) -> None:
    parser = verbs.add_parser(
        "rm",
        parents=[common],
        help="remove images",
        description="Remove images by name or ID. An image goes with its last name, and layers "
        "with the last image or container that uses them.",
    )
    parser.add_argument("refs", nargs="+", metavar="REF")
    parser.add_argument(
        "-f", "--force", action="store_true", help="also when a container uses the image"
    )
    parser.set_defaults(handler=_speaking(rm))

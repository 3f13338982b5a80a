"""From a manifest's parts to an image in the store: what archives and registries share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from podium.runtime.images.layers import Unpacked, unpack
from podium.runtime.images.limits import Limits
from podium.runtime.images.reference import quote
from podium.runtime.images.spec import ImageConfig, InvalidImage
from podium.runtime.images.store import ImageStore, chain_names
from podium.runtime.images.streams import Readable
from podium.runtime.port import RuntimeFailure

Checkpoint = Callable[[], None]


class LayerPlan(msgspec.Struct, frozen=True):
    """One layer of an image and its place: ``number`` counts from the lowest, 0."""

    number: int
    diff_id: str
    name: str
    below: tuple[str, ...]  #: names of the layers below it, the uppermost first


def plan_layers(config: ImageConfig, count: int) -> list[LayerPlan]:
    """Return the layers of an image whose manifest has *count* of them, the lowest first.

    Raises InvalidImage when the configuration tells of another number.
    """
    if len(config.diff_ids) != count:
        raise InvalidImage("mismatched image rootfs and manifest layers")
    names = chain_names(config.diff_ids)
    plans = []
    for number, diff_id in enumerate(config.diff_ids):
        here = count - 1 - number
        plans.append(LayerPlan(number, diff_id, names[here], tuple(names[here + 1 :])))
    return plans


def install_layer(
    store: ImageStore,
    workspace: Path,
    plan: LayerPlan,
    source: Readable,
    *,
    digest: str = "",
    limits: Limits | None = None,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Unpack *source* as the layer *plan*; those below it are in place already (slow).

    *digest* is the blob's, where known. Raises InvalidImage when the content is not what it has
    to be, RuntimeFailure when the disk refuses.
    """
    directory = workspace / plan.name
    unpacked = unpack_into(
        directory, source, [store.layer_path(name) for name in plan.below], limits, checkpoint
    )
    if digest and unpacked.digest != digest:
        raise InvalidImage(
            f"unexpected commit digest {unpacked.digest}, expected {digest}: failed precondition"
        )
    if unpacked.diff_id != plan.diff_id:
        raise InvalidImage(
            f"wrong diff id calculated on extraction {quote(unpacked.diff_id)}, "
            f"the image's configuration says {quote(plan.diff_id)}"
        )
    store.commit_layer(directory, plan.name)


def unpack_into(
    directory: Path,
    source: Readable,
    parents: Sequence[str],
    limits: Limits | None = None,
    checkpoint: Checkpoint | None = None,
) -> Unpacked:
    """Make *directory* and unpack *source* in it. Raises RuntimeFailure."""
    try:
        directory.mkdir(mode=0o755)
        return unpack(source, os.fspath(directory), parents, limits=limits, checkpoint=checkpoint)
    except OSError as exc:
        where = f" {exc.filename}:" if isinstance(exc.filename, str) else ""
        words = exc.strerror or str(exc)
        raise RuntimeFailure(f"failed to extract layer:{where} {words.lower()}") from exc

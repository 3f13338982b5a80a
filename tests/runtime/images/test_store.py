"""The store keeps its word over processes, crashes and removals."""

import json
import os
import stat
import subprocess
import sys

import pytest

from podium.runtime.images import archive
from podium.runtime.images.index import ImageIndex, ImageRecord
from podium.runtime.images.spec import InvalidImage
from podium.runtime.images.store import ImageStore, chain_names
from podium.runtime.port import NotFound, RuntimeFailure
from support.images import Entry, TestImage, busybox_image, digest, docker_archive, layer

BASE, TOP, OTHER = layer(Entry("base")), layer(Entry("top")), layer(Entry("other"))


@pytest.fixture
def store(tmp_path):
    store = ImageStore(tmp_path / "images")
    store.open()
    return store


def put(store, tmp_path, *names, layers=(BASE, TOP)):
    image = TestImage(layers)
    archive.load(store, docker_archive(tmp_path / "image.tar", image, *names))
    return image.id


def layer_names(store):
    return sorted(path.name for path in store.layers_dir.iterdir() if path.name != "empty")


def test_only_root_gets_in(store):
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_layers_are_shared_and_stacked_uppermost_first(store, tmp_path):
    one = put(store, tmp_path, "one:1")
    two = put(store, tmp_path, "two:1", layers=(BASE, OTHER))
    assert len(layer_names(store)) == 3
    assert [os.listdir(path) for path in store.layers(one)] == [["top"], ["base"]]
    assert store.layers(one)[1] == store.layers(two)[1]


def test_an_image_without_layers_has_an_empty_one(store, tmp_path):
    (only,) = store.layers(put(store, tmp_path, "scratch:1", layers=()))
    assert os.listdir(only) == []


def test_another_process_sees_changes_at_once(store, tmp_path):
    reader = ImageStore(store.root)
    assert reader.index().names == {}
    image_id = put(store, tmp_path, "one:1")
    assert reader.index().names == {"docker.io/library/one:1": image_id}
    store.change(lambda index: index.without_name("docker.io/library/one:1"))
    assert reader.index() == ImageIndex()


NAME_MANY = """
import sys
from podium.runtime.images.index import ImageRecord
from podium.runtime.images.store import ImageStore

root, process = sys.argv[1:]
store = ImageStore(root)
for number in range(25):
    name = f"p{process}:{number}"
    store.change(lambda index: index.with_image("sha256:x", ImageRecord(1, ()), [name]))
"""

DIE_UNPACKING = """
import os, sys
from pathlib import Path
from podium.runtime.images import archive
from podium.runtime.images.store import ImageStore

root, path = map(Path, sys.argv[1:])

def die():
    if any((root / "ingest").glob("*/*")):
        os._exit(9)

archive.load(ImageStore(root), path, checkpoint=die)
"""


def test_changes_of_several_processes_are_never_lost(store):
    processes = [
        subprocess.Popen([sys.executable, "-c", NAME_MANY, store.root, str(number)])
        for number in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(store.index().names) == 75


def test_a_crash_in_mid_unpack_leaves_nothing(store, tmp_path):
    path = docker_archive(tmp_path / "image.tar", busybox_image(), "one:1")
    crashed = subprocess.run(
        [sys.executable, "-c", DIE_UNPACKING, store.root, path], check=False, timeout=60
    )
    assert crashed.returncode == 9
    assert os.listdir(store.root / "ingest") != [], "it was in the middle of it"
    assert store.index().images == {}
    fresh = ImageStore(store.root)
    fresh.open()
    assert os.listdir(store.root / "ingest") == []
    assert layer_names(fresh) == []
    assert archive.load(fresh, path)[0].id == busybox_image().id


def test_names_go_to_the_newer_image(store, tmp_path):
    old = put(store, tmp_path, "app:1")
    new = put(store, tmp_path, "app:1", layers=(BASE,))
    index = store.index()
    assert index.resolve("app:1") == new
    assert old in index.images
    assert index.tags(old) == []


def test_collecting_keeps_what_is_named_and_what_is_held(store, tmp_path):
    one = put(store, tmp_path, "one:1")
    put(store, tmp_path, "two:1", layers=(BASE, OTHER))
    held = store.layers(one)
    store.hold(one, "c1")
    store.change(lambda index: index.without_image(one))
    assert store.collect()
    assert all(os.path.isdir(path) for path in held)
    assert store.holders() == {one: ["c1"]}
    store.release("c1")
    store.release("c1")
    assert not os.path.isdir(held[0])
    assert os.path.isdir(held[1]), "the other image stands on it"
    assert len(list((store.root / "blobs/sha256").iterdir())) == 1


def test_what_a_damaged_image_that_is_held_needs_stays_and_all_else_goes_on(store, tmp_path):
    one = put(store, tmp_path, "one:1")
    other = put(store, tmp_path, "other:1", layers=(OTHER,))
    store.hold(one, "c1")
    for image_id in (one, other):
        store.change(lambda index, image_id=image_id: index.without_image(image_id))
    (store.root / "blobs/sha256" / one.removeprefix("sha256:")).write_text("{}")
    layers = layer_names(store)
    assert store.collect()
    assert layer_names(store) == layers
    store.release("c1")
    assert layer_names(store) == []


@pytest.mark.parametrize("damaged", [True, False])
def test_a_damaged_image_goes_with_its_last_tag_also_where_another_takes_that(
    store, tmp_path, damaged
):
    """Nobody could list it, and so nobody would ever remove it."""
    old = put(store, tmp_path, "one:1", layers=(OTHER,))
    if damaged:
        (store.root / "blobs/sha256" / old.removeprefix("sha256:")).write_text("{}")
    later = ImageStore(store.root)
    new = put(later, tmp_path, "one:1")
    later.collect()
    kept = {new} if damaged else {old, new}
    assert set(later.index().images) == kept
    assert len(layer_names(later)) == (2 if damaged else 3)


def test_a_holder_that_a_power_cut_has_left_empty_holds_nothing(store, tmp_path):
    one = put(store, tmp_path, "one:1")
    layers = store.layers(one)
    store.hold(one, "c1")
    [path] = store.root.glob("*/c1")
    path.write_bytes(b"")
    store.change(lambda index: index.without_image(one))
    assert store.collect()
    assert not any(os.path.isdir(path) for path in layers)
    store.release("c1")
    assert store.holders() == {}


def test_collecting_waits_for_who_is_adding(store):
    with store.adding() as workspace:
        (workspace / "half").touch()
        assert not store.collect()
        assert (workspace / "half").exists()
    assert store.collect()


@pytest.mark.parametrize("holder", ["", "../x", "a/b", ".hidden"])
def test_holders_are_names_not_paths(store, holder):
    with pytest.raises(ValueError, match="holder"):
        store.release(holder)


def test_what_is_not_there(store):
    for ask in (store.config, store.layers, lambda i: store.hold(i, "c")):
        with pytest.raises(NotFound):
            ask("sha256:" + "0" * 64)


def test_damage_is_told(store, tmp_path):
    image_id = put(store, tmp_path, "one:1")
    (store.root / "blobs/sha256" / image_id.removeprefix("sha256:")).write_text("{}")
    with pytest.raises(InvalidImage, match="damaged"):
        store.config(image_id)
    (store.root / "index.json").write_text("{")
    with pytest.raises(RuntimeFailure, match="damaged"):
        ImageStore(store.root).index()


def test_chain_ids_are_those_of_the_image_specification():
    """ChainID(a) = a, ChainID(a|b) = digest("a b")."""
    a, b = digest(b"a"), digest(b"b")
    assert chain_names([a]) == [a[7:39]]
    assert chain_names([a, b]) == [digest(f"{a} {b}".encode())[7:39], a[7:39]]


# The index, a value


RECORD = ImageRecord(1, ())
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "1" * 4 + "2" * 60
TAG, DIGEST = "docker.io/library/x:1", f"docker.io/library/x@sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("x:1", ONE, id="name"),
        pytest.param("docker.io/library/x:1", ONE, id="full-name"),
        pytest.param(f"x@sha256:{'a' * 64}", ONE, id="digest"),
        pytest.param(ONE, ONE, id="id"),
        pytest.param("1" * 64, ONE, id="id-without-algorithm"),
        pytest.param("1" * 12, ONE, id="beginning"),
        pytest.param("1111", None, id="ambiguous"),
        pytest.param("x", None, id="other-tag"),
        pytest.param("X", None, id="no-name"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_resolve(text, found):
    index = ImageIndex({ONE: RECORD, TWO: RECORD}, {TAG: ONE, DIGEST: ONE})
    assert index.resolve(text) == found


def test_an_image_goes_with_its_last_tag():
    index = ImageIndex().with_image(ONE, RECORD, [TAG, DIGEST, "docker.io/library/y:1"])
    index = index.without_name("docker.io/library/y:1")
    assert ONE in index.images
    assert index.without_name(DIGEST).images == {ONE: RECORD}
    assert index.without_name(TAG) == ImageIndex()


def test_an_image_pulled_by_digest_goes_with_it():
    index = ImageIndex().with_image(ONE, RECORD, [DIGEST])
    assert index.without_name(DIGEST) == ImageIndex()


def test_the_file_is_readable_json(store, tmp_path):
    put(store, tmp_path, "one:1")
    assert set(json.loads((store.root / "index.json").read_bytes())) == {"images", "names"}

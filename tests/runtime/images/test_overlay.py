"""Stacked by overlayfs, layers show what the image specification says: against a dumb twin."""

import io
import subprocess
import tarfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podium.runtime.images.layers import unpack
from support.images import Entry, directory, layer

pytestmark = pytest.mark.e2e

FILE, DIRECTORY, WHITEOUT, OPAQUE = "file", "directory", "whiteout", "opaque"
PATHS = ("a", "b", "d", "d/a", "d/b", "d/e", "d/e/a")

changes = st.dictionaries(
    st.sampled_from(PATHS), st.sampled_from((FILE, DIRECTORY, WHITEOUT, OPAQUE)), max_size=5
)


def ancestors(path):
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def possible(change):
    """Leave out what is below a file of the same layer."""
    return {
        path: kind
        for path, kind in change.items()
        if not any(change.get(above) == FILE for above in ancestors(path))
    }


def apply(state, change, content):
    """The twin: what a change set makes of a file system, names to content (None: directory)."""
    for path, kind in change.items():
        if kind in (WHITEOUT, OPAQUE):
            below = [name for name in state if name.startswith(f"{path}/")]
            for name in [*below, path] if kind == WHITEOUT else below:
                state.pop(name, None)
    for path, kind in sorted(change.items()):
        for above in ancestors(path):
            state[above] = None if state.get(above) is not None else state.get(above)
        if kind == FILE:
            for name in [name for name in state if name.startswith(f"{path}/")]:
                del state[name]
            state[path] = content
        elif kind in (DIRECTORY, OPAQUE):
            state[path] = None


def entries(change, content, order):
    made = []
    for path in sorted(change, key=order.index):
        above, _, name = path.rpartition("/")
        made.append(
            {
                FILE: Entry(path, content),
                DIRECTORY: directory(path),
                WHITEOUT: Entry(f"{above}/.wh.{name}".lstrip("/")),
                OPAQUE: Entry(f"{path}/.wh..wh..opq"),
            }[change[path]]
        )
    return made


def seen_through_overlayfs(directories, mountpoint):
    """Mount in a namespace of its own, gone with the command; return names to content."""
    lower = ":".join(map(str, directories))
    command = (
        f"mount -t overlay overlay -o lowerdir={lower} {mountpoint} && tar -C {mountpoint} -c ."
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command], check=True, capture_output=True
    )
    seen = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if name != ".":
                seen[name] = None if member.isdir() else archive.extractfile(member).read()
    return seen


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(changes.map(possible), min_size=1, max_size=4), st.permutations(PATHS))
def test_layers_add_up(tmp_path_factory, layers, order):
    top = tmp_path_factory.mktemp("stack")
    (top / "empty").mkdir()
    (top / "mounted").mkdir()
    expected, directories = {}, []
    for number, change in enumerate(layers):
        content = b"%d" % number
        root = top / str(number)
        root.mkdir()
        unpack(
            io.BytesIO(layer(*entries(change, content, order))),
            str(root),
            [str(path) for path in directories],
        )
        directories.insert(0, root)
        apply(expected, change, content)
    assert seen_through_overlayfs([*directories, top / "empty"], top / "mounted") == expected

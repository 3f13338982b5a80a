"""What a container may leave where its last words are looked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.domain.pods import identity
from podium.kubelet.termination_message import MAX_FILE, termination_message
from podium.runtime.port import ContainerMetadata, ContainerState, ContainerStatus, Mount


def message(path: Path) -> str:
    status = ContainerStatus(
        id="c",
        pod_sandbox_id="s",
        metadata=ContainerMetadata("c"),
        state=ContainerState.EXITED,
        created_at=0,
        started_at=0,
        finished_at=1,
        exit_code=1,
        image="i",
        image_ref="i",
        reason="Error",
        message="",
        labels={},
        annotations={identity.TERMINATION_MESSAGE_PATH: "/dev/termination-log"},
        mounts=[Mount("/dev/termination-log", str(path))],
        log_path="",
    )
    return termination_message(status)


def link_to_secret(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_text("secret")
    path.symlink_to(secret)


@pytest.mark.parametrize(
    ("leave", "text"),
    [
        pytest.param(lambda path: path.write_text("bye"), "bye", id="words"),
        pytest.param(lambda path: path.write_text("x" * 9000), "x" * MAX_FILE, id="too-many"),
        pytest.param(lambda path: path.write_bytes(b"\xff!"), "\ufffd!", id="no-text"),
        pytest.param(os.mkfifo, "", id="a-pipe-that-nobody-writes-to"),
        pytest.param(Path.mkdir, "", id="a-directory"),
        pytest.param(link_to_secret, "", id="a-link"),
        pytest.param(lambda _path: None, "", id="nothing"),
    ],
)
def test_the_file(tmp_path: Path, leave: Callable[[Path], object], text: str) -> None:
    leave(tmp_path / "words")
    assert message(tmp_path / "words") == text

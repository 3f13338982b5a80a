"""What a container's first process is given: variables, a directory, streams."""

from __future__ import annotations

from typing import Any

import pytest

from support.cluster import Cluster
from support.outcomes import Outcome, outcomes

IMAGE = "localhost/kuard:demo"


def container(script: str, **own: Any) -> dict[str, Any]:
    return {"name": "c", "image": IMAGE, "command": ["sh", "-c", script], **own}


def from_file(key: str, **more: Any) -> dict[str, Any]:
    reference = {"volumeName": "v", "path": "env", "key": key, **more}
    return {"name": key, "valueFrom": {"fileKeyRef": reference}}


LEAVE = {
    **container("printf \"A='one'\\nB='two\\nlines'\\n\" > /v/env"),
    "name": "init",
    "volumeMounts": [{"name": "v", "mountPath": "/v"}],
}


def reading(*env: dict[str, Any]) -> dict[str, Any]:
    return {
        "initContainers": [LEAVE],
        "containers": [container('echo "$A-$B-$C"', env=list(env))],
        "volumes": [{"name": "v", "emptyDir": {}}],
    }


PODS = {
    "file": reading(from_file("A"), from_file("B"), from_file("C", optional=True)),
    "file-missing": reading(from_file("C")),
    "terminal": {"containers": [container("test -t 0 && test -t 1 && tty; stty size", tty=True)]},
    "no-stdin": {"containers": [container("cat; echo end")]},
    "stdin": {"containers": [container("timeout 1 cat; echo $?", stdin=True)]},
    "directory": {"containers": [container("pwd; touch x; ls", workingDir="/made/here")]},
}


@pytest.fixture(scope="module")
def seen(shared: Cluster) -> dict[str, Outcome]:
    return outcomes(shared, "test-environment", PODS)


def test_variables_from_a_file_that_an_init_container_left(seen: dict[str, Outcome]):
    assert seen["file"].log == "one-two\nlines-\n"
    text = 'environment variable key "C" not found in file "env"'
    assert seen["file-missing"].message == text
    waiting = seen["file-missing"].status["containerStatuses"][0]["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"


def test_a_terminal(seen: dict[str, Outcome]):
    assert seen["terminal"].lines[0] == "/dev/pts/0"


def test_an_open_input_waits_and_others_are_at_their_end(seen: dict[str, Outcome]):
    assert seen["no-stdin"].lines == ["end"]
    assert "143" in seen["stdin"].lines


def test_a_working_directory_is_made(seen: dict[str, Outcome]):
    assert seen["directory"].lines == ["/made/here", "x"]

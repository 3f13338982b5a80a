"""What is agreed on before bytes move, and how an ending is told."""

from __future__ import annotations

import json

import pytest

from podium.kubelet.streaming import protocol
from podium.kubelet.streaming.protocol import BadStreamRequest, Size
from podium.runtime.stream_port import StreamOptions


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        pytest.param(["v4.channel.k8s.io", "v3.channel.k8s.io"], "v4.channel.k8s.io", id="newest"),
        pytest.param(["v9.channel.k8s.io,v3.channel.k8s.io"], "v3.channel.k8s.io", id="one-line"),
        pytest.param([], "channel.k8s.io", id="none-offered"),
        pytest.param(["v9.channel.k8s.io"], None, id="unknown"),
    ],
)
def test_negotiation(offered, chosen):
    assert protocol.negotiate(offered, protocol.COMMAND_PROTOCOLS) == chosen


def test_a_refusal_says_what_either_side_speaks():
    assert protocol.refusal(["a", "b"], ["c"]) == (
        "unable to upgrade: unable to negotiate protocol: client supports [a b], server accepts [c]"
    )


@pytest.mark.parametrize(
    ("query", "options"),
    [
        pytest.param({"output": "1"}, StreamOptions(stdout=True), id="one"),
        pytest.param(
            {"input": "1", "output": "1", "error": "1"}, StreamOptions(True, True, True), id="all"
        ),
        pytest.param(
            {"output": "1", "error": "1", "tty": "1"},
            StreamOptions(stdout=True, tty=True),
            id="a-terminal-has-no-stderr",
        ),
    ],
)
def test_stream_options(query, options):
    assert protocol.stream_options(query) == options


@pytest.mark.parametrize("query", [{}, {"tty": "1"}, {"output": "0"}])
def test_some_stream_is_needed(query):
    with pytest.raises(BadStreamRequest, match="at least 1 of stdin, stdout, stderr"):
        protocol.stream_options(query)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b'{"Width":80,"Height":24}', Size(80, 24)),
        (b'{"Width":80,"Height":24}\n', Size(80, 24)),
        (b'{"Width":70000,"Height":24}', None),
        (b'{"Width":-1,"Height":24}', None),
        (b"what", None),
        (b"", None),
    ],
)
def test_sizes(data, size):
    assert protocol.read_size(data) == size


def test_endings():
    assert json.loads(protocol.exited(0, ["true"])) == {"metadata": {}, "status": "Success"}
    failed = json.loads(protocol.exited(7, ["sh", "-c", "exit 7"]))
    assert failed["reason"] == "NonZeroExitCode"
    assert failed["details"] == {"causes": [{"reason": "ExitCode", "message": "7"}]}
    assert failed["message"] == (
        "command terminated with non-zero exit code: "
        "error executing command [sh -c exit 7], exit code 7"
    )
    assert protocol.plain(protocol.success()) == b""
    assert protocol.plain(protocol.failed("no")) == b"Internal error occurred: no"

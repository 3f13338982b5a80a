"""Image names, normalised and refused as Docker, containerd and the kubelet do it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.runtime.images.reference import (
    InvalidReference,
    Reference,
    apply_default_tag,
    is_digest,
    parse,
    parse_normalized,
)

HEX = "0123456789abcdef" * 4
DIGEST = f"sha256:{HEX}"
LOWERCASE = "invalid reference format: repository name must be lowercase"
FORMAT = "invalid reference format"


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        pytest.param("busybox", "docker.io/library/busybox:latest", id="official-image"),
        pytest.param("busybox:1.36", "docker.io/library/busybox:1.36", id="official-with-tag"),
        pytest.param("willvelida/kuard", "docker.io/willvelida/kuard:latest", id="user"),
        pytest.param("docker.io/busybox", "docker.io/library/busybox:latest", id="host-given"),
        pytest.param("index.docker.io/a/b:c", "docker.io/a/b:c", id="legacy-host"),
        pytest.param("localhost/kuard:demo", "localhost/kuard:demo", id="localhost-is-a-host"),
        pytest.param("local/kuard", "docker.io/local/kuard:latest", id="local-is-a-user"),
        pytest.param("example.com/x", "example.com/x:latest", id="dot-makes-a-host"),
        pytest.param("reg:5000/x", "reg:5000/x:latest", id="port-makes-a-host"),
        pytest.param("Host/x", "Host/x:latest", id="capital-makes-a-host"),
        pytest.param("127.0.0.1:5000/a/b/c:d", "127.0.0.1:5000/a/b/c:d", id="address"),
        pytest.param("[::1]:5000/x", "[::1]:5000/x:latest", id="ipv6"),
        pytest.param(f"x@{DIGEST}", f"docker.io/library/x@{DIGEST}", id="digest"),
        pytest.param(f"x:1@{DIGEST}", f"docker.io/library/x@{DIGEST}", id="digest-beats-tag"),
        pytest.param("a__b/c-d.e/f---g", "docker.io/a__b/c-d.e/f---g:latest", id="separators"),
    ],
)
def test_normalised(text, normalised):
    assert str(parse(text)) == normalised


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("127.0.0.1:5000/BusyBox:1.36", LOWERCASE, id="upper-case"),
        pytest.param("Not_A/Valid::Name", LOWERCASE, id="upper-case-first"),
        pytest.param("", FORMAT, id="empty"),
        pytest.param("busybox:", FORMAT, id="empty-tag"),
        pytest.param("busybox@sha256:abc", FORMAT, id="short-digest"),
        pytest.param("/busybox", FORMAT, id="no-host"),
        pytest.param("a//b", FORMAT, id="empty-component"),
        pytest.param("../../etc/passwd", FORMAT, id="dots"),
        pytest.param("busybox ", FORMAT, id="blank"),
        pytest.param("busybox\n", FORMAT, id="newline"),
        pytest.param(f"x:{'t' * 129}", FORMAT, id="long-tag"),
        pytest.param(
            "x/" + "a" * 255, "repository name must not be more than 255 characters", id="long-name"
        ),
        pytest.param(
            HEX,
            f"invalid repository name ({HEX}), cannot specify 64-byte hexadecimal strings",
            id="bare-id",
        ),
        pytest.param(f"x@md5:{HEX}", "unsupported digest algorithm", id="other-algorithm"),
        pytest.param(f"x@sha256:{HEX}0", "invalid checksum digest length", id="long-digest"),
        pytest.param(
            f"x@sha256:{HEX.upper()}", "invalid checksum digest format", id="upper-case-digest"
        ),
    ],
)
def test_refused(text, error):
    with pytest.raises(InvalidReference) as caught:
        parse(text)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("text", "tagged"),
    [
        pytest.param("busybox", "busybox:latest", id="short-name-stays-short"),
        pytest.param("busybox:1", "busybox:1", id="tag"),
        pytest.param(f"busybox@{DIGEST}", f"busybox@{DIGEST}", id="digest"),
        pytest.param("reg:5000/x", "reg:5000/x:latest", id="port-is-no-tag"),
    ],
)
def test_default_tag(text, tagged):
    assert apply_default_tag(text) == tagged


def test_default_tag_refuses_in_the_kubelets_words():
    """As recorded from Kubernetes 1.25 (InvalidImageName)."""
    with pytest.raises(InvalidReference) as caught:
        apply_default_tag("127.0.0.1:5000/BusyBox:1.36")
    assert str(caught.value) == (
        'couldn\'t parse image reference "127.0.0.1:5000/BusyBox:1.36": ' + LOWERCASE
    )


component = st.from_regex(r"[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?", fullmatch=True)
names = st.builds(
    Reference,
    domain=st.sampled_from(["docker.io", "localhost", "reg.example.com", "10.0.0.1:5000"]),
    path=st.lists(component, min_size=2, max_size=4).map("/".join),
    tag=st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
)


@given(names)
def test_what_is_printed_is_read_back(reference):
    assert parse(str(reference)) == reference


@given(names)
def test_normalising_twice_changes_nothing(reference):
    once = str(parse(str(reference)))
    assert str(parse(once)) == once


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_refused(text):
    try:
        reference = parse_normalized(text)
    except InvalidReference:
        return
    assert reference.path == reference.path.lower()
    assert ".." not in reference.path.split("/")


@given(st.text(max_size=80))
def test_only_digests_are_digests(text):
    assert not is_digest(text)


def test_digests():
    assert is_digest(DIGEST)
    assert not is_digest(DIGEST + "\n")
    assert not is_digest("sha256:../../../etc/passwd")

"""Links of pages lead through the proxy; the rest of a page stays byte for byte."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.apiserver.proxy.html import LinkRewriter


def rewrite(link: str) -> str:
    return f"/p{link}" if link.startswith("/") else link


def through(rewriter: LinkRewriter, *pieces: bytes) -> bytes:
    parts = [part for piece in pieces for part in rewriter.feed(piece)]
    return b"".join([*parts, *rewriter.close()])


def whole(page: str) -> str:
    return through(LinkRewriter(rewrite), page.encode()).decode()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<a href="/x">y</a>', '<a href="/p/x">y</a>'),
        ("<A class=c HREF='/x'>", "<A class=c HREF='/p/x'>"),
        ("<a href=/x>", '<a href="/p/x">'),
        ('<a href="x">', '<a href="x">'),
        ('<a title="/x" name=/y>', '<a title="/x" name=/y>'),
        ('<a title=">" href="/x">', '<a title=">" href="/p/x">'),
        ('<p href="/x">', '<p href="/x">'),
        ('<img alt="a" src="/i.png" usemap="/m"/>', '<img alt="a" src="/p/i.png" usemap="/p/m"/>'),
        ('<script src="/s.js"></script>', '<script src="/p/s.js"></script>'),
        (
            "<script>if (a<b) x='<a href=\"/x\">'</script><a href='/y'>",
            "<script>if (a<b) x='<a href=\"/x\">'</script><a href='/p/y'>",
        ),
        ("<!-- <a href='/x'> --><a href='/y'>", "<!-- <a href='/x'> --><a href='/p/y'>"),
        ('<a href="/x?a=1&amp;b=2">', '<a href="/p/x?a=1&amp;b=2">'),
        ("1 < 2 <a href='/x'>", "1 < 2 <a href='/p/x'>"),
        ("<a href='/x'", "<a href='/x'"),
        ("<!DOCTYPE html><form action='/f'>", "<!DOCTYPE html><form action='/p/f'>"),
        ("", ""),
    ],
)
def test_a_page(page: str, expected: str) -> None:
    assert whole(page) == expected


@pytest.mark.parametrize(
    "page", [b"<a" * 100_000, b"<a" * 4_000 + b"'>" + b"<a" * 4_000, b"<a x" * 50_000 + b"'>"]
)
def test_what_never_becomes_a_tag_does_not_take_for_ever(page: bytes) -> None:
    started = time.process_time()
    assert through(LinkRewriter(rewrite), page) == page
    assert time.process_time() - started < 10


PARTS = st.lists(
    st.sampled_from(
        ["<a href='/x'>", '<img src="/i">', "text", "<", ">", "<!--", "-->", "<script>",
         "</script>", "<style>", "</STYLE>", "'", '"', "<b", " href=/z ", "ü", "</", "!", "--"]
    ),
    max_size=12,
)  # fmt: skip


@given(PARTS, st.integers(1, 7))
def test_it_does_not_matter_in_which_pieces_a_page_comes(parts: list[str], size: int) -> None:
    page = "".join(parts)
    data = page.encode()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert through(LinkRewriter(rewrite), *pieces) == whole(page).encode()


@given(PARTS)
def test_nothing_is_lost_or_added_but_in_links(parts: list[str]) -> None:
    rewriter = LinkRewriter(lambda link: link)
    page = "".join(parts).encode()
    assert through(rewriter, page) == page


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_pages_are_packed_again(encoding: str) -> None:
    page = b"<a href='/x'>" * 1000
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = gzip.compress(page) if encoding == "gzip" else packer.compress(page) + packer.flush()
    pieces = [packed[i : i + 10] for i in range(0, len(packed), 10)]
    answer = through(LinkRewriter(rewrite, encoding), *pieces)
    bits = zlib.MAX_WBITS + 16 if encoding == "gzip" else -zlib.MAX_WBITS
    assert zlib.decompress(answer, bits) == b"<a href='/p/x'>" * 1000


def test_a_tag_without_an_end_is_not_waited_for_forever() -> None:
    rewriter = LinkRewriter(rewrite)
    piece = b"<a href='" + b"x" * 1000
    written = sum(len(part) for _ in range(1000) for part in rewriter.feed(piece))
    assert written > len(piece) * 1000 - 100_000


def test_a_page_that_unpacks_to_very_much_comes_in_parts() -> None:
    rewriter = LinkRewriter(rewrite, "gzip")
    bomb = gzip.compress(bytes(20_000_000))
    assert max(len(part) for part in rewriter.feed(bomb)) < 200_000


def test_a_page_that_is_not_packed_as_it_says() -> None:
    with pytest.raises(zlib.error):
        through(LinkRewriter(rewrite, "gzip"), b"<a href='/x'>")

"""What is passed on of requests and answers, and how links and paths are rewritten."""

from __future__ import annotations

import pytest

from podium.apiserver.proxy import headers
from podium.apiserver.proxy.headers import Place, joined, place, rewritten

AT = "/api/v1/namespaces/d/services/web/proxy"


@pytest.mark.parametrize(
    ("path", "rest", "prefix", "inner"),
    [
        (AT, "", AT, ""),
        (f"{AT}/", "", AT, "/"),
        (f"{AT}/a/b", "a/b", AT, "/a/b"),
        (f"{AT}/a/b/", "a/b/", AT, "/a/b/"),
        (f"{AT}/a b", "a b", AT, "/a b"),
    ],
)
def test_place(path: str, rest: str, prefix: str, inner: str) -> None:
    assert place(path, rest) == Place(prefix, inner)


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("", "", ""),
        ("", "/", "/"),
        ("", "a//b/./c", "/a/b/c"),
        ("", "a/../../../etc", "/etc"),
        ("", "../..", ""),
        ("", "a/..", ""),
        ("/base", "a/", "/base/a/"),
    ],
)
def test_joined(base: str, path: str, expected: str) -> None:
    assert joined(base, path) == expected


def test_a_path_is_written_as_a_url_has_it() -> None:
    assert headers.encoded("/a b/ü?#%/x:y@z") == "/a%20b/%C3%BC%3F%23%25/x:y@z"


def test_a_backend_learns_nothing_that_proves_who_the_client_is() -> None:
    sent = [
        ("Host", "api:6443"),
        ("Authorization", "Bearer secret"),
        ("Impersonate-User", "jane"),
        ("Impersonate-Extra-Scopes", "x"),
        ("Connection", "close, X-Mine"),
        ("X-Mine", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Te", "trailers"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "Basic x"),
        ("Expect", "100-continue"),
        ("Cookie", "a=b"),
        ("Accept", "text/html"),
        ("Accept", "application/json"),
        ("X-Forwarded-For", "192.0.2.1"),
    ]
    passed = headers.for_backend(sent, "192.0.2.9", Place(AT, "/x y"))
    assert list(passed.items()) == [
        ("Host", "api:6443"),
        ("Cookie", "a=b"),
        ("Accept", "text/html"),
        ("Accept", "application/json"),
        ("X-Forwarded-For", "192.0.2.1, 192.0.2.9"),
        ("X-Forwarded-Uri", f"{AT}/x%20y"),
    ]


def test_an_upgrade_keeps_what_it_is_about() -> None:
    sent = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Authorization", "Bearer s")]
    passed = headers.for_upgrade(sent, "192.0.2.9")
    assert dict(passed) == {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "X-Forwarded-For": "192.0.2.9",
    }


def test_a_backend_grants_nothing_to_other_sites() -> None:
    answered = [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("Connection", "keep-alive"),
        ("Content-Type", "text/plain"),
    ]
    assert list(headers.for_client(answered).items()) == [
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("Content-Type", "text/plain"),
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/login", f"{AT}/login"),
        ("/", f"{AT}/"),
        ("/a/?x=1#y", f"{AT}/a/?x=1#y"),
        ("next", "next"),
        ("../up", "../up"),
        ("http://10.1.2.3:80/a", f"{AT}/a"),
        ("https://api:6443/a", f"https://api:6443{AT}/a"),
        ("https://elsewhere/a", "https://elsewhere/a"),
        (f"{AT}/again", f"{AT}/again"),
        ("mailto:x@example.org", "mailto:x@example.org"),
    ],
)
def test_links(url: str, expected: str) -> None:
    assert rewritten(url, Place(AT, "/x"), "10.1.2.3:80", "api:6443") == expected

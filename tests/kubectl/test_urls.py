"""URLs are read and written as the standard library does it."""

from __future__ import annotations

from urllib.parse import quote as quoted_by_the_standard_library
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kubectl.urls import Url, query_string, quote, quote_path

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS)
def test_what_may_stand_anywhere(text):
    assert quote(text) == quoted_by_the_standard_library(text, safe="")


@given(TEXTS)
def test_paths_keep_what_has_a_meaning_there(text):
    assert quote_path(text) == quoted_by_the_standard_library(text, safe="/:@!$&'()*+,;=%")


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_queries(query):
    assert query_string(query) == urlencode(query, quote_via=quoted_by_the_standard_library)


@given(
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(["", "me@", "me:secret@", "me:a%40b@", "a%3Ab:@"]),
    st.sampled_from(["h", "a.example", "127.0.0.1", "[::1]", "[fd00::1]"]),
    st.sampled_from(["", ":1", ":6443"]),
    st.sampled_from(["", "/", "/a", "/a/b/", "/a:b@c", "?x", "#x", "/a?x=/y", "/a#/y"]),
)
def test_an_address_in_parts(scheme, credentials, host, port, rest):
    text = f"{scheme}://{credentials}{host}{port}{rest}"
    found, expected = Url(text), urlsplit(text)
    assert found.scheme == expected.scheme
    assert found.host == expected.hostname
    assert found.port == (expected.port or {"http": 80, "https": 443}[expected.scheme])
    assert found.path == expected.path.rstrip("/")
    assert found.user == unquote(expected.username or "")
    assert found.password == unquote(expected.password or "")
    assert (found.authority, found.address) == (f"{host}{port}", f"{host}:{found.port}")


@pytest.mark.parametrize(
    ("text", "scheme", "authority"),
    [("h", "http", "h:80"), ("h:6443", "http", "h:6443"), ("[::1]:1/x", "http", "[::1]:1")],
)
def test_an_address_may_lack_its_scheme(text, scheme, authority):
    url = Url(text)
    assert (url.scheme, url.address) == (scheme, authority)


@pytest.mark.parametrize("text", ["http://h:x", "http://h:-1/", "http://[::1]:x", "http://h:²"])
def test_a_port_is_a_number(text):
    with pytest.raises(ValueError, match="invalid port"):
        Url(text)

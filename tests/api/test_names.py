"""What names may look like, in upstream's words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import names

LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_1035 = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (names.dns1123_label, ["a", "1", "a-b", "a" * 63]),
        (names.dns1123_subdomain, ["a", "a.b", "1-2.c", ".".join(["a" * 62] * 4)]),
        (names.dns1035_label, ["a", "a1", "a-1"]),
        (names.label_value, ["", "a", "A_b.c-1", "x" * 63]),
        (names.qualified_name, ["a", "A_b.c", "example.com/a", "a/" + "b" * 63]),
        (names.config_map_key, ["a", ".a", "A_b.c-d", "-", "a" * 253, ".a.."]),
        (names.env_var, ["A", "_a", "my.env-name", "-a", ".a"]),
        (names.port_name, ["a", "http-1", "1a", "a" * 15]),
        (names.http_header, ["X-Header", "1"]),
        (names.percent, ["0%", "100%"]),
        (names.wildcard_dns1123_subdomain, ["*.a", "*.example.com"]),
        (names.ip_address, ["10.0.0.1", "::1"]),
        (names.path_segment, ["a", "..a", "a.b:c"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_good_ones(check, good):
    assert {text: check(text) for text in good} == {text: [] for text in good}


@pytest.mark.parametrize(
    ("check", "text", "messages"),
    [
        (names.dns1123_label, "", [LABEL]),
        (names.dns1123_label, "a.b", [LABEL]),
        (names.dns1123_label, "-a", [LABEL]),
        (names.dns1123_label, "a\n", [LABEL]),
        (names.dns1123_label, "é", [LABEL]),
        (names.dns1123_label, "a" * 64, ["must be no more than 63 characters"]),
        (names.dns1123_label, "A" * 64, ["must be no more than 63 characters", LABEL]),
        (names.dns1123_subdomain, "a..b", [SUBDOMAIN]),
        (names.dns1123_subdomain, "a" * 254, ["must be no more than 253 characters"]),
        (names.dns1035_label, "1a", [LABEL_1035]),
        (names.qualified_name, "", ["name part must be non-empty", f"name part {QUALIFIED}"]),
        (names.qualified_name, "/a", ["prefix part must be non-empty"]),
        (names.qualified_name, "A/a", [f"prefix part {SUBDOMAIN}"]),
        (names.qualified_name, "a" * 64, ["name part must be no more than 63 characters"]),
        (
            names.qualified_name,
            "a/b/c",
            [
                f"a qualified name {QUALIFIED} with an optional DNS subdomain prefix and '/' "
                "(e.g. 'example.com/MyName')"
            ],
        ),
        (names.port_name, "123", ["must contain at least one letter (a-z)"]),
        (names.port_name, "a--b", ["must not contain consecutive hyphens"]),
        (names.port_name, "-a", ["must not begin or end with a hyphen"]),
        (names.port_name, "abcdefghijklmnop", ["must be no more than 15 characters"]),
        (
            names.port_name,
            "Web",
            ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"],
        ),
        (names.config_map_key, "..", ["must not be '..'"]),
        (names.config_map_key, "..a", ["must not start with '..'"]),
        (names.path_segment, ".", ["may not be '.'"]),
        (names.path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (
            names.ip_address,
            "1.2.3",
            ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"],
        ),
    ],
)
def test_bad_ones(check, text, messages):
    assert check(text) == messages


@pytest.mark.parametrize(("number", "fine"), [(0, False), (1, True), (65535, True), (65536, False)])
def test_port_numbers(number, fine):
    expected = [] if fine else ["must be between 1 and 65535, inclusive"]
    assert names.port_number(number) == expected


@pytest.mark.parametrize(
    "check", [names.name_is_dns_subdomain, names.name_is_dns_label, names.name_is_dns1035_label]
)
def test_a_generate_name_may_end_in_a_dash(check):
    assert check("web-", True) == []
    assert check("web-", False) != []
    assert check("Web-", True) != []


@given(st.text("aA1-._/é", max_size=70))
def test_labels_are_subdomains_without_dots(text):
    if not names.dns1123_label(text):
        assert not names.dns1123_subdomain(text)
        assert not names.qualified_name(text)
    if not names.dns1123_subdomain(text) and "." not in text and len(text) <= 63:
        assert not names.dns1123_label(text)
    if not names.label_value(text) and text:
        assert re.fullmatch("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", text)


@given(
    st.text("aA0-_./=\n", max_size=70) | st.sampled_from(["example.com/a", "a" * 64]),
    st.text("aA0-_.=\n", max_size=70),
)
def test_what_is_fine_at_first_sight_is_fine(key, value):
    if names.is_plain_label(key, value):
        assert names.qualified_name(key) == names.label_value(value) == []


@pytest.mark.parametrize(
    ("key", "value", "plain"),
    [
        ("app", "web", True),
        ("app", "", True),
        ("app.kubernetes.io/name", "Web_1", True),
        ("app", "-", False),
        ("App.io/name", "", False),
        ("/name", "", False),
        ("a=b", "", False),
        ("app", "web\n", False),
        ("a" * 64, "", False),
    ],
)
def test_labels_at_first_sight(key, value, plain):
    assert names.is_plain_label(key, value) is plain

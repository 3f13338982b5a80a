"""What names, labels and keys may look like: ``k8s.io/apimachinery/pkg/util/validation``.

Each check returns the list of upstream's messages, empty when the text is fine. Lengths are bytes.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

#: ``(name, prefix) -> messages``; *prefix* says that the name is a ``generateName``.
NameCheck = Callable[[str, bool], list[str]]

LABEL_MAX = 63
SUBDOMAIN_MAX = 253

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_ENV_VAR = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_PERCENT = "[0-9]+%"
_CONDITION_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"


def _regex_error(message: str, regex: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {shown}regex used for validation is '{regex}')"


_LABEL_ERROR = _regex_error(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character",
    _LABEL, "my-name", "123-abc",
)  # fmt: skip
_SUBDOMAIN_ERROR = _regex_error(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character",
    _SUBDOMAIN, "example.com",
)  # fmt: skip
_WILDCARD_ERROR = _regex_error(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    "character",
    _WILDCARD, "*.example.com",
)  # fmt: skip
_LABEL_1035_ERROR = _regex_error(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character",
    _LABEL_1035, "my-name", "abc-123",
)  # fmt: skip
_QUALIFIED_ERROR = _regex_error(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character",
    _QUALIFIED, "MyName", "my.name", "123-abc",
)  # fmt: skip
_LABEL_VALUE_ERROR = _regex_error(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character",
    _LABEL_VALUE, "MyValue", "my_value", "12345",
)  # fmt: skip
_CONFIG_KEY_ERROR = _regex_error(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY, "key.name", "KEY_NAME", "key-name",
)  # fmt: skip
_ENV_VAR_ERROR = _regex_error(
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or "
    "'.', and must not start with a digit",
    _ENV_VAR, "my.env-name", "MY_ENV.NAME", "MyEnvName1",
)  # fmt: skip
_HTTP_HEADER_ERROR = _regex_error(
    "a valid HTTP header must consist of alphanumeric characters or '-'",
    _HTTP_HEADER, "X-Header-Name",
)  # fmt: skip
_PERCENT_ERROR = _regex_error(
    "a valid percent string must be a numeric string followed by an ending '%'",
    _PERCENT, "1%", "93%",
)  # fmt: skip
_CONDITION_REASON_ERROR = _regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of "
    "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    _CONDITION_REASON, "my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB",
)  # fmt: skip

_COMPILED = {
    pattern: re.compile(pattern, re.ASCII)
    for pattern in (
        _LABEL, _SUBDOMAIN, _LABEL_1035, _QUALIFIED, _LABEL_VALUE, _CONFIG_KEY, _ENV_VAR,
        _HTTP_HEADER, HTTP_PATH, _PERCENT, _WILDCARD, _CONDITION_REASON,
    )
}  # fmt: skip


_SIMPLE_LABEL = re.compile(rf"{_QUALIFIED}={_LABEL_VALUE}", re.ASCII).fullmatch
_PREFIXED_LABEL = re.compile(rf"{_SUBDOMAIN}/{_QUALIFIED}={_LABEL_VALUE}", re.ASCII).fullmatch


def max_length_error(limit: int) -> str:
    return f"must be no more than {limit} characters"


EMPTY = "must be non-empty"


def _fits(pattern: str, text: str) -> bool:
    return _COMPILED[pattern].fullmatch(text) is not None


def _too_long(text: str, limit: int) -> list[str]:
    return [max_length_error(limit)] if len(text.encode("utf-8", "replace")) > limit else []


def _check(text: str, pattern: str, message: str, limit: int = 0) -> list[str]:
    fits = _fits(pattern, text)
    if fits and (not limit or len(text) <= limit):  # what fits is ASCII: a byte a character
        return []
    errors = _too_long(text, limit) if limit else []
    return errors if fits else [*errors, message]


def dns1123_label(text: str) -> list[str]:
    """``IsDNS1123Label``"""
    return _check(text, _LABEL, _LABEL_ERROR, LABEL_MAX)


def dns1123_subdomain(text: str) -> list[str]:
    """``IsDNS1123Subdomain``"""
    return _check(text, _SUBDOMAIN, _SUBDOMAIN_ERROR, SUBDOMAIN_MAX)


def wildcard_dns1123_subdomain(text: str) -> list[str]:
    """``IsWildcardDNS1123Subdomain``"""
    return _check(text, _WILDCARD, _WILDCARD_ERROR, SUBDOMAIN_MAX)


def dns1035_label(text: str) -> list[str]:
    """``IsDNS1035Label``"""
    return _check(text, _LABEL_1035, _LABEL_1035_ERROR, LABEL_MAX)


def condition_reason(text: str) -> list[str]:
    """What the reason of a condition may be: a word, or words with commas and colons."""
    return _check(text, _CONDITION_REASON, _CONDITION_REASON_ERROR)


def is_http_path(text: str) -> bool:
    """Whether *text* is made of what may stand in the path of a URL."""
    return _fits(HTTP_PATH, text)


def label_value(text: str) -> list[str]:
    """``IsValidLabelValue``"""
    return _check(text, _LABEL_VALUE, _LABEL_VALUE_ERROR, LABEL_MAX)


def qualified_name(text: str) -> list[str]:
    """``IsQualifiedName``: a label key, a finalizer, a resource name."""
    if len(text) <= LABEL_MAX and _fits(_QUALIFIED, text):
        return []
    errors: list[str] = []
    parts = text.split("/")
    if len(parts) > 2:
        return [
            f"a qualified name {_QUALIFIED_ERROR} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    if len(parts) == 2:
        prefix_errors = dns1123_subdomain(parts[0]) if parts[0] else [EMPTY]
        errors += [f"prefix part {message}" for message in prefix_errors]
    name = parts[-1]
    if not name:
        errors.append(f"name part {EMPTY}")
    errors += [f"name part {message}" for message in _too_long(name, LABEL_MAX)]
    if not _fits(_QUALIFIED, name):
        errors.append(f"name part {_QUALIFIED_ERROR}")
    return errors


def is_plain_label(key: str, value: str) -> bool:
    """Whether a label is fine at first sight, as nearly all are: with a key that is short."""
    fits = _PREFIXED_LABEL if "/" in key else _SIMPLE_LABEL
    short = len(key) <= LABEL_MAX and len(value) <= LABEL_MAX
    return short and fits(f"{key}={value}") is not None


def config_map_key(text: str) -> list[str]:
    """``IsConfigMapKey``"""
    return _check(text, _CONFIG_KEY, _CONFIG_KEY_ERROR, SUBDOMAIN_MAX) + _dots(text)


def env_var(text: str) -> list[str]:
    """``IsEnvVarName``"""
    return _check(text, _ENV_VAR, _ENV_VAR_ERROR) + _dots(text)


def _dots(text: str) -> list[str]:
    if text in (".", ".."):
        return [f"must not be '{text}'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def http_header(text: str) -> list[str]:
    """``IsHTTPHeaderName``"""
    return _check(text, _HTTP_HEADER, _HTTP_HEADER_ERROR)


def percent(text: str) -> list[str]:
    """``IsValidPercent``"""
    return _check(text, _PERCENT, _PERCENT_ERROR)


def is_more_than_all(text: str) -> bool:
    """Whether a valid percentage is above 100%; it may have more digits than Python reads."""
    digits = text[:-1].lstrip("0")
    return len(digits) > 3 or int(digits or 0) > 100


def port_name(text: str) -> list[str]:
    """``IsValidPortName``"""
    errors = _too_long(text, 15)
    if not re.fullmatch("[-a-z0-9]+", text):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        errors.append("must contain at least one letter (a-z)")
    if "--" in text:
        errors.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def in_range(number: int, low: int, high: int) -> list[str]:
    """``IsInRange``"""
    return [] if low <= number <= high else [f"must be between {low} and {high}, inclusive"]


def port_number(number: int) -> list[str]:
    """``IsValidPortNum``"""
    return in_range(number, 1, 65535)


def ip_address(text: str) -> list[str]:
    """``IsValidIP``"""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"] if "%" in text else []


def path_segment(text: str) -> list[str]:
    """``IsValidPathSegmentName``: what may stand in a URL path."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def path_segment_name(name: str, prefix: bool) -> list[str]:
    """``ValidatePathSegmentName``"""
    if prefix:
        return [f"may not contain '{char}'" for char in "/%" if char in name]
    return path_segment(name)


def name_is_dns_subdomain(name: str, prefix: bool) -> list[str]:
    """``NameIsDNSSubdomain``: the names of most kinds."""
    return dns1123_subdomain(_mask_trailing_dash(name) if prefix else name)


def name_is_dns_label(name: str, prefix: bool) -> list[str]:
    """``NameIsDNSLabel``: the names of Namespaces."""
    return dns1123_label(_mask_trailing_dash(name) if prefix else name)


def name_is_dns1035_label(name: str, prefix: bool) -> list[str]:
    """``NameIsDNS1035Label``: the names of Services."""
    return dns1035_label(_mask_trailing_dash(name) if prefix else name)


def _mask_trailing_dash(name: str) -> str:
    """A ``generateName`` may end in a dash, since something follows it."""
    return name[:-2] + "a" if len(name) > 1 and name.endswith("-") else name

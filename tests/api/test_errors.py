"""Errors and their texts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import errors, field, go_text, scheme
from podium.api.field import Path, Verbatim

AT = Path("spec").child("containers").index(0).child("name")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (field.required(AT), "spec.containers[0].name: Required value"),
        (field.required(AT, "why"), "spec.containers[0].name: Required value: why"),
        (field.invalid(AT, "x", "why"), 'spec.containers[0].name: Invalid value: "x": why'),
        (field.duplicate(AT, "x"), 'spec.containers[0].name: Duplicate value: "x"'),
        (field.forbidden(AT, "why"), "spec.containers[0].name: Forbidden: why"),
        (field.not_found(AT, "x"), 'spec.containers[0].name: Not found: "x"'),
        (field.too_long(AT, 5), "spec.containers[0].name: Too long: must have at most 5 bytes"),
        (
            field.too_many(AT, 7, 5),
            "spec.containers[0].name: Too many: 7: must have at most 5 items",
        ),
        (
            field.not_supported(AT, "x", ["a", "b"]),
            'spec.containers[0].name: Unsupported value: "x": supported values: "a", "b"',
        ),
    ],
    ids=str,
)
def test_field_errors(error, text):
    assert str(error) == text
    assert error.body() == text.partition(": ")[2]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, '"null"'),
        (True, "true"),
        (5, "5"),
        ("a", '"a"'),
        ('say "hi"\n', r'"say \"hi\"\n"'),
        ("\x01\x7fé", r'"\x01\x7fé"'),
        (Verbatim("0x0"), "0x0"),
        (["a", "b"], '[]string{"a", "b"}'),
        ([], "[]string{}"),
        ([1], "[]int64{1}"),
        ({"b": "1", "a": "2"}, 'map[string]string{"a":"2", "b":"1"}'),
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02 03:04:05 +0000 UTC"),
    ],
    ids=repr,
)
def test_values_are_printed_as_go_prints_them(value, text):
    assert field.invalid(AT, value, "x").body() == f"Invalid value: {text}: x"


@given(st.text(max_size=10))
def test_quoted_text_is_one_printable_line(text):
    quoted = go_text.quote(text)
    assert quoted.isprintable()
    assert quoted[0] == quoted[-1] == '"'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": [1, True, None], "a": {"x": "y z"}}, "map[a:map[x:y z] b:[1 true <nil>]]"),
        ([], "[]"),
        ("a", "a"),
    ],
    ids=str,
)
def test_plain_printing(value, text):
    assert go_text.plain(value) == text


def test_paths():
    assert str(Path("a").child("b", "c").key("d").index(1)) == "a.b.c[d][1]"
    assert str(Path("").child("a")) == "a"


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (errors.not_found(scheme.PODS, "p"), 404, "NotFound", 'pods "p" not found'),
        (
            errors.not_found(scheme.LEASES, "l"),
            404,
            "NotFound",
            'leases.coordination.k8s.io "l" not found',
        ),
        (
            errors.already_exists(scheme.PODS, "p"),
            409,
            "AlreadyExists",
            'pods "p" already exists',
        ),
        (
            errors.conflict(scheme.PODS, "p"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on pods "p": the object has been modified; please apply '
            "your changes to the latest version and try again",
        ),
        (errors.forbidden(scheme.PODS, "p", "no"), 403, "Forbidden", 'pods "p" is forbidden: no'),
        (errors.forbidden(scheme.PODS, "", "no"), 403, "Forbidden", "pods is forbidden: no"),
        (errors.unauthorized(), 401, "Unauthorized", "Unauthorized"),
        (errors.bad_request("why"), 400, "BadRequest", "why"),
        (
            errors.method_not_supported(scheme.PODS, "create"),
            405,
            "MethodNotAllowed",
            'create is not supported on resources of kind "pods"',
        ),
        (errors.expired("old"), 410, "Expired", "old"),
        (errors.internal("why"), 500, "InternalError", "Internal error occurred: why"),
    ],
    ids=lambda value: getattr(value, "reason", None),
)
def test_statuses(error, code, reason, message):
    assert (error.code, error.reason, error.status.message) == (code, reason, message)
    assert (error.status.status, str(error)) == ("Failure", message)


def test_invalid_lists_every_cause_but_says_the_same_once():
    twice = field.required(Path("a"))
    other = field.invalid(Path("b"), 1, "no")
    error = errors.invalid(scheme.PODS, "p", [twice, other, twice])
    assert error.status.message == (
        'Pod "p" is invalid: [a: Required value, b: Invalid value: 1: no]'
    )
    assert error.status.details is not None
    causes = [(c.reason, c.message, c.field) for c in error.status.details.causes]
    required = ("FieldValueRequired", "Required value", "a")
    assert causes == [required, ("FieldValueInvalid", "Invalid value: 1: no", "b"), required]


def test_a_large_value_is_not_shown_for_every_error():
    large = "x" * 1_000_000
    wrong = [field.invalid(Path("a").index(number), large, "no") for number in range(1000)]
    error = errors.invalid(scheme.PODS, "p", wrong)
    assert error.status.details is not None
    assert [cause.field for cause in error.status.details.causes] == [f"a[{n}]" for n in range(5)]


def test_one_cause_stands_without_brackets():
    error = errors.invalid(scheme.LEASES, "l", [field.required(Path("a"))])
    message = 'Lease.coordination.k8s.io "l" is invalid: a: Required value'
    assert error.status.message == message
    none = errors.invalid_kind("", "", "", [])
    assert none.status.message == ' "" is invalid'

"""Label and field selectors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import selectors
from podium.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement

LABELS = {"app": "web", "tier": "front", "n": "5", "empty": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("app", True),
        ("other", False),
        ("!other", True),
        ("!app", False),
        ("app=web", True),
        ("app==web", True),
        ("app=db", False),
        ("app!=db", True),
        ("app!=web", False),
        ("other!=web", True),
        ("other=", False),
        ("empty=", True),
        ("empty", True),
        ("app in (web,db)", True),
        ("app in (db)", False),
        ("other in (db)", False),
        ("app notin (web)", False),
        ("app notin (db)", True),
        ("other notin (db)", True),
        ("empty in ()", True),
        ("empty in (a,)", True),
        ("n>4", True),
        ("n>5", False),
        ("n<6", True),
        ("app>1", False),
        ("other>1", False),
        ("app=web,tier in (front),!x", True),
        ("app=web,tier=back", False),
    ],
)
def test_labels_match(text, expected):
    assert selectors.parse_labels(text).matches(LABELS) is expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        (" a = b , c ", "a=b,c"),
        ("c,a=b", "a=b,c"),
        ("x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z notin ()"),
        ("a in(b)", "a in (b)"),
        ("in=in", "in=in"),
        ("notin notin (in,notin)", "notin notin (in,notin)"),
        ("a=,b", "a=,b"),
        ("a>1,b<2", "a>1,b<2"),
        ("a\tin\n(b)", "a in (b)"),
    ],
)
def test_label_selectors_are_printed_in_one_form(text, printed):
    assert str(selectors.parse_labels(text)) == printed


LABEL_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
OPERATORS = "in, notin, =, ==, !=, gt, lt"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("n=a b", "found 'b', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a b=c", f"unable to parse requirement: found 'b', expected: {OPERATORS}"),
        ("n>=5", "unable to parse requirement: found '=', expected: identifier"),
        ("n in a", "unable to parse requirement: found 'a' expected: '('"),
        ("n in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("n in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("n in (a,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        (
            "n>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
            "operators, the value must be an integer",
        ),
        (
            "n=a;m",
            f'unable to parse requirement: values[0][n]: Invalid value: "a;m": {LABEL_VALUE}',
        ),
        ("-n=a", f'unable to parse requirement: <nil>: Invalid value: "-n": {NAME_PART}'),
    ],
)
def test_label_selectors_that_cannot_be_parsed(text, message):
    with pytest.raises(ValueError) as failure:  # noqa: PT011 - the whole text is compared
        selectors.parse_labels(text)
    assert str(failure.value) == message


def test_an_absent_struct_matches_nothing_and_an_empty_one_everything():
    assert not selectors.from_struct(None).matches({})
    assert selectors.from_struct(LabelSelector()).matches({"a": "b"})
    assert selectors.from_struct(LabelSelector()).empty


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        pytest.param([("app", "In", ["web", "db"])], True, id="in"),
        pytest.param([("app", "NotIn", ["web"])], False, id="not-in"),
        pytest.param([("tier", "Exists", [])], True, id="exists"),
        pytest.param([("tier", "DoesNotExist", [])], False, id="does-not-exist"),
        pytest.param([("tier", "Exists", []), ("x", "Exists", [])], False, id="all-must-hold"),
    ],
)
def test_struct_expressions(expressions, expected):
    struct = LabelSelector(
        match_labels={"app": "web"},
        match_expressions=[
            LabelSelectorRequirement(key=key, operator=operator, values=values)
            for key, operator, values in expressions
        ],
    )
    assert selectors.from_struct(struct).matches(LABELS) is expected


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        (("a", "Near", []), '"Near" is not a valid label selector operator'),
        (
            ("a", "In", []),
            "values: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be "
            "empty",
        ),
        (
            ("a", "Exists", ["b"]),
            'values: Invalid value: []string{"b"}: values set must be empty for exists and does '
            "not exist",
        ),
    ],
)
def test_structs_that_make_no_selector(requirement, message):
    key, operator, values = requirement
    struct = LabelSelector(
        match_expressions=[LabelSelectorRequirement(key=key, operator=operator, values=values)]
    )
    with pytest.raises(ValueError) as failure:  # noqa: PT011
        selectors.from_struct(struct)
    assert str(failure.value) == message


def test_exact_values_can_be_asked_for():
    selector = selectors.parse_labels("a=b,c in (d),e in (f,g),h!=i")
    assert [selector.exact(key) for key in "acehz"] == ["b", "d", None, None, None]


WORDS = st.text("abcXYZ019", min_size=1, max_size=5)


@given(st.dictionaries(WORDS, WORDS, max_size=4), st.dictionaries(WORDS, WORDS, max_size=4))
def test_a_set_matches_exactly_what_contains_it(wanted, labels):
    selector = selectors.from_struct(LabelSelector(match_labels=wanted))
    assert selector.matches(labels) is (wanted.items() <= labels.items())
    assert selectors.parse_labels(str(selector)) == selector


@given(st.text("ab=!(),<> innot", max_size=20))
def test_any_text_is_parsed_or_refused_and_prints_to_itself(text):
    try:
        selector = selectors.parse_labels(text)
    except ValueError:
        return
    assert selectors.parse_labels(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("metadata.name=a", True),
        ("metadata.name==a", True),
        ("metadata.name!=a", False),
        ("metadata.name=b", False),
        ("spec.nodeName=", True),
        ("spec.nodeName!=", False),
        ("metadata.name=a,status.phase=Pending", True),
        ("metadata.name=a,status.phase!=Pending", False),
        (",,", True),
    ],
)
def test_fields_match(text, expected):
    fields = {"metadata.name": "a", "status.phase": "Pending", "spec.nodeName": ""}
    assert selectors.parse_fields(text).matches(fields) is expected


@pytest.mark.parametrize(
    ("text", "value"), [("a=b\\,c", "b,c"), ("a=\\=\\\\", "=\\"), ("a==b\\=c", "b=c")]
)
def test_field_values_may_be_escaped(text, value):
    selector = selectors.parse_fields(text)
    assert selector.exact("a") == value
    assert selectors.parse_fields(str(selector)) == selector


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "invalid selector: 'a'; can't understand 'a'"),
        ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        ("a=\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_field_selectors_that_cannot_be_parsed(text, message):
    with pytest.raises(ValueError) as failure:  # noqa: PT011
        selectors.parse_fields(text)
    assert str(failure.value) == message


@given(st.text("ab,=\\!", max_size=8))
def test_every_value_can_be_selected(value):
    selector = selectors.parse_fields(f"f={selectors.escape_value(value)}")
    assert selector.exact("f") == value


@given(st.text("ab,=\\!", max_size=12))
def test_any_field_selector_is_parsed_or_refused(text):
    try:
        selector = selectors.parse_fields(text)
    except ValueError as exc:
        said = str(exc)
    else:
        again = selectors.parse_fields(str(selector))  # whose terms may be in another order
        said = "" if set(again.requirements) == set(selector.requirements) else "different"
    assert said == "" or said.startswith("invalid ")


@pytest.mark.parametrize(
    ("parse", "term"),
    [(selectors.parse_labels, "k{}=v"), (selectors.parse_fields, "f{}=v")],
    ids=["labels", "fields"],
)
def test_a_selector_has_an_end(parse, term):
    many = [term.format(number) for number in range(selectors.MAX_REQUIREMENTS)]
    assert len(parse(",".join(many)).requirements) == len(many)
    with pytest.raises(ValueError, match="at most 1000 requirements"):
        parse(",".join([*many, "more=v"]))


def test_many_values_are_found_as_fast_as_one():
    values = ",".join(f"v{number}" for number in range(5000))
    selector = selectors.parse_labels(f"k in ({values})")
    assert selector.matches({"k": "v4999"})
    assert not selector.matches({"k": "other"})


def test_a_run_of_symbols_takes_no_longer_than_it_is_long():
    with pytest.raises(ValueError, match="found '\\('"):
        selectors.parse_labels("(" * 1_000_000)

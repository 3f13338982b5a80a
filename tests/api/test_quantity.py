"""Quantities: what is accepted, what becomes of it, and arithmetic without rounding."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import quantity
from podium.api.quantity import Amount


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0", "0"),
        ("0Mi", "0"),
        ("-0", "0"),
        (".", "0"),
        ("1", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.", "1."),
        ("0.0005", "500u"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("128974848", "128974848"),
        ("100k", "100k"),
        ("1024Mi", "1Gi"),
        ("1025Mi", "1025Mi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1.1Ki", "1126400m"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("12e2", "1200"),
        ("1e4", "10e3"),
        ("1e-3", "1e-3"),
        ("100E", "100E"),
        ("1000E", "1000E"),
        ("-1.5m", "-1500u"),
        ("9Ei", "9223372036854775807"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e100000", "9223372036854775807"),
    ],
    ids=str,
)
def test_canonical_text(written, canonical):
    assert quantity.canonical(written) == canonical


@pytest.mark.parametrize("written", ["+5", "005", "1.500", "007Mi"])
def test_what_looks_canonical_at_a_glance_is_kept(written):
    assert quantity.canonical(written) == written


@pytest.mark.parametrize("written", ["0.1n", "1e-20", "0.0000000001"])
def test_nothing_is_smaller_than_a_nano(written):
    assert quantity.parse(written) == quantity.parse("1n")


@pytest.mark.parametrize("written", ["", "1GB", "1.2.3", "1 ", " 1", "true", "١", "{}"])
def test_not_a_number_and_a_suffix(written):
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        quantity.parse(written)


@pytest.mark.parametrize("written", ["1K", "1e", "e", "--1", "1Kii", "1mm", "1m3"])
def test_no_such_suffix(written):
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        quantity.parse(written)


def test_a_number_longer_than_any_machine_is_refused():
    with pytest.raises(ValueError, match="unable to parse numeric part of quantity"):
        quantity.parse("9" * 5000)


@pytest.mark.parametrize(
    ("written", "whole", "milli"),
    [
        ("1", 1, 1000),
        ("0.5", 1, 500),
        ("1m", 1, 1),
        ("1u", 1, 1),
        ("1n", 1, 1),
        ("-1.5m", -1, -2),
        ("1.0001", 2, 1001),
        ("128Mi", 2**27, 2**27 * 1000),
        ("", 0, 0),
    ],
    ids=str,
)
def test_numbers_are_rounded_away_from_zero(written, whole, milli):
    assert (quantity.to_int(written), quantity.to_milli(written)) == (whole, milli)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (1, "1"), (1023, "1023"), (1024, "1Ki"), (2**27, "128Mi")]
)
def test_format_bytes(number, text):
    assert quantity.format_bytes(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (1, "1m"), (1000, "1"), (1500, "1500m"), (10**6, "1k")]
)
def test_format_milli(number, text):
    assert quantity.format_milli(number) == text


@pytest.mark.parametrize(("number", "text"), [(5, "5"), (0.5, "500m"), (1e3, "1k")])
def test_numbers_of_json_are_taken_too(number, text):
    assert str(quantity.parse(number)) == text


SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "e3", "E2", "e-3"]
NUMBERS = st.decimals(
    min_value=-(10**9), max_value=10**9, places=3, allow_nan=False, allow_infinity=False
)
TEXTS = st.builds(lambda number, suffix: f"{number}{suffix}", NUMBERS, st.sampled_from(SUFFIXES))
_FACTORS = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
    "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30),
    "e3": Fraction(1000), "E2": Fraction(100), "e-3": Fraction(1, 1000),
}  # fmt: skip


@given(NUMBERS, st.sampled_from(SUFFIXES))
def test_the_value_is_number_times_suffix(number: Decimal, suffix):
    exact = Fraction(number) * _FACTORS[suffix]
    nanos = exact * 10**9
    away = -(-abs(nanos.numerator) // nanos.denominator) * (1 if nanos > 0 else -1)
    assert quantity.parse(f"{number}{suffix}").value == Fraction(away, 10**9)


@given(TEXTS)
def test_canonical_text_means_the_same_and_is_canonical(text):
    canonical = quantity.canonical(text)
    assert quantity.parse(canonical) == quantity.parse(text)
    assert quantity.canonical(canonical) == canonical


@given(TEXTS, TEXTS)
def test_sums_and_differences_are_exact(left, right):
    one, other = quantity.parse(left), quantity.parse(right)
    assert (one + other).value == one.value + other.value
    assert (one - other).value == one.value - other.value
    assert (one < other) is (one.value < other.value)


@given(TEXTS)
def test_rounding_up_never_gives_less(text):
    amount = quantity.parse(text)
    assert abs(amount.milli()) >= abs(amount.value * 1000) > abs(amount.milli()) - 1


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        quantity.parse(text)
    except ValueError as exc:
        said = str(exc)
    else:
        said = ""
    assert said in {"", quantity.FORMAT_WRONG, quantity.SUFFIX_WRONG, quantity.NUMBER_WRONG}


@pytest.mark.parametrize("text", ["0" * 10**6 + "x", "0" * 10**6 + "." + "1" * 10**6 + "e" * 10**6])
def test_long_texts_take_no_longer_than_they_are_long(text):
    with pytest.raises(ValueError, match="quantit"):
        quantity.parse(text)


def test_a_sum_takes_the_notation_of_what_is_not_zero():
    assert str(quantity.parse("0") + quantity.parse("128Mi")) == "128Mi"
    assert str(quantity.parse("1k") + quantity.parse("24")) == "1024"


def test_equal_amounts_are_one_in_a_set():
    assert {quantity.parse("1"), quantity.parse("1000m"), Amount(1)} == {Amount(1)}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("1", "1"),
        ("500m", "500m"),
        ("1u", "1m"),
        ("500u", "1m"),
        ("1500u", "2m"),
        ("999999n", "1m"),
        ("1000001n", "2m"),
        ("999999500u", "1k"),
        ("-1500u", "-2m"),
        ("1.000001", "1001m"),
        ("1.5", "1.5"),
        ("1e-6", "1e-3"),
        ("120e-3", "120e-3"),
        ("1e3", "1e3"),
        ("1Gi", "1Gi"),
        ("", ""),
    ],
)
def test_what_is_finer_than_thousandths_is_rounded_up(text, whole):
    assert quantity.whole_millis(text) == whole

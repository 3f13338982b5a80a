"""Kubernetes' ``resource.Quantity``: fixed-point numbers with SI suffixes, as exact arithmetic.

The text of a quantity is a number and a suffix: binary (``Ki Mi Gi Ti Pi Ei``), decimal
(``n u m k M G T P E``) or a decimal exponent (``e3``). A quantity remembers which of the three it
was written in, and its canonical text keeps to it. As in ``k8s.io/apimachinery/pkg/api/resource``
nothing is smaller than a nano (smaller amounts are rounded up), binary amounts end at 2^63-1.

Structs hold quantities as canonical text; ``to_int`` and ``to_milli`` lead to numbers, cached.
"""

from __future__ import annotations

import re
from dataclasses import dataclass  # noqa: TID251 - total_ordering completes no Struct
from fractions import Fraction
from functools import lru_cache, total_ordering
from typing import Literal

from podium.kit.caching import remembered

Format = Literal["DecimalExponent", "BinarySI", "DecimalSI"]

FORMAT_WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
SUFFIX_WRONG = "unable to parse quantity's suffix"
NUMBER_WRONG = "unable to parse numeric part of quantity"

MAX = 2**63 - 1
_NANO = -9
#: Amounts with a larger power of ten are cut to :data:`MAX`, so that no text makes a huge number.
_LARGEST_EXPONENT = 100

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {0: ""} | {exponent: suffix for suffix, exponent in _BINARY.items()}

#: Possessive throughout: a long text that does not match must not be tried in every way.
_SHAPE = re.compile(r"([+-]?)0*+([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[-+]?[0-9]*+)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)", re.ASCII)


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Amount:
    """``unscaled * 10**exponent``, and the notation it was written in."""

    unscaled: int
    exponent: int = 0
    format: Format = "DecimalSI"
    #: The text where it may stand for the canonical one without further work.
    text: str = ""

    @property
    def value(self) -> Fraction:
        """The exact number."""
        if self.exponent >= 0:
            return Fraction(self.unscaled * 10**self.exponent)
        return Fraction(self.unscaled, 10**-self.exponent)

    def scaled(self, exponent: int) -> int:
        """Return the amount in units of ``10**exponent``, rounded away from zero."""
        shift = self.exponent - exponent
        if shift >= 0:
            return int(self.unscaled * 10**shift)
        divisor: int = 10**-shift
        quotient, rest = divmod(abs(self.unscaled), divisor)
        rounded = quotient + (1 if rest else 0)
        return -rounded if self.unscaled < 0 else rounded

    def milli(self) -> int:
        """Thousandths, rounded away from zero."""
        return self.scaled(-3)

    def __int__(self) -> int:
        return self.scaled(0)

    def __bool__(self) -> bool:
        return self.unscaled != 0

    def __add__(self, other: Amount) -> Amount:
        exponent = min(self.exponent, other.exponent)
        total = self.unscaled * 10 ** (self.exponent - exponent)
        total += other.unscaled * 10 ** (other.exponent - exponent)
        return Amount(total, exponent, self.format if self.unscaled else other.format)

    def __neg__(self) -> Amount:
        return Amount(-self.unscaled, self.exponent, self.format)

    def __sub__(self, other: Amount) -> Amount:
        return self + -other

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and self.value == other.value

    def __lt__(self, other: Amount) -> bool:
        return self.value < other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        """The canonical text."""
        return self.text or _canonical_text(self)


def parse(written: str | int | float) -> Amount:
    """Return the amount that *written* (text, or a number of JSON) says.

    Raises ValueError with upstream's text.
    """
    text = written if isinstance(written, str) else repr(written)
    return _parse_usual(text) if len(text) <= _USUAL else _parse(text)


def _parse(text: str) -> Amount:
    match = _SHAPE.fullmatch(text) if text else None
    if match is None:
        raise ValueError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match[1], match[2] or "0", match[3] or "", match[4]
    exponent, format_ = _suffix(suffix)
    if format_ == "BinarySI":
        return _parse_binary(text, sign, whole, fraction, exponent)
    return _parse_decimal(text, sign, whole, fraction, exponent, format_)


#: Texts up to this length are remembered: most objects say the same few.
_USUAL = 32
_parse_usual = lru_cache(maxsize=4096)(_parse)


def _suffix(suffix: str) -> tuple[int, Format]:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return _BINARY[suffix], "BinarySI"
    match = _EXPONENT.fullmatch(suffix)
    if match is None or abs(exponent := int(match[1][:22])) > MAX:
        raise ValueError(SUFFIX_WRONG)
    return exponent, "DecimalExponent"


def _parse_decimal(
    text: str, sign: str, whole: str, fraction: str, exponent: int, format_: Format
) -> Amount:
    digits = whole + fraction
    scale = exponent - len(fraction)
    if len(digits) <= 18 and scale >= _NANO:
        # Upstream keeps what is written when it looks canonical at a glance, "+5" and "1.500" too.
        kept = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
        if scale <= _LARGEST_EXPONENT:
            return _signed(sign, int(digits), scale, format_, text if kept else "")
    unscaled = _to_int(digits)
    if unscaled and scale + len(digits) > _LARGEST_EXPONENT:
        return _signed(sign, MAX, 0, format_)
    return _signed(sign, *_at_least_nano(unscaled, scale), format_)


def _parse_binary(text: str, sign: str, whole: str, fraction: str, exponent: int) -> Amount:
    if not fraction and "." not in text and 15 - len(whole) - int(exponent * 3 / 10) - 1 >= 0:
        number = int(whole)
        return _signed(sign, number << exponent, 0, "BinarySI", text if number & 7 else "")
    unscaled, scale = _at_least_nano(_to_int(whole + fraction) << exponent, -len(fraction))
    amount = Amount(unscaled, scale, "BinarySI")
    if amount.value > MAX:
        return _signed(sign, MAX, 0, "BinarySI")
    below_one = 0 < amount.value < 1
    return _signed(sign, unscaled, scale, "DecimalSI" if below_one else "BinarySI")


def _to_int(digits: str) -> int:
    """``int(digits)`` for any number of digits: beyond the first hundred only size matters."""
    if len(digits) <= 4000:
        return int(digits)
    raise ValueError(NUMBER_WRONG)


def _at_least_nano(unscaled: int, scale: int) -> tuple[int, int]:
    """Round up to whole nanos: who asks for something gets something."""
    if scale >= _NANO or not unscaled:
        return unscaled, max(scale, _NANO)
    if _NANO - scale > 5000:
        return 1, _NANO
    return -(-unscaled // 10 ** (_NANO - scale)), _NANO


def _signed(sign: str, unscaled: int, scale: int, format_: Format, text: str = "") -> Amount:
    return Amount(-unscaled if sign == "-" else unscaled, scale, format_, text)


def _canonical_text(amount: Amount) -> str:
    if not amount.unscaled:
        return "0"
    if (
        amount.format == "BinarySI"
        and not -1024 < amount.value < 1024
        and amount.value.denominator == 1
    ):
        whole, power = _without_factor(int(amount.value), 1024)
        if power * 10 in _BINARY_SUFFIX:
            return f"{whole}{_BINARY_SUFFIX[power * 10]}"
    number, zeros = _without_factor(amount.unscaled, 10)
    exponent = amount.exponent + zeros
    number *= 10 ** (exponent % 3)
    exponent -= exponent % 3
    if amount.format == "DecimalExponent":
        return f"{number}e{exponent}" if exponent else str(number)
    if exponent > 18:  # no suffix beyond E
        number *= 10 ** (exponent - 18)
        exponent = 18
    return f"{number}{_DECIMAL_SUFFIX[exponent]}"


def _without_factor(number: int, factor: int) -> tuple[int, int]:
    """Return *number* without its powers of *factor*, and how many there were."""
    times = 0
    while number % factor == 0:
        number //= factor
        times += 1
    return number, times


@remembered(4096, longest=64)
def canonical(text: str) -> str:
    """Return the canonical text of the quantity *text*. Raises ValueError with upstream's text."""
    return str(parse(text))


def whole_millis(text: str) -> str:
    """Return canonical *text*, rounded up where it says less than thousandths."""
    if text[-1:] not in ("n", "u") and "." not in text and "-" not in text[1:]:
        return text  # nearly all
    amount = parse(text)
    return text if amount.exponent >= -3 else str(Amount(amount.milli(), -3, amount.format))


@remembered(4096, longest=64)
def to_milli(text: str) -> int:
    """Return thousandths, rounded up; ``""`` (a quantity that was not given) is 0."""
    return parse(text).milli() if text else 0


@remembered(4096, longest=64)
def to_int(text: str) -> int:
    """Return whole units, rounded up; ``""`` (a quantity that was not given) is 0."""
    return int(parse(text)) if text else 0


def format_bytes(number: int) -> str:
    """Return the canonical binary text: ``format_bytes(2**27)`` is ``128Mi``."""
    return str(Amount(number, 0, "BinarySI"))


def format_milli(number: int) -> str:
    """Return the canonical decimal text of *number* thousandths: ``1500`` is ``1500m``."""
    return str(Amount(number, -3, "DecimalSI"))

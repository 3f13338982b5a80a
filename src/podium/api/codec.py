"""Objects to and from bytes.

:func:`decode` reads what clients send, as Go's decoder would: JSON or YAML, case-sensitive names,
nulls as zero values, unknown and repeated fields dropped, warned about or refused. A document in
order takes msgspec's way in a few microseconds; whatever is odd about one sends it to the thorough
reader of ``podium.api.decoding``, which knows Go's words. :func:`decode_stored` reads what
:func:`encode` wrote. Times in structs are aware datetimes in UTC with whole seconds, quantities are
canonical text; the decoder sees to both, whoever fills a struct by hand keeps to it.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from podium.api import go_json, kinds, templates
from podium.api.decoders import decoder_of
from podium.api.decoding import MAX_STRUCTS, DecodeFailure, Place, Report, struct_reader
from podium.api.errors import ApiError, bad_request
from podium.api.kinds import GroupVersionKind
from podium.api.normalise import Odd, normaliser
from podium.api.scheme import Resource
from podium.api.templates import Template, Templates

Validation = Literal["Ignore", "Warn", "Strict"]
T = TypeVar("T", bound=Struct)

_encoder = msgspec.json.Encoder()
_plain_decoder = msgspec.json.Decoder()
_templates = Templates()


def decode(
    target: Resource | type[Any],
    body: bytes,
    *,
    content_type: str = "application/json",
    validation: Validation = "Warn",
) -> tuple[Any, list[str]]:
    """Return the object that *body* says and the warnings that go with it.

    *target* is the kind that is expected, or its struct. Raises ApiError (400) in upstream's words.
    """
    cls: type[Any] = target.type if isinstance(target, Resource) else target
    if "yaml" not in content_type:
        quick = _decode_plain_json(cls, body)
        if quick is not None:
            return quick, []
    return _decode_thoroughly(cls, body, "yaml" in content_type, validation)


def decode_new(
    target: Resource, body: bytes, *, content_type: str, validation: Validation
) -> tuple[Any, list[str], Template | None]:
    """Like :func:`decode`, of an object to be made; return its template, too, where it has one."""
    cls = target.type
    cut = templates.cut(cls, body) if "yaml" not in content_type else None
    if cut is None:
        return *decode(target, body, content_type=content_type, validation=validation), None
    known = _templates.find(cut)
    if known is not None:
        return known.named(cut.name), [], known
    quick = _decode_plain_json(cls, body)
    if quick is not None:
        return quick, [], _templates.note(cut, quick)
    return *_decode_thoroughly(cls, body, False, validation), None


def decode_any(body: bytes, *, content_type: str = "application/json") -> Any:
    """Return the object in *body*, of whatever kind it says it is. Raises ApiError (400)."""
    yaml_text = "yaml" in content_type
    try:
        value, _ = _load(body, yaml_text)
        said = said_kind(value)
    except ValueError as exc:
        raise bad_request(str(exc)) from None
    text = body.decode("utf-8", "replace")
    if not said.kind:
        raise bad_request(f"Object 'Kind' is missing in '{text}'")
    if not said.version:
        raise bad_request(f"Object 'apiVersion' is missing in '{text}'")
    cls = kinds.find(said)
    if cls is None:
        raise bad_request(said.not_registered())
    return decode(cls, body, content_type=content_type, validation="Ignore")[0]


def decode_stored(cls: type[T], data: bytes) -> T:
    """Return the object that :func:`encode` wrote as *data*, without checking it again.

    Objects written by others (a store shared with upstream, a newer version) are read leniently.
    Raises ValueError for data that is no such object.
    """
    try:
        result: T = decoder_of(cls).decode(data)
        return result
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return from_plain(cls, go_json.load(data))


def from_plain(cls: type[T], value: Any) -> T:
    """Return plain JSON *value* as a struct; unknown fields are dropped.

    Raises ValueError in Go's words where a value does not fit.
    """
    return from_plain_checked(cls, value)[0]


def from_plain_checked(
    cls: type[T], value: Any, *, unstructured: bool = False
) -> tuple[T, list[str]]:
    """Like :func:`from_plain`; also return a text for each unknown or repeated field.

    *unstructured* asks for the words of the converter that a strategic merge patch goes through.
    """
    quick = _quickly(cls, _encoder.encode(value)) if type(value) is dict else None
    if quick is not None:
        return quick, []
    report = Report(unstructured=unstructured)
    try:
        result = struct_reader(cls).read(value, Place(), report)
    except RecursionError:
        raise DecodeFailure("exceeded max depth") from None
    if report.failure:
        raise DecodeFailure(report.failure)
    return (result if isinstance(result, cls) else cls()), list(report.strict)


def check_other_kind(cls: type[Any], value: Any) -> None:
    """Raise ValueError, in upstream's words, for plain *value* that says it is no *cls*."""
    actual = said_kind(value).with_defaults(kinds.of(cls))
    found = kinds.find(actual)
    if found is not None and found is not cls:
        from_plain(found, value)
    _check_kind(cls, actual)


def to_plain(obj: Struct) -> Any:
    """Return *obj* as dicts, lists, text and numbers, with the field names of JSON."""
    return msgspec.to_builtins(obj)


def encode(obj: Any) -> bytes:
    """Return *obj*, a struct or plain value, as JSON."""
    return _encoder.encode(obj)


def encode_stored(obj: Any) -> bytes:
    """Return *obj* as it is stored: without a resourceVersion, which is the store's to know."""
    metadata = obj.metadata
    version = metadata.resource_version
    metadata.resource_version = ""
    try:
        return _encoder.encode(obj)
    finally:
        metadata.resource_version = version


def stamp(data: bytes, revision: int) -> bytes:
    """Return stored JSON *data* with ``metadata.resourceVersion`` set to *revision*."""
    at = data.index(b'"metadata":{') + 12
    comma = b"" if data[at : at + 1] == b"}" else b","
    return b'%b"resourceVersion":"%d"%b%b' % (data[:at], revision, comma, data[at:])


def strict_failure(texts: list[str]) -> str:
    """The message of a strict decoding error."""
    return f"strict decoding error: {', '.join(texts)}"


#: Escapes that may hide a colon or a digit from the checks below: all but those of ``<``, ``=``,
#: ``>`` and ``&``, which Go's encoder likes to write.
_HIDING = re.compile(rb"\\u00(?!3[cCdDeE]|26)")
#: Times that msgspec takes and Go does not.
_LOOSE_TIME = re.compile(rb'"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ t][0-9]|T[0-9:.+-]*[z,])')
#: What all of them have in common; looked for first, as a hyphen is rarer than a quote.
_LOOSE_DAY = re.compile(rb"-[0-9]{2}(?:[ t][0-9]|T[0-9:.+-]*[z,])")


def _decode_plain_json(cls: type[Any], body: bytes) -> Any:
    """Return the object when nothing about *body* is odd, otherwise None.

    That no key is repeated shows in the number of colons: encoding what was read loses those of
    dropped members and no others.
    """
    if b"\\u00" in body and _HIDING.search(body):
        return None
    obj = _quickly(cls, body)
    if obj is None:
        return None
    again = _encoder.encode(_plain_decoder.decode(body))
    return obj if again.count(b":") == body.count(b":") else None


def _quickly(cls: type[Any], body: bytes) -> Any:
    """Return the object in a body that repeats no key, None where anything else is odd."""
    if len(body) > MAX_STRUCTS and max(body.count(b"{"), body.count(b"null")) > MAX_STRUCTS:
        return None
    try:
        obj = decoder_of(cls).decode(body)
        if _LOOSE_DAY.search(body) and _LOOSE_TIME.search(body):
            return None
        if not kinds.is_itself(cls, obj):
            return None
        normaliser(cls)(obj)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Odd):
        return None
    return obj


def _decode_thoroughly(
    cls: type[Any], body: bytes, yaml_text: bool, validation: Validation
) -> tuple[Any, list[str]]:
    expected = kinds.of(cls)
    try:
        value, repeated = _load(body, yaml_text)
        said = said_kind(value)
    except ValueError as exc:
        raise _unrecognized(expected, exc, body) from None
    actual = said.with_defaults(expected)
    try:
        _check_kind(cls, actual)
        obj, offences = from_plain_checked(cls, value)
    except ValueError as exc:
        raise _unfit(expected, actual, str(exc)) from None
    kinds.set_itself(cls, obj)
    if validation == "Ignore":
        return obj, []
    if validation == "Warn":
        return obj, repeated + offences
    strict = ["yaml: unmarshal errors:\n  " + "\n  ".join(repeated)] if repeated else []
    if strict + offences:
        raise _unfit(expected, actual, strict_failure(strict + offences))
    return obj, []


def _load(body: bytes, yaml_text: bool) -> tuple[Any, list[str]]:
    if yaml_text:
        from podium.api import yaml_json  # PyYAML takes its time, and most bodies are JSON

        value, repeated = yaml_json.load(body)
        try:
            return yaml_json.as_json(value), repeated
        except RecursionError:
            raise yaml_json.YamlFailure("yaml: exceeded max depth") from None
    return go_json.load(body), []


def said_kind(value: Any) -> GroupVersionKind:
    """Return the group, version and kind that *value* says it is. Raises ValueError."""
    problem = "couldn't get version/kind; json parse error: json: cannot unmarshal"
    if value is None:
        return GroupVersionKind("", "", "")
    if go_json.kind(value) != "object":
        raise ValueError(
            f"{problem} {go_json.kind(value)} into Go value of type struct "
            '{ APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" }'
        )
    said = {"apiversion": "", "kind": ""}
    names = {"apiversion": "apiVersion", "kind": "kind"}
    for key, entry in value if isinstance(value, go_json.Pairs) else value.items():
        name = key.lower()
        if name in said and entry is not None:
            if type(entry) is not str:
                raise ValueError(
                    f"{problem} {go_json.kind(entry)} into Go struct field "
                    f".{names[name]} of type string"
                )
            said[name] = entry
    group, version = kinds.parse_group_version(said["apiversion"])
    return GroupVersionKind(group, version, said["kind"])


def _check_kind(cls: type[Any], actual: GroupVersionKind) -> None:
    found = kinds.find(actual)
    if found is None and actual != kinds.of(cls):
        raise ValueError(actual.not_registered())
    if found is not None and found is not cls:
        raise ValueError(
            f"converting ({actual.version}.{actual.kind}) to "
            f"({kinds.internal_package(cls)}.{cls.__name__}): unknown conversion"
        )


def _unfit(expected: GroupVersionKind, actual: GroupVersionKind, why: str) -> ApiError:
    return bad_request(
        f'{actual.kind} in version "{actual.version}" cannot be handled as a {expected.kind}: {why}'
    )


def _unrecognized(expected: GroupVersionKind, why: ValueError, body: bytes) -> ApiError:
    if isinstance(why, go_json.SyntaxFailure):
        message = f"couldn't get version/kind; json parse error: {why}"
    else:
        message = str(why)
    return bad_request(
        f"the object provided is unrecognized (must be of type {expected.kind}): "
        f"{message} ({_summary(body)})"
    )


def _summary(body: bytes, limit: int = 30) -> str:
    """Return the beginning of *body*: as text when it looks like JSON, else in hexadecimal."""
    if not body:
        return "<empty>"
    more = " ..." if len(body) > limit else ""
    if body[:1] == b"{":
        return body[:limit].decode("utf-8", "replace") + more
    return body[:limit].hex() + more

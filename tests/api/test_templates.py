"""Bodies that differ in nothing but a name: judged once, and read as if each were judged."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec, scheme, templates
from podium.api.errors import ApiError
from podium.api.scheme import Resource

PODS = scheme.PODS
CONTAINER = '{"name":"c","image":"i","resources":{"requests":{"cpu":"0.5"}}}'


def body(metadata: str, spec: str = f'{{"containers":[{CONTAINER}]}}', more: str = "") -> str:
    return f'{{"kind":"Pod","apiVersion":"v1","metadata":{metadata},"spec":{spec}{more}}}'


#: NAME stands for the name.
BODIES = {
    "plain": body('{"name":"NAME"}'),
    "spaced": body('{ "name" : "NAME" , "labels" : { } }'),
    "name-first": '{"metadata":{"name":"NAME"},"spec":{"containers":null}}',
    "name-last": body('{"labels":{"a":"b"},"name":"NAME"}'),
    "label-alike": body('{"name":"NAME","labels":{"app":"NAME"}}'),
    "key-alike": body('{"name":"NAME","labels":{"NAME":"x"}}'),
    "label-alike-before": body('{"labels":{"app":"NAME"},"name":"NAME"}'),
    "part-of-others": body('{"name":"NAME","labels":{"app":"NAMEs","NAME-":"a"}}'),
    "escaped-elsewhere": body('{"name":"NAME","annotations":{"a":"\\u0041"}}'),
    "name-escaped": body('{"name":"\\u006fne","labels":{"a":"NAME"}}'),
    "name-in-text": body('{"name":"NAME","annotations":{"a":"\\"NAME"}}'),
    "name-is-number": body('{"name":7,"labels":{"a":"NAME"}}'),
    "name-is-null": body('{"name":null,"generateName":"NAME"}'),
    "name-is-list": body('{"name":["NAME"]}'),
    "name-is-object": body('{"name":{"NAME":"NAME"}}'),
    "name-twice": body('{"name":"NAME","name":"b"}'),
    "name-twice-back": body('{"name":"b","name":"NAME"}'),
    "metadata-twice": body('{"name":"b"},"metadata":{"name":"NAME"}'),
    "spec-twice": body('{"name":"NAME"}', '{"hostNetwork":true},"spec":{}'),
    "label-twice": body('{"name":"NAME","labels":{"a":"b","a":"c"}}'),
    "unknown": body('{"name":"NAME"}', '{"containers":[],"containres":[]}'),
    "unknown-beside": body('{"name":"NAME"}', more=',"specs":{}'),
    "another-case": body('{"Name":"NAME"}'),
    "odd-quantity": body('{"name":"NAME"}', '{"overhead":{"cpu":"0.10"}}'),
    "bad-quantity": body('{"name":"NAME"}', '{"overhead":{"cpu":"much"}}'),
    "loose-time": body('{"name":"NAME","creationTimestamp":"2026-01-02 03:04:05Z"}'),
    "offset": body('{"name":"NAME","creationTimestamp":"2026-01-02T03:04:05.7+01:00"}'),
    "null": body('{"name":"NAME","labels":null}', "null"),
    "wrong-type": body('{"name":"NAME"}', '{"containers":{}}'),
    "wrong-kind": body('{"name":"NAME"}').replace('"Pod"', '"Node"'),
    "cut-short": body('{"name":"NAME"}')[:-1],
    "with-status": body('{"name":"NAME"}', more=',"status":{"phase":"Running"}'),
    "its-owners": body('{"name":"NAME","managedFields":[]}'),
    "generated": body('{"generateName":"NAME"}'),
    "empty-name": body('{"name":"","generateName":"NAME"}'),
    "no-metadata": '{"kind":"Pod","spec":{}}',
}
NAMES = (
    b"one", b"two", b"metadata", b"Pod", b"kind", b"c", "ü".encode(), b"", b'q\\"', b"back\\\\",
    b"\\u006fne", b"2026-01-02t3", b"{}", b"a\nb", b"a\0", b"\xff", b"\xed\xa0\x80", b'x","uid":"y',
    b'"', "\u2028".encode(),
)  # fmt: skip


def outcome(read: Any, target: Resource, sent: bytes, validation: str) -> Any:
    try:
        obj, warnings, *_ = read(
            target, sent, content_type="application/json", validation=validation
        )
    except ApiError as error:
        return error.status
    return obj, warnings


@pytest.mark.parametrize("text", BODIES.values(), ids=BODIES)
def test_what_is_known_is_read_as_if_it_were_not(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "_templates", templates.Templates())
    for validation in ("Ignore", "Warn", "Strict", "Ignore"):
        for name in NAMES:
            sent = text.encode().replace(b"NAME", name)
            expected = outcome(codec.decode, PODS, sent, validation)
            assert outcome(codec.decode_new, PODS, sent, validation) == expected
            assert outcome(codec.decode_new, PODS, sent, validation) == expected


def read(text: str, target: Resource = PODS) -> tuple[Any, templates.Template | None]:
    obj, warnings, template = codec.decode_new(
        target, text.encode(), content_type="application/json", validation="Warn"
    )
    assert not warnings
    return obj, template


def test_bodies_alike_have_one_template() -> None:
    one, two = (read(BODIES["plain"].replace("NAME", name))[1] for name in ("one", "two"))
    assert one is not None
    assert one is two


@pytest.mark.parametrize(
    "other",
    [
        BODIES["plain"].replace("NAME", "one").replace('"i"', '"j"'),
        BODIES["plain"].replace("NAME", ""),
        BODIES["generated"].replace("NAME", "one"),
    ],
)
def test_bodies_that_say_something_else_have_another(other: str) -> None:
    template = read(BODIES["plain"].replace("NAME", "one"))[1]
    assert read(other)[1] not in (None, template)


def test_the_same_body_of_another_kind_is_something_else() -> None:
    text = '{"metadata":{"name":"x"},"spec":{}}'
    one, other = (read(text, kind) for kind in (scheme.PODS, scheme.NODES))
    assert one[1] is not other[1]
    assert type(one[0]) is not type(other[0])


def test_objects_of_a_template_share_nothing_that_changes() -> None:
    text = body('{"name":"NAME","labels":{"a":"b"}}')
    read(text.replace("NAME", "first"))
    pods = [read(text.replace("NAME", name))[0] for name in ("one", "two")]
    pods[0].metadata.labels["c"] = "d"
    pods[0].spec.containers[0].image = "other"
    pods[0].spec.containers.append(pods[0].spec.containers[0])
    third, _ = read(text.replace("NAME", "three"))
    for pod in (pods[1], third):
        assert pod.metadata.labels == {"a": "b"}
        assert [container.image for container in pod.spec.containers] == ["i"]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        pytest.param('{"metadata":{"name":"x"},"data":{"a":"Yg=="}}', scheme.SECRETS, id="secret"),
        pytest.param('{"metadata":{"name":"x"},"data":{"a":"b"}}', scheme.CONFIGMAPS, id="data"),
        pytest.param(
            body('{"name":"x","annotations":{"a":"%s"}}' % ("b" * templates.LONGEST)),
            PODS,
            id="large",
        ),
        pytest.param(BODIES["label-alike"], PODS, id="name-said-twice"),
    ],
)
def test_what_is_not_remembered(text: str, target: Resource) -> None:
    assert read(text, target)[1] is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known = templates.Templates()
    monkeypatch.setattr(codec, "_templates", known)
    filling = "b" * (templates.LONGEST // 2)
    count = 4 * templates.MOST // templates.LONGEST
    for number in range(count):
        read(body(f'{{"name":"x","annotations":{{"a":"{number}-{filling}"}}}}'))
    assert 0 < known.size <= templates.MOST
    assert 0 < len(known) < count / 2

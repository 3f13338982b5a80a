"""Every kind says the same in JSON, in YAML and in protobuf, and stays itself when stored."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec import Struct

from podium.api import codec, protobuf
from podium.api.errors import ApiError
from podium.api.scheme import RESOURCES, Resource
from support.fuzzing import examples
from support.generated import anything
from support.protobuf_writer import NoNumber, written


class _Quoting(yaml.SafeDumper):
    """Quotes all text: what looks like a number to one reader of YAML does not to another."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar(_TEXT, text, style='"'))
_TEXT = "tag:yaml.org,2002:str"


def _tidy(obj: Any) -> Any:
    """Leave out empty lists and nulls, which protobuf does not tell from each other."""
    if isinstance(obj, Struct):
        obj = codec.to_plain(obj)
    if isinstance(obj, dict):
        members = {name: _tidy(item) for name, item in obj.items()}
        return {name: item for name, item in members.items() if item not in (None, [])}
    if isinstance(obj, list):
        return [_tidy(item) for item in obj]
    return obj


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.qualified)
def test_json_yaml_and_protobuf_say_the_same(resource: Resource) -> None:
    @examples(10)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        document = data.draw(anything(resource))
        text = json.dumps(document).encode()
        try:
            obj, warnings = codec.decode(resource, text)
        except ApiError as refused:
            event(f"refused: {refused.code}")
            return
        assert not warnings
        as_yaml = yaml.dump(document, Dumper=_Quoting, allow_unicode=True).encode()
        assert codec.decode(resource, as_yaml, content_type="application/yaml") == (obj, [])
        with suppress(NoNumber):
            plain, unknown = protobuf.decode(written(resource, document), resource.type)
            assert not unknown
            decoded = codec.decode(resource, codec.encode(plain))[0]
            assert _tidy(decoded) == _tidy(obj)

        again = codec.encode(obj)
        assert codec.decode_stored(resource.type, again) == obj
        assert codec.decode(resource, again, validation="Strict") == (obj, [])
        assert codec.from_plain(resource.type, codec.to_plain(obj)) == obj

    check()

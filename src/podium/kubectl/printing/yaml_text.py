"""YAML as ``sigs.k8s.io/yaml`` writes it: keys sorted, lists not indented, texts as Go chooses."""

from __future__ import annotations

import re
from typing import Any

import yaml

from podium.kubectl.printing import go_values

#: Plain words that a reader of YAML 1.1 would take for something else than text.
_NOT_TEXT = re.compile(
    r"""
      y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF
    | ~|null|Null|NULL|
    | [-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)
    | [-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?
    | [-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\ ].*)?
    """,
    re.VERBOSE,
)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _GoDumper(_Dumper):  # type: ignore[misc]
    #: ``=`` and ``<<`` are plain words to Go.
    yaml_implicit_resolvers = {  # noqa: RUF012 - as the class above has it
        first: found
        for first, found in _Dumper.yaml_implicit_resolvers.items()
        if first not in ("=", "<")
    }

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    style = None
    if not text.isascii():  # bytes of the command line that are no UTF-8
        text = text.encode(errors="surrogateescape").decode(errors="replace")
    if not text or reads_as_something_else(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def reads_as_something_else(text: str) -> bool:
    if not _NOT_TEXT.fullmatch(text):
        return False
    return any(character.isalnum() or character in "~" for character in text)


def _number(dumper: Any, number: float) -> Any:
    text = go_values.number(number)
    # PyYAML takes 1e+22 for a text; the tag that it reads from the text it does not write.
    return dumper.represent_scalar(dumper.resolve(yaml.ScalarNode, text, (True, False)), text)


_GoDumper.add_representer(str, _text)
_GoDumper.add_representer(float, _number)


def dump(value: Any) -> str:
    """Return *value*, of JSON's types, as a document."""
    text: str = yaml.dump(value, Dumper=_GoDumper, allow_unicode=True, width=80)
    return text.removesuffix("...\n")

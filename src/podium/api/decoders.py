"""msgspec's decoders of structs, made one at a time.

What msgspec knows of a struct it finds out with the first decoder that meets it, in Python code
that lets other threads run. Who makes a decoder of the same struct meanwhile gets one that is
half finished, and crashes the process when it is used.
"""

from __future__ import annotations

import threading
from typing import Any

import msgspec

_making = threading.Lock()
_made: dict[Any, msgspec.json.Decoder[Any]] = {}


def decoder_of(type_: Any) -> msgspec.json.Decoder[Any]:
    """Return the decoder of *type_*; may be called by any thread."""
    found = _made.get(type_)
    if found is None:
        with _making:
            found = _made.get(type_)
            if found is None:
                found = _made[type_] = msgspec.json.Decoder(type_)
    return found


def converted(value: Any, type_: Any) -> Any:
    """Return plain *value* as *type_*; like ``msgspec.convert``, but for any thread.

    Raises msgspec.ValidationError.
    """
    decoder_of(type_)
    return msgspec.convert(value, type_)

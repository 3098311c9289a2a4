"""What is worth saying about a value of a configuration, in a few words."""

from __future__ import annotations

from pytest_modelsize.formats.containers.json_tally import Tally

__all__ = ["MANY", "remark"]

MANY = 100
"""Elements from which a list is worth a remark."""

_LONG_BASE64 = 200
"""Characters from which a string of base64 is worth a remark, whatever it is for."""

_FLOAT32 = 4
"""Bytes of a number as float32, which is what a constant became text from as a rule."""


def remark(key: str, text: str, start: int, end: int, tally: Tally) -> str:
    """Return a note on the value of ``key``, ``text[start:end]``, or ``""`` where there is none.

    A lambda is marshalled code in base64: an object of the class ``__lambda__`` in Keras 3
    (keras/src/saving/serialization_lib.py, ``serialize_keras_object``), a list under the key
    ``function`` in Keras 1 and 2 (keras/layers/core.py, ``Lambda.get_config``), or a tuple in the
    metadata of a SavedModel (keras/saving/saved_model/json_utils.py).
    """
    if tally.base64:
        listed = key == "function" and (
            text.startswith("[", start) or text.find('"__tuple__"', start, end) >= 0
        )
        if listed or text.find('"__lambda__"', start, end) >= 0:
            return "a marshalled Lambda"
    found = []
    if tally.strings >= MANY:
        found.append(f"{tally.strings:,d} strings")
    if tally.numbers >= MANY:
        size = tally.numbers * _FLOAT32
        found.append(f"{tally.numbers:,d} numbers, {size:,d} bytes as float32")
    if tally.base64 >= _LONG_BASE64:
        found.append(f"base64 of about {tally.base64 * 3 // 4:,d} bytes")
    return " and ".join(found)

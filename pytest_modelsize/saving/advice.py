"""What to write for an object that is not a model here: the call by which it saves itself."""

from __future__ import annotations

from pytest_modelsize.saving.framework import class_attribute_names, is_a

__all__ = ["advice"]

_CALLS = ("save_model", "save_pretrained", "to_disk", "save", "export", "dump", "serialize")
"""Methods by which objects write themselves to a file, the most telling ones first."""
_LINEN = ("flax.linen.module", "Module")


def advice(value: object) -> str:
    """Return what a user writes to have ``value`` measured, as a clause; empty where nobody knows.

    No code of the object runs.
    """
    if is_a(value, _LINEN):
        return "a module of flax.linen has no weights of its own: name what its init() returned"
    names = class_attribute_names(value)
    call = next((name for name in _CALLS if name in names), None)
    if call is None:
        return ""
    return (
        f'write it to a file in the test with its own {call}(), and name that, as in path="*.bin"'
    )

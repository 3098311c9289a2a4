"""What ``torch.save`` wrote before PyTorch 1.6: five pickles, then the storages.

torch/serialization.py, ``_legacy_save``: a magic number, a protocol's number, the sizes of C types,
the object, the keys of the storages in their order; then for each the number of elements, in eight
bytes, and the elements.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.pickle.machine import follow
from pytest_modelsize.formats.containers.pickle.values import Items
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.naming import Naming
from pytest_modelsize.formats.torch.owners import charge_pickle, owners_of
from pytest_modelsize.formats.torch.state import contents_of
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["format", "read", "recognises"]

format = "torch"
_MAGIC = 0x1950A86A20F9469CFC6C
_MAGIC_BYTES = _MAGIC.to_bytes(10, "little")
_BEGINNING = 24
"""Bytes of the first pickle, at most: the protocol, a frame, the magic number."""
_COUNT = 8


def recognises(source: Source) -> bool:
    """Return whether the file begins with the pickle of the magic number."""
    beginning = source.head[:_BEGINNING]
    return beginning.startswith(b"\x80") and _MAGIC_BYTES in beginning


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of the file to ``ledger``.

    Raises:
        ArtifactError: where it is broken.
    """
    at = 0
    values: list[Any] = []
    ends: list[int] = []
    for index in range(5):
        value, at = follow(source, at)
        values.append(value if index in (0, 3, 4) else None)
        ends.append(at)
    if values[0] != _MAGIC:
        raise source.error(0, "PyTorch's magic number expected")
    for name, start, end in zip(
        ("magic number", "protocol", "sizes of types"), (0, *ends), ends, strict=False
    ):
        ledger.add(("overhead", name), Kind.STRUCTURE, end - start)
    span = (ends[2], ends[3])
    contents = contents_of(source, values[3], span)
    naming = Naming(contents)
    charge_pickle(ledger, contents, naming, span)
    ledger.add(("overhead", "keys of storages"), Kind.STRUCTURE, ends[4] - ends[3])
    owners = owners_of(contents, naming)
    keys = values[4].values if type(values[4]) is Items else None
    if keys is None:
        raise source.error(ends[3], "a list of the storages' keys expected")
    for key in keys:
        owner = owners.pop(key, None) if type(key) is str else None
        if owner is None or owner.storage.size is None:
            raise source.error(ends[3], f"a storage {key!r:.40} of unknown type")
        elements = int.from_bytes(source.read(at, _COUNT), "little", signed=True)
        if elements != owner.storage.elements:
            raise source.error(
                at, f"{owner.storage.elements:,d} elements expected, not {elements:,d}"
            )
        if owner.storage.size > source.size - at - _COUNT:
            raise source.error(at, f"a storage of {owner.storage.size:,d} bytes is cut off")
        ledger.add(owner.path, Kind.STRUCTURE, _COUNT)
        ledger.add(owner.path, Kind.DATA, owner.storage.size)
        if owner.note:
            ledger.note(owner.path, owner.note)
        at += _COUNT + owner.storage.size
    if owners:
        raise source.error(ends[3], f"no storage {next(iter(owners))!r:.40} among the keys")
    if at < source.size:
        ledger.add(("overhead", "behind the storages"), Kind.SLACK, source.size - at)

"""The file of weights beside an ML program: records, each before the elements that it is for.

mlmodel/src/MILBlob/Blob/StorageFormat.hpp of coremltools: a header (count, version 2), and
records of 64 bytes with a sentinel, a data type, the size and the offset of the elements, all
aligned to 64 bytes.
"""

from __future__ import annotations

import struct
from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["Blobs"]

_HEADER = _RECORD = _ALIGNMENT = 64
_VERSION = 2
_SENTINEL = 0xDEADBEEF
_HERE = "@model_path/"
"""Stands for the model's folder."""


class Blobs:
    """The elements in files that a program refers to. They count for the first that does."""

    __slots__ = ("_named",)

    def __init__(self) -> None:
        self._named: dict[str, dict[int, tuple[SectionPath, str]]] = {}

    def refer(self, file: str, offset: int, home: SectionPath, note: str) -> None:
        """Take note that the record at ``offset`` of ``file`` is for the tensor ``home``."""
        self._named.setdefault(file.removeprefix(_HERE), {}).setdefault(offset, (home, note))

    def files(self, source: Source) -> frozenset[Path]:
        """Return where the files lie.

        Raises:
            ArtifactError: where one is outside the model's folder.
        """
        return frozenset(beside(source, file) for file in self._named)

    def settle(self, source: Source, ledger: Ledger) -> None:
        """Give every byte of the files to ``ledger``.

        Raises:
            ArtifactError: where one is missing, or its records are broken or overlap.
        """
        for file, named in self._named.items():
            with open_beside(source, file) as opened:
                _settle(opened, named, ledger)


def _settle(file: Source, named: dict[int, tuple[SectionPath, str]], ledger: Ledger) -> None:
    _, version = struct.unpack("<II", file.read(0, 8))
    if version != _VERSION or file.size < _HEADER:
        raise file.error(4, f"a file of weights of version {version}, where 2 is read")
    ledger.add(("overhead", "header"), Kind.STRUCTURE, _HEADER)
    position = _HEADER
    for offset, (home, note) in sorted(named.items()):
        sentinel, _, size, start = struct.unpack("<IIQQ", file.read(offset, _RECORD)[:24])
        if sentinel != _SENTINEL:
            raise file.error(offset, f"no record of {'/'.join(home[1:])!r:.80} here")
        if not position <= offset <= start - _RECORD or start + size > file.size:
            raise file.error(
                offset, f"{'/'.join(home[1:])!r:.80} overlaps another, or leaves the file"
            )
        _gap(file, position, offset, ledger)
        _gap(file, offset + _RECORD, start, ledger)
        ledger.add(home, Kind.STRUCTURE, _RECORD)
        ledger.add(home, Kind.DATA, size)
        ledger.note(home, note)
        extents.note(file, start, size, home)
        position = start + size
    _gap(file, position, file.size, ledger)


def _gap(file: Source, start: int, end: int, ledger: Ledger) -> None:
    if start == end:
        return
    if end - start < _ALIGNMENT and not any(file.read(start, end - start)):
        ledger.add(("overhead", "padding"), Kind.RESERVED, end - start)
    else:
        ledger.add(("overhead", "weights that nothing names"), Kind.SLACK, end - start)

"""What an artifact weighs when it is downloaded: compressed, in all and by section.

Nothing is estimated. The total is that of the artifact compressed as it lies on disk, file by file.
The bytes of each section are compressed on their own as well, and those sizes are brought to the
total in proportion: a compressor finds what repeats across sections, or loses what it knew of one
while it reads another, and so the parts do not quite add up by themselves.
"""

from __future__ import annotations

import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pytest_modelsize.formats.extents import Extent
from pytest_modelsize.sizes.measurement import OWN, SECTIONS, Kind, Measurement, Section
from pytest_modelsize.sizes.records import dataclass, replace
from pytest_modelsize.sizes.shares import proportional

__all__ = ["METHODS", "CompressionError", "Method", "compressed", "compressed_size", "method"]

_BLOCK = 2**20


class CompressionError(Exception):
    """A compression that is not available here; the message says what to install."""


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Method:
    """A way to compress.

    Attributes:
        name: as written in the marker.
        library: that does it, with its version: sizes differ from build to build.
        level: of the library.
        start: makes a new compressor.
    """

    name: str
    library: str
    level: int
    start: Callable[[], _Compressor]

    def __str__(self) -> str:
        return f"{self.name} ({self.library}, level {self.level})"


def method(name: str) -> Method:
    """Return the way to compress that is called ``name``, one of `METHODS`.

    Raises:
        CompressionError: where the library for it is not installed.
    """
    return METHODS[name]()


def compressed(
    measurement: Measurement,
    files: Iterable[Path],
    extents: Iterable[Extent],
    how: Method,
    progress: Callable[[int], None] = lambda done: None,
) -> Measurement:
    """Return what ``measurement`` weighs compressed; sections add up to the compressed total.

    Args:
        measurement: of the artifact as it lies on disk.
        files: those that it consists of. Each is compressed by itself, as it would be served.
        extents: which runs of them serve which section. Where they leave bytes out, these are
            compressed together, and shared by the sections that have bytes left.
        how: the way to compress.
        progress: called from time to time with the bytes read so far, of twice the artifact's.

    Raises:
        OSError: where a file cannot be read.
    """
    paths = list(files)
    total, done = 0, 0

    def read(block: bytes) -> bytes:
        nonlocal done
        done += len(block)
        progress(done)
        return block

    for path in paths:
        with path.open("rb") as file:
            whole = os.fstat(file.fileno()).st_size
            total += _size(how, (read(block) for block in _blocks(file, 0, whole)))
    alone, seen = _alone(paths, list(extents), how, read)
    pool = alone.pop("", 0)
    left = {
        section.name: max(0, section.size - seen.get(section.name, 0))
        for section in measurement.tree
    }
    for name, share in _shared(pool, left).items():
        alone[name] = alone.get(name, 0) + share
    parts = _shared(
        total, {section.name: alone.get(section.name, 0) for section in measurement.tree}
    )
    tree = tuple(
        _compressed_section(measurement.section(name), parts[name])
        for name in SECTIONS
        if parts.get(name)
    ) or (Section("overhead", total),)
    return replace(
        measurement,
        name=f"{measurement.name}, {how.name}",
        format=f"{measurement.format}+{how.name}",
        bytes_on_disk=total,
        tree=tree,
    )


def compressed_size(path: Path, how: Method) -> int:
    """Return what one file weighs compressed, as in the total of `compressed`.

    Raises:
        OSError: where it cannot be read.
    """
    with path.open("rb") as file:
        return _size(how, _blocks(file, 0, os.fstat(file.fileno()).st_size))


def _compressed_section(section: Section, size: int) -> Section:
    """Return a section of ``size`` bytes compressed; what is opaque stays so, in proportion."""
    note = f"{section.size:,d} B before"
    opaque: dict[str, int] = {}
    for path, leaf in section.leaves():
        if leaf.kind is Kind.OPAQUE:
            name = "/".join(part for part in path[1:] if part not in OWN) or section.name
            opaque[name] = opaque.get(name, 0) + leaf.size
    if not opaque:
        return Section(name=section.name, size=size, kind=None, children=(), note=note)
    opened = section.size - sum(opaque.values())
    rest, *shares = proportional([opened, *opaque.values()], size)
    children = [
        Section(
            name=name, size=share, kind=Kind.OPAQUE, children=(), note=f"{opaque[name]:,d} B before"
        )
        for name, share in zip(opaque, shares, strict=True)
    ]
    children.append(Section("(opened)", rest))
    return Section(
        name=section.name,
        size=size,
        kind=None,
        children=tuple(c for c in children if c.size),
        note=note,
    )


def _alone(
    paths: list[Path], extents: list[Extent], how: Method, read: Callable[[bytes], bytes]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return each section's bytes, compressed on their own, and how many bytes went in.

    Bytes of no section are under ``""``.
    """
    compressors: dict[str, _Compressor] = {}
    sizes: dict[str, int] = {}
    seen: dict[str, int] = {}
    by_file: dict[Path, list[Extent]] = defaultdict(list)
    for extent in extents:
        by_file[extent.file].append(extent)
    for path in paths:
        with path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            inside = sorted(by_file[path], key=lambda extent: extent.start)
            for start, stop, name in _covering(inside, 0, end):
                if name not in compressors:
                    compressors[name] = how.start()
                seen[name] = seen.get(name, 0) + stop - start
                for block in _blocks(file, start, stop):
                    size = len(compressors[name].compress(read(block)))
                    sizes[name] = sizes.get(name, 0) + size
    for name, compressor in compressors.items():
        sizes[name] = sizes.get(name, 0) + len(compressor.flush())
    return sizes, seen


def _covering(extents: list[Extent], start: int, end: int) -> Iterator[tuple[int, int, str]]:
    position = start
    for extent in extents:
        begin, stop = max(position, extent.start), min(end, extent.end)
        if begin > position:
            yield position, begin, ""
        if stop > begin:
            yield begin, stop, extent.section
            position = stop
    if position < end:
        yield position, end, ""


def _blocks(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (block := file.read(min(_BLOCK, end - start))):
        start += len(block)
        yield block


def _size(how: Method, blocks: Iterable[bytes]) -> int:
    compressor = how.start()
    size = sum(len(compressor.compress(block)) for block in blocks)
    return size + len(compressor.flush())


def _shared(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share ``total`` in proportion to ``weights``; where these are zero, the first has it all."""
    if not any(weights.values()):
        return {name: total if not index else 0 for index, name in enumerate(weights)}
    return dict(zip(weights, proportional(list(weights.values()), total), strict=True))


def _gzip() -> Method:
    # wbits 31 is deflate in a gzip wrapper: zlib.h, deflateInit2.
    return Method(
        name="gzip",
        library=f"zlib {zlib.ZLIB_RUNTIME_VERSION}",
        level=6,
        start=lambda: zlib.compressobj(6, zlib.DEFLATED, 31),
    )


def _zstd() -> Method:
    try:
        zstandard: Any = import_module("zstandard")
    except ImportError:
        raise CompressionError(
            'compression="zstd" needs the package zstandard: pip install "pytest-modelsize[zstd]"'
        ) from None
    version = ".".join(map(str, zstandard.ZSTD_VERSION))
    return Method(
        name="zstd",
        library=f"zstd {version}",
        level=3,
        start=lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    )


METHODS: Mapping[str, Callable[[], Method]] = {"gzip": _gzip, "zstd": _zstd}
"""The ways to compress, by name: those by which servers send files. Levels are the libraries' own
defaults."""

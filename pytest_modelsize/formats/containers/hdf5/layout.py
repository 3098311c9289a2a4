"""Where a dataset's elements are: data layout messages (specification, section IV.A.2.i)."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_modelsize.formats.containers.hdf5.datatype import Datatype
from pytest_modelsize.formats.containers.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.containers.hdf5.header import Message
from pytest_modelsize.formats.containers.hdf5.model import HDF5Object
from pytest_modelsize.formats.containers.hdf5.values import (
    claim_references,
    claim_stored_references,
)
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.sizes.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_modelsize.formats.containers.hdf5.chunks import Chunk
    from pytest_modelsize.formats.containers.hdf5.filters import Filter

__all__ = ["Stored", "read_layout"]

_COMPACT, _CONTIGUOUS, _CHUNKED, _VIRTUAL = 0, 1, 2, 3
_LARGEST_UNPACKED = 2**24
"""Bytes of a chunk that is unpacked: a million references to the heap."""


@dataclass(slots=True)
class Stored:
    """What a layout is about.

    Attributes:
        datatype: of the elements; None where it cannot be reached.
        extents: of the dataset; None for a null dataspace.
        largest: extents that it may grow to; None where it may not.
        filters: body of the filter pipeline message, or None.
        external: the elements lie in other files.
    """

    datatype: Datatype | None
    extents: tuple[int, ...] | None
    largest: tuple[int, ...] | None
    filters: bytes | None
    external: bool


def read_layout(
    walk: Walk, heaps: GlobalHeaps, message: Message, stored: Stored, dataset: HDF5Object
) -> None:
    """Claim the dataset's elements, their index, and what they refer to in the global heap."""
    version = message.body[0]
    if version in (1, 2):
        _read_old(walk, heaps, message, stored, dataset)
    elif version in (3, 4, 5):
        _read_new(walk, heaps, message, stored, dataset)
    else:
        raise walk.error(f"data layout of version {version}")


def _read_old(
    walk: Walk, heaps: GlobalHeaps, message: Message, stored: Stored, dataset: HDF5Object
) -> None:
    """Versions 1 and 2: rank, class, and the dimensions that are those of the dataspace."""
    body = message.body
    rank, kind = body[1], body[2]
    position = 8
    address = UNDEFINED
    if kind != _COMPACT:
        address = walk.address(body, position)
        position += walk.offset_size
    if kind == _COMPACT:
        position += 4 * rank
        size = walk.uint(body, position, 4)
        _compact(walk, heaps, message, position + 4, size, stored, dataset)
    elif kind == _CONTIGUOUS:
        count = 1
        for extent in stored.extents or ():
            count *= extent
        size = count * stored.datatype.size if stored.datatype is not None else 0
        _contiguous(walk, heaps, address, size, stored, dataset)
    elif kind == _CHUNKED:
        from pytest_modelsize.formats.containers.hdf5.chunks import read_chunks_3

        elements = 1
        for index in range(rank - 1):
            elements *= walk.uint(body, position + 4 * index, 4)
        chunks = read_chunks_3(walk, address, rank, dataset)
        _chunked(walk, heaps, chunks, elements, stored, dataset)
    else:
        raise walk.error(f"data layout of class {kind}")


def _read_new(
    walk: Walk, heaps: GlobalHeaps, message: Message, stored: Stored, dataset: HDF5Object
) -> None:
    body = message.body
    version, kind = body[0], body[1]
    if kind == _COMPACT:
        _compact(walk, heaps, message, 4, walk.uint(body, 2, 2), stored, dataset)
    elif kind == _CONTIGUOUS:
        address, size = walk.structs.contiguous(body)
        _contiguous(walk, heaps, walk.defined(address), size, stored, dataset)
    elif kind == _CHUNKED and version == 3:
        from pytest_modelsize.formats.containers.hdf5.chunks import read_chunks_3

        rank = body[2]
        elements = 1
        for index in range(rank - 1):
            elements *= walk.uint(body, 3 + walk.offset_size + 4 * index, 4)
        chunks = read_chunks_3(walk, walk.address(body, 3), rank, dataset)
        _chunked(walk, heaps, chunks, elements, stored, dataset)
    elif kind == _CHUNKED:
        from pytest_modelsize.formats.containers.hdf5.chunks import read_chunks

        layout = read_chunks(walk, body, stored.largest or stored.extents or (), dataset)
        unclear = layout.raw_edges and stored.filters is not None
        _chunked(walk, heaps, layout.chunks, layout.elements, stored, dataset, unclear=unclear)
    elif kind == _VIRTUAL:
        # The mapping to the source datasets is one object of the global heap, and no element.
        address = walk.address(body, 2)
        if address not in (0, UNDEFINED):
            heaps.owned(address, walk.uint(body, 2 + walk.offset_size, 4), dataset)
            dataset.structure += dataset.data
            dataset.data = 0
    else:
        raise walk.error(f"data layout of class {kind}")


def _compact(
    walk: Walk,
    heaps: GlobalHeaps,
    message: Message,
    position: int,
    size: int,
    stored: Stored,
    dataset: HDF5Object,
) -> None:
    data = message.body[position : position + size]
    if len(data) != size:
        raise walk.error(f"compact data of {size} bytes leaves its message")
    walk.carve(message.address + position, size, "data", dataset, dataset, "data")
    if stored.datatype is not None:
        claim_references(walk, heaps, data, stored.datatype, dataset)


def _contiguous(
    walk: Walk,
    heaps: GlobalHeaps,
    address: int,
    size: int,
    stored: Stored,
    dataset: HDF5Object,
) -> None:
    if address == UNDEFINED or stored.external or not size:
        return
    walk.claim(address, size, "data", dataset, "data")
    if stored.datatype is not None and stored.datatype.heaped:
        claim_stored_references(walk, heaps, address, size, stored.datatype, dataset)


def _chunked(
    walk: Walk,
    heaps: GlobalHeaps,
    chunks: Iterable[Chunk],
    elements: int,
    stored: Stored,
    dataset: HDF5Object,
    *,
    unclear: bool = False,
) -> None:
    """Claim the chunks, which is done as they are listed.

    They are read, and unpacked, only where their elements refer to the global heap.

    Args:
        walk: the walk.
        heaps: the global heap.
        chunks: those of the dataset.
        elements: elements of a chunk.
        stored: what the layout is about.
        dataset: whom the chunks serve.
        unclear: chunks at the edges may or may not be filtered (H5Pset_chunk_opts).
    """
    from pytest_modelsize.formats.containers.hdf5.filters import read_filters, unfilter

    datatype = stored.datatype
    filters: list[Filter] = []
    if datatype is not None and datatype.heaped and stored.filters is not None:
        filters = read_filters(walk, stored.filters)
    for address, length, mask in chunks:
        if datatype is None or not datatype.heaped:
            continue
        size = elements * datatype.size
        if not filters:
            claim_stored_references(walk, heaps, address, length, datatype, dataset)
            continue
        data = None
        fits = max(size, length) <= _LARGEST_UNPACKED
        if not unclear and fits and walk.may_unpack(size):
            data = unfilter(walk, walk.read(address, length), filters, mask, size)
        if data is None:
            # What it refers to in the global heap would pass for dead.
            raise walk.error(
                f"variable-length data of {dataset.path}, packed in a way that is not known here"
            )
        claim_references(walk, heaps, data, datatype, dataset)

"""From the superblock to every byte: the walk over all objects of a file."""

from __future__ import annotations

import struct

from pytest_modelsize.formats.containers.hdf5.attributes import (
    ATTRIBUTE,
    DATASPACE,
    DATATYPE,
    read_attribute,
    read_attribute_info,
)
from pytest_modelsize.formats.containers.hdf5.datatype import read_datatype, read_dimensions
from pytest_modelsize.formats.containers.hdf5.globalheap import GlobalHeaps
from pytest_modelsize.formats.containers.hdf5.groups import (
    read_link,
    read_link_info,
    read_symbol_table,
)
from pytest_modelsize.formats.containers.hdf5.header import Message, read_header
from pytest_modelsize.formats.containers.hdf5.layout import Stored, read_layout
from pytest_modelsize.formats.containers.hdf5.localheap import read_local_heap
from pytest_modelsize.formats.containers.hdf5.model import HDF5File, HDF5Object, Trace
from pytest_modelsize.formats.containers.hdf5.shared import SharedMessages
from pytest_modelsize.formats.containers.hdf5.superblock import read_superblock
from pytest_modelsize.formats.containers.hdf5.walk import UNDEFINED, Walk
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.measurement import Kind

__all__ = ["read_hdf5"]

LINK_INFO, LINK, EXTERNAL_FILES, LAYOUT = 0x02, 0x06, 0x07, 0x08
FILTERS, SHARED_TABLE, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0F, 0x11, 0x15
_OF_DATASETS = {DATASPACE, DATATYPE, FILTERS, LAYOUT}
FILE_SPACE_INFO, BTREE_K, CACHE_IMAGE = 0x17, 0x13, 0x18
"""Header message types (specification, section IV.A.2)."""


def read_hdf5(
    source: Source, trace: Trace | None = None, named: dict[str, int] | None = None
) -> HDF5File:
    """Return every byte of an HDF5 file by the object that it serves.

    Headers are read, elements are not, unless these are references into the global heap.

    Args:
        source: the file, or a window of another file.
        trace: receives every region, for tests that check them one by one.
        named: receives, by path, where each object's name stands in the heap of its group, which
            grows with each name: objects of a group were made in this order.

    Returns:
        Objects and loose bytes, which add up to the size of the source.

    Raises:
        ArtifactError: where a structure is broken, overlaps another, or is not known here.
    """
    walk = Walk(source, trace, named)
    try:
        return _Reader(walk).read()
    except (struct.error, IndexError, OverflowError, UnicodeError) as error:
        raise walk.error(f"a structure ends too early: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise walk.error("structures are nested too deeply, or claim too much") from error


class _Reader:
    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._heaps = GlobalHeaps(walk)
        self._shared = SharedMessages(walk)

    def read(self) -> HDF5File:
        walk = self._walk
        superblock = read_superblock(walk)
        if superblock.extension != UNDEFINED:
            self._read_extension(superblock.extension)
        walk.queue(superblock.root, "/")
        while walk.pending:
            address, path = walk.pending.pop()
            self._read_object(address, path)
        for address, path in list(walk.committed.items()):
            if address not in walk.objects:
                self._read_object(address, f"{path}<type>")
        self._heaps.settle()
        walk.settle(self._name_gap)
        objects = {item.path: item for item in walk.objects.values()}
        loose = [(name, kind, size) for (name, kind), size in walk.loose.items()]
        file = HDF5File(objects, loose, walk.notes)
        self._check(file)
        walk.finish()
        return file

    def _check(self, file: HDF5File) -> None:
        total = sum(size for _, _, size in file.loose)
        for item in file.objects.values():
            total += item.data + item.structure + item.reserved
            for attribute in item.attributes.values():
                total += attribute.total()
        if total != self._walk.source.size:
            raise self._walk.source.error(
                None, f"{total:,d} bytes were attributed, {self._walk.source.size:,d} are there"
            )

    def _read_extension(self, address: int) -> None:
        owner = HDF5Object(path="")
        for message in read_header(self._walk, address, owner):
            if message.type == FILE_SPACE_INFO:
                from pytest_modelsize.formats.containers.hdf5.freespace import read_file_space_info

                read_file_space_info(self._walk, message.body)
            elif message.type == SHARED_TABLE:
                self._shared.read_table(message.body)
            elif message.type == BTREE_K:
                self._read_k(message.body)
            elif message.type == CACHE_IMAGE:
                self._refuse_image(message.body)
        self._walk.loose["superblock extension", Kind.STRUCTURE] += owner.structure
        self._walk.loose["superblock extension", Kind.RESERVED] += owner.reserved

    def _read_k(self, body: bytes) -> None:
        """Sizes of version 1 B-tree nodes, which older superblocks hold themselves (IV.A.2.t)."""
        walk = self._walk
        walk.chunk_k, walk.group_internal_k, walk.group_leaf_k = (
            walk.uint(body, at, 2) for at in (1, 3, 5)
        )

    def _refuse_image(self, body: bytes) -> None:
        """A file may be closed with its metadata in one block, and stale in its own places."""
        walk = self._walk
        if walk.address(body, 1) != UNDEFINED and walk.length(body, 1 + walk.offset_size):
            raise walk.error(
                "a metadata cache image, which is not known here: open the file for writing with "
                "the HDF5 library and close it again"
            )

    def _read_object(self, address: int, path: str) -> None:
        walk = self._walk
        if address in walk.objects:
            return
        item = HDF5Object(path=path)
        walk.objects[address] = item
        found: dict[int, Message] = {}
        external = False
        for message in read_header(walk, address, item):
            if message.type in _OF_DATASETS:  # first, since most messages are of datasets
                found[message.type] = message
            elif message.type == SYMBOL_TABLE:
                read_symbol_table(walk, message.body, item)
            elif message.type == LINK_INFO:
                read_link_info(walk, message.body, item)
            elif message.type == LINK:
                read_link(walk, message.body, item)
            elif message.type == ATTRIBUTE:
                read_attribute(walk, self._heaps, self._shared, message, item)
            elif message.type == ATTRIBUTE_INFO:
                read_attribute_info(walk, self._heaps, self._shared, message.body, item)
            elif message.type == EXTERNAL_FILES:
                read_local_heap(walk, walk.address(message.body, 8), item)
                walk.remark(f"{path}: its elements lie in other files")
                external = True
        if LAYOUT in found:
            self._read_dataset(item, found, external)
        elif DATATYPE in found:
            item.type = "datatype"

    def _read_dataset(self, item: HDF5Object, found: dict[int, Message], external: bool) -> None:
        walk = self._walk
        item.type = "dataset"
        encoded_type = self._body(found.get(DATATYPE), item)
        encoded_space = self._body(found.get(DATASPACE), item)
        filters = self._body(found.get(FILTERS), item)
        datatype = read_datatype(walk, encoded_type) if encoded_type else None
        extents, largest = read_dimensions(walk, encoded_space) if encoded_space else (None, None)
        item.shape, item.dtype = extents, datatype.name if datatype is not None else ""
        stored = Stored(
            datatype=datatype,
            extents=extents,
            largest=largest,
            filters=filters,
            external=external,
        )
        read_layout(walk, self._heaps, found[LAYOUT], stored, item)

    def _body(self, message: Message | None, item: HDF5Object) -> bytes | None:
        if message is None:
            return None
        return self._shared.body(message, item.path)

    def _name_gap(self, start: int, end: int) -> None:
        """Give unclaimed bytes a name: a collection that nothing refers to, or free space."""
        walk = self._walk
        header = 8 + walk.length_size
        while end - start >= header and walk.read(start, 4) == b"GCOL":
            size = walk.length(walk.read(start, header), 8)
            if not header <= size <= end - start:
                break
            self._gap(start, size, "dead global heap collection")
            start += size
        if end > start:
            self._gap(start, end - start, "gap")

    def _gap(self, start: int, size: int, what: str) -> None:
        walk = self._walk
        walk.loose[what, Kind.SLACK] += size
        walk.report(start, size, what)

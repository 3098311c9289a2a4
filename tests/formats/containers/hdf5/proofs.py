"""What HDF5's own library says of a file, to hold the reader to."""

import io
import random
import re

FREE = ("gap", "dead global heap collection")

FREE_BUT_FOR_A_HEADER = (
    "dead global heap object", "global heap free space", "local heap free space"
)  # fmt: skip


def read_back(h5py, data):
    """All that h5py finds in a file: names, attributes, elements, links."""
    found = []

    def add(name, item):
        attributes = sorted((key, repr(item.attrs.get(key))) for key in item.attrs)
        content = ""
        if isinstance(item, h5py.Dataset) and not item.is_virtual:
            content = repr(item[()].tolist() if item.shape is not None else None)
        found.append((name, attributes, content))

    with h5py.File(io.BytesIO(data)) as file:
        add("/", file)
        file.visititems(add)
        file.visititems_links(lambda name, link: found.append((name, repr(type(link)))))
    return [re.sub(r"0x[0-9a-f]+", "", repr(entry)) for entry in found]


def scrambled(walked):
    """The file with noise over every byte that is called free, dead or unused."""
    noise = random.Random(1)
    data = bytearray(walked.data)
    checked = b"OHDR" in walked.data  # newer headers have checksums over their empty messages
    count = 0
    for start, end, what, _ in walked.regions:
        if what in FREE_BUT_FOR_A_HEADER:
            start += 16
        elif what == "empty message" and not checked:
            start += 8
        elif what not in FREE and not what.endswith(", unused"):
            continue
        if end > start:
            data[start:end] = noise.randbytes(end - start)
            count += end - start
    return bytes(data), count


def heap_bytes(h5py, np, value, kind):
    """Bytes in the global heap for a value: 16 and the length rounded up to 8, none if empty."""

    def one(length):
        return 16 + (length + 7) // 8 * 8 if length else 0

    if isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        return sum(one(len(text)) for text in np.asarray(value).reshape(-1) if text)
    if kind.get_class() == h5py.h5t.VLEN:
        width = kind.get_super().get_size()
        return sum(
            one(width * len(row)) for row in np.asarray(value).reshape(-1) if row is not None
        )
    return None


def counted_by_the_library(h5py, np, identifier):
    """Bytes of an object by the HDF5 library's own account, or None where it gives none."""
    info = h5py.h5o.get_info(identifier)
    meta = info.meta_size
    total = info.hdr.space.total + meta.obj.index_size + meta.obj.heap_size
    total += meta.attr.index_size + meta.attr.heap_size
    for index in range(info.num_attrs):
        attribute = h5py.h5a.open(identifier, index=index)
        kind = attribute.get_type()
        if attribute.get_space().get_simple_extent_type() == h5py.h5s.NULL:
            continue
        if kind.detect_class(h5py.h5t.VLEN) or (
            isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
        ):
            value = np.empty(attribute.shape, dtype=kind.dtype)
            attribute.read(value)
            found = heap_bytes(h5py, np, value, kind)
            if found is None:
                return None
            total += found
        elif kind.detect_class(h5py.h5t.REFERENCE):
            return None  # a region lies in the heap, and its length is not told
    if isinstance(identifier, h5py.h5d.DatasetID):
        creation = identifier.get_create_plist()
        if creation.get_layout() not in (h5py.h5d.COMPACT, h5py.h5d.VIRTUAL):
            total += identifier.get_storage_size()
        kind = identifier.get_type()
        if kind.detect_class(h5py.h5t.REFERENCE) or creation.get_layout() == h5py.h5d.VIRTUAL:
            return None
        if kind.detect_class(h5py.h5t.VLEN) or (
            isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
        ):
            value = np.empty(identifier.shape, dtype=kind.dtype)
            identifier.read(h5py.h5s.ALL, h5py.h5s.ALL, value)
            found = heap_bytes(h5py, np, value, kind)
            if found is None:
                return None
            total += found
        elif kind.get_class() == h5py.h5t.COMPOUND:
            return None
    return total

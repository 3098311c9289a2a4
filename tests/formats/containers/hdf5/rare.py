"""What the HDF5 library writes only when it is asked through its C interface, not through h5py.

The library is the one that h5py has loaded already, so that identifiers can go from one to the
other.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

IDENTIFIER = ctypes.c_int64
SHARED_KINDS = {"dataspace": 1 << 1, "datatype": 1 << 3, "filters": 1 << 11, "attribute": 1 << 12}
"""Messages that a file may share (H5Opublic.h)."""


def loaded_library(h5py):
    """Return the library that h5py brings along, or None where it is built otherwise."""
    home = Path(h5py.__file__).parent
    for pattern in ("../h5py.libs/libhdf5-*.so*", ".dylibs/libhdf5.*.dylib", "hdf5.dll"):
        for path in sorted(home.glob(pattern)):
            return ctypes.CDLL(str(path))
    return None


class Rare:
    """Writes rare files."""

    def __init__(self, h5py, np, library, folder):
        self.h5py, self.np, self.library, self.folder = h5py, np, library, folder

    def call(self, name, identifier, *arguments):
        """Call a function of the C interface on an object of h5py."""
        function = getattr(self.library, name)
        function.restype = ctypes.c_int
        if function(IDENTIFIER(identifier.id), *arguments) < 0:
            raise RuntimeError(name)

    def write(self, name, fill, newest=False, creation=None, access=None):
        """Write a file that ``fill`` fills; return its path."""
        h5py = self.h5py
        path = self.folder / f"{name}_{'new' if newest else 'old'}.h5"
        access = access or h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
        if newest:
            access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
        creation = creation or h5py.h5p.create(h5py.h5p.FILE_CREATE)
        made = h5py.h5f.create(str(path).encode(), fcpl=creation, fapl=access)
        with h5py.File(made) as file:
            fill(file)
        return path

    def file_creation(self, *calls):
        """Return creation properties of a file, set by calls of the C interface."""
        made = self.h5py.h5p.create(self.h5py.h5p.FILE_CREATE)
        for name, *arguments in calls:
            self.call(name, made, *arguments)
        return made

    def content(self, file):
        """Equal attributes, types and filters on several objects, and every index that grows."""
        np, text = self.np, self.h5py.string_dtype()
        for index in range(4):
            group = file.create_group(f"layer_{index}")
            group.attrs["numbers"], group.attrs["text"] = np.arange(20), "the same text"
            group.attrs["list"], group.attrs["empty"] = ["a", "", "c"], ""
            group.create_dataset("plain", data=np.ones((3, 5), "float32"))
            words = ["w" * n for n in range(1, 9)]
            group.create_dataset("words", data=words, dtype=text, chunks=(3,), compression="gzip")
            tiles = np.arange(81.0).reshape(9, 9)
            group.create_dataset("tiles", data=tiles, chunks=(2, 2), compression="gzip")
        many = file["layer_3"]
        for index in range(40):
            many.attrs[f"more_{index}"] = np.arange(index)

    def shared(self, newest, kinds, in_list):
        """Messages kept once for the whole file (H5Pset_shared_mesg_index)."""
        flags = sum(SHARED_KINDS[kind] for kind in kinds)
        creation = self.file_creation(
            ("H5Pset_shared_mesg_nindexes", 1),
            ("H5Pset_shared_mesg_index", 0, flags, 1),
            ("H5Pset_shared_mesg_phase_change", in_list, max(in_list - 10, 0)),
        )
        return self.write(f"shared_{len(kinds)}_{in_list}", self.content, newest, creation)

    def small_nodes(self, newest):
        """B-tree nodes of other sizes than usual."""
        calls = ("H5Pset_sym_k", 8, 2), ("H5Pset_istore_k", 3)
        return self.write("nodes", self.content, newest, self.file_creation(*calls))

    def small_nodes_of_1_8(self):
        """The same where the superblock has no room for that, and an extension says it."""
        access = self.h5py.h5p.create(self.h5py.h5p.FILE_ACCESS)
        version = self.h5py.h5f.LIBVER_V18
        access.set_libver_bounds(version, version)
        calls = ("H5Pset_sym_k", 8, 2), ("H5Pset_istore_k", 3)
        creation = self.file_creation(*calls)
        return self.write("extension", self.content, creation=creation, access=access)

    def sizes(self, newest, offsets, lengths):
        """Addresses and lengths of different widths."""
        widths = ctypes.c_size_t(offsets), ctypes.c_size_t(lengths)
        creation = self.file_creation(("H5Pset_sizes", *widths))
        return self.write(f"sizes_{offsets}_{lengths}", self.content, newest, creation)

    def packed_links(self, newest):
        """Groups whose links are compressed, in one block and in many."""

        def fill(file):
            for name, count in (("few", 30), ("many", 1_500)):
                creation = self.h5py.h5p.create(self.h5py.h5p.GROUP_CREATE)
                self.call("H5Pset_deflate", creation, 9)
                made = self.h5py.h5g.create(file.id, name.encode(), gcpl=creation)
                group = self.h5py.Group(made)
                for index in range(count):
                    group.create_group(f"a_group_with_the_number_{index}")

        return self.write("packed", fill, newest)

    def references(self, newest):
        """References as of HDF5 1.12, to an object, a region and an attribute."""

        def fill(file):
            h5py, library = self.h5py, self.library
            file["data"] = self.np.arange(10)
            file["data"].attrs["note"] = 3
            region = h5py.h5s.create_simple((10,))
            region.select_hyperslab((2,), (3,))
            values = (ctypes.c_char * 256)()
            at = [ctypes.byref(values, 64 * index) for index in range(3)]
            default = IDENTIFIER(0)
            self.call("H5Rcreate_object", file.id, b"/data", default, at[0])
            self.call("H5Rcreate_region", file.id, b"/data", IDENTIFIER(region.id), default, at[1])
            self.call("H5Rcreate_attr", file.id, b"/data", b"note", default, at[2])
            kind = IDENTIFIER.in_dll(library, "H5T_STD_REF_g")
            four = h5py.h5s.create_simple((4,))  # kept: it is closed with its last reference
            library.H5Acreate2.restype = ctypes.c_int64
            made = library.H5Acreate2(
                IDENTIFIER(file.id.id), b"references", kind, IDENTIFIER(four.id), default, default
            )
            assert library.H5Awrite(IDENTIFIER(made), kind, values) >= 0
            library.H5Aclose(IDENTIFIER(made))

        return self.write("references", fill, newest)

    def cache_image(self):
        """A file that was closed with its metadata in one block (H5Pset_mdc_image_config)."""

        class Configuration(ctypes.Structure):
            _fields_ = (
                ("version", ctypes.c_int),
                ("generate", ctypes.c_bool),
                ("resize", ctypes.c_bool),
                ("ageout", ctypes.c_int),
            )

        access = self.h5py.h5p.create(self.h5py.h5p.FILE_ACCESS)
        wanted = Configuration(1, True, False, -1)
        self.call("H5Pset_mdc_image_config", access, ctypes.byref(wanted))
        return self.write("image", self.content, newest=True, access=access)

    def raw_edges(self):
        """Chunks that reach beyond the dataset are left unfiltered (H5Pset_chunk_opts)."""

        def fill(file):
            h5py = self.h5py
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((4,))
            creation.set_deflate(6)
            self.call("H5Pset_chunk_opts", creation, 2)
            kind = h5py.h5t.py_create(h5py.string_dtype(), logical=True)
            space = h5py.h5s.create_simple((10,))
            made = h5py.Dataset(h5py.h5d.create(file.id, b"words", kind, space, creation))
            made[:] = ["w" * index for index in range(10)]

        return self.write("edges", fill, newest=True)

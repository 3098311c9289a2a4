"""HDF5, read raw: every byte of a file and the object that it serves.

Written to the HDF5 File Format Specification, version 3 (and 4 where it says more); section
numbers in the modules are those of that document. h5py is not used: it shows neither global heaps
nor gaps, and crashes on broken files.

==================  ===================================================================
`superblock`        where the walk begins
`header`            object headers, message by message
`groups`            members: symbol tables with a `localheap`, link messages, dense links
`attributes`        attribute messages, dense attributes
`datatype`          what an element is, and where in it references to the heap lie
`layout`, `chunks`  where a dataset's elements are; `chunkarrays` has two of the indexes
`filters`           undone for chunks that refer to the global heap
`globalheap`        collections, object by object; `values` finds who owns them
`fractalheap`       with `btree2` and `freespace`: what dense storage is made of
`shared`            messages that stand elsewhere
`walk`              addresses, pages, claims, gaps; `structs` unpacks runs of fields
`reader`            the walk over all of these, whose result is in `model`
==================  ===================================================================
"""

from pytest_modelsize.formats.containers.hdf5.model import HDF5Attribute, HDF5File, HDF5Object
from pytest_modelsize.formats.containers.hdf5.reader import read_hdf5

__all__ = ["HDF5Attribute", "HDF5File", "HDF5Object", "read_hdf5"]

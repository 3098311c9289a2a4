"""The reader looks at headers: it never reads a tensor, however large it is."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.formats.containers.hdf5 import read_hdf5
from pytest_modelsize.formats.source import Source, open_source


class Counting:
    """A source's reads, with the bytes that they ask for."""

    def __init__(self, path):
        self.path, self.bytes, self.reads = path, 0, []

    def read(self):
        with open_source(self.path) as source:

            def counted(offset, size):
                self.bytes += size
                self.reads.append((offset, offset + size))
                return source.read(offset, size)

            return read_hdf5(Source("counted", counted, 0, source.size))


@pytest.fixture
def sparse(h5py, tmp_path):
    """Write a file with datasets of so many bytes, allocated and never filled."""

    def write(size, name):
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            for index in range(20):
                space = h5py.h5s.create_simple((size,))
                h5py.h5d.create(file.id, b"d%d" % index, h5py.h5t.NATIVE_INT8, space, creation)
        return path

    return write


def test_what_is_read_does_not_grow_with_the_tensors(sparse):
    small, large = Counting(sparse(10_000, "small.h5")), Counting(sparse(50_000_000, "large.h5"))
    small.read()
    file = large.read()
    assert sum(item.data for item in file.objects.values()) == 20 * 50_000_000
    assert large.bytes == small.bytes < 40_000


def test_not_one_byte_of_a_tensor_is_read_that_lies_apart_from_headers(sparse):
    """What is read around a header may reach into what follows it, and no further."""
    counting = Counting(sparse(1_000_000, "file.h5"))
    counting.read()
    assert max(end - start for start, end in counting.reads) <= 8192
    assert counting.bytes < 40_000


def test_structures_that_lie_together_are_read_together(h5py, np, tmp_path):
    """Four structures of each group, and the header of each dataset, are in pages of two kB."""
    path = tmp_path / "small.h5"
    with h5py.File(path, "w") as file:
        for group in range(50):
            made = file.create_group(f"layer_{group}")
            for index in range(4):
                made.create_dataset(str(index), data=np.zeros(4, "float32"))
    counting = Counting(path)
    counting.read()
    assert len(counting.reads) <= path.stat().st_size / 2048 + 10
    assert counting.bytes <= path.stat().st_size + 4096


def test_a_file_of_ten_gigabytes_is_measured(sparse):
    measured = measure(sparse(512 * 2**20, "huge.h5"))
    assert measured.total > 10 * 2**30


def test_thousands_of_datasets_take_little_memory(h5py, np, tmp_path):
    import tracemalloc

    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for group in range(50):
            made = file.create_group(f"layer_{group}")
            for index in range(100):
                made.create_dataset(str(index), data=np.zeros(4, "float32"))
    tracemalloc.start()
    measured = measure(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert measured.total == path.stat().st_size
    assert peak < 5_000 * 2_000  # 2 kB for each dataset: 100 MB for fifty thousand

"""Valid files of any shape are measured whole; the same files broken are errors, or whole too."""

import functools
import io
import math
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_modelsize.formats.containers.zip import read_zip
from pytest_modelsize.formats.source import Source
from tests.formats.mutants import count
from tests.fuzz.readers import attempt, seed
from tests.fuzz.seeds import seeds
from tests.needs import needs

ANY = settings(
    max_examples=count(60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

places = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "delete", "repeat", "cut", "flip"]),
        places,
        st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 8, bytes(8), b"\x80" * 9]),
    ),
    min_size=1,
    max_size=4,
)


def broken(data, changes):
    """Apply edits to a file: at places that shrink and grow with it."""
    data = bytearray(data)
    for kind, place, value in changes:
        at = math.floor(place * len(data))
        if kind == "overwrite":
            data[at : at + len(value)] = value
        elif kind == "insert":
            data[at:at] = value
        elif kind == "delete":
            del data[at : at + len(value)]
        elif kind == "repeat":
            data[at:at] = data[at : at + 64]
        elif kind == "cut":
            del data[at:]
        elif data:
            data[at] ^= 1 << (value[0] % 8)
    return bytes(data)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
members = st.lists(
    st.tuples(names, st.binary(max_size=200), st.sampled_from([0, zipfile.ZIP_DEFLATED])),
    max_size=5,
)


@st.composite
def archives(draw):
    buffer = io.BytesIO(prefix := draw(st.binary(max_size=20).filter(lambda b: b"PK" not in b)))
    buffer.seek(len(prefix))
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content, method in draw(members):
            archive.writestr(zipfile.ZipInfo(name), content, method)
        archive.comment = draw(st.binary(max_size=20).filter(lambda b: b"PK" not in b))
    return buffer.getvalue()


@ANY
@given(archives())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_archive_is_measured_as_zipfile_lists_it(data):
    found = read_zip(Source.of_bytes("any.zip", data))
    sizes = [m.stored + m.structure + m.padding for m in found.members]
    assert sum(sizes) + sum(size for *_, size in found.loose) == len(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        expected = [(i.filename, i.compress_size) for i in archive.infolist()]
    # zipfile cuts a name at a NUL byte.
    assert [(m.name.partition("\0")[0], m.stored) for m in found.members] == expected


@ANY
@given(archives(), edits)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_archive_broken_is_an_error_or_whole(data, changes):
    attempt(seed("file", broken(data, changes)))


@st.composite
def hdf5_files(draw):
    h5py = needs("h5py")
    np = needs("numpy")
    keys = st.text(st.characters(exclude_categories=["C"], exclude_characters="/."), min_size=1)
    numbers = st.sampled_from(["float32", "int8", "int64", "float16"])

    def fill(group, depth):
        for key in draw(st.lists(keys, max_size=4, unique=True)):
            kind = draw(st.sampled_from(["group", "plain", "chunks", "packed", "scalar"]))
            dtype, rows = draw(numbers), draw(st.integers(0, 40))
            if kind == "group" and depth < 3:
                fill(group.create_group(key), depth + 1)
            elif kind in ("chunks", "packed") and rows:
                packed = {"compression": "gzip"} if kind == "packed" else {}
                group.create_dataset(
                    key,
                    data=np.ones((rows, 3), dtype),
                    chunks=(draw(st.integers(1, rows)), 3),
                    **packed,
                )
            elif kind == "scalar":
                group.create_dataset(key, data=np.ones((), dtype))
            else:
                group.create_dataset(key, data=np.ones((rows, 2), dtype))
        for key in draw(st.lists(keys, max_size=3, unique=True)):
            group.attrs[key] = draw(st.integers(-9, 9) | st.text(keys_in_text, max_size=300))

    keys_in_text = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    buffer = io.BytesIO()
    libver = draw(st.sampled_from(["earliest", "latest", ("v108", "v110")]))
    with h5py.File(buffer, "w", libver=libver, track_order=draw(st.booleans())) as file:
        fill(file, 0)
    return buffer.getvalue()


@ANY
@given(hdf5_files())
def test_any_hdf5_file_is_measured_whole(data):
    assert attempt(seed("file", data)) == "ok"


@ANY
@given(hdf5_files(), edits)
def test_any_hdf5_file_broken_is_an_error_or_whole(data, changes):
    attempt(seed("file", broken(data, changes)))


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


# Of the fields that name graphs, functions, nodes and their attributes, and of any others.
messages = st.recursive(
    st.binary(max_size=20),
    lambda inner: st.lists(
        st.tuples(st.integers(1, 20), inner | st.integers(0, 2**64 - 1)), max_size=5
    ).map(lambda fields: b"".join(field(*one) for one in fields)),
    max_leaves=20,
)


@ANY
@given(messages, edits)
def test_any_message_is_an_error_or_whole(data, changes):
    for reader in ("saved_model", "object_graph"):
        attempt(seed(reader, data))
        attempt(seed(reader, broken(data, changes)))


@functools.cache
def whole():
    """The artifacts that the fuzzers start from; made when they are first asked for."""
    return dict(seeds())


@ANY
@given(st.deferred(lambda: st.sampled_from(sorted(whole()))), edits)
def test_any_artifact_broken_is_an_error_or_whole(name, changes):
    data = whole()[name]
    attempt(data[:1] + broken(data[1:], changes))

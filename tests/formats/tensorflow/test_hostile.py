"""Checkpoints and graphs by hand that are made to cost much: bounded, or an error."""

import contextlib

import pytest

from pytest_modelsize import ArtifactError, measure
from tests.formats.mutants import Frugal, assert_hostile_is_cheap
from tests.formats.onnx.wire import field, varint

MAGIC = (0xDB4775248B80FB57).to_bytes(8, "little")
GRAPH = b"_CHECKPOINTABLE_OBJECT_GRAPH"


def block(pairs):
    """A block whose keys share what they can with the one before."""
    out, before = bytearray(), b""
    for key, value in pairs:
        shared = len(before[:-6]) if before[:-6] and key.startswith(before[:-6]) else 0
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        before = key
    return bytes(out) + bytes(4) + (1).to_bytes(4, "little")


def table(pairs):
    out = b""

    def stored(content):
        nonlocal out
        handle = varint(len(out)) + varint(len(content))
        out += content + bytes(5)
        return handle

    data = stored(block(pairs))
    meta = stored(block([]))
    leading = stored(block([(pairs[-1][0], data)]))
    return out + (meta + leading).ljust(40, b"\0") + MAGIC


def checkpoint(folder, *nodes, keys=()):
    """A checkpoint with an object graph of these nodes, and a counter under each of the keys."""
    graph = b"".join(field(1, node) for node in nodes)
    data = varint(len(graph)) + bytes(4) + graph
    entries = [(b"", field(1, 1)), (GRAPH, field(1, 7) + field(5, len(data)))]
    for key in sorted(keys):
        entries.append((key, field(1, 9) + field(4, len(data)) + field(5, 8)))
        data += bytes(8)
    folder.mkdir()
    (folder / "m.index").write_bytes(table(entries))
    (folder / "m.data-00000-of-00001").write_bytes(data)
    return folder / "m"


def child(node, name):
    return field(1, field(1, node) + field(2, name))


def kept(key):
    return field(2, field(1, "VARIABLE_VALUE") + field(3, key))


def chain(folder, n):
    return checkpoint(folder, *(child(i + 1, "a") for i in range(n)), b"")


def chain_of_variables(folder, n):
    nodes = (child(i + 1, "a") + kept(f"k{i:06d}") for i in range(n))
    return checkpoint(folder, *nodes, b"", keys=[b"k%06d" % i for i in range(n)])


def one_long_name_above_all(folder, n):
    leaves = (kept(f"k{i:06d}") for i in range(n))
    above = b"".join(child(i + 2, "v") for i in range(n))
    nodes = (child(1, "x" * n * 10), above, *leaves)
    return checkpoint(folder, *nodes, keys=[b"k%06d" % i for i in range(n)])


def counters_all_the_way(folder, n):
    """Each object holds the next one, and a counter: each might be an optimizer."""
    nodes = (child(i + 1, "a") + child(n + 1, "iter") + child(n + 2, "m") for i in range(n))
    return checkpoint(folder, *nodes, b"", kept("k"), child(n + 1, "0"), keys=[b"k"])


def every_object_holds_every_other(folder, n):
    few = int(n**0.5)
    inside = b"".join(child(i, f"{i}") for i in range(few))
    return checkpoint(folder, *[inside + kept(f"k{i}") for i in range(few)], keys=[b"k1"])


def nothing_but_objects(folder, n):
    return checkpoint(folder, *[b""] * n)


def keys_that_repeat_a_long_one(folder, n):
    keys = [b"x" * n * 10 + b"%06d" % i for i in range(n)]
    return checkpoint(folder, b"", keys=keys)


def indexes_of_nothing(folder, n):
    folder.mkdir()
    for number in range(n // 10):
        (folder / f"{number}.index").write_bytes(b"")
    return folder


def meta_graphs(folder, n):
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, b"") * n)
    return folder


def functions(folder, n):
    folder.mkdir()
    library = b"".join(field(1, field(1, field(1, f"f{i}"))) for i in range(n))
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, field(2, field(2, library))))
    return folder


def words_in_each_function(folder, n):
    folder.mkdir()
    words = field(8, field(1, 7) + field(8, b"w" * 1100))
    node = field(1, "c") + field(2, "Const") + field(5, field(1, "value") + field(2, words))
    library = b"".join(
        field(1, field(1, field(1, f"f{i}")) + field(3, node)) for i in range(n // 100)
    )
    nodes = field(1, node) * (n // 100)
    graph = field(2, nodes + field(2, library))
    (folder / "saved_model.pb").write_bytes(field(1, 1) + field(2, graph))
    return folder


MADE = (
    chain, chain_of_variables, one_long_name_above_all, counters_all_the_way,
    every_object_holds_every_other, nothing_but_objects, keys_that_repeat_a_long_one,
    indexes_of_nothing, meta_graphs, functions, words_in_each_function,
)  # fmt: skip


@pytest.mark.parametrize("made", MADE)
def test_what_a_hostile_one_costs_is_bounded(tmp_path, made):
    def at(number):
        path = made(tmp_path / f"{number}", number)
        return lambda: measure(path)

    assert_hostile_is_cheap(at, 2_000)


@pytest.mark.parametrize("made", MADE)
def test_what_a_hostile_one_takes_of_memory_is_bounded(tmp_path, made):
    # Tracing is slow; the paths of a chain are what took gigabytes.
    path = made(tmp_path / "m", 8_000 if made is chain else 2_000)
    with Frugal(), contextlib.suppress(ArtifactError):
        measure(path)

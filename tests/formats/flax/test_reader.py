"""Flax's trees, against Flax and msgpack: each array with its bytes, each section as it must be."""

from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Source, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.formats.containers.msgpack import msgpack_parts
from pytest_modelsize.formats.containers.part import DEEPEST
from pytest_modelsize.formats.flax.reader import read
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from tests.formats.entries import entry
from tests.formats.flax.packed import Packed, array, chunked, extension, packed
from tests.formats.mutants import assert_hostile_is_cheap, count, outcomes_of_mutants
from tests.needs import needs

DATA = Path(__file__).parent.parent.parent / "data" / "flax"


@pytest.fixture(scope="module")
def flax():
    return needs("flax.serialization")


@pytest.fixture(scope="module")
def tree(flax):
    import jax.numpy as jnp
    import numpy as np

    return {
        "dense": {"kernel": np.ones((30, 4), "float32"), "bias": np.ones(4, "float16")},
        "table": {"half": jnp.ones((7, 5), jnp.bfloat16), "bytes": np.ones(300, "uint8")},
        "step": np.int32(5),
        "phase": 1 + 2j,
        "flags": np.zeros((2, 0, 3), "bool"),
        "layers": [np.zeros(3), {"a": np.zeros(2, "complex64")}],
        "name": "größe",
        "rate": 0.5,
        "none": None,
    }


def arrays_in(tree, path=()):
    """Yield each array of what Flax restores, with its path."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from arrays_in(value, (*path, str(key)))
        elif hasattr(value, "nbytes"):
            yield (*path, str(key)), value


def test_each_array_has_the_bytes_that_flax_restores(flax, tree, tmp_path):
    path = tmp_path / "m.msgpack"
    path.write_bytes(flax.to_bytes(tree))
    measured = measure(path)
    assert (measured.format, measured.total) == ("flax", path.stat().st_size)
    told = dict(arrays_in(flax.msgpack_restore(path.read_bytes())))
    assert len(told) == 8
    types = {}
    for names, value in told.items():
        found = entry(measured, "weights", *names)
        assert found.of_kind(Kind.DATA) == value.nbytes
        shape = "x".join(map(str, value.shape)) or "scalar"
        assert found.note == f"{value.dtype.name} {shape}"
        types[value.dtype.name] = types.get(value.dtype.name, 0) + value.nbytes
    assert bytes_by_dtype(measured) == {name: size for name, size in types.items() if size}
    assert {part.name for part in measured.section("config").children} == {
        "name", "rate", "none", "phase",
    }  # fmt: skip
    assert measured.overhead == 1


def test_an_array_in_chunks_is_one_entry(flax, monkeypatch, tmp_path):
    import numpy as np

    monkeypatch.setattr(flax, "MAX_CHUNK_SIZE", 64)
    table = np.arange(100, dtype="float32").reshape(25, 4)
    content = flax.to_bytes({"params": {"table": table, "bias": np.ones(4, "float32")}})
    path = tmp_path / "m.msgpack"
    path.write_bytes(content)
    assert (flax.msgpack_restore(content)["params"]["table"] == table).all()
    found = entry(measure(path), "weights", "params", "table")
    assert (found.of_kind(Kind.DATA), found.note) == (400, "float32 25x4")
    assert content.count(b"float32") == 8


def test_without_any_package_every_byte_has_its_place(tmp_path):
    content = packed(
        {
            "params": {"big": chunked((5, 3), 8, 7), "b": array(3)},
            "note": "x",
            "epoch": 3,
            "7": [1, 2],
        }
    )
    path = tmp_path / "m.msgpack"
    path.write_bytes(content)
    measured = measure(path)
    assert (measured.format, measured.total) == ("flax", len(content))
    assert entry(measured, "weights", "params", "big").note == "float32 5x3"
    assert measured.section("weights").of_kind(Kind.DATA) == 4 * (15 + 3)
    assert measured.section("config").of_kind(Kind.DATA) == 1 + 2
    assert measured.config == len(packed("note") + packed("x") + packed("epoch") + packed("7")) + 4


def test_it_is_known_by_its_content_wherever_it_lies(tmp_path):
    for name in ("m.msgpack", "m.ckpt", "m.bin", "m.flax", "checkpoint_100", "m.pkl"):
        (tmp_path / name).write_bytes((DATA / "state.msgpack").read_bytes())
        assert recognise(tmp_path / name) == "flax"
        assert measure(tmp_path / name).format == "flax"
    for other in ({"a": [[1, "float32", b"x"]]}, {"a": extension(1, packed([1, 2, 3]))}, {}, []):
        (tmp_path / "other").write_bytes(packed(other))
        assert recognise(tmp_path / "other") is None


BROKEN = {
    "too short": (packed({"a": array(3, size=11), "b": array(2)}), "12 bytes of float32 expected"),
    "cut off": (packed({"a": array(3), "b": array(200)})[:-1], "bytes expected, but there are"),
    "no array": (packed({"a": array(3), "b": extension(1, b"abcde")}), "an array as Flax packs it"),
    "a shape of texts": (
        packed({"a": array(3), "b": extension(1, packed([["x"], "float32", b""]))}), "length of an axis",
    ),
    "something behind": (packed({"a": array(3)}) + b"\0", "something behind the end"),
    "a byte that means nothing": (packed({"a": array(3)})[:-2] + b"\0\0", None),
    "never used": (packed({"a": array(3), "b": Packed(b"\xc1")}), "a value of msgpack expected"),
    "more than there is": (
        packed({"a": array(3), "b": Packed(b"\xdf\xff\xff\xff\xff")}), "more than there are bytes",
    ),
    "a key that is a list": (
        packed({"a": array(3), "b": Packed(b"\x81\x91\x01\x01")}), "a key expected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error_with_its_place(tmp_path, name):
    content, said = BROKEN[name]
    path = tmp_path / "m.msgpack"
    path.write_bytes(content)
    if said is None:
        assert measure(path).total == len(content)
        return
    with pytest.raises(ArtifactError, match=said) as raised:
        measure(path)
    assert raised.value.offset is not None


@pytest.mark.parametrize("name", ["params.msgpack", "state.msgpack"])
def test_mutants_of_the_carried_files_add_up_or_are_errors(name):
    whole = (DATA / name).read_bytes()
    assert outcomes_of_mutants(whole, count(150), 3) == {"ok", "error"}


def slots(number):
    layers = {f"l{n}": {"kernel": array(2, 3)} for n in range(number)}
    return {"params": layers, "s": {"0": {"count": array(), "mu": layers, "nu": layers}}}


HOSTILE = {
    "arrays": lambda n: {f"a{i}": array(2) for i in range(n)},
    "state": slots,
    "lists": lambda n: {"a": array(2), "b": [[[]] * n, 1]},
    "slots at one place": lambda n: {
        "a": array(2),
        **{f"mu_{i}": {"a": array(2)} for i in range(n)},
    },
    "deep": lambda n: {"a": array(2), "b": Packed(b"\x81\xa1a" * n + b"\0")},
    "chunks": lambda n: {"a": chunked((n,), *[1] * n)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_cost_much_costs_little(name):
    def made(number):
        source = Source.of_bytes("m", packed(HOSTILE[name](number)))
        return lambda: read(source, Ledger())

    assert_hostile_is_cheap(made, 150)


def test_what_lies_too_deep_is_one_part():
    depth = DEEPEST + 5
    data = b"\x81\xa1a" * depth + b"\x01"
    (part,) = (p for p in msgpack_parts(Source.of_bytes("m", data)) if not p.container)
    assert (len(part.path), part.size) == (DEEPEST, 2 + 3 * 5 + 1)


def test_a_tree_too_large_to_be_told_apart_is_opaque(tmp_path, monkeypatch):
    path = tmp_path / "m.msgpack"
    path.write_bytes(packed(slots(30)))
    assert measure(path).optimizer > 2 * 30 * 24
    for limit in (
        "flax.reader._MOST_VALUES",
        "containers.msgpack._MOST_VALUES",
        "flax.state._MOST_STEPS",
    ):
        with monkeypatch.context() as patch:
            patch.setattr(f"pytest_modelsize.formats.{limit}", 50)
            measured = measure(path)
        assert measured.section("weights").of_kind(Kind.OPAQUE) == measured.total, limit

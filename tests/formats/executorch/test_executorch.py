"""ExecuTorch's files, against what ExecuTorch itself reads from them (tests/data/make_executorch.py)."""

import json
import struct
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.checks.trust import not_known
from pytest_modelsize.formats import recognise
from pytest_modelsize.sizes.budget import Budget, Limit
from tests.formats.flatbuffers import Writer
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of

DATA = Path(__file__).parents[2] / "data" / "executorch"
FILES = sorted(path.name for path in DATA.iterdir() if path.suffix in (".pte", ".ptd"))
ORACLE = json.loads((DATA / "oracle.json").read_text())
TYPES = {"FLOAT": "float32", "LONG": "int64"}


def tensors_of(section):
    """What is told of each tensor: type and shape, and its bytes."""
    found = []
    for part in section.children:
        data = part.size if part.kind is Kind.DATA else part.of_kind(Kind.DATA)
        if part.note and not part.note.startswith("opaque"):
            found.append((part.note, data))
    return sorted(found)


@pytest.mark.parametrize("name", ORACLE)
def test_each_tensor_has_the_bytes_that_executorch_reads(name):
    measured = measure(DATA / name)
    assert (measured.format, measured.total) == ("executorch", (DATA / name).stat().st_size)
    told = ORACLE[name]
    shown = [
        (f"{TYPES[kind]} {'x'.join(map(str, shape)) or 'scalar'}", size)
        for kind, shape, size in told["tensors"]
    ]
    weights = measured.section("weights")
    assert tensors_of(weights) == sorted(shown)
    parts = {part.name: part for part in weights.children}
    named = parts["named data"].children if told["named"] else []
    assert sorted(part.size for part in named) == told["named"]
    assert weights.of_kind(Kind.OPAQUE) == 0
    assert measured.assets == sum(told["delegates"])
    assert measured.section("overhead").of_kind(Kind.SLACK) == 0


def test_no_promise_is_held_on_what_a_backend_compiled():
    """Its graph, its weights, or both: a limit on either would have to know."""
    measured = measure(DATA / "lowered.pte")
    graph = measured.graph + measured.opaque - 1
    for budget in (
        Budget((), include_optimizer=False),
        Budget((Limit("weights", 2000, "2 kB"),)),
        Budget((Limit("graph", graph, "x"),)),
    ):
        assert "XnnpackBackend" in not_known(budget, measured)
    assert not_known(Budget((Limit("graph", graph + 1, "x"),)), measured) == ""


def test_a_program_of_old_has_its_constants_in_the_flatbuffer():
    measured = measure(DATA / "inline.pte")
    parts = {part.name: part.note for part in measured.section("weights").children}
    assert (parts["constant 1"], parts["constant 2"]) == ("float32 2x3", "float32 2")
    # ExecuTorch gives the first back with what aligns the second: 32 bytes for 24.
    assert measured.section("weights").of_kind(Kind.DATA) == 32 + 8
    assert measured.section("overhead").of_kind(Kind.SLACK) == 0


def test_tensors_outside_have_their_names():
    measured = measure(DATA / "outside.ptd")
    (head,) = measured.section("weights").children
    assert {part.name: (part.note, part.size) for part in head.children} == {
        "weight": ("float32 2x3", 24),
        "bias": ("float32 2", 8),
    }
    assert measure(DATA / "outside.pte").weights == 0


@pytest.mark.parametrize("name", FILES)
def test_any_name_will_do(name, tmp_path):
    (tmp_path / "some").write_bytes((DATA / name).read_bytes())
    assert recognise(tmp_path / "some") == "executorch"


@pytest.mark.parametrize("suffix", [".pte", ".ptd"])
def test_under_that_name_nothing_else_is_read(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_bytes(b"something else" * 9)
    with pytest.raises(ArtifactError, match="no ExecuTorch signature"):
        measure(tmp_path / f"a{suffix}")


def changed(name, at, layout, value):
    data = bytearray((DATA / name).read_bytes())
    struct.pack_into(layout, data, at, value)
    return bytes(data)


BROKEN = {
    "a header of nothing": changed("dense.pte", 12, "<I", 0),
    "segments past the end": changed("dense.pte", 24, "<Q", 2**40),
    "a root past the end": changed("dense.pte", 0, "<I", 2**30),
    "tensors past the end": changed("outside.ptd", 32, "<Q", 2**40),
    "a cut": (DATA / "dense.pte").read_bytes()[:600],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error(name, tmp_path):
    path = tmp_path / "broken"
    path.write_bytes(BROKEN[name])
    with pytest.raises(ArtifactError):
        measure(path)


def one_tensor_in_many_values(n):
    writer = Writer(b"ET12")
    writer.table("model", {1: "plans", 2: "buffers"})
    writer.vector("plans", ["plan"] * n)
    writer.vector("buffers", ["buffer"] * n)
    writer.table("plan", {2: "values"})
    writer.vector("values", ["value"] * n)
    writer.table("value", {1: "tensor"})
    writer.table("tensor", {})
    writer.table("buffer", {0: "bytes"})
    writer.string("bytes", b"x" * n)
    return writer.written()


def one_name_for_all_data(n):
    writer = Writer(b"ET12")
    writer.table("model", {4: "segments", 7: "named"})
    writer.vector("segments", ["segment"] * n)
    writer.vector("named", [f"entry {i}" for i in range(n)])
    for number in range(n):
        writer.table(f"entry {number}", {0: "key"})
    writer.table("segment", {})
    writer.string("key", b"k" * n)
    return writer.written()


@pytest.mark.parametrize("made", [one_tensor_in_many_values, one_name_for_all_data])
def test_what_refers_to_one_structure_many_times_is_cheap(made, tmp_path):
    def at(number):
        path = tmp_path / str(number)
        path.write_bytes(made(number))
        return lambda: measure(path)

    with Frugal():
        assert_hostile_is_cheap(at, 1500)


@pytest.mark.parametrize("name", FILES)
def test_mutants_give_an_error_or_a_whole_answer(name, tmp_path):
    path = tmp_path / "mutant"
    outcomes = {"ok": 0, "error": 0}
    for data in mutants((DATA / name).read_bytes(), count(100), 11):
        path.write_bytes(data)

        def attempt():
            assert measure(path).total == path.stat().st_size

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 5

"""Models by hand in which everything refers to the same few structures: cheap, or an error."""

import pytest

from pytest_modelsize import measure
from tests.formats.flatbuffers import Writer
from tests.formats.mutants import Frugal, assert_hostile_is_cheap

MODEL_SUBGRAPHS, MODEL_SIGNATURES, MODEL_BUFFERS, MODEL_METADATA = 2, 7, 4, 6


def one_subgraph_many_times(n):
    writer = Writer()
    writer.table("model", {MODEL_SUBGRAPHS: "graphs"})
    writer.vector("graphs", ["graph"] * n)
    writer.table("graph", {0: "tensors", 3: "operators"})
    writer.vector("tensors", ["tensor"] * n)
    writer.vector("operators", ["operator"] * n)
    writer.table("tensor", {3: "name"})
    writer.table("operator", {})
    writer.string("name", b"t" * n)
    return writer.written()


def one_list_in_many_tables(n):
    writer = Writer()
    writer.table("model", {MODEL_SIGNATURES: "signatures"})
    writer.vector("signatures", [f"signature {i}" for i in range(n)])
    for number in range(n):
        writer.table(f"signature {number}", {0: "inputs", 1: "inputs"})
    writer.vector("inputs", ["input"] * n)
    writer.table("input", {0: "name"})
    writer.string("name", b"x" * n)
    return writer.written()


def one_variant_in_many_tensors(n):
    writer = Writer()
    writer.table("model", {MODEL_SUBGRAPHS: "graphs"})
    writer.vector("graphs", ["graph"])
    writer.table("graph", {0: "tensors"})
    writer.vector("tensors", [f"tensor {i}" for i in range(n)])
    for number in range(n):
        writer.table(f"tensor {number}", {3: "name", 9: "variants"})
    writer.vector("variants", ["variant"] * n)
    writer.table("variant", {})
    writer.string("name", b"t" * n)
    return writer.written()


def one_name_for_all_metadata(n):
    writer = Writer()
    writer.table("model", {MODEL_METADATA: "metadata"})
    writer.vector("metadata", ["entry"] * n)
    writer.table("entry", {0: "name"})
    writer.string("name", b"m" * n)
    return writer.written()


MADE = (
    one_subgraph_many_times,
    one_list_in_many_tables,
    one_variant_in_many_tensors,
    one_name_for_all_metadata,
)


@pytest.mark.parametrize("made", MADE)
def test_what_a_hostile_model_costs_is_bounded(tmp_path, made):
    def at(number):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(made(number))
        return lambda: measure(path)

    assert_hostile_is_cheap(at, 8_000)
    with Frugal():
        at(2_000)()


@pytest.mark.parametrize("made", MADE)
def test_a_small_one_is_measured_whole(tmp_path, made):
    path = tmp_path / "m.tflite"
    path.write_bytes(made(3))
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert not any("not known here" in place for place, _ in measured.leaves())

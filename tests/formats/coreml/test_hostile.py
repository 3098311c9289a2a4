"""Core ML models by hand and broken ones: cheap, and an error or a whole answer."""

import shutil
import struct
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.formats.onnx.wire import field

DATA = Path(__file__).parents[2] / "data"
PACKAGE = DATA / "apple" / "dense.mlpackage"
RECORD = struct.Struct("<IIQQ40x")


def model(kind, content, rest=b""):
    return field(1, 6) + field(2, rest) + field(kind, content)


def blob(offset, file="@model_path/weights/weight.bin"):
    """A value that lies in a file, of six float32."""
    length = field(3, field(1, field(1, 6)))
    kind = field(1, field(1, 11) + field(2, 1) + length)
    return field(2, kind) + field(5, field(1, file) + field(2, offset))


def const(name, value):
    output = field(3, field(1, name))
    return field(3, field(1, "const") + output + field(5, field(1, "val") + field(2, value)))


def program(*operations):
    block = b"".join(operations)
    function = field(1, "main") + field(2, field(3, field(1, "CoreML6") + field(2, block)))
    return model(502, field(1, 1) + field(2, function))


def weights(*records):
    """A file of records: the offset of the elements and their size; zeros are its elements."""
    whole = bytearray(struct.pack("<II56x", len(records), 2))
    for at, start, size in records:
        whole += bytes(max(start + size, at + 64) - len(whole))
        whole[at : at + 64] = RECORD.pack(0xDEADBEEF, 2, size, start)
    return bytes(whole)


def saved(folder, content, file=None):
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    (folder / "net.mlmodel").write_bytes(content)
    if file is not None:
        (folder / "weights" / "weight.bin").write_bytes(file)
    return folder / "net.mlmodel"


def test_by_hand_a_record_two_constants_name_is_counted_once(tmp_path):
    file = weights((64, 128, 24), (192, 256, 24))
    path = saved(tmp_path, program(const("a", blob(64)), const("b", blob(64))), file)
    measured = measure(path)
    assert measured.total == path.stat().st_size + len(file)
    assert measured.section("weights").of_kind(Kind.DATA) == 24
    assert measured.section("overhead").of_kind(Kind.SLACK) == len(file) - 128 - 24


BROKEN = {
    "no record": (program(const("a", blob(128))), weights((64, 128, 64)), "no record of 'a'"),
    "past the end": (program(const("a", blob(2**40))), weights((64, 128, 24)), "bytes expected"),
    "overlapping": (
        program(const("a", blob(64)), const("b", blob(128))),
        weights((64, 192, 24), (128, 192, 24)),
        "overlaps another",
    ),
    "before its record": (program(const("a", blob(64))), weights((64, 8, 24)), "overlaps"),
    "larger than the file": (
        program(const("a", blob(64))), weights((64, 128, 24))[:-1], "leaves the file",
    ),
    "another version": (program(const("a", blob(64))), struct.pack("<II120x", 1, 1), "version 1"),
    "out of the folder": (program(const("a", blob(64, "../w.bin"))), None, "outside its folder"),
    "an end in a field": (program(const("a", blob(64)))[:-3], None, "no Core ML|is none"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_is_an_error_with_its_place(tmp_path, name):
    content, file, said = BROKEN[name]
    with pytest.raises(ArtifactError, match=said):
        measure(saved(tmp_path, content, file))


def pipelines(depth):
    content = field(500, field(1, field(1, "layer")))
    for _ in range(depth):
        content = field(202, field(1, field(1, 1) + content) + field(2, "inner"))
    return field(1, 1) + field(2, b"") + content


EXPENSIVE = {
    "operations": lambda n: program(*[const(f"c{i}", field(2, field(1, b""))) for i in range(n)]),
    "layers": lambda n: model(500, field(1, field(140, field(20, field(1, b"1234")))) * n),
    "runs of one weight": lambda n: model(
        500, field(1, field(140, field(20, field(1, b"1234") * n)))
    ),
    "numbers of a shape": lambda n: model(500, field(1, field(100, field(20, 3) * n))),
    "nodes": lambda n: model(302, field(1, field(1, field(1, 1)) * n)),
    "metadata": lambda n: model(500, b"", field(100, field(100, field(1, "k") + field(2, "v")) * n)),
    "bindings": lambda n: program(
        field(3, field(1, "add") + field(2, field(1, "x") + field(2, field(1, field(1, "y")) * n)))
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPENSIVE)
def test_what_many_of_a_kind_cost_grows_evenly(tmp_path, case):
    def at(number):
        path = saved(tmp_path / str(number), EXPENSIVE[case](number))
        return lambda: measure(path)

    with Frugal():
        assert_hostile_is_cheap(at, 1000)


def test_so_does_a_file_of_many_records(tmp_path):
    def at(number):
        records = [(64 + 128 * i, 128 + 128 * i, 24) for i in range(number)]
        operations = [const(f"c{i}", blob(records[i][0])) for i in range(number)]
        path = saved(tmp_path / str(number), program(*operations), weights(*records))
        return lambda: measure(path)

    assert_hostile_is_cheap(at, 400)


def test_pipelines_in_pipelines_end_somewhere(tmp_path):
    assert measure(saved(tmp_path / "few", pipelines(10))).format == "coreml"
    with pytest.raises(ArtifactError, match="nested within reason"):
        measure(saved(tmp_path / "many", pipelines(200)))


@pytest.mark.parametrize("content", [
    b"", b"\x08", b"\x08\x06", field(1, 6) + field(2, b"x"), field(1, 6) + field(502, b"") * 2,
    field(1, 200) + field(502, b""), field(2, b"") + field(502, b""), field(1, 6) + field(7, b""),
])  # fmt: skip
def test_a_message_that_is_no_model_is_not_recognised(tmp_path, content):
    (tmp_path / "some").write_bytes(content)
    assert recognise(tmp_path / "some") != "coreml"


@pytest.mark.parametrize("part", ["dense.mlmodel", "model.mlmodel", "weight.bin", "Manifest.json"])
def test_mutants_give_an_error_or_a_whole_answer(tmp_path, part):
    package = tmp_path / "dense.mlpackage"
    shutil.copytree(PACKAGE, package)
    (tmp_path / "dense.mlmodel").write_bytes((DATA / "dense.mlmodel").read_bytes())
    [path] = tmp_path.rglob(part)
    whole, artifact = path.read_bytes(), path if path.parent == tmp_path else package
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(whole, count(80), 7):
        path.write_bytes(data)

        def attempt():
            files = [p for p in tmp_path.rglob("*") if p.is_file()]
            total = measure(tmp_path).total
            assert total == sum(p.stat().st_size for p in files)
            measure(artifact)

        outcomes[outcome_of(attempt)] += 1
    assert outcomes["ok"] > 5 or part == "dense.mlmodel"
    assert outcomes["error"] > 5 or part == "Manifest.json"

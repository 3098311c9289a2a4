"""ONNX models made by hand: broken, hostile, or pointing out of their folder."""

import os
import tracemalloc

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.mutants import BYTES, Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.formats.onnx.wire import attribute, field, model, node, tensor
from tests.needs import lacks


def saved_as(path, *graph_fields):
    path.write_bytes(model(*graph_fields))
    return path


def saved(folder, *graph_fields, rest=b"", **files):
    path = folder / "m.onnx"
    path.write_bytes(model(*graph_fields, rest=rest))
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    return path


def outside(name, **where):
    return field(5, tensor(name, b"", dims=[4], **where))


def test_a_model_by_hand_is_measured_without_the_package(tmp_path):
    stored = tensor("fc.weight", b"\1" * 100)
    constant = field(1, node("Constant", attribute("value", 5, tensor("", b"\2" * 9))))
    path = saved(tmp_path, field(5, stored), constant)
    result = measure(path)
    assert (result.format, result.total, recognise(path)) == ("onnx", path.stat().st_size, "onnx")
    assert result.section("weights").of_kind(Kind.DATA) == 109
    tags = 2  # of the initializer, with its length
    held = len(field(5, tensor("", b"\2" * 9)))
    assert result.weights == tags + len(stored) + held


LOCATIONS = [
    "../x.bin", "a/../../x.bin", "/etc/passwd", "", ".", "C:\\x.bin", "C:x", "..\\x.bin", "\\x",
    "x\0.bin", "a/..",
]  # fmt: skip


@pytest.mark.parametrize("location", LOCATIONS)
def test_external_data_outside_the_folder_is_refused(tmp_path, location):
    folder = tmp_path / "m"
    folder.mkdir()
    (tmp_path / "x.bin").write_bytes(b"secret")
    path = saved(folder, outside("w", location=location, length=4))
    for measured in (path, folder):
        with pytest.raises(ArtifactError, match="names a file outside its folder") as caught:
            measure(measured)
        assert "m.onnx" in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason=lacks("symbolic links"))
@pytest.mark.parametrize("location", ["link.bin", "folder/x.bin"])
def test_external_data_behind_a_link_is_refused(tmp_path, location):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x.bin").write_bytes(b"abcd")
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "link.bin").symlink_to(tmp_path / "there" / "x.bin")
    (folder / "folder").symlink_to(tmp_path / "there")
    path = saved(folder, outside("w", location=location, length=4))
    for measured in (path, folder):
        with pytest.raises(ArtifactError, match=r"a (file behind a )?symbolic link"):
            measure(measured)


WRONG = {
    "missing": ({"location": "gone.bin"}, "gone.bin: cannot be opened: No such file"),
    "itself": ({"location": "m.onnx"}, "names itself"),
    "its folder": ({"location": "sub"}, "regular file"),
    "too long": ({"location": "x.bin", "length": 99}, "'w' claims 99 bytes from here"),
    "beyond": ({"location": "x.bin", "offset": 99}, "'w' claims 4 bytes from here"),
    "no number": ({"location": "x.bin", "offset": "-1"}, "external data with the offset '-1'"),
    "a digit of another script": ({"location": "x.bin", "length": "٣"}, "with the length"),
}


@pytest.mark.parametrize("case", WRONG)
def test_external_data_that_is_not_there_is_refused(tmp_path, case):
    where, problem = WRONG[case]
    (tmp_path / "sub").mkdir()
    path = saved(tmp_path, outside("w", **where), x=b"\1" * 10)
    with pytest.raises(ArtifactError, match=problem):
        measure(path)


def test_external_tensors_that_overlap_are_refused_and_those_that_share_are_counted_once(tmp_path):
    first = outside("a", location="x.bin", offset=0, length=6)
    for offset, length in ((5, 3), (0, 3), (2, 4)):
        second = outside("b", location="x.bin", offset=offset, length=length)
        path = saved(tmp_path, first, second, x=b"\1" * 10)
        with pytest.raises(ArtifactError, match="overlaps another tensor"):
            measure(path)
    path = saved(tmp_path, first, outside("b", location="./x.bin", offset=0, length=6), x=b"\1" * 6)
    result = measure(path)
    assert result.total == path.stat().st_size + 6
    assert result.section("weights").of_kind(Kind.DATA) == 6
    notes = {part.name: part.note for part in result.section("weights").children}
    assert notes["b"].endswith(", in x.bin, shared with a")


def test_a_length_that_is_not_given_follows_from_type_and_shape(tmp_path):
    result = measure(saved(tmp_path, outside("w", location="x.bin", offset=2), x=b"\1" * 10))
    assert result.section("weights").of_kind(Kind.DATA) == 4  # four of uint8
    assert result.section("overhead").size == 2 + 4


def test_what_two_models_share_counts_once_for_the_first_of_them(tmp_path):
    first = outside("w", location="x.bin", offset=0, length=4)
    path = saved(tmp_path, first, x=b"\1" * 10)
    other = saved_as(
        tmp_path / "other.onnx",
        outside("v", location="x.bin", offset=0, length=4),
        outside("u", location="x.bin", offset=6, length=4),
    )
    result = measure(tmp_path)
    assert result.total == path.stat().st_size + other.stat().st_size + 10
    weights = {part.name: part for part in result.section("weights").children}
    assert weights["m.onnx"].of_kind(Kind.DATA) == 4
    assert weights["other.onnx"].of_kind(Kind.DATA) == 4
    notes = {leaf.name: leaf.note for leaf in weights["other.onnx"].children}
    assert notes["v"] == "uint8 4, in x.bin, shared with m.onnx's w"
    assert notes["u"] == "uint8 4, in x.bin"
    assert result.section("overhead").size == 2
    assert measure(other).total == other.stat().st_size + 10


def test_two_models_that_overlap_in_part_are_refused(tmp_path):
    saved(tmp_path, outside("w", location="x.bin", offset=0, length=4), x=b"\1" * 10)
    saved_as(tmp_path / "other.onnx", outside("v", location="x.bin", offset=2, length=4))
    with pytest.raises(ArtifactError, match="'v' overlaps another tensor here"):
        measure(tmp_path)


def nested(depth):
    graph = b""
    for _ in range(depth):
        graph = field(1, node("If", attribute("then_branch", 6, graph)))
    return graph


BROKEN = {
    "a graph that ends early": model(field(5, tensor("w", b"abc")))[:-12],
    "nested out of reason": model(nested(3000)),
    "text": b"(a text that begins like a field)",
    "empty": b"",
    "no graph": field(1, 10) + field(2, "tests"),
    "a field of another message": model() + field(3, 7),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_model_is_refused_under_the_name_of_one(tmp_path, case):
    (tmp_path / "m.onnx").write_bytes(BROKEN[case])
    with pytest.raises(
        ArtifactError, match=r"signature, although|nested within reason|an empty file"
    ):
        measure(tmp_path / "m.onnx")
    if case not in ("nested out of reason", "empty"):
        (tmp_path / "m.bin").write_bytes(BROKEN[case])
        assert recognise(tmp_path / "m.bin") is None
        assert measure(tmp_path / "m.bin").format in ("file", "text")


@pytest.mark.parametrize(("version", "whole"), [(1, True), (2, True), (3, False), (10, False)])
def test_from_the_third_version_on_a_model_says_which_operators_it_means(tmp_path, version, whole):
    path = tmp_path / "m.onnx"
    path.write_bytes(field(1, version) + field(7, field(1, node("Relu"))))
    if whole:
        assert measure(path).total == path.stat().st_size
    else:
        with pytest.raises(ArtifactError, match="cut off"):
            measure(path)


INSIDE = {
    "a tensor cut short": (field(5, field(2, 1) + b"\x4a\x7f"), "field 9 of"),
    "more dimensions than any": (field(5, tensor("w", b"", dims=[1] * 99)), "more than 64 dim"),
    "a type that is text": (field(5, field(2, "x")), "a number expected"),
    "a node that is a number": (field(1, 7), "a message expected"),
    "a sparse tensor of three": (field(15, field(1, b"") * 3), "more than values and indices"),
    "a sparse tensor elsewhere": (
        field(15, field(1, tensor("s", b"", location="x.bin"))), "a sparse tensor in another file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INSIDE)
def test_a_fault_inside_is_named_with_its_offset(tmp_path, case):
    inner, problem = INSIDE[case]
    path = saved(tmp_path, field(2, "net"), inner)
    with pytest.raises(ArtifactError, match=problem) as caught:
        measure(path)
    assert caught.value.offset > 2


EXPENSIVE = {
    "empty nodes": (900_000, lambda n: field(1, b"") * n),
    "small texts": (600_000, lambda n: field(13, b"") * n),
    "inputs of one node": (600_000, lambda n: field(1, field(1, b"") * n)),
    "dimensions": (3_000_000, lambda n: field(5, field(1, bytes(n)))),
    "many tensors": (
        30_000,
        lambda n: b"".join(field(5, field(8, f"{i}.a.a.a.a.a.a.a.a.a.a.a")) for i in range(n)),
    ),
    "strings": (600_000, lambda n: field(5, field(6, b"") * n)),
    "sparse tensors": (600_000, lambda n: field(15, b"") * n),
    "zeros": (2**24, lambda n: b"".join(field(5, tensor(str(i), bytes(n))) for i in range(4))),
}
"""How many of it there are, and what makes so many."""


@pytest.mark.parametrize("case", EXPENSIVE)
def test_what_a_hostile_model_costs_is_bounded(tmp_path, case):
    size, made = EXPENSIVE[case]

    def at(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = saved(folder, made(number))

        def attempt():
            assert measure(path).total == path.stat().st_size

        return attempt

    assert_hostile_is_cheap(at, size)
    if case == "zeros":
        attempt = at(size)
        with Frugal():
            attempt()


@pytest.mark.parametrize("case", ["strings", "small texts"])
def test_what_a_hostile_model_takes_of_memory_is_bounded(tmp_path, case, monkeypatch):
    # Tracing makes it ten times slower, so there are fewer fields: they are walked, not kept.
    monkeypatch.setattr("pytest_modelsize.formats.onnx.model._MOST_FIELDS", 50_000)
    monkeypatch.setattr("pytest_modelsize.formats.onnx.model._FIELD_FOR_BYTES", 10**9)
    size, made = EXPENSIVE[case]
    path = saved(tmp_path, made(size))
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match="more than 50,000 fields"):
            measure(path)
        peak = tracemalloc.get_traced_memory()[1]
        assert peak < BYTES / 8, f"{peak:,} bytes, where {BYTES / 8:,.0f} are allowed"
    finally:
        tracemalloc.stop()


def test_mutants_give_an_error_or_a_whole_answer(tmp_path):
    body = field(1, node("Constant", attribute("value", 5, tensor("c", b"\2" * 70))))
    path = saved(
        tmp_path,
        field(5, tensor("fc.weight", b"\1" * 70)),
        outside("w", location="x.bin", offset=1, length=4),
        field(1, node("If", attribute("then_branch", 6, body), rest=field(6, "doc"))),
        field(11, field(1, "x")),
        rest=field(14, field(1, "author") + field(2, "us"))
        + field(25, field(1, "f") + field(7, body)),
        x=b"\1" * 8,
    )
    whole = path.read_bytes()
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(whole, count(600), 2):
        path.write_bytes(data)

        def attempt():
            # Without the external file, or with it.
            assert measure(path).total - path.stat().st_size in (0, 8)

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 50

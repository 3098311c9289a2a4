"""safetensors files and their shards, against the library that writes them."""

import json
import math
import struct

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.formats.safetensors_files import made, sharded, tensor
from tests.needs import needs


def measured(tmp_path, content, name="m.safetensors"):
    (tmp_path / name).write_bytes(content)
    return measure(tmp_path / name)


def data_of(measurement):
    """Bytes of data by dotted name, over all sections."""
    found = {}
    for path, leaf in measurement.leaves():
        if leaf.kind is Kind.DATA:
            found[".".join(name for name in path[1:] if name != "(data)")] = leaf.size
    return found


@pytest.fixture
def library():
    needs("numpy")
    return needs("safetensors.numpy")


def test_each_tensor_is_entered_layer_by_layer_with_the_bytes_the_library_wrote(library, tmp_path):
    import numpy as np

    tensors = {
        "encoder.layer.0.attention.weight": np.ones((3, 4), "float32"),
        "encoder.layer.0.attention.bias": np.ones(3, "float16"),
        "encoder.layer.1.attention.weight": np.ones((2, 2), "int64"),
        "embeddings": np.ones((5,), "uint8"),
        "flag": np.ones((), "bool"),
        "nothing": np.ones((0, 7), "float32"),
        "größe.weight": np.ones(2, "float64"),
    }
    path = tmp_path / "m.safetensors"
    library.save_file(tensors, path, metadata={"format": "np", "note": 'a "b"'})
    result = measure(path)
    assert (result.format, result.total) == ("safetensors", path.stat().st_size)
    sizes = data_of(result)
    assert {name: sizes.get(name, 0) for name in tensors} == {
        name: array.nbytes for name, array in tensors.items()
    }
    (length,) = struct.unpack_from("<Q", path.read_bytes())
    assert result.section("weights").size + result.overhead + result.config == (
        8 + length + sum(array.nbytes for array in tensors.values())
    )
    (encoder,) = (part for part in result.section("weights").children if part.name == "encoder")
    assert [layer.name for layer in encoder.children[0].children] == ["0", "1"]
    notes = {part.name: part.note for part in result.section("weights").children}
    assert (notes["flag"], notes["embeddings"]) == ("bool scalar", "uint8 5")
    assert result.section("config").children[0].name == "metadata"
    assert {"format", "note"} <= {
        part.name for part in result.section("config").children[0].children
    }


def test_the_header_s_bytes_are_those_of_its_entries(tmp_path):
    first, second = json.dumps(tensor(0, 3)), json.dumps(tensor(3, 8))
    text = f'{{"a": {first}, "b.c": {second}}}  '.encode()
    result = measured(tmp_path, made(text, b"x" * 8))
    entry = {part.name: part for part in result.section("weights").children}
    assert entry["a"].of_kind(Kind.STRUCTURE) == len(f'"a": {first}, ')
    assert entry["b"].of_kind(Kind.STRUCTURE) == len(f'"b.c": {second}')
    overhead = result.section("overhead")
    assert overhead.of_kind(Kind.STRUCTURE) == 8 + len("{}")
    assert overhead.of_kind(Kind.RESERVED) == 2


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [
        ("BF16", [3, 5], 30), ("F8_E4M3", [7], 7), ("F8_E5M2", [7], 7), ("F8_E8M0", [7], 7),
        ("F4", [6], 3), ("F6_E2M3", [4], 3), ("F6_E3M2", [8], 6), ("C64", [2], 16), ("I16", [], 2),
        ("F64", [0, 2**60], 0),
    ],
)  # fmt: skip
def test_a_type_s_bytes_are_its_bits_times_its_elements(tmp_path, dtype, shape, size):
    result = measured(tmp_path, made({"x": tensor(0, size, dtype, shape)}, b"\0" * size))
    assert result.section("weights").of_kind(Kind.DATA) == size
    with pytest.raises(ArtifactError, match=r"'x' is \w+ .*, but claims"):
        measured(tmp_path, made({"x": tensor(0, size + 1, dtype, shape)}, b"\0" * (size + 1)))


def test_a_type_that_comes_with_a_later_version_is_taken_at_its_word(tmp_path):
    result = measured(tmp_path, made({"x": tensor(0, 5, "Q9_K", [4])}, b"\0" * 5))
    assert result.section("weights").of_kind(Kind.DATA) == 5
    assert result.section("weights").children[0].note == "q9_k 4"


def test_what_no_tensor_claims_is_slack(tmp_path):
    holes = {"a": tensor(2, 4), "b": tensor(7, 8)}
    result = measured(tmp_path, made(holes, b"\0" * 13))
    assert result.section("overhead").of_kind(Kind.SLACK) == 2 + 3 + 5


NAMES = {
    "encoder.weight": ([3, 4], False),
    "encoder.bias": ([3], False),
    "encoder.weight.exp_avg_sq": ([3, 4], True),
    "encoder.weight.step": ([], True),
    "encoder.bias.momentum_buffer": ([3], True),
    "optimizer.state.0.exp_avg": ([3, 4], True),
    "optimizer.state.1.exp_avg": ([3], True),
    "optim_state.square_avg.encoder.weight": ([3, 4], True),
    "optim_state.square_avg.encoder.bias": ([3], True),
    "other.step": ([], False),
    "optimizer": ([5], False),
    "encoder.optimizer.weight": ([3, 4], False),
    "layers.0.weight.m": ([9], False),
    "exp_avg_pool.weight": ([3, 4], False),
    "exp_avg.weight": ([3, 4], False),
    "gate.exp_avg": ([3], False),
    "gate.temperature": ([3], False),
}
"""Names with their shapes, and whether they are optimizer state."""


def test_state_is_what_repeats_parameters(tmp_path):
    header, at = {}, 0
    for name, (shape, _) in NAMES.items():
        size = 4 * math.prod(shape)
        header[name] = tensor(at, at + size, "F32", shape)
        at += size
    result = measured(tmp_path, made(header, bytes(at)))
    found = {
        ".".join(path[1:]).removesuffix(".(data)").removesuffix(".(structure)")
        for path, _ in result.leaves()
        if path[0] == "optimizer"
    }
    assert found == {name for name, (_, state) in NAMES.items() if state}


def test_a_model_of_many_layers_nests_and_what_is_no_tree_of_layers_does_not(tmp_path):
    names = [
        f"model.layers.{i}.experts.{j}.w.{k}" for i in range(20) for j in range(200) for k in "ab"
    ]
    header = {name: tensor(i, i + 1) for i, name in enumerate(names)}
    result = measured(tmp_path, made(header, bytes(len(names))))
    assert [part.name for part in result.section("weights").children] == ["model"]
    names = [f"{i}.a.b.c.d.e.f.g.h.i.j" for i in range(6000)]
    header = {name: tensor(i, i + 1) for i, name in enumerate(names)}
    result = measured(tmp_path, made(header, bytes(len(names))))
    assert {part.name for part in result.section("weights").children} == set(names)


BROKEN = {
    "a header longer than the file": (made({}, length=9999), "more than there are"),
    "a header longer than is opened": (made(b"{}" + b" " * 2**23), "more than is opened"),
    "no object": (made(b'{"a":1}'), "'a': an object expected"),
    "half an object": (made(b'{"a":'), "'a': an object expected"),
    "one name twice": (made(b'{"a":%b,"a":%b}' % ((json.dumps(tensor(0, 0)).encode(),) * 2)), "one name"),
    "an overlap": (made({"a": tensor(0, 4), "b": tensor(3, 5)}, b"\0" * 5), "those before 4 are taken"),
    "the same bytes": (made({"a": tensor(0, 4), "b": tensor(0, 4)}, b"\0" * 4), "are taken"),
    "beyond the end": (made({"a": tensor(0, 4)}, b"\0" * 3), "of a buffer of 3"),
    "backwards": (made({"a": tensor(4, 2, "Z", [])}, b"\0" * 9), "claims bytes 4 to 2"),
    "a negative offset": (made({"a": tensor(-2, 0)}, b"\0" * 9), "data_offsets expected"),
    "a fraction": (made({"a": {"dtype": "U8", "shape": [1.0], "data_offsets": [0, 1]}}, b"\0"), "expected"),
    "a truth": (made({"a": {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]}}, b"\0"), "expected"),
    "metadata that is not text": (made({"__metadata__": {"a": 1}}), "a string expected"),
    "metadata that is not an object": (made({"__metadata__": 1}), "a JSON object expected"),
    "nested out of reason": (made(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}"), "'a': "),
    "digits without end": (made({"a": tensor(0, 1, "U8", [10**3000])}, b"\0"), "expected"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_fault(tmp_path, case):
    content, problem = BROKEN[case]
    with pytest.raises(ArtifactError, match=problem) as caught:
        measured(tmp_path, content)
    assert caught.value.offset is not None
    assert "m.safetensors" in str(caught.value)


def test_the_library_refuses_what_is_refused_here(library, tmp_path):
    import safetensors

    for case in ("an overlap", "beyond the end", "a header longer than the file", "half an object"):
        with pytest.raises(safetensors.SafetensorError):
            library.load(BROKEN[case][0])


EMPTY = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'


def named(number, rest=b""):
    """A header of so many tensors without bytes."""
    return b"{" + b",".join(b'"%x%b":%b' % (i, rest, EMPTY) for i in range(number)) + b"}"


N = 4 * 2**20 - 200
EXPENSIVE = {
    "brackets": (N, lambda n: b'{"a":' + b"[" * n),
    "small objects": (N // 4, lambda n: b'{"a":' + b"[{}," * n),
    "tensors": (60_000, named),
    "deep names": (3_000, lambda n: named(n, b".a" * 15)),
    "deeper names": (400, lambda n: named(n, b".a" * 5000)),
    "metadata": (
        N // 12, lambda n: b'{"__metadata__":{' + b",".join(b'"%x":""' % i for i in range(n)) + b"}}",
    ),
    "escapes": (N // 2, lambda n: b'{"__metadata__":{"a":"' + b"\\n" * n + b'"}}'),
}  # fmt: skip
"""How many of it there are, and what makes so many."""


@pytest.mark.parametrize("case", EXPENSIVE)
def test_what_a_hostile_header_costs_is_bounded(tmp_path, case):
    size, header = EXPENSIVE[case]

    def at(number):
        path = tmp_path / f"{number}.safetensors"
        path.write_bytes(made(header(number)))

        def attempt():
            assert measure(path).total == path.stat().st_size

        return attempt

    assert_hostile_is_cheap(at, size)
    if case in ("deeper names", "escapes", "metadata"):
        with Frugal():
            at(size)()


def test_mutants_give_an_error_or_a_whole_answer(tmp_path):
    header = {
        "__metadata__": {"format": "pt"},
        "encoder.0.weight": tensor(0, 48, "F32", [3, 4]),
        "encoder.0.bias": tensor(48, 54, "BF16", [3]),
        "encoder.0.bias.exp_avg": tensor(54, 66, "F32", [3]),
    }
    whole = made(header, bytes(range(66)))
    outcomes = {"ok": 0, "error": 0}
    path = tmp_path / "m.safetensors"
    for data in mutants(whole, count(600), 1, [(0, len(whole) - 66)]):
        path.write_bytes(data)

        def attempt():
            assert measure(path).total == path.stat().st_size

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 30


def test_the_content_is_recognised_whatever_the_name(tmp_path):
    content = made({"a": tensor(0, 1)}, b"\0")
    (tmp_path / "model.bin").write_bytes(content)
    assert recognise(tmp_path / "model.bin") == "safetensors"
    assert measure(tmp_path / "model.bin").format == "safetensors"
    for other in (b"\0{}", b"\x02" + b"\0" * 7 + b"[]", b"\xff" * 8 + b"{}"):
        (tmp_path / "other.bin").write_bytes(other)
        assert recognise(tmp_path / "other.bin") is None
        assert measure(tmp_path / "other.bin").format == "file"


def test_an_index_stands_for_itself_and_its_shards(tmp_path):
    index = sharded(tmp_path)
    (tmp_path / "beside.bin").write_bytes(b"x" * 77)
    result = measure(index)
    assert (result.format, recognise(index)) == ("safetensors", "safetensors")
    assert result.total == sum(p.stat().st_size for p in tmp_path.iterdir()) - 77
    weights = result.section("weights")
    assert weights.of_kind(Kind.DATA) == json.loads(index.read_text())["metadata"]["total_size"]
    assert {part.name for part in weights.children} == {"a", "b", index.name}


def test_a_variant_s_index_is_told_by_its_content(tmp_path):
    index = sharded(tmp_path).rename(tmp_path / "model.safetensors.index.fp16.json")
    assert measure(index).section("weights").of_kind(Kind.DATA) == 16


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"c": "../x.safetensors"}, "outside the index's folder"),
        ({"c": "/etc/passwd"}, "outside the index's folder"),
        ({"c": "..\\x"}, "outside the index's folder"),
        ({"c": ""}, "outside the index's folder"),
        ({"c": 3}, "a string expected"),
        ({"c": "gone.safetensors"}, "cannot be opened: No such file"),
        ({"c": "model-00001-of-00002.safetensors"}, "'c' is not here"),
    ],
)  # fmt: skip
def test_an_index_that_is_not_kept_is_refused(tmp_path, change, problem):
    index = sharded(tmp_path / "m", **change)
    for path in (index, tmp_path):
        with pytest.raises(ArtifactError, match=problem):
            measure(path)


def test_an_index_without_a_map_is_refused(tmp_path):
    for text in ("{}", "[]", '{"weight_map": {}}', '{"weight_map": 3}'):
        (tmp_path / "model.safetensors.index.json").write_text(text)
        with pytest.raises(ArtifactError, match=r"expected"):
            measure(tmp_path / "model.safetensors.index.json")


def test_mutants_of_an_index_give_an_error_or_a_whole_answer(tmp_path):
    index = sharded(tmp_path / "m")
    whole, outcomes = index.read_bytes(), {"ok": 0, "error": 0}
    for data in mutants(whole, count(300), 6):
        index.write_bytes(data)

        def attempt():
            assert measure(tmp_path).total == sum(p.stat().st_size for p in index.parent.iterdir())

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 3


def test_shards_that_lie_in_a_folder_are_counted_once(tmp_path):
    sharded(tmp_path / "m")
    (tmp_path / "m" / "notes.txt").write_text("x")
    result = measure(tmp_path)
    assert result.total == sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert result.section("weights").of_kind(Kind.DATA) == 16

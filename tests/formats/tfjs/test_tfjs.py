"""TensorFlow.js folders, against the arithmetic of their own manifest and the sizes of the files."""

import json
import random
import struct

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import companions, recognise
from tests.formats.mutants import assert_hostile_is_cheap, count, mutants, outcome_of

LAYERS = {
    "keras_version": "2.15.0",
    "model_config": {
        "class_name": "Sequential",
        "config": {
            "name": "net",
            "layers": [{"class_name": "Dense", "config": {"name": "fc", "units": 3}}],
        },
    },
}
WEIGHTS = [
    {"name": "fc/kernel", "shape": [5, 3], "dtype": "float32"},
    {"name": "fc/bias", "shape": [3], "dtype": "float32"},
    {"name": "steps", "shape": [], "dtype": "int32"},
    {"name": "mask", "shape": [7], "dtype": "bool"},
    {"name": "wave", "shape": [2], "dtype": "complex64"},
    {"name": "small", "shape": [9], "dtype": "float32", "quantization": {"dtype": "uint8", "min": 0, "scale": 1}},
    {"name": "half", "shape": [4], "dtype": "float32", "quantization": {"dtype": "float16"}},
]  # fmt: skip
SIZES = {"fc/kernel": 60, "fc/bias": 12, "steps": 4, "mask": 7, "wave": 16, "small": 9, "half": 8}
SHARDS = ["group1-shard1of2.bin", "group1-shard2of2.bin"]


def saved(folder, weights=WEIGHTS, data=None, format="layers-model", paths=SHARDS, **more):
    """A model as the converter writes it; a weight lies across the border of its two shards."""
    folder.mkdir(exist_ok=True)
    data = bytes(sum(SIZES.values())) if data is None else data
    border = len(data) // 2
    (folder / SHARDS[0]).write_bytes(data[:border])
    (folder / SHARDS[1]).write_bytes(data[border:])
    model = {
        "format": format,
        "generatedBy": "keras v2.15.0",
        "modelTopology": LAYERS if format == "layers-model" else {"node": [{"name": "x"}]},
        "weightsManifest": [{"paths": paths, "weights": weights}],
        **more,
    }
    (folder / "model.json").write_text(json.dumps(model))
    return folder / "model.json"


def bytes_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def data_of(section):
    found = {}
    for path, leaf in section.leaves():
        if leaf.kind is Kind.DATA:
            found["/".join(name for name in path[1:] if name != "(data)")] = leaf.size
    return found


def test_each_weight_has_the_bytes_of_its_type_and_shape(tmp_path):
    path = saved(tmp_path / "m")
    (tmp_path / "m" / "vocab.txt").write_text("a\nb\n")
    result = measure(tmp_path / "m")
    assert (result.format, recognise(tmp_path / "m"), recognise(path)) == ("tfjs",) * 3
    assert result.total == bytes_of(tmp_path / "m")
    assert data_of(result.section("weights")) == SIZES
    assert (result.assets, result.overhead) == (4, 0)
    assert result.config + result.weights == path.stat().st_size + sum(SIZES.values())
    notes = {part.name: part.note for part in result.section("weights").children}
    assert notes["small"] == "float32 9, as uint8"
    assert notes["steps"] == "int32 scalar"


def test_its_json_stands_for_itself_and_its_shards(tmp_path):
    path = saved(tmp_path / "m")
    (tmp_path / "m" / "vocab.txt").write_text("a\nb\n")
    result = measure(path)
    assert (result.format, result.total) == ("tfjs", bytes_of(tmp_path / "m") - 4)


def test_another_name_is_found_by_content_and_counted_once_in_a_folder(tmp_path):
    saved(tmp_path).rename(tmp_path / "net.json")
    result = measure(tmp_path)
    assert (result.format, result.total) == ("directory", bytes_of(tmp_path))
    assert result.section("weights").of_kind(Kind.DATA) == sum(SIZES.values())


def test_the_topology_is_a_configuration_or_a_graph(tmp_path):
    layers = measure(saved(tmp_path / "a"))
    (topology,) = (p for p in layers.section("config").children if p.name == "modelTopology")
    assert "fc" in {path[-2] for path, _ in topology.leaves() if len(path) > 2}
    assert layers.graph == 0
    graph = measure(saved(tmp_path / "b", format="graph-model"))
    assert graph.graph == len('"modelTopology": {"node": [{"name": "x"}]}, ')


def test_an_optimizer_s_weights_are_told_by_names_and_shapes_too(tmp_path):
    slots = [
        {"name": f"fc/kernel/Adam{n}", "shape": [5, 3], "dtype": "float32"} for n in ("", "_1")
    ]
    friends = [{"name": "adam/kernel", "shape": [5, 3], "dtype": "float32"}]
    path = saved(tmp_path / "m", [*WEIGHTS, *slots, *friends], bytes(sum(SIZES.values()) + 180))
    assert measure(path).optimizer == 2 * 60


def test_an_optimizer_s_weights_are_told_by_their_group(tmp_path):
    state = [{"name": "fc/kernel/m", "shape": [5, 3], "dtype": "float32", "group": "optimizer"}]
    data = bytes(sum(SIZES.values()) + 60)
    result = measure(saved(tmp_path / "m", [*WEIGHTS, *state], data))
    assert (result.optimizer, result.section("weights").of_kind(Kind.DATA)) == (
        60,
        sum(SIZES.values()),
    )


def test_strings_are_found_by_their_lengths_even_across_shards(tmp_path):
    words = [b"", b"a", b"word" * 2000, bytes(50)]
    packed = b"".join(struct.pack("<I", len(word)) + word for word in words)
    weights = [
        {"name": "words", "shape": [2, 2], "dtype": "string"},
        {"name": "after", "shape": [5], "dtype": "bool"},
    ]
    result = measure(saved(tmp_path / "m", weights, packed + b"\1" * 5))
    assert data_of(result.section("weights")) == {"words": len(packed), "after": 5}
    for border in range(12):
        (tmp_path / "m" / SHARDS[0]).write_bytes(packed[:border])
        (tmp_path / "m" / SHARDS[1]).write_bytes(packed[border:] + b"\1" * 5)
        assert data_of(measure(tmp_path / "m").section("weights"))["words"] == len(packed)


def test_bytes_beyond_the_manifest_are_slack(tmp_path):
    result = measure(saved(tmp_path / "m", data=bytes(sum(SIZES.values()) + 11)))
    assert result.section("overhead").of_kind(Kind.SLACK) == 11


WRONG = {
    "shards too short": ({"data": bytes(50)}, "'fc/kernel' ends at byte 60"),
    "an unknown type": ({"weights": [{"name": "a", "shape": [], "dtype": "int5"}]}, "known dtype"),
    "no shape": ({"weights": [{"name": "a", "dtype": "bool"}]}, "known dtype"),
    "a negative length": ({"weights": [{"name": "a", "shape": [-1], "dtype": "bool"}]}, "known dtype"),
    "a weight that is text": ({"weights": ["a"]}, "known dtype"),
    "weights that are none": ({"weights": 3}, "groups with paths and weights"),
    "paths that are none": ({"paths": [3]}, "groups with paths and weights"),
    "a path out of the folder": ({"paths": ["../x.bin"]}, "a file outside its folder"),
    "an absolute path": ({"paths": ["/etc/passwd"]}, "a file outside its folder"),
    "a missing shard": ({"paths": [*SHARDS, "gone.bin"]}, "No such file"),
    "a shard twice": ({"paths": [SHARDS[0], SHARDS[0]]}, "twice"),
    "itself": ({"paths": ["model.json"]}, "names itself"),
    "a manifest that is none": ({"weightsManifest": {}}, "groups with paths and weights"),
    "strings without end": (
        {"weights": [{"name": "a", "shape": [9], "dtype": "string"}], "data": b"\xff" * 40}, "shards",
    ),
    "strings without number": ({"weights": [{"name": "a", "shape": [10**9], "dtype": "string"}]}, "more than"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_manifest_that_is_not_kept_is_refused(tmp_path, case):
    change, problem = WRONG[case]
    path = saved(tmp_path / "m", **change)
    for measured in (path, path.parent, tmp_path):
        with pytest.raises(ArtifactError, match=problem) as caught:
            measure(measured)
        assert str(path.parent) in str(caught.value)


def test_other_json_is_no_model(tmp_path):
    for text in ("[]", '{"a": 1}', '{"format": "x"}', '["weightsManifest"]', ""):
        (tmp_path / "model.json").write_text(text)
        assert recognise(tmp_path / "model.json") is None
        if text:
            assert measure(tmp_path).format == "directory"


def listed(folder, weights=WEIGHTS, data=None, *, last="paths", paths=SHARDS):
    """The list of weights alone, as face-api.js and the converter's first versions write it."""
    saved(folder, weights, data).unlink()
    group = {"weights": weights, "paths": paths}
    ordered = {key: group[key] for key in sorted(group, key=lambda key: key == last)}
    (folder / "net-weights_manifest.json").write_text(json.dumps([ordered], indent=1))
    return folder / "net-weights_manifest.json"


@pytest.mark.parametrize("last", ["paths", "weights"])
def test_the_list_of_weights_alone_leads_its_shards(tmp_path, last):
    path = listed(tmp_path / "m", last=last)
    result = measure(path)
    assert (result.format, recognise(path)) == ("tfjs", "tfjs")
    assert result.total == bytes_of(tmp_path / "m")
    assert data_of(result.section("weights")) == SIZES
    assert companions(path) == {path.with_name(name) for name in SHARDS}
    (tmp_path / "m" / "tensorflowjs_model.txt").write_text("the graph")
    whole = measure(tmp_path / "m")
    assert (whole.format, whole.total) == ("directory", bytes_of(tmp_path / "m"))
    assert whole.section("weights").of_kind(Kind.DATA) == sum(SIZES.values())


@pytest.mark.parametrize("text", [
    "[]", "[1]", "[{}]", '[{"weights": 3}]', '[{"weights": ["a"], "paths": []}]',
    '[{"name": "a", "weights": [0.5, 0.5]}]', '[{"weights": [0.5], "paths": ["a"]}]',
])  # fmt: skip
def test_another_list_is_none(tmp_path, text):
    (tmp_path / "some.json").write_text(text)
    assert recognise(tmp_path / "some.json") is None


def test_mutants_of_a_list_give_an_error_or_a_whole_answer(tmp_path):
    path = listed(tmp_path / "m")
    whole = path.read_bytes()
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(whole, count(200), 5):
        path.write_bytes(data)

        def attempt():
            assert measure(path.parent).total == bytes_of(path.parent)

        outcomes[outcome_of(attempt)] += 1
    # A shard that the list names no more is an error, too.
    assert outcomes["error"] > 20
    assert outcomes["ok"]


HALF = 2**19
EXPENSIVE = {
    "brackets": (HALF, lambda n: "[" * n),
    "groups": (HALF // 4, lambda n: "[{}," * n),
    "weights": (HALF // 3, lambda n: '[{"paths":[],"weights":[' + "{}," * n),
}
"""How many of it there are, and what makes so many."""


@pytest.mark.parametrize("case", EXPENSIVE)
def test_what_a_hostile_manifest_costs_is_bounded(tmp_path, case):
    size, manifest = EXPENSIVE[case]

    def at(number):
        folder = tmp_path / str(number)
        saved(folder).write_text('{"weightsManifest":' + manifest(number))
        return lambda: measure(folder)

    assert_hostile_is_cheap(at, size)


def test_what_many_weights_with_long_names_cost_is_bounded(tmp_path):
    def at(number):
        folder = tmp_path / str(number)
        name = "/" + "a/" * 30
        many = [{"name": f"{i}{name}", "shape": [], "dtype": "bool"} for i in range(number)]
        saved(folder, many, bytes(number))
        measure(folder)
        return lambda: measure(folder)

    assert_hostile_is_cheap(at, 7000)


def test_mutants_give_an_error_or_a_whole_answer(tmp_path):
    path = saved(tmp_path / "m")
    whole = path.read_bytes()
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(whole, count(500), 3):
        path.write_bytes(data)

        def attempt():
            assert measure(path.parent).total == bytes_of(path.parent)

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 30


def test_many_weights_add_up_whatever_their_order(tmp_path):
    chance = random.Random(4)
    kinds = {"float32": 4, "int32": 4, "bool": 1, "complex64": 8}
    weights, total = [], 0
    for index in range(200):
        dtype, shape = chance.choice(list(kinds)), [chance.randrange(6) for _ in range(3)]
        weights.append({"name": f"w{index}", "shape": shape, "dtype": dtype})
        total += shape[0] * shape[1] * shape[2] * kinds[dtype]
    result = measure(saved(tmp_path / "m", weights, bytes(total)))
    assert result.section("weights").of_kind(Kind.DATA) == total
    assert result.overhead == 0

"""XGBoost's models, against the library: its arrays, and what they weigh."""

import json
import re
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Source, measure
from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.formats import recognise
from pytest_modelsize.formats.xgboost import read
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from tests.formats.entries import by_kind, entry
from tests.formats.mutants import assert_hostile_is_cheap, count, outcomes_of_mutants
from tests.needs import needs

DATA = Path(__file__).parent.parent / "data" / "boosted"
FLOATS = {"base_weights", "split_conditions", "loss_changes", "sum_hessian", "leaf_weights"}
BYTES = {"default_left", "split_type"}
LONG = {"categories_segments", "categories_sizes"}


def frame(kind, random):
    x = random.normal(size=(300, 6)).astype("float32")
    y = (x[:, 0] + x[:, 1] * x[:, 2] > 0).astype("float32")
    if kind == "vector leaves":
        return x, __import__("numpy").stack([y, 1 - y], 1)
    return x, y


KINDS = {
    "trees": {},
    "dart": {"booster": "dart", "rate_drop": 0.5},
    "forest": {"num_parallel_tree": 4, "subsample": 0.5},
    "classes": {"objective": "multi:softprob", "num_class": 3},
    "vector leaves": {"multi_strategy": "multi_output_tree", "tree_method": "hist"},
    "linear": {"booster": "gblinear"},
}


@pytest.fixture(scope="module")
def boosters():
    xgboost, numpy = needs("xgboost"), needs("numpy", "estimators")
    found = {}
    for kind, settings in KINDS.items():
        x, y = frame(kind, numpy.random.default_rng(0))
        data = xgboost.DMatrix(x, y, feature_names=[f"column {n}" for n in range(6)])
        found[kind] = xgboost.train({"nthread": 1, **settings}, data, 4)
        found[kind].set_attr(note="x" * 5000)  # the keys after it are in no first page
    return found


def told(booster):
    """What the library itself says: the model as Python's parser reads it."""
    return json.loads(bytes(booster.save_raw("json")))["learner"]


def model_in(learner):
    booster = learner["gradient_booster"]
    return booster.get("gbtree", booster)["model"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_array_has_the_bytes_of_its_elements(boosters, kind, tmp_path):
    path = tmp_path / "m.ubj"
    boosters[kind].save_model(path)
    measured = measure(path)
    assert (measured.format, measured.total) == ("xgboost", path.stat().st_size)
    model, found, expected = model_in(told(boosters[kind])), by_kind(measured), {}
    for tree in model.get("trees", []):
        for name, values in tree.items():
            if isinstance(values, list):
                width = 1 if name in BYTES else 8 if name in LONG else 4
                expected[name] = expected.get(name, 0) + width * len(values)
    if kind == "linear":
        assert found == {"weights": 4 * len(model["weights"])}
        return
    assert {name: found[name] for name in expected if expected[name]} == {
        name: size for name, size in expected.items() if size
    }
    others = {"iteration_indptr", "tree_info"} | ({"weight_drop"} if kind == "dart" else set())
    assert set(found) - set(expected) == others
    # With the type, and the length of all together.
    for name in ("base_weights", "left_children", "default_left"):
        dtype = "float32" if name in FLOATS else "uint8" if name in BYTES else "int32"
        length, trees = sum(len(tree[name]) for tree in model["trees"]), len(model["trees"])
        assert entry(measured, "weights", "trees", name).note == f"{dtype} {length}, {trees} trees"
    assert bytes_by_dtype(measured)["float32"] == sum(found.get(name, 0) for name in FLOATS)


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_text_each_array_has_what_is_between_its_brackets(boosters, kind, tmp_path):
    path = tmp_path / "m.json"
    boosters[kind].save_model(path)
    measured, text = measure(path), path.read_bytes()
    assert (measured.format, measured.total) == ("xgboost", len(text))
    found = by_kind(measured)
    for name in ["weights"] if kind == "linear" else ["base_weights", "left_children"]:
        arrays = re.findall(rb'"%s":\[([^\]]*)\]' % name.encode(), text)
        assert found[name] == sum(map(len, arrays))
    names = entry(measured, "config", "feature_names")
    assert names.of_kind(Kind.DATA) == len(json.dumps([f"column {n}" for n in range(6)])) - 2 - 5
    assert entry(measured, "config", "attributes", "note").of_kind(Kind.DATA) == 5000


@pytest.mark.parametrize("how", ["json", "ubj"])
def test_it_is_known_by_its_content_wherever_it_lies(boosters, how, tmp_path):
    raw = bytes(boosters["trees"].save_raw(how))
    for name in ("m.ubj", "m.model", "m.bin", "m.xgb", "m.dat", "noname"):
        (tmp_path / name).write_bytes(raw)
        assert recognise(tmp_path / name) == "xgboost"
        assert measure(tmp_path / name).format == "xgboost"
    whole = json.loads(bytes(boosters["trees"].save_raw("json")))
    for number, text in enumerate(
        [json.dumps(whole, indent=2), json.dumps(dict(reversed(whole.items())))]
    ):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        measured = measure(path)
        assert (measured.format, measured.total) == ("xgboost", len(text))
        assert entry(measured, "weights", "trees").size > 0.3 * len(text)


def test_neither_another_text_nor_another_object_is_such_a_model(tmp_path):
    for text in (
        '{"learner": {"rate": 0.1}}',
        '{"version": [1], "model": "learner_model_param"}',
        '{"feature_names": ["learner"], "gradient_booster": 1}',
    ):
        (tmp_path / "some.json").write_text(text)
        assert measure(tmp_path / "some.json").format == "text"


def learner(trees):
    return {
        "learner": {
            "attributes": {},
            "gradient_booster": {"model": {"trees": trees}, "name": "gbtree"},
            "learner_model_param": {},
        }
    }


def test_the_trees_of_a_thousand_have_one_entry_for_each_array(tmp_path):
    trees = [{"base_weights": [1, 2, 3], "tree_param": {"n": "3"}} for _ in range(1200)]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(learner(trees)))
    measured = measure(path)
    array = entry(measured, "weights", "trees", "base_weights")
    assert array.note == "3,600 numbers, 1,200 trees"
    assert array.of_kind(Kind.DATA) == 1200 * len("1, 2, 3")


def test_more_parts_than_are_opened_are_opaque(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_modelsize.formats.containers.json_scanner._MOST_STEPS", 500)
    path = tmp_path / "many.json"
    path.write_text(json.dumps(learner([{"base_weights": [1]} for _ in range(1200)])))
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert measured.section("weights").of_kind(Kind.OPAQUE) > 0.5 * measured.total


@pytest.mark.parametrize("name", ["xgboost.json", "xgboost.ubj"])
def test_mutants_of_the_carried_files_add_up_or_are_errors(name):
    whole = (DATA / name).read_bytes()
    assert outcomes_of_mutants(whole, count(80), 3) == {"ok", "error"}


def test_a_file_that_was_cut_off_tells_where(tmp_path):
    for name in ("xgboost.json", "xgboost.ubj"):
        path = tmp_path / name
        path.write_bytes((DATA / name).read_bytes()[:-40])
        with pytest.raises(ArtifactError) as raised:
            measure(path)
        assert raised.value.offset is not None


@pytest.mark.parametrize("name", ["trees", "keys", "names"])
def test_what_is_made_to_cost_much_costs_little(name):
    def made(number):
        trees = {"trees": [{}] * number, "keys": [{f"a{n}": [n] for n in range(number)}]}
        text = json.dumps(learner(trees.get(name, [])))
        if name == "names":
            text = text.replace("{}", json.dumps({f"a{n}": "b" for n in range(number)}), 1)
        source = Source.of_bytes("m", text.encode())
        return lambda: read(source, Ledger())

    assert_hostile_is_cheap(made, 300)


def test_arrays_of_trees_that_are_equal_or_zero_are_no_waste(tmp_path):
    def key(name):
        return b"L" + len(name).to_bytes(8, "big") + name

    zeros = b"[$U#L" + (3000).to_bytes(8, "big") + bytes(3000)
    whole, first = (DATA / "xgboost.ubj").read_bytes(), key(b"base_weights")
    added = key(b"default_left") + zeros + key(b"split_type") + zeros
    path = tmp_path / "m.ubj"
    path.write_bytes(whole.replace(first, added + first, 1))
    measured = measure(path)
    assert measured.total == len(whole) + len(added)
    assert entry(measured, "weights", "trees", "split_type").of_kind(Kind.DATA) == 3000 + 2 * 3
    assert list(find_causes(measured, path).causes) == []

"""LightGBM's models, against the library: the leaves that it counts, and the lines as they stand."""

import re
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Source, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.formats.lightgbm import read
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from tests.formats.entries import by_kind, entry
from tests.formats.mutants import assert_hostile_is_cheap, count, outcomes_of_mutants
from tests.needs import needs

DATA = Path(__file__).parent.parent / "data" / "boosted"
WHOLE = (DATA / "lightgbm.txt").read_bytes()
KINDS = {
    "trees": {"objective": "binary"},
    "classes": {"objective": "multiclass", "num_class": 3},
    "linear leaves": {"objective": "regression", "linear_tree": True},
    "dart": {"boosting": "dart"},
    "forest": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    "categories": {"objective": "binary", "max_cat_to_onehot": 1, "min_data_per_group": 1},
}
NAMES = [f"feature_{n}" for n in range(5)]


@pytest.fixture(scope="module")
def boosters():
    lightgbm, numpy = needs("lightgbm"), needs("numpy", "estimators")
    random, found = numpy.random.default_rng(0), {}
    for kind, settings in KINDS.items():
        x = random.normal(size=(300, 5))
        x[:, 4] = numpy.arange(300) % 5
        target = numpy.arange(300) % 3 if kind == "classes" else (x[:, 0] > 0) + (x[:, 4] == 2)
        data = lightgbm.Dataset(
            x,
            numpy.minimum(target, 1) if kind != "classes" else target,
            feature_name=NAMES,
            categorical_feature=["feature_4"] if kind == "categories" else "auto",
        )
        found[kind] = lightgbm.train({"num_threads": 1, "verbose": -1, **settings}, data, 4)
    return found


def values(text, key):
    """The numbers of all lines of a key, as Python splits them, and the bytes of the lines."""
    found = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return sum(len(line.split()) for line in found), sum(map(len, found))


@pytest.mark.parametrize("kind", KINDS)
def test_each_array_has_the_numbers_that_the_library_counts(boosters, kind, tmp_path):
    path = tmp_path / "m.txt"
    boosters[kind].save_model(path)
    measured, text = measure(path), path.read_text()
    assert (measured.format, measured.total) == ("lightgbm", path.stat().st_size)
    trees = boosters[kind].dump_model()["tree_info"]
    leaves = [tree["num_leaves"] for tree in trees]
    told = f"{len(trees)} tree{'s' if len(trees) > 1 else ''}"
    for key, length in (
        ("leaf_value", sum(leaves)),
        ("split_gain", sum(leaves) - len(leaves)),
        ("shrinkage", len(leaves)),
    ):
        assert entry(measured, "weights", "trees", key).note == f"{length:,d} numbers, {told}"
    # All keys of trees, each with what its lines hold.
    inside = text[text.index("Tree=0") : text.index("end of trees")]
    keys = set(re.findall(r"^(\w+)=", inside, re.MULTILINE)) - {"Tree"}
    found = by_kind(measured)
    assert found == {key: size for key in keys if (size := values(inside, key)[1])}
    for key in keys:
        note = entry(measured, "weights", "trees", key).note
        assert note == f"{values(inside, key)[0]:,d} numbers, {told}"
    sizes = text[text.index("tree_sizes") :].partition("\n")[0]
    assert measured.weights == len(inside) + len("end of trees\n") + len(sizes) + 1


def test_what_describes_the_trees_is_configuration(boosters, tmp_path):
    path = tmp_path / "m.txt"
    boosters["categories"].save_model(path)
    measured = measure(path)
    names = entry(measured, "config", "feature_names")
    assert names.note == f"{len(NAMES)} names"
    assert entry(measured, "config", "parameters", "min_data_per_group").size == len(
        "[min_data_per_group: 1]\n"
    )
    assert measured.weights + measured.config == measured.total
    assert entry(measured, "config", "pandas_categorical").size > 0


def test_it_is_known_by_its_content_wherever_it_lies(tmp_path):
    for name in ("m.txt", "m.model", "m.lgb", "m.bin", "m.dat", "noname"):
        (tmp_path / name).write_bytes(WHOLE)
        assert recognise(tmp_path / name) == "lightgbm"
        assert measure(tmp_path / name).format == "lightgbm"
    for text in (b"tree\n\nof life\n", b"tree\nversion=v4\n", b"Tree\n" + WHOLE[5:], WHOLE[5:]):
        (tmp_path / "some.txt").write_bytes(text)
        assert measure(tmp_path / "some.txt").format == "text"


def test_a_model_that_was_cut_off_is_an_error_that_tells_what_is_missing(tmp_path):
    path = tmp_path / "m.txt"
    for end in (WHOLE.index(b"Tree=1"), WHOLE.index(b"end of trees") - 30):
        path.write_bytes(WHOLE[:end])
        with pytest.raises(ArtifactError, match=r"2 trees of \d+ bytes expected") as raised:
            measure(path)
        assert raised.value.offset == end
    for line in (b"end of trees", b"end of parameters"):
        path.write_bytes(WHOLE[: WHOLE.index(line) + 5])
        with pytest.raises(ArtifactError, match=rf"the line '{line.decode()}' expected"):
            measure(path)
    path.write_bytes(WHOLE[: WHOLE.index(b"objective")])
    with pytest.raises(ArtifactError, match="trees expected, but there are none"):
        measure(path)


def test_lines_that_windows_ended_are_the_same_lines(tmp_path):
    path = tmp_path / "m.txt"
    path.write_bytes(WHOLE)
    unix = by_kind(measure(path))
    path.write_bytes(WHOLE.replace(b"\n", b"\r\n"))
    assert by_kind(measure(path)) == unix


def test_mutants_of_the_carried_file_add_up_or_are_errors():
    live = [(0, 400), (WHOLE.index(b"Tree=0"), WHOLE.index(b"parameters"))]
    assert outcomes_of_mutants(WHOLE, count(150), 3, live) == {"ok", "error"}


HOSTILE = {
    "trees": lambda n: b"Tree=0\n" * n,
    "keys": lambda n: b"Tree=0\n" + b"".join(b"a%d=1\n" % i for i in range(n)),
    "numbers": lambda n: b"Tree=0\nleaf_value=" + b"1 " * n,
    "parameters": lambda n: b"parameters:\n" + b"".join(b"[a%d: 1]\n" % i for i in range(n)),
    "sizes": lambda n: b"tree_sizes=" + b"1 " * n + b"\n",
    "a long size": lambda n: b"tree_sizes=" + b"1" * n + b"x\n",
    "nothing": lambda n: b"\n" * n,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_cost_much_costs_little(name):
    def made(number):
        source = Source.of_bytes("m", b"tree\nmax_feature_idx=0\n" + HOSTILE[name](number))
        return lambda: read(source, Ledger())

    assert_hostile_is_cheap(made, 1000)


def test_more_lines_than_are_opened_are_opaque(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_modelsize.formats.containers.lines._MOST_LINES", 20)
    path = tmp_path / "m.txt"
    path.write_bytes(WHOLE)
    measured = measure(path)
    assert measured.total == len(WHOLE)
    left = sum(len(line) for line in WHOLE.splitlines(keepends=True)[20:])
    assert measured.section("weights").of_kind(Kind.OPAQUE) == left

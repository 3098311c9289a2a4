import pytest

from pytest_modelsize.checks.causes.training_data import find
from tests.checks.causes.artifacts import evidence

ROWS = (3200, "float64 100x4")


def found(entries, format="pickle"):
    return [(cause.kind, cause.size, cause.entries) for cause in find(evidence(entries, format))]


@pytest.mark.parametrize("name", ["_fit_X", "X_train_", "X_fit_", "dataset", "support_vectors_"])
def test_rows_that_an_estimator_keeps(name):
    assert found({f"weights/{name}": ROWS}) == [("training data", 3200, (name,))]


@pytest.mark.parametrize("name", ["coef_", "components_", "X_offset_", "estimators_"])
def test_what_was_learnt_is_no_data(name):
    assert found({f"weights/{name}": ROWS}) == []


def test_labels_go_with_the_data_of_their_length_and_their_holder():
    entries = {
        "weights/knn/_fit_X": ROWS,
        "weights/knn/alpha_": (800, "float64 100"),
        "weights/knn/labels_": (792, "int64 99"),
        "weights/other/alpha_": (800, "float64 100"),
    }
    assert found(entries) == [("training data", 4000, ("knn/_fit_X", "knn/alpha_"))]


@pytest.mark.parametrize(("rows", "kept"), [(32, True), (31, False)])
def test_a_few_rows_are_no_data(rows, kept):
    assert bool(found({"weights/X_train": (8 * rows, f"float64 {rows}")})) is kept


def test_a_replay_buffer_beside_networks():
    entries = {"weights/replay_buffer/obs": (500, "float32 125"), "weights/w": (500, "float32 125")}
    assert found(entries, "torch") == [("training data", 500, ("replay_buffer/obs",))]
    assert found(entries, "safetensors") == []


@pytest.mark.parametrize(("size", "told"), [(1024, True), (1023, False)])
def test_hyper_parameters_that_are_data(size, told):
    entries = {"config/hyper_parameters/words": (size, ""), "weights/w": (1000, "float32 250")}
    expected = [("data among hyper-parameters", size, ("hyper_parameters/words",))]
    assert found(entries, "torch") == expected * told

"""Optimizer state among a pickle's arrays, in the forms that people and libraries keep it in."""

import collections
import pickle

import pytest

from pytest_modelsize import Kind, measure
from tests.needs import needs

np = needs("numpy", "py", "pytorch")

SHAPES = {"0.weight": (6, 4), "0.bias": (6,), "1.running_mean": (6,), "head": (4, 6)}
ScaleByAdamState = collections.namedtuple("ScaleByAdamState", "count mu nu")
EmptyState = collections.namedtuple("EmptyState", "")


class Adam:
    """An optimizer of one's own."""

    def __init__(self):
        self.ms, self.vs = list(tree().values()), list(tree().values())


class Layer:
    """What is called like slots and has none."""

    def __init__(self):
        self.m, self.v, self.momentum = np.ones((3, 3)), np.ones((3, 3)), 0.9


def tree():
    return {name: np.ones(shape, "float32") for name, shape in SHAPES.items()}


SLOT = sum(array.nbytes for array in tree().values())
optax = (ScaleByAdamState(np.int32(1), tree(), tree()), EmptyState())
STATE = {
    "Optax": {"params": tree(), "opt_state": optax},
    "Optax under a key that says nothing": {"params": tree(), "x": optax},
    "Optax in a list": [tree(), optax],
    "PyTorch's form": {
        "model": tree(),
        "how": {
            "state": {i: {"exp_avg": a, "exp_avg_sq": a + 1} for i, a in enumerate(tree().values())},
            "param_groups": [{"lr": 0.1}],
        },
    },
    "by name": {"model": tree(), "x": {k: {"m": a, "v": a + 1} for k, a in tree().items()}},
    "by slot": {"model": tree(), "m": tree(), "v": tree()},
    "by slot, in an optimizer": {"net": tree(), "optimizer": {"m": tree(), "v": tree(), "t": 3}},
    "lists": {"weights": list(tree().values()), "m": list(tree().values()), "v": [*tree().values()]},
    "Keras' get_weights": {
        "weights": list(tree().values()),
        "optimizer_weights": [*tree().values(), *tree().values()],
    },
    "an object": {"model": tree(), "solver": Adam()},
}  # fmt: skip
NONE = {
    "an average": {"model": tree(), "ema": tree()},
    "a teacher": {"student": tree(), "teacher": tree()},
    "two networks": [tree(), tree()],
    "models by fold": {fold: tree() for fold in range(5)},
    "networks called optimizer and model": {"optimizer": tree(), "model": tree()},
    "an object with attributes called so": [Layer(), Layer()],
    "statistics": {"model": tree(), "mean": tree(), "std": tree()},
    "four gates": {f"W_{gate}": np.ones((4, 4)) for gate in "ifgo"},
    "a history": {"model": tree(), "history": [np.ones((6, 4)) for _ in range(5)]},
}


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_state_is_found_and_no_other_array(tmp_path, protocol):
    path = tmp_path / "m.pkl"
    for form, content in STATE.items():
        path.write_bytes(pickle.dumps(content, protocol))
        measured = measure(path)
        found = measured.section("optimizer").of_kind(Kind.DATA)
        if protocol == 2:  # which writes bytes as text, and equal ones once
            assert 2 * SLOT < found < 4 * SLOT, form
        else:
            assert found in (2 * SLOT, 2 * SLOT + 4), form  # Optax counts its steps besides
    for form, content in NONE.items():
        path.write_bytes(pickle.dumps(content, protocol))
        assert measure(path).optimizer == 0, form

"""Dictionaries of arrays by name, as Paddle pickles them: whose are the slots?"""

import pickle

import pytest

from pytest_modelsize import Kind, measure
from tests.needs import needs

WEIGHTS = {"linear_0.w_0": (30, 20), "linear_0.b_0": (20,), "linear_1.w_0": (20, 5)}


def adam(name, shape):
    slots = {f"{name}_moment{n}_0": shape for n in (1, 2)}
    return slots | {f"{name}_beta{n}_pow_acc_0": (1,) for n in (1, 2)}


def slots_of(make, weights=WEIGHTS):
    return {
        slot: size for name, shape in weights.items() for slot, size in make(name, shape).items()
    }


def sections(tmp_path, shapes, wrap=lambda arrays: arrays):
    """In which section the elements of each array are, and of which kind."""
    np = needs("numpy")
    arrays = {name: np.ones(shape, "float32") for name, shape in shapes.items()}
    path = tmp_path / "net.pdopt"
    path.write_bytes(pickle.dumps(wrap(arrays), protocol=4))
    found = {}
    for where, leaf in measure(path).leaves():
        if leaf.kind in (Kind.DATA, Kind.OPAQUE):
            named = [part for part in where if part in shapes]
            found.update(dict.fromkeys(named, (where[0], leaf.kind)))
    return found


def test_slots_alone_are_told_by_their_pairs(tmp_path):
    slots = slots_of(adam)
    assert sections(tmp_path, slots) == dict.fromkeys(slots, ("optimizer", Kind.DATA))


def test_so_are_those_of_two_kinds_that_paddle_s_adadelta_keeps(tmp_path):
    kinds = ("_avg_squared_grad_0", "_avg_squared_update_0")
    slots = {f"{name}_{kind}": shape for name, shape in WEIGHTS.items() for kind in kinds}
    assert sections(tmp_path, slots) == dict.fromkeys(slots, ("optimizer", Kind.DATA))


def test_beside_the_weights_they_are_told_by_these(tmp_path):
    slots = {f"{name}_velocity_0": shape for name, shape in WEIGHTS.items()}
    found = sections(tmp_path, WEIGHTS | slots, lambda arrays: {"all": arrays})
    expected = dict.fromkeys(WEIGHTS, ("weights", Kind.DATA))
    assert found == expected | dict.fromkeys(slots, ("optimizer", Kind.DATA))


@pytest.mark.parametrize("kind", ["velocity_0", "moment_0", "mean_square_0", "_avg_squared_grad_0"])
def test_of_one_kind_alone_nothing_but_the_name_says_what_they_are(tmp_path, kind):
    slots = {f"{name}_{kind}": shape for name, shape in WEIGHTS.items()}
    assert sections(tmp_path, slots) == dict.fromkeys(slots, ("weights", Kind.OPAQUE))


FRIENDS = {
    "gates": {"W_r": (4, 4), "W_u": (4, 4), "U_r": (4, 4), "U_u": (4, 3)},
    "layers": {"fc": (3, 4), "fc_out": (7, 4), "fc_linear": (4, 9)},
    "one of them": {"fc": (3, 4), "fc_m": (5,), "fc_momentum": (6, 2)},
    "statistics": {"norm_mean": (4,), "norm_variance": (4,), "norm_average": (3,)},
    "others": {"enc_linear": (3, 4), "dec_linear": (3, 4)},
}


@pytest.mark.parametrize("case", FRIENDS)
def test_what_is_merely_called_like_one_is_weights(tmp_path, case):
    found = sections(tmp_path, FRIENDS[case])
    assert found == dict.fromkeys(FRIENDS[case], ("weights", Kind.DATA))

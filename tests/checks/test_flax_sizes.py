"""What a Flax tree weighs with less in it, against the same tree written without it."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.checks.stripping.flax import size_with
from tests.formats.flax.packed import array, packed
from tests.needs import needs

LAYER = {"kernel": array(3, 7), "bias": array(7)}
NET = {"Dense_0": LAYER, "Dense_1": LAYER}
STATE = {"0": {"count": array(dtype="int32"), "mu": NET, "nu": NET}, "1": {}}


def written(folder, tree):
    path = folder / "m.msgpack"
    path.write_bytes(packed(tree))
    return path


@pytest.mark.parametrize("more", [0, 12, 13, 14, 15, 40])
def test_without_state_it_is_as_long_as_the_tree_written_without_it(more, tmp_path):
    lean = {"params": NET, **{f"note {n}": "x" for n in range(more)}}
    path = written(tmp_path, {**lean, "opt_state": STATE, "step": 3})
    assert size_with(path, Change(state=True)) == len(packed(lean))


def test_entries_are_left_out_wherever_they_lie(tmp_path):
    path = written(tmp_path, {"params": NET, "ema_params": NET, "opt_state": STATE})
    gone = frozenset({("weights", "ema_params"), ("weights", "params", "Dense_1", "bias")})
    params = {"Dense_0": LAYER, "Dense_1": {"kernel": LAYER["kernel"]}}
    lean = packed({"params": params, "opt_state": STATE})
    assert size_with(path, Change(without=gone)) == len(lean)
    assert size_with(path, Change(without=gone, state=True)) == len(packed({"params": params}))


def test_what_is_not_there_or_not_a_matter_of_leaving_out_has_no_answer(tmp_path):
    path = written(tmp_path, {"params": NET})
    assert size_with(path, Change(without=frozenset({("weights", "other")}))) is None
    assert size_with(path, Change(narrowed=frozenset({("float32", "float16")}))) is None
    # A map that says its length in a longer form than it needs.
    tree = packed({"params": NET, "opt_state": STATE})
    path.write_bytes(b"\xde\x00\x02" + tree[1:])
    assert measure(path).optimizer > 0
    assert size_with(path, Change(state=True)) is None


def test_so_it_is_with_what_flax_itself_writes(tmp_path):
    serialization, optax = needs("flax.serialization"), needs("optax")
    import numpy as np
    from flax.training.train_state import TrainState

    params = {"dense": {"kernel": np.ones((9, 5), "float32"), "bias": np.ones(5, "float32")}}
    state = TrainState.create(apply_fn=None, params=params, tx=optax.adam(1e-3))
    path = tmp_path / "state.msgpack"
    path.write_bytes(serialization.to_bytes(state))
    assert size_with(path, Change(state=True)) == len(serialization.to_bytes({"params": params}))

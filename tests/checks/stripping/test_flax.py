"""What a Flax tree weighs with less in it, against the same tree written without it."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import find_causes
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
    assert size_with(path, Change(narrowed=frozenset({("float64", "float32")}))) is None
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


@pytest.mark.parametrize("types", [("float32", "float16"), ("float64", "float32")])
@pytest.mark.parametrize("shape", [(), (2,), (3, 7), (40, 40), (200, 200)])
def test_in_other_types_it_is_as_long_as_flax_writes_it(types, shape, tmp_path):
    """Lengths around the elements take one, two or four bytes, as they need."""
    serialization = needs("flax.serialization")
    import numpy as np

    def tree(dtype):
        kernel = np.ones(shape, dtype) if shape else np.dtype(dtype).type(1)
        return {"params": {"kernel": kernel, "ids": np.ones(3, "int32")}}

    path = tmp_path / "m.msgpack"
    path.write_bytes(serialization.to_bytes(tree(types[0])))
    told = size_with(path, Change(narrowed=frozenset([types])))
    assert told == len(serialization.to_bytes(tree(types[1])))


def test_an_average_goes_with_its_maps(tmp_path):
    path = written(tmp_path, {"params": NET, "ema_params": {"decay": 0.9, "model": NET}})
    gone = {
        ("weights", "ema_params", "model", layer, name) for layer in NET for name in LAYER
    } | {("config", "ema_params", "decay")}  # fmt: skip
    assert size_with(path, Change(without=frozenset(gone))) == len(packed({"params": NET}))
    causes = find_causes(measure(path), path).causes
    assert [(cause.kind, cause.given) for cause in causes if cause.kind == "moving average"] == [
        ("moving average", len(packed({"params": NET})))
    ]


def test_an_array_by_itself_is_weights(tmp_path):
    measured = measure(written(tmp_path, array(3, 7)))
    assert (measured.format, measured.weights) == ("flax", measured.total)

"""The causes of a live model are in its failure, with the size that the model has when it is saved
in the other way, by hand."""

import json
import sys
from types import SimpleNamespace

import pytest

from tests.acceptance.complaints.conftest import weight_of

PARAMETERS = 64 * 128 + 128


@pytest.fixture(scope="module")
def twice(keras):
    """A model of two branches that share a network, as in keras #8312."""
    keras.utils.set_random_seed(0)
    shared = keras.Sequential([keras.Input((64,)), keras.layers.Dense(128)], name="shared")
    left, right = keras.Input((64,)), keras.Input((64,))
    joined = keras.layers.Add()([shared(left), keras.Model(left, shared(left))(right)])
    return keras.Model([left, right], joined)


@pytest.fixture
def told(suite, monkeypatch):
    """Return a function: the causes of a live model that is over its budget, by kind."""

    def told(model, format):
        monkeypatch.setitem(sys.modules, "held", SimpleNamespace(net=model))
        suite.makepyfile(
            f"""
            import held, pytest
            @pytest.fixture
            def net():
                return held.net
            @pytest.mark.max_model_size("1 kB", format="{format}")
            def test_it(net): pass
            """
        )
        run = suite.start("--modelsize-report=r.json", "-Wignore")
        run.assert_outcomes(failed=1)
        (result,) = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
        return {cause["kind"]: cause for cause in result["causes"]}, result["detail"]

    return told


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_keras_8312_a_shared_layer_is_written_for_each_model(told, twice, tmp_path):
    causes, detail = told(twice, "h5")
    twice.save(tmp_path / "net.keras")
    cause = causes["equal tensors"]
    assert cause["size"] >= PARAMETERS * 4 - 1024
    assert (cause["given"], cause["how"]) == (weight_of(tmp_path / "net.keras"), "measured")
    assert "model.save(" in detail


def test_keras_23553_export_writes_all_variables_twice(told, twice, keras, tmp_path):
    import tensorflow as tf

    causes, _ = told(twice, "saved_model")
    tf.saved_model.save(twice, tmp_path / "once")
    cause = causes["equal tensors"]
    assert cause["size"] >= PARAMETERS * 4 - 1024
    assert cause["how"] == "measured"
    # Names of functions have numbers that count up.
    assert abs(cause["given"] - weight_of(tmp_path / "once")) < 500
    assert twice([keras.ops.ones((1, 64))] * 2).shape == (1, 128)


def test_wide_weights_are_cast_in_the_file_that_was_saved(told, keras, tmp_path):
    def saved(dtype):
        keras.backend.clear_session()
        return keras.Sequential([keras.Input((64,)), keras.layers.Dense(128, dtype=dtype)])

    causes, detail = told(saved("float64"), "keras")
    saved("float32").save(tmp_path / "net.keras")
    cause = causes["double precision"]
    assert (cause["given"], cause["how"]) == (weight_of(tmp_path / "net.keras"), "replayed")
    assert "cause: double precision" in detail


def test_a_module_of_pytorch_holds_a_layer_and_its_copy(told, torch, tmp_path):
    net = torch.nn.ModuleDict({name: torch.nn.Linear(64, 128) for name in ("a", "b")})
    net["b"].load_state_dict(net["a"].state_dict())
    causes, _ = told(net.double(), "torch")
    net["b"].weight, net["b"].bias = net["a"].weight, net["a"].bias
    torch.save(net.state_dict(), tmp_path / "model.pt")
    cause = causes["equal tensors"]
    assert (cause["given"], cause["how"]) == (weight_of(tmp_path / "model.pt"), "replayed")
    torch.save(net.float().state_dict(), tmp_path / "model.pt")
    assert causes[""]["given"] == weight_of(tmp_path / "model.pt")

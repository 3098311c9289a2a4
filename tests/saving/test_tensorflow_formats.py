"""SavedModel, checkpoint and TFLite from live models of Keras 3, Keras 2 and TensorFlow."""

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.saving import SaveError, default_format, export_call, framework_of, save
from tests.saving.states import fit, snapshot, state_of
from tests.saving.trained import trained as trained_keras_3

PARAMETERS = 6 * 5 + 5 + 5 * 2 + 2


def network(keras, optimizer="adam"):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="hidden"), layers.Dense(2)])
    if optimizer:
        model.compile(optimizer, "mse", run_eagerly=True)
    return model


def trained(keras, data, optimizer="adam"):
    model = network(keras, optimizer)
    model.fit(*data, batch_size=4, verbose=0)
    return model


def data_of(measured, section):
    return measured.section(section).of_kind(Kind.DATA)


def weights_of(measured):
    """Bytes of layers' variables; tf_keras stores the state of metrics beside them."""
    parts = measured.section("weights").children
    return sum(p.of_kind(Kind.DATA) for p in parts if not p.name.startswith(("metrics", "total", "count")))  # fmt: skip


@pytest.mark.parametrize("include_optimizer", [True, False])
def test_a_keras_3_checkpoint_is_what_tensorflow_writes(
    tf, keras, data, tmp_path, include_optimizer
):
    model = trained(keras, data)
    copy = save(model, tmp_path, format="checkpoint", include_optimizer=include_optimizer)
    measured = measure(copy.path)
    names = [name for name, _ in tf.train.list_variables(str(copy.path))]
    assert data_of(measured, "weights") == PARAMETERS * 4
    if include_optimizer:
        tf.train.Checkpoint(model=model).write(str(tmp_path / "own"))
        assert measured.total == measure(tmp_path / "own").total
        assert data_of(measured, "optimizer") == 2 * PARAMETERS * 4 + 8 + 4
        assert copy.flag_ignored is False
    else:
        assert measured.optimizer == 0
        assert not [name for name in names if "optimizer" in name]
        assert copy.flag_ignored is True


def carried_out(tf, model, copy, format, framework, folder, monkeypatch):
    """Do what the advice says, and measure what that writes."""
    monkeypatch.chdir(folder)
    advice = export_call(format, copy.optimizers, framework)
    exec(advice, {"model": model, "tf": tf})
    return measure(folder / ("model.ckpt" if format == "checkpoint" else "model"))


@pytest.mark.parametrize(
    "name", ["adam", "loss_scale", "nested", "shared", "subclassed", "pair", "gan", "held twice"]
)
def test_the_advice_for_a_checkpoint_really_gives_the_lean_size(
    tf, keras, build, data, tmp_path, monkeypatch, name
):
    model = trained_keras_3(build, data, "adam" if name == "held twice" else name)
    if name == "held twice":
        model.also = model.optimizer
    copy = save(model, tmp_path, format="checkpoint", include_optimizer=False, stem="lean")
    assert copy.flag_ignored is True
    done = carried_out(tf, model, copy, "checkpoint", "keras", tmp_path, monkeypatch)
    assert done.total == measure(copy.path).total
    assert done.optimizer == 0


@pytest.mark.parametrize("format", ["saved_model", "tflite"])
def test_what_keras_3_exports_for_serving_holds_no_state(tf, keras, data, tmp_path, format):
    copy = save(trained(keras, data), tmp_path, format=format, include_optimizer=False)
    measured = measure(copy.path)
    assert measured.format == format
    assert measured.optimizer == 0
    # The converter folds zero biases away; kernels stay.
    assert data_of(measured, "weights") >= (6 * 5 + 5 * 2) * 4
    assert (copy.flag_ignored, copy.optimizers) == (False, ())


def test_keras_3_trains_on_bit_for_bit_after_each_of_these(tf, keras, np, data, tmp_path):
    twins = []
    for checked in (False, True):
        keras.utils.clear_session()
        model = network(keras)
        fit(keras, model, data)
        before = snapshot(model)
        if checked:
            for format in ("saved_model", "checkpoint", "tflite"):
                for include_optimizer in (True, False):
                    folder = tmp_path / f"{format}-{include_optimizer}"
                    folder.mkdir()
                    save(model, folder, format=format, include_optimizer=include_optimizer)
        assert snapshot(model) == before
        fit(keras, model, data)
        twins.append(state_of(model))
    for one, other in zip(*twins, strict=True):
        np.testing.assert_array_equal(one, other)


KERAS_2 = ("keras", "h5", "weights", "saved_model", "checkpoint")


@pytest.mark.parametrize("format", KERAS_2)
@pytest.mark.parametrize("include_optimizer", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_keras_2_is_saved_with_and_without_state_in_every_format(
    keras_2, data, tmp_path, format, include_optimizer
):
    model = trained(keras_2, data)
    copy = save(model, tmp_path, format=format, include_optimizer=include_optimizer)
    measured = measure(copy.path, names=copy.names)
    assert weights_of(measured) == PARAMETERS * 4
    if include_optimizer:
        assert data_of(measured, "optimizer") == 2 * PARAMETERS * 4 + 8 + (
            4 if format in ("saved_model", "checkpoint") else 0
        )
        (facts,) = copy.optimizers
        assert (facts.slots, facts.parameters) == (2, PARAMETERS)
    else:
        assert measured.optimizer == 0
    ignored = format in ("keras", "weights", "checkpoint") and not include_optimizer
    assert copy.flag_ignored is ignored


@pytest.mark.parametrize("optimizer", ["adam", "legacy"])
@pytest.mark.filterwarnings("ignore")
def test_keras_2_trains_on_bit_for_bit_after_each_save(keras_2, np, data, tmp_path, optimizer):
    twins = []
    for checked in (False, True):
        keras_2.backend.clear_session()
        chosen = keras_2.optimizers.legacy.Adam() if optimizer == "legacy" else "adam"
        model = network(keras_2, chosen)
        fit(keras_2, model, data)
        same = model.optimizer
        if checked:
            for format in (*KERAS_2, "tflite"):
                for include_optimizer in (True, False):
                    folder = tmp_path / f"{format}-{include_optimizer}"
                    folder.mkdir()
                    save(model, folder, format=format, include_optimizer=include_optimizer)
        assert model.optimizer is same
        fit(keras_2, model, data)
        twins.append([np.asarray(v) for v in model.variables])
    for one, other in zip(*twins, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("optimizer", ["adam", "legacy"])
@pytest.mark.filterwarnings("ignore")
def test_the_advice_for_a_checkpoint_of_keras_2_really_gives_the_lean_size(
    tf, keras_2, data, tmp_path, monkeypatch, optimizer
):
    chosen = keras_2.optimizers.legacy.Adam() if optimizer == "legacy" else "adam"
    model = trained(keras_2, data, chosen)
    copy = save(model, tmp_path, format="checkpoint", include_optimizer=False, stem="lean")
    done = carried_out(tf, model, copy, "checkpoint", "tf_keras", tmp_path, monkeypatch)
    assert done.total == measure(copy.path).total
    assert done.optimizer == 0


@pytest.mark.filterwarnings("ignore")
def test_keras_2_slots_are_called_as_the_user_knows_them(keras_2, data, tmp_path):
    names = save(
        trained(keras_2, data), tmp_path, format="weights", include_optimizer=True
    ).names.variables
    assert names["/optimizer/vars/0"] == "iteration"
    assert names["/optimizer/vars/1"] == "hidden/kernel m"
    assert names["/optimizer/vars/2"] == "hidden/kernel v"


@pytest.mark.parametrize("format", ["keras", "weights"])
@pytest.mark.filterwarnings("ignore")
def test_keras_2_weights_are_called_as_the_user_knows_them(keras_2, data, tmp_path, format):
    layers = keras_2.layers
    model = keras_2.Sequential(
        [
            keras_2.Input((6,)),
            layers.Dense(5, name="hidden"),
            layers.BatchNormalization(name="norm"),
        ]
    )
    copy = save(model, tmp_path, format=format, include_optimizer=True)
    found = {
        path[1:3]: leaf.size
        for path, leaf in measure(copy.path, names=copy.names).leaves()
        if path[0] == "weights" and leaf.kind is Kind.DATA
    }
    assert found["hidden", "kernel"] == 6 * 5 * 4
    assert found["hidden", "bias"] == 5 * 4
    for name in ("gamma", "beta", "moving_mean", "moving_variance"):
        assert found["norm", name] == 5 * 4


def test_a_module_is_saved_as_saved_model_or_checkpoint(tf, np, tmp_path):
    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(np.ones((3, 7), "float32"))

    assert framework_of(Scale()) == "tensorflow"
    for format in ("saved_model", "checkpoint"):
        copy = save(Scale(), tmp_path, format=format, include_optimizer=False)
        assert data_of(measure(copy.path), "weights") == 3 * 7 * 4
    with pytest.raises(SaveError, match="saved as saved_model or checkpoint"):
        save(Scale(), tmp_path, format="keras", include_optimizer=False)


@pytest.fixture
def optimized(tf, np, keras_2):
    """Builds a module that keeps an optimizer, with two slots of 12 floats each."""

    class Optimized(tf.Module):
        def __init__(self):
            super().__init__()
            self.factor = tf.Variable(np.ones((3, 4), "float32"))
            self.optimizer = keras_2.optimizers.Adam()
            self.optimizer.build([self.factor])

        @tf.function(input_signature=[tf.TensorSpec((1, 3))])
        def serve(self, inputs):
            return inputs @ self.factor

    return Optimized


@pytest.mark.parametrize("format", ["saved_model", "checkpoint"])
@pytest.mark.filterwarnings("ignore")
def test_a_module_s_optimizer_is_left_out_and_the_advice_does_so_too(
    tf, np, optimized, tmp_path, monkeypatch, format
):
    module = optimized()
    full, lean = (
        save(module, tmp_path, format=format, include_optimizer=flag, stem=str(flag))
        for flag in (True, False)
    )
    # Two slots, the int64 counter; the rate is a variable of its own in newer versions.
    assert data_of(measure(full.path), "optimizer") in (2 * 12 * 4 + 8, 2 * 12 * 4 + 8 + 4)
    assert measure(lean.path).optimizer == 0
    assert data_of(measure(lean.path), "weights") == 12 * 4
    assert [(f.group, f.slots, f.parameters) for f in lean.optimizers] == [("/optimizer", 2, 12)]
    assert (full.flag_ignored, lean.flag_ignored) == (False, True)
    assert len(module.optimizer.variables) >= 3
    done = carried_out(tf, module, lean, format, "tensorflow", tmp_path, monkeypatch)
    assert done.optimizer == 0
    # Functions in a SavedModel are numbered through the process.
    tolerance = 0 if format == "checkpoint" else 200
    assert abs(done.total - measure(lean.path).total) <= tolerance


@pytest.mark.filterwarnings("ignore")
def test_an_optimizer_in_a_list_is_left_out_and_the_advice_says_where_it_is(optimized, tmp_path):
    module = optimized()
    module.spare = [module.optimizer]
    del module.optimizer
    copy = save(module, tmp_path, format="checkpoint", include_optimizer=False)
    assert measure(copy.path).optimizer == 0
    advice = export_call("checkpoint", copy.optimizers, "tensorflow")
    assert "out of the model's spare/0" in advice


def test_options_reach_the_converter(tf, keras, data, tmp_path):
    model = trained(keras, data)
    sizes = {}
    for name, options in (
        ("plain", {}),
        ("half", {"optimizations": [tf.lite.Optimize.DEFAULT], "supported_types": [tf.float16]}),
    ):
        copy = save(model, tmp_path, format="tflite", include_optimizer=True, stem=name, options=options)  # fmt: skip
        sizes[name] = data_of(measure(copy.path), "weights")
    assert sizes["half"] < sizes["plain"]
    with pytest.raises(SaveError, match="no option 'optimisations'"):
        save(model, tmp_path, format="tflite", include_optimizer=True, options={"optimisations": 1})


def test_the_bytes_of_a_converted_model_are_a_model(tf, keras, data, tmp_path):
    content = tf.lite.TFLiteConverter.from_keras_model(trained(keras, data)).convert()
    assert framework_of(content) == "tflite"
    copy = save(content, tmp_path, format="keras", include_optimizer=True)
    assert copy.path.read_bytes() == content
    assert measure(copy.path).format == "tflite"
    assert framework_of(b"rubbish") is None


def test_a_module_takes_the_format_that_tensorflow_has_for_it(tf):
    assert default_format(tf.Module(), "keras") == "saved_model"
    assert default_format(tf.Module(), "checkpoint") == "checkpoint"

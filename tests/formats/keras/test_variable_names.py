"""A variable is named the same from the file and live: the names of the live model are the oracle."""

import json
import zipfile

import pytest

from pytest_modelsize import measure
from tests.needs import needs, skip

keras = needs("keras")
if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 5):
    pytest.skip(
        "this Keras does not store its layers' names: tox run -e py", allow_module_level=True
    )


def sequential():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="first"),
            layers.BatchNormalization(),
            layers.SeparableConv2D(3, 3, use_bias=False),
            layers.DepthwiseConv2D(2),
            layers.BatchNormalization(scale=False, name="plain"),
            layers.Conv2DTranspose(2, 2),
            layers.LayerNormalization(center=False),
            layers.Flatten(),
            layers.Dense(3, name="hidden"),
            layers.Dense(2, use_bias=False),
        ]
    )


def functional():
    layers = keras.layers
    given = keras.Input((5,), dtype="int32")
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4), layers.Dense(3)], name="head")
    embedded = layers.Embedding(10, 4)(given)
    x = layers.Concatenate()([layers.LSTM(3)(embedded), layers.GRU(3, name="gate")(embedded)])
    return keras.Model(given, inner(x))


def frozen():
    model = sequential()
    model.layers[0].trainable = False
    return model


def adapted():
    layers = keras.layers
    given = keras.Input((5,), dtype="int32")
    inner = [layers.Embedding(10, 4, name="words"), layers.Dense(6, name="wide"), layers.Dense(4)]
    x = given
    for layer in inner:
        x = layer(x)
    for layer in inner[:2]:
        layer.enable_lora(2)
    return keras.Model(given, x)


def recurrent():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6, 8, 8, 2)),
            layers.ConvLSTM2D(2, 3, return_sequences=True, name="film"),
            layers.TimeDistributed(layers.Flatten(name="flat"), name="flatten"),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.1, name="both")),
            layers.TimeDistributed(layers.Dense(4, name="inner"), name="each"),
            layers.RNN(layers.GRUCell(3, name="cell"), return_sequences=True, name="own"),
            layers.RNN(
                layers.StackedRNNCells(
                    [layers.LSTMCell(2), layers.LSTMCell(2), layers.SimpleRNNCell(3)],
                    name="stack",
                )
            ),
            layers.SpectralNormalization(layers.Dense(3, name="kernel"), name="spectral"),
        ]
    )


def attentive():
    layers = keras.layers
    given = keras.Input((5, 8))
    x = layers.LayerNormalization(axis=[1, 2], name="plane")(given)
    x = layers.Normalization(name="norm")(x)
    x = layers.MultiHeadAttention(2, 4, name="heads")(x, x)
    x = layers.GroupQueryAttention(4, 4, 2, use_bias=False, dropout=0.1)(x, x)
    x = layers.Attention(use_scale=True, name="scaled")([x, x])
    x = layers.AdditiveAttention()([x, x])
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d")(x)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 6))(x)
    return keras.Model(given, layers.PReLU(shared_axes=[1], name="leaky")(x))


MODELS = {
    "sequential": sequential,
    "functional": functional,
    "frozen": frozen,
    "recurrent": recurrent,
    "attentive": attentive,
    "adapted": adapted,
}
OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(),
    "adamw": lambda: keras.optimizers.AdamW(),
    "sgd": lambda: keras.optimizers.SGD(),
    "momentum": lambda: keras.optimizers.SGD(momentum=0.9),
    "lion": lambda: keras.optimizers.Lion(),
    "adagrad": lambda: keras.optimizers.Adagrad(),
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(),
    "centered": lambda: keras.optimizers.RMSprop(momentum=0.9, centered=True),
    "adadelta": lambda: keras.optimizers.Adadelta(),
    "adamax": lambda: keras.optimizers.Adamax(),
    "ftrl": lambda: keras.optimizers.Ftrl(),
    "nadam": lambda: keras.optimizers.Nadam(),
    "average": lambda: keras.optimizers.SGD(use_ema=True),
    "accumulated": lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
    "scheduled": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    ),
    "adafactor": lambda: keras.optimizers.Adafactor(),
}


def paths_of(measured):
    """Return the entries that are variables, with their types and shapes."""
    found = set()
    pending = [
        ((part.name,), part) for part in measured.tree if part.name in ("weights", "optimizer")
    ]
    while pending:
        path, part = pending.pop()
        if part.note and "model.weights.h5" not in path:
            found.add((path, part.note))
        pending += [((*path, child.name), child) for child in part.children]
    return found


def saved_twice(model, tmp_path):
    from pytest_modelsize.saving import save

    copy = save(model, tmp_path, format="keras", include_optimizer=True)
    return measure(copy.path, names=copy.names), measure(copy.path), copy.path


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_each_variable_is_called_as_its_live_model_calls_it(tmp_path, model, optimizer):
    made = MODELS[model]()
    made.compile(OPTIMIZERS[optimizer](), "mse")
    made.optimizer.build(made.trainable_variables)
    live, alone, _ = saved_twice(made, tmp_path)
    assert paths_of(alone) == paths_of(live)
    assert len(paths_of(alone)) > 10


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_a_quantized_layer_has_the_names_of_its_live_model(tmp_path, mode):
    layers = [keras.Input((8,)), keras.layers.Dense(16, name="wide"), keras.layers.Dense(4)]
    words = [keras.Input((5,), dtype="int32"), keras.layers.Embedding(8, 6, name="words")]
    for stack in (layers, words) if mode != "float8" else (layers,):
        made = keras.Sequential(stack)
        try:
            for layer in made.layers:  # of the model, it would warn of the inputs
                layer.quantize(mode)
        except (AttributeError, NotImplementedError, ValueError):
            skip(f"this Keras does not quantize to {mode}", "py")
        live, alone, _ = saved_twice(made, tmp_path)
        assert paths_of(alone) == paths_of(live)
        assert not [path for path, _ in paths_of(alone) if path[-1].isdecimal()]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_slot_is_called_wrong(tmp_path, optimizer):
    keras.Variable(1.0)  # Keras counts those without a name, as Nadam's product is one
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
    made.compile(OPTIMIZERS[optimizer](), "mse")
    made.optimizer.build(made.trainable_variables)
    live, alone, _ = saved_twice(made, tmp_path)
    told = {path for path, _ in paths_of(alone) if not path[-1].isdecimal()}
    assert told <= {path for path, _ in paths_of(live)}
    if optimizer != "adafactor":
        assert paths_of(alone) == paths_of(live)


def test_a_layer_of_another_package_keeps_its_numbers(tmp_path):
    @keras.saving.register_keras_serializable("mine")
    class Dense(keras.layers.Dense):
        pass

    made = keras.Sequential(
        [keras.Input((4,)), Dense(3, name="own"), keras.layers.Dense(2, name="last")]
    )
    _, alone, _ = saved_twice(made, tmp_path)
    names = {path for path, _ in paths_of(alone)}
    assert ("weights", "own", "0") in names
    assert ("weights", "last", "kernel") in names


def test_a_configuration_that_is_of_another_model_names_nothing(tmp_path):
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
    *_, path = saved_twice(made, tmp_path)
    other = tmp_path / "other.keras"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for item in old.infolist():
            content = old.read(item)
            if item.filename == "config.json":
                config = json.loads(content)
                config["config"]["layers"][1]["config"]["name"] = "another"
                content = json.dumps(config).encode()
            new.writestr(item.filename, content)
    assert ("weights", "hidden", "0") in {found for found, _ in paths_of(measure(other))}


def test_an_unzipped_model_has_the_same_names(tmp_path):
    made = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden")])
    *_, path = saved_twice(made, tmp_path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "unzipped")
    assert paths_of(measure(tmp_path / "unzipped")) == paths_of(measure(path))


def test_a_layer_that_does_not_write_its_name_leaves_the_others_theirs(tmp_path):
    @keras.saving.register_keras_serializable("mine")
    class Scaled(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=shape[-1:], name="scale")

        def call(self, x):
            return x * self.scale

    made = keras.Sequential([keras.Input((4,)), Scaled(), keras.layers.Dense(2, name="last")])
    _, alone, _ = saved_twice(made, tmp_path)
    names = {path for path, _ in paths_of(alone)}
    assert ("weights", "last", "kernel") in names

"""Configuration by layer and key, in bytes as stored; `json` is the oracle."""

import json
import time

import pytest

from pytest_modelsize.formats.configuration import open_configuration
from tests.formats.mutants import Frugal

hypothesis = pytest.importorskip("hypothesis")
strategies = hypothesis.strategies


def opened(text):
    """Entries by path, after the check that holds for any text."""
    text = text.encode() if isinstance(text, str) else text
    entries = open_configuration(text)
    assert sum(size for _, size, _ in entries) == len(text)
    assert all(size >= 0 for _, size, _ in entries)
    paths = [path for path, _, _ in entries]
    assert len(set(paths)) == len(paths)
    return {"/".join(path): (size, note) for path, size, note in entries}


def below(entries, prefix):
    return sum(size for path, (size, _) in entries.items() if (path + "/").startswith(prefix + "/"))


LAYER = {
    "class_name": "Dense",
    "config": {"name": "head", "trainable": True, "units": 3},
    "name": "head",
    "inbound_nodes": [],
}
MODEL = {
    "module": "keras",
    "class_name": "Functional",
    "config": {"name": "net", "trainable": True, "layers": [LAYER], "input_layers": [["x", 0, 0]]},
    "compile_config": {
        "optimizer": {"class_name": "Adam", "config": {"name": "adam"}},
        "loss": "mse",
    },
}


def test_keys_of_a_layer_have_the_bytes_of_their_text():
    entries = opened(json.dumps(MODEL))
    # A key's bytes are its name, its value, and the comma and the blank after it.
    assert entries["head/units"][0] == len('"units": 3')
    assert entries["head/trainable"][0] == len('"trainable": true, ')
    assert entries["head/inbound_nodes"][0] == len('"inbound_nodes": []')
    assert entries["input_layers"][0] == len('"input_layers": [["x", 0, 0]]')
    assert entries["module"][0] == len('"module": "keras", ')
    assert entries["compile_config/loss"][0] == len('"loss": "mse"')
    assert below(entries, "head") == len(json.dumps(LAYER))


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("separators", [None, (",", ":"), (" , ", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_way_of_writing_the_same_text_adds_up(indent, separators, ascii_only):
    model = json.loads(json.dumps(MODEL))
    model["config"]["layers"][0]["config"]["words"] = ['größe "模型"\n', "\\", "\u2028"] * 3
    text = json.dumps(model, indent=indent, separators=separators, ensure_ascii=ascii_only)
    entries = opened(text)
    assert "head/words" in entries
    assert "head/units" in entries


def test_layers_inside_layers_are_entered():
    inner = {**LAYER, "config": {**LAYER["config"], "name": "inner"}, "name": "inner"}
    encoder = {"class_name": "Functional", "config": {"name": "encoder", "layers": [inner]}}
    wrapper = {
        "class_name": "TimeDistributed",
        "config": {"name": "each", "trainable": True, "layer": inner},
    }
    model = {"class_name": "Sequential", "config": {"name": "net", "layers": [encoder, wrapper]}}
    entries = opened(json.dumps(model))
    assert entries["encoder/inner/units"] == entries["each/inner/units"]
    assert below(entries, "encoder") == len(json.dumps(encoder))


def test_an_initializer_is_a_value_and_no_layer():
    layer = json.loads(json.dumps(LAYER))
    layer["config"]["kernel_initializer"] = {
        "class_name": "Constant", "config": {"value": [0.5] * 2000, "name": "looks alike"}
    }  # fmt: skip
    text = json.dumps({"class_name": "Sequential", "config": {"name": "n", "layers": [layer]}})
    size, note = opened(text)["head/kernel_initializer"]
    assert size == len('"kernel_initializer": ' + json.dumps(layer["config"]["kernel_initializer"]))
    assert note == "2,000 numbers, 8,000 bytes as float32"


def test_a_sequential_of_keras_1_lists_its_layers_as_its_config():
    text = json.dumps({"class_name": "Sequential", "config": [LAYER, LAYER]})
    assert below(opened(text), "head") == 2 * len(json.dumps(LAYER))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[1, 2", b'{"a": }', b'{"a": 1,}', b"nul", b'{"a" 1}', b"\xff\xfe", b"{} {}",
     b'{"a": "\x01"}', b"{'a': 1}", b'{"a": 01}'],
)  # fmt: skip
def test_what_is_no_json_is_one_entry_that_says_so(text):
    with pytest.raises(ValueError, match=r".*"):
        json.loads(text.decode("latin-1"))
    ((path, size, note),) = open_configuration(text)
    assert (path, size) == ((), len(text))
    assert note.startswith("not JSON")


@hypothesis.given(
    strategies.recursive(
        strategies.none() | strategies.booleans() | strategies.floats() | strategies.text()
        | strategies.integers(),
        lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner)
        | strategies.fixed_dictionaries(
            {"class_name": strategies.text(), "config": strategies.dictionaries(
                strategies.sampled_from(["name", "layers", "trainable", "x"]), inner)}
        ),
        max_leaves=30,
    ),
    strategies.sampled_from([None, 1]),
    strategies.booleans(),
)  # fmt: skip
@hypothesis.settings(deadline=None, max_examples=300)
def test_any_json_adds_up(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    opened(text.encode("utf-8", "surrogatepass"))


@hypothesis.given(strategies.binary(max_size=200))
@hypothesis.settings(deadline=None, max_examples=300)
def test_any_bytes_add_up(text):
    opened(text)


def test_hostile_texts_take_little_time_and_memory():
    deep = 30_000
    texts = [
        b"[" * deep + b"]" * deep,
        b'{"a":' * deep + b"1" + b"}" * deep,
        b'{"config": {"layers": [' * 5_000,
        b"[" + b"{}," * 100_000 + b"{}]",
        b"[" + b"[]," * 100_000 + b"1]",
        b'{"config": {"layers": [' + b'{"class_name": "A", "config": {}},' * 10_000 + b"1]}}",
        b'"' + b"\\u0041" * 100_000 + b'"',
    ]
    for text in texts:
        begun = time.perf_counter()
        opened(text)
        assert time.perf_counter() - begun < 5  # a bound against a hang, not a measurement
    for text in texts:
        with Frugal():
            open_configuration(text)


@pytest.fixture(scope="module")
def config_of(keras, tmp_path_factory):
    """The ``config.json`` that Keras writes for a model."""
    import zipfile

    folder = tmp_path_factory.mktemp("configs")

    def save(model):
        path = folder / "m.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json")

    return save


def assert_layers_have_the_bytes_of_their_json(text):
    """Keras writes with json's default separators: a dumped layer is as long as the stored one."""
    entries = opened(text)
    layers = json.loads(text)["config"]["layers"]
    for layer in layers:
        name = layer["config"]["name"]
        assert below(entries, name) == len(json.dumps(layer)), name
    return entries


def test_real_models_are_opened_layer_by_layer(keras, config_of):
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="encoder")
    text = config_of(
        keras.Sequential(
            [
                keras.Input((5, 4)),
                layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="both"),
                layers.TimeDistributed(inner, name="each"),
            ]
        )
    )
    entries = assert_layers_have_the_bytes_of_their_json(text)
    assert any(path.startswith("both/forward_lstm/") for path in entries)
    assert any(path.startswith("each/encoder/dense") for path in entries)


def test_a_large_network_is_opened_layer_by_layer(keras, config_of):
    text = config_of(keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3)))
    entries = assert_layers_have_the_bytes_of_their_json(text)
    assert len(entries) > 1_500


def test_what_bloats_a_configuration_is_named(keras, config_of):
    import numpy as np

    words = [f"word{n}" for n in range(20_000)]
    text = config_of(
        keras.Sequential([keras.Input((1,), dtype="string"), keras.layers.TextVectorization(vocabulary=words, name="text")])
    )  # fmt: skip
    entries = assert_layers_have_the_bytes_of_their_json(text)
    size, note = entries["text/vocabulary"]
    assert size == pytest.approx(len(json.dumps(words)), abs=40)
    assert note == "20,000 strings"

    constant = keras.initializers.Constant(np.linspace(0, 1, 2_000).tolist())
    layer = keras.layers.Dense(1, kernel_initializer=constant, name="d")
    serialized = keras.saving.serialize_keras_object(layer)
    model = {"class_name": "Sequential", "config": {"name": "n", "layers": [serialized]}}
    entries = assert_layers_have_the_bytes_of_their_json(json.dumps(model).encode())
    size, note = entries["d/kernel_initializer"]
    assert size > 30_000
    assert note == "2,000 numbers, 8,000 bytes as float32"

    shift = 3
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Lambda(lambda x: x + shift, name="shift")]
    )
    entries = assert_layers_have_the_bytes_of_their_json(config_of(model))
    assert entries["shift/function"][1] == "a marshalled Lambda"

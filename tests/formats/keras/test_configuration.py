"""Configurations opened by layer and key: sums, paths and remarks, against ``json`` and Keras."""

from __future__ import annotations

import json
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytest_modelsize.formats.keras import configuration_walk, open_configuration
from pytest_modelsize.formats.keras.plain_configuration import read_plain
from tests.formats.mutants import HOSTILE_CALLS
from tests.needs import needs
from tests.work import assert_even_growth

_SEPARATOR = len(", ")


def sizes(text: bytes) -> dict[tuple[str, ...], int]:
    """Open a configuration and return bytes by path; check the law on the way."""
    entries = open_configuration(text)
    assert sum(size for _, size, _ in entries) == len(text)
    assert all(size >= 0 for _, size, _ in entries)
    paths = [path for path, _, _ in entries]
    assert len(set(paths)) == len(paths)
    return {path: size for path, size, _ in entries}


def notes(text: bytes) -> dict[tuple[str, ...], str]:
    """Return the remarks by path."""
    return {path: note for path, _, note in open_configuration(text) if note}


def below(found: dict[tuple[str, ...], int], *path: str) -> int:
    """Return the bytes of all entries at and below a path."""
    return sum(size for names, size in found.items() if names[: len(path)] == path)


def written(key: str, value: object) -> int:
    """Return the bytes of a member as ``json.dumps`` writes it, its separator not included."""
    return len(json.dumps({key: value})) - len("{}")


def layer(name: str, class_name: str = "Dense", **config: object) -> dict[str, Any]:
    """Return what Keras 3 writes for a layer, in short."""
    return {
        "module": "keras.layers",
        "class_name": class_name,
        "config": {"name": name, "trainable": True, **config},
        "registered_name": None,
    }


def model(*layers: dict[str, Any], **config: object) -> bytes:
    """Return the text of a model of layers as Keras 3 writes it, in short."""
    inner = {"name": "model", "trainable": True, "layers": list(layers), **config}
    return json.dumps({"module": "keras", "class_name": "Functional", "config": inner}).encode()


# Real models


@pytest.fixture
def stored(tmp_path: Any) -> Any:
    """Return a function: the configuration of a model as it lies in its ``.keras`` file."""

    def save(a_model: Any) -> bytes:
        path = tmp_path / "model.keras"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            a_model.save(path)
        with zipfile.ZipFile(path) as archive:
            return archive.read("config.json")

    return save


def assert_layers_cost_what_json_dumps_says(text: bytes) -> dict[tuple[str, ...], int]:
    """Compare every layer, at any depth, and every key of the model with their own dump."""
    found = sizes(text)
    written_model = json.loads(text)
    assert json.dumps(written_model).encode() == text

    def compare(layers: list[dict[str, Any]], path: tuple[str, ...]) -> None:
        assert layers
        for a_layer in layers:
            name = a_layer.get("name", a_layer["config"].get("name"))
            assert below(found, *path, name) == len(json.dumps(a_layer)), (*path, name)
            if "layers" in a_layer["config"]:
                compare(a_layer["config"]["layers"], (*path, name))
            for key, value in a_layer["config"].items():
                if key != "name" and (*path, name, key) in found and key not in a_layer:
                    expected = written(key, value)
                    assert found[(*path, name, key)] in (expected, expected + _SEPARATOR)

    compare(written_model["config"]["layers"], ())
    for key, value in written_model["config"].items():
        if key not in ("layers", "name") and key not in written_model:
            assert found[(key,)] in (written(key, value), written(key, value) + _SEPARATOR)
    return found


def test_a_vocabulary_of_a_text_vectorization_has_a_name_and_a_remark(
    keras: Any, stored: Any
) -> None:
    words = [f"word{i}" for i in range(20_000)]
    text = stored(
        keras.Sequential(
            [
                keras.Input((1,), dtype="string"),
                keras.layers.TextVectorization(vocabulary=words, name="text_vectorization"),
            ]
        )
    )
    found = assert_layers_cost_what_json_dumps_says(text)
    path = ("text_vectorization", "vocabulary")
    assert found[path] == written("vocabulary", words) + _SEPARATOR
    assert notes(text) == {path: "20,000 strings"}


def test_a_lambda_is_named(keras: Any, stored: Any) -> None:
    text = stored(
        keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2, name="twice")])
    )
    assert_layers_cost_what_json_dumps_says(text)
    assert notes(text) == {("twice", "function"): "a marshalled Lambda"}


def test_a_constant_initializer_and_a_constant_operand_are_named(keras: Any, stored: Any) -> None:
    np = needs("numpy")
    constant = np.linspace(0, 1, 500, dtype="float32").reshape(5, 100)
    inputs = keras.Input((5,), name="input")
    hidden = keras.ops.matmul(inputs, constant)
    initializer = keras.initializers.Constant(constant.reshape(100, 5))
    outputs = keras.layers.Dense(5, kernel_initializer=initializer, name="dense")(hidden)
    text = stored(keras.Model(inputs, outputs))
    assert_layers_cost_what_json_dumps_says(text)
    remarks = notes(text)
    assert remarks[("dense", "kernel_initializer")] == "500 numbers, 2,000 bytes as float32"
    assert remarks[("matmul", "inbound_nodes")].endswith("bytes as float32")


def test_nested_models_are_opened_down_to_their_keys(keras: Any, stored: Any) -> None:
    dense = keras.layers.Dense
    inner = keras.Sequential([keras.Input((3,)), dense(3, name="dense_3")], name="inner")
    inputs = keras.Input((4,), name="input")
    encoder = keras.Model(inputs, inner(dense(3, name="front")(inputs)), name="encoder")
    a_model = keras.Sequential([keras.Input((4,)), encoder, dense(2, name="head")])
    a_model.compile("adam", "mse")
    text = stored(a_model)
    found = assert_layers_cost_what_json_dumps_says(text)
    assert found[("encoder", "inner", "dense_3", "units")] == len('"units": 3, ')
    compiled = json.loads(text)["compile_config"]
    assert below(found, "compile_config") == written("compile_config", compiled)
    assert found[("compile_config", "optimizer")] == (
        written("optimizer", compiled["optimizer"]) + _SEPARATOR
    )


def test_layers_inside_wrappers_are_opened(keras: Any, stored: Any) -> None:
    kinds = keras.layers
    text = stored(
        keras.Sequential(
            [
                keras.Input((5, 4)),
                kinds.Bidirectional(kinds.LSTM(3, name="lstm"), name="both"),
                kinds.RepeatVector(2),
                kinds.TimeDistributed(kinds.Dense(2, name="inner"), name="each"),
                kinds.RNN([kinds.LSTMCell(2, name="a"), kinds.GRUCell(3, name="b")], name="rnn"),
            ]
        )
    )
    found = assert_layers_cost_what_json_dumps_says(text)
    both = json.loads(text)["config"]["layers"][1]["config"]
    for key in ("layer", "backward_layer"):
        name = both[key]["config"]["name"]
        expected = written(key, both[key])
        assert below(found, "both", name) in (expected, expected + _SEPARATOR)
    assert found[("each", "inner", "units")] == len('"units": 2, ')
    assert found[("rnn", "stacked_rnn_cells", "b", "units")] == len('"units": 3, ')


def test_a_layer_in_an_argument_of_a_subclassed_model_is_opened(keras: Any, stored: Any) -> None:
    class Around(keras.Model):  # type: ignore[misc, name-defined]
        def __init__(self, inner: Any) -> None:
            super().__init__(name="around")
            self.inner = inner

        def call(self, x: Any) -> Any:
            return self.inner(x)

        def get_config(self) -> dict[str, Any]:
            return {"inner": keras.saving.serialize_keras_object(self.inner), "width": 3}

    a_model = Around(keras.layers.Dense(4, name="dense"))
    a_model(keras.ops.zeros((1, 2)))
    text = stored(a_model)
    found = sizes(text)
    inner = json.loads(text)["config"]["inner"]
    assert below(found, "dense") == written("inner", inner) + _SEPARATOR
    assert found[("width",)] == len('"width": 3')


def test_a_mobile_net_is_opened_layer_by_layer(keras: Any, stored: Any) -> None:
    text = stored(keras.applications.MobileNetV2((32, 32, 3), weights=None, classes=10))
    found = assert_layers_cost_what_json_dumps_says(text)
    assert found[()] < 1_000


# Older versions of Keras, which are not installed: what they write, in short


def test_the_sequential_of_keras_1_has_its_layers_in_its_config() -> None:
    layers = [
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 10}},
        {"config": {"output_dim": 2, "name": "dense_2"}, "class_name": "Dense"},
    ]
    found = sizes(json.dumps({"class_name": "Sequential", "config": layers}).encode())
    assert below(found, "dense_1") == len(json.dumps(layers[0]))
    assert found[("dense_2", "output_dim")] == len('"output_dim": 2, ')
    assert found[("class_name",)] == written("class_name", "Sequential") + _SEPARATOR


def test_the_lambda_of_keras_2_is_named() -> None:
    code = (
        "4wEAAAAAAAAAAAAAAAEAAAACAAAAUwAAAHMIAAAAfABkARQAUwApAk7pAgAAAKkAKQHaAXhyAgAA\nAHICAAAA\n"
    )
    function = {"function": [code, None, None], "function_type": "lambda", "module": "__main__"}
    text = model(layer("twice", "Lambda", **function))
    assert notes(text) == {("twice", "function"): "a marshalled Lambda"}


def test_a_training_config_is_opened_by_key() -> None:
    optimizer = {"class_name": "Adam", "config": {"name": "Adam", "learning_rate": 0.001}}
    training = {"loss": "mse", "metrics": [["mae"]], "optimizer_config": optimizer}
    found = sizes(json.dumps(training).encode())
    assert found == {
        (): 2,
        ("loss",): written("loss", "mse") + _SEPARATOR,
        ("metrics",): written("metrics", [["mae"]]) + _SEPARATOR,
        ("optimizer_config",): written("optimizer_config", optimizer),
    }


def test_metadata_is_opened_by_key() -> None:
    text = b'{"keras_version": "3.15.1", "date_saved": "2025-11-24@08:26:00"}'
    assert sizes(text) == {
        (): 2,
        ("keras_version",): len('"keras_version": "3.15.1", '),
        ("date_saved",): len('"date_saved": "2025-11-24@08:26:00"'),
    }


# What belongs to whom


def test_initializers_policies_and_metrics_are_entries_of_their_key() -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}
    deep = {"class_name": "Sum", "config": {"name": "s", "of": [policy, {"a": {"b": [policy]}}]}}
    found = sizes(model(layer("dense", dtype=policy, regularizer=deep)))
    assert found[("dense", "dtype")] == written("dtype", policy) + _SEPARATOR
    assert found[("dense", "regularizer")] == written("regularizer", deep)


def test_an_initializer_with_a_name_is_no_layer() -> None:
    constant = {"class_name": "Constant", "config": {"value": [0.5] * 2_000, "name": "looks alike"}}
    text = model(layer("head", kernel_initializer=constant))
    path = ("head", "kernel_initializer")
    assert sizes(text)[path] == written("kernel_initializer", constant)
    assert notes(text) == {path: "2,000 numbers, 8,000 bytes as float32"}


@pytest.mark.parametrize("indent", [None, 0, 2, "\t"])
@pytest.mark.parametrize("separators", [None, (",", ":"), (" , ", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_any_way_of_writing_a_model_has_the_same_entries(
    indent: Any, separators: Any, ascii_only: bool
) -> None:
    text = model(layer("head", words=['größe "模型"\n', "\\", "\u2028"] * 3, units=3))
    other = json.dumps(
        json.loads(text), indent=indent, separators=separators, ensure_ascii=ascii_only
    )
    assert list(sizes(other.encode())) == list(sizes(text))


def test_a_small_layer_in_a_key_is_still_a_layer() -> None:
    inner = {"class_name": "Flatten", "config": {"name": "flat", "trainable": True}}
    found = sizes(model(layer("each", "TimeDistributed", layer=inner)))
    assert found[("each", "flat", "trainable")] == len('"trainable": true')
    assert below(found, "each", "flat") == written("layer", inner)


def test_a_key_owns_its_name_colon_comma_and_blanks() -> None:
    text = b'  {\n  "a" : 1 ,\n\t"b":[ 1, 2 ]\r\n}\n'
    assert sizes(text) == {
        (): len("  {\n  ") + len("}\n"),
        ("a",): len('"a" : 1 ,\n\t'),
        ("b",): len('"b":[ 1, 2 ]\r\n'),
    }


def test_keys_that_occur_twice_are_both_counted() -> None:
    assert sizes(b'{"a": 1, "a": [true], "a": {}}') == {(): 2, ("a",): 28}


def test_a_key_of_a_layer_and_of_its_config_share_an_entry() -> None:
    a_layer = {**layer("dense"), "name": "dense", "inbound_nodes": []}
    found = sizes(model(a_layer))
    assert found[("dense", "name")] == 2 * len('"name": "dense", ')


@pytest.mark.parametrize("ascii_only", [True, False])
def test_names_in_any_script_are_read_and_counted_in_bytes(ascii_only: bool) -> None:
    a_layer = layer("décodeur→𝄞", größe="ü" * 10)
    text = json.dumps({"config": {"layers": [a_layer]}}, ensure_ascii=ascii_only).encode()
    found = sizes(text)
    assert below(found, "décodeur→𝄞") == len(json.dumps(a_layer, ensure_ascii=ascii_only).encode())
    member = json.dumps({"größe": "ü" * 10}, ensure_ascii=ascii_only).encode()
    assert found[("décodeur→𝄞", "größe")] == len(member) - 2


def test_names_that_are_no_text_can_still_be_printed() -> None:
    text = rb'{"config": {"layers": [{"class_name": "A\"", "config": {"name": "\ud800'
    text += b'\xff\\n"}}]}, "\\ud800": 1}'
    for path in sizes(text):
        "/".join(path).encode("utf-8")


def test_the_name_of_a_layer_itself_goes_before_that_in_its_config() -> None:
    for a_layer in ({**layer("inner"), "name": "outer"}, {"name": "outer", **layer("inner")}):
        assert below(sizes(model(a_layer)), "outer") == len(json.dumps(a_layer))


def test_a_layer_without_a_name_is_called_after_its_class() -> None:
    text = json.dumps({"config": {"layers": [{"class_name": "Dense", "config": {"units": 3}}]}})
    assert sizes(text.encode())[("Dense", "units")] == len('"units": 3')


def test_values_that_keras_cannot_write_as_json_numbers_are_read() -> None:
    found = sizes(model(layer("clip", low=float("-inf"), high=float("inf"), gap=float("nan"))))
    assert found[("clip", "low")] == len('"low": -Infinity, ')
    assert found[("clip", "gap")] == len('"gap": NaN')


def test_base64_is_remarked_on() -> None:
    text = model(layer("dense", blob="QUJD" * 100, label="base64 would not have a blank " * 20))
    assert notes(text) == {("dense", "blob"): "base64 of about 300 bytes"}


def test_strings_and_numbers_in_lists_are_counted_whatever_they_look_like() -> None:
    tricky = ['a",', "\\", '"', "1, 2", "é", "[", "plain"] * 20
    numbers = [[1, -2.5, 1e-9], [0], [[3e7, True, None]]] * 36
    remarks = notes(model(layer("dense", words=tricky, table=numbers)))
    assert remarks[("dense", "words")] == "140 strings"
    assert remarks[("dense", "table")] == "180 numbers, 720 bytes as float32"


# Any text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text()
            | st.sampled_from(["config", "class_name", "layers", "name", "trainable", "module"]),
            inner,
        )
    ),
    max_leaves=25,
)
_FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_FEW
@given(
    _JSON,
    st.booleans(),
    st.sampled_from([None, 0, 3, "\t"]),
    st.sampled_from([(", ", ": "), (",", ":"), (" \n, ", "\t:\r ")]),
)
def test_any_json_adds_up_and_is_taken_for_json(
    value: object, ascii_only: bool, indent: Any, separators: tuple[str, str]
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)
    text_bytes = text.encode("utf-8", "surrogatepass")
    assert sum(sizes(text_bytes).values()) == len(text_bytes)
    assert "not" not in dict(notes(text_bytes)).get((), "")


@_FEW
@given(_JSON, st.integers(0, 10**6), st.sampled_from('"\\{}[],:0-.eE x\n\x00tn'), st.booleans())
def test_what_python_refuses_is_not_json_and_what_it_accepts_is(
    value: object, where: int, mark: str, insert: bool
) -> None:
    text = json.dumps(value)
    at = where % (len(text) + 1)
    text = text[:at] + mark + text[at if insert else at + 1 :]
    try:
        json.loads(text)
        accepted = True
    except ValueError as error:
        assume("digits" not in str(error))  # a limit that depends on Python's settings
        accepted = False
    note = dict(notes(text.encode())).get((), "")
    assert note.startswith("not JSON") is not accepted
    sizes(text.encode())


@_FEW
@given(st.binary(max_size=60))
def test_any_bytes_add_up(text: bytes) -> None:
    sizes(text)


_NOT_JSON = [
    *(b"", b" ", b"{", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,}', b"[1,]", b"[,]", b"{}x", b"tru"),
    *(b"01", b"1.", b"-", b"'a'", b'"\x01"', b'"\\x"', b'{"a" 1}', b'{"config":{"a":{"b":1,}}}'),
]


@pytest.mark.parametrize("text", _NOT_JSON)
def test_a_text_that_is_not_json_is_one_entry_that_says_so(text: bytes) -> None:
    ((path, size, note),) = open_configuration(text)
    assert (path, size) == ((), len(text))
    assert note.startswith("not JSON: ")


def _numbered(count: int) -> bytes:
    return b"{" + b",".join(b'"%d":1' % number for number in range(count)) + b"}"


_HOSTILE: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "brackets": (100_000, lambda n: b"[" * n + b"]" * n),
    "open brackets": (100_000, lambda n: b"[" * n),
    "objects": (100_000, lambda n: b'{"a":' * n + b"1" + b"}" * n),
    "models": (
        10_000,
        lambda n: b'{"class_name":"A","config":{"layers":[' * n + b"1" + b"]}}" * n,
    ),
    "wrappers": (10_000, lambda n: b'{"class_name":"A","config":{"a":' * n + b"1" + b"}}" * n),
    "empty lists": (200_000, lambda n: b"[" + b"[]," * n + b"[]]"),
    "layers": (
        40_000,
        lambda n: b'{"config":{"layers":[' + b'{"class_name":"","config":{}},' * n + b"0]}}",
    ),
    "keys": (200_000, _numbered),
    "escapes": (1_000_000, lambda n: b'{"a":"' + b"\\n" * n + b'"}'),
    "one number": (1_000_000, lambda n: b"[" + b"1" * n + b"x"),
    "blanks": (1_000_000, lambda n: b'{"a":[' + b"1" + b" " * n + b"x"),
}
"""How many of it there are, and what makes so many."""


@pytest.mark.parametrize("case", _HOSTILE)
def test_a_hostile_text_takes_neither_long_nor_much(case: str) -> None:
    size, made = _HOSTILE[case]

    def at(number: int) -> Callable[[], object]:
        text = made(number)
        return lambda: sizes(text)

    assert_even_growth(at, size, allowed=HOSTILE_CALLS)


def test_memory_is_bounded_by_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration_walk, "_MOST_ENTRIES", 5_000)
    for case, number, allowed in (
        ("layers", 30_000, 5_000_000),
        ("empty lists", 60_000, 1_000_000),
    ):
        peak = _peak(_HOSTILE[case][1](number))
        assert peak < allowed, f"{peak:,} bytes, where {allowed:,} are allowed"


def _peak(text: bytes) -> int:
    tracemalloc.start()
    try:
        open_configuration(text)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_work_grows_with_the_text_and_not_faster() -> None:
    def at(number: int) -> Callable[[], object]:
        text = model(*(layer(f"dense_{i}", units=[i, {"a": [i]}]) for i in range(number)))
        return lambda: open_configuration(text)

    assert_even_growth(at, 3_200, allowed=HOSTILE_CALLS)


def test_models_nested_deeper_than_anyone_nests_them_are_values() -> None:
    inner = layer("bottom")
    for depth in range(60):
        inner = layer(f"model_{depth}", "Sequential", layers=[inner])
    text = json.dumps(inner).encode()
    assert max(len(path) for path in sizes(text)) < 60


# The two ways to the same entries


_SCALARS = [None, True, False, 0, -7, 10**20, 0.1, 1e300, float("nan"), float("-inf"), "", "a", "é"]
_SCALARS += ["QUJD" * 60, "4wEA\n" * 20, "a b " * 60, "é" * 80, "QUJD" * 14, "\ud800", '"\\']


def _made(random: Random, depth: int) -> Any:
    """Return what a configuration may hold, or what is nearly that."""

    def inner() -> Any:
        return _made(random, depth - 1)

    def members(*keys: str) -> dict[str, Any]:
        return {key: inner() for key in random.sample(keys, random.randrange(len(keys) + 1))}

    kind = random.randrange(6) if depth else 0
    if kind == 0:
        return random.choice(_SCALARS)
    if kind == 1:
        return [inner() for _ in range(random.randrange(4))]
    if kind == 2:
        return [random.choice(_SCALARS) for _ in range(random.randrange(3))] * random.choice(
            [1, 60]
        )
    if kind == 3:
        return members("config", "x", "é", "trainable", "layers")
    config = members("units", "layer", "function", "config", "class_name")
    if random.random() < 0.8:
        config |= {"name": random.choice(["", "a", "é", None]), "trainable": inner()}
    if random.random() < 0.5:
        config["layers"] = [inner() for _ in range(random.randrange(4))]
    layer = members("name", "compile_config", "registered_name")
    layer |= {"class_name": random.choice(["", "A", "b", None]), "config": config}
    if random.random() < 0.1:
        layer["config"] = [inner(), inner()]
    return dict(random.sample(list(layer.items()), len(layer)))


@pytest.mark.parametrize("seed", range(4))
def test_a_text_that_python_writes_again_has_the_entries_that_a_walk_finds(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        text = json.dumps({"config": _made(random, 5), "x": _made(random, 5)}).encode()
        assert read_plain(text) is not None
        root, note = configuration_walk.Walk(text.decode("latin-1")).root()
        walked: dict[tuple[str, ...], tuple[int, str]] = {}
        root.enter(walked)
        assert note == ""
        assert open_configuration(text) == [(path, *walked[path]) for path in walked], text

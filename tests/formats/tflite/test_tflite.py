"""TFLite models as the converter writes them, against TensorFlow's own analyzer."""

import contextlib
import io
import re
import warnings
import zipfile
from collections import Counter

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.mutants import count, mutants, outcome_of
from tests.needs import needs


@pytest.fixture(scope="module")
def models(tf, any_keras, np, tmp_path_factory):
    """Converted models: plain, with float16 and with int8 weights, fully int8, convolutional."""
    folder = tmp_path_factory.mktemp("tflite")
    keras = any_keras
    keras.utils.set_random_seed(0)
    dense = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(128, bias_initializer="ones"),
            keras.layers.Dense(10),
        ]
    )
    image = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(4, "softmax"),
        ]
    )

    def convert(model, name, prepare=None):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if prepare is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            prepare(converter)
        (folder / name).write_bytes(converter.convert())

    def half(converter):
        converter.target_spec.supported_types = [tf.float16]

    def calibrated(converter):
        converter.representative_dataset = lambda: [[np.ones((1, 64), "float32")]]

    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        # It warns of types that it was not told, whichever test asks for the models first.
        warnings.simplefilter("ignore")
        convert(dense, "plain.tflite")
        convert(dense, "float16.tflite", half)
        convert(dense, "weights.tflite", lambda converter: None)
        convert(dense, "int8.tflite", calibrated)
        convert(image, "image.tflite")
    return sorted(folder.glob("*.tflite"))


def analyzed(tf, path):
    """The analyzer's own figures: bytes of the model, of data, and of all else."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        tf.lite.experimental.Analyzer.analyze(model_path=str(path))
    return [
        int(re.search(rf"{name}: +(\d+) bytes", output.getvalue())[1])
        for name in ("Model size", "Total data buffer size", "Non-data buffer size")
    ]


@pytest.mark.filterwarnings("ignore")
def test_data_and_other_bytes_are_those_of_the_analyzer(tf, models):
    assert len(models) == 5
    for path in models:
        measured = measure(path)
        size, data, other = analyzed(tf, path)
        found = sum(leaf.size for _, leaf in measured.leaves() if leaf.kind is Kind.DATA)
        assert (measured.total, found, measured.total - found) == (size, data, other), path.name


def test_nothing_is_unknown_but_zeros_that_align(models):
    for path in models:
        parts = {part.name: part for part in measure(path).section("overhead").children}
        assert set(parts) == {"header", "model table", "padding"}
        assert parts["header"].size == 8


def test_each_kind_of_thing_has_its_place_and_metadata_their_buffers(tf, models):
    schema = needs("tensorflow.lite.python.schema_py_generated")
    for path in models:
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        graph = measure(path).section("graph")
        parts = {part.name: part for part in graph.children}
        assert {
            "operator codes", "subgraphs", "subgraph", "tensors", "operators", "buffers", "signatures",
            "description",
        } == set(parts)  # fmt: skip
        assert parts["description"].size == 4 + len(model.description) + 1
        buffers = Counter()  # TensorFlow 2.17 writes one of them twice
        for entry in model.metadata:
            buffers[entry.name.decode()] += len(model.buffers[entry.buffer].data)
        (metadata,) = measure(path).section("config").children
        assert metadata.name == "metadata"
        found = {p.name: p.of_kind(Kind.DATA) for p in metadata.children if p.name in buffers}
        assert found == buffers
        assert sum(buffers.values()) == metadata.of_kind(Kind.DATA) > 0


def test_weights_are_named_with_type_and_shape(models):
    for path, dtype in (("plain", "float32"), ("float16", "float16"), ("int8", "int8")):
        (model,) = [model for model in models if model.stem == path]
        notes = {
            part.note: part.of_kind(Kind.DATA)
            for part in measure(model).section("weights").children
        }
        width = {"float32": 4, "float16": 2, "int8": 1}[dtype]
        assert notes[f"{dtype} 128x64"] == 128 * 64 * width
        assert notes[f"{dtype} 10x128"] == 10 * 128 * width


def test_content_tells_a_model_whatever_its_name(models, tmp_path):
    data = models[0].read_bytes()
    (tmp_path / "model").write_bytes(data)
    assert measure(tmp_path / "model").format == recognise(tmp_path / "model") == "tflite"
    no_signature = "TFLITE signature"
    for broken, problem in (
        (b"", "an empty file"),
        (b"rubbish", no_signature),
        (data[:4] + b"TFL2" + data[8:], no_signature),
    ):
        (tmp_path / "m.tflite").write_bytes(broken)
        with pytest.raises(ArtifactError, match=problem):
            measure(tmp_path / "m.tflite")


def test_files_appended_as_a_zip_are_assets(models, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    path = tmp_path / "m.tflite"
    path.write_bytes(models[0].read_bytes() + buffer.getvalue())
    measured = measure(path)
    assert measured.total == path.stat().st_size
    (asset,) = measured.section("assets").children
    assert (asset.name, asset.of_kind(Kind.DATA)) == ("labels.txt", 8)


@pytest.fixture(scope="module")
def wasteful(tf, np, tmp_path_factory):
    """A converted model with a table of zeros and another one, which `edited` stores twice."""

    class Wasteful(tf.Module):
        def __init__(self):
            super().__init__()
            self.zeros = tf.Variable(np.zeros((64, 64), "float32"))
            self.one = tf.Variable(np.arange(4096, dtype="float32").reshape(64, 64))
            self.two = tf.Variable(np.arange(4096, dtype="float32").reshape(64, 64) + 1)

        @tf.function(input_signature=[tf.TensorSpec((1, 64))])
        def __call__(self, x):
            return (x @ self.zeros) + (x @ self.one) - tf.nn.relu(x @ self.two)

    module = Wasteful()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.__call__.get_concrete_function()], module
    )
    return converter.convert()


def notes_of(content, tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    weights = measure(path).section("weights")
    return {part.name: part.note for part in weights.children if part.size > 4000}


@pytest.mark.filterwarnings("ignore")
def test_buffers_of_zeros_are_named_as_waste_and_no_others(wasteful, tmp_path):
    notes = notes_of(wasteful, tmp_path)
    assert len(notes) == 3
    assert sum(note.endswith("64x64, waste: all zeros") for note in notes.values()) == 1
    assert sum("waste" in note for note in notes.values()) == 1


@pytest.mark.filterwarnings("ignore")
def test_a_buffer_that_is_stored_twice_is_named_as_waste_with_its_double(np, wasteful, tmp_path):
    """The converter merges equal constants: one is made the same as another in its file."""
    tables = [np.arange(4096, dtype="float32").reshape(64, 64) + more for more in (0, 1)]
    one, two = (table.T.tobytes() for table in tables)
    assert (wasteful.count(one), wasteful.count(two)) == (1, 1)
    for changed, alike in (
        (one, True),
        (one[:-1] + b"!", False),  # alike but for the last byte
        (b"!" + one[1:], False),
    ):
        notes = notes_of(wasteful.replace(two, changed), tmp_path)
        doubles = {name: note for name, note in notes.items() if "the same as" in note}
        assert len(doubles) == (1 if alike else 0)
        for name, note in doubles.items():
            other = note.partition("waste: the same as ")[2]
            assert other in notes
            assert other != name


def test_a_model_cut_off_is_an_error(models, tmp_path):
    whole = models[0].read_bytes()
    path = tmp_path / "m.tflite"
    for length in (8, 20, 200, len(whole) // 2, len(whole) - 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifactError):
            measure(path)


def test_mutants_give_an_error_or_a_whole_answer(models, tmp_path):
    outcomes = {"ok": 0, "error": 0}
    path = tmp_path / "m.tflite"
    for seed, model in enumerate(models):
        whole = model.read_bytes()
        for data in mutants(whole, count(60), seed, [(0, 400), (len(whole) - 1500, len(whole))]):
            path.write_bytes(data)

            def attempt(data=data):
                assert measure(path).total == len(data)

            outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 10

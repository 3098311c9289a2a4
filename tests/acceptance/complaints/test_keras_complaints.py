"""Public complaints about Keras' and TensorFlow's files, rebuilt small; each cites its thread.

The size with the fix is that of a real fix: the model is saved again in the other way.
"""

import pytest

from pytest_modelsize import measure
from tests.acceptance.complaints.conftest import weight_of
from tests.needs import needs


@pytest.fixture
def net(keras):
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((64,)), keras.layers.Dense(128), keras.layers.Dense(16)
    ])  # fmt: skip


PARAMETERS = 64 * 128 + 128 + 128 * 16 + 16


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_keras_6374_the_optimizer_makes_it_three_times_the_size(
    causes, fixed, net, tmp_path, suffix
):
    import numpy as np

    path = tmp_path / f"net{suffix}"
    net.compile("adam", "mse")
    net.fit(np.ones((4, 64)), np.ones((4, 16)), verbose=0)
    net.save(path)
    cause = causes(path)["optimizer state"]
    assert cause.size == measure(path).optimizer
    assert cause.size >= 2 * PARAMETERS * 4
    if suffix == ".h5":
        net.save(path, include_optimizer=False)
    else:
        net.optimizer = None
        net.save(path)
    assert cause.how == "replayed"
    if suffix == ".h5":
        fixed(cause, path, "replayed")
    else:
        # What is left of compile() in the configuration is no state, and stays there.
        assert 0 <= cause.given - weight_of(path) < 1500
    assert "optimizer state" not in causes(path)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
def test_keras_double_precision_by_accident(causes, fixed, keras, tmp_path, suffix):
    path = tmp_path / f"net{suffix}"

    def saved(dtype):
        keras.backend.clear_session()
        net = keras.Sequential([keras.Input((64,)), keras.layers.Dense(128, dtype=dtype)])
        (net.save if suffix == ".keras" else net.save_weights)(path)

    saved("float64")
    cause = causes(path)["double precision"]
    assert cause.size == 64 * 128 * 4 + 128 * 4
    saved("float32")
    fixed(cause, path, "replayed")
    assert "double precision" not in causes(path)


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_keras_18979_half_precision_saved_as_single(causes, fixed, keras, tmp_path, suffix):
    """What was trained in half precision is loaded into a model of the default type, and saved."""
    path = tmp_path / f"net{suffix}"

    def net(dtype):
        keras.backend.clear_session()
        return keras.Sequential([
            keras.Input((64,)), keras.layers.Dense(256, dtype=dtype, name="dense")
        ])  # fmt: skip

    def save(model):
        (model.save_weights if suffix == ".weights.h5" else model.save)(path)

    half = net("float16")
    values = half.get_weights()
    single = net("float32")
    single.set_weights([value.astype("float32") for value in values])
    save(single)
    cause = causes(path)["half precision saved as single"]
    assert cause.size == 64 * 256 * 2 + 256 * 2
    half = net("float16")
    save(half)
    fixed(cause, path, "replayed")


def test_h5py_2283_a_deleted_dataset_leaves_its_space(causes, fixed, tmp_path):
    h5py = needs("h5py")
    import numpy as np

    path, packed = tmp_path / "old.h5", tmp_path / "new.h5"
    data = np.random.default_rng(0).random((3, 20_000), np.float32)
    with h5py.File(path, "w") as file:
        for name, row in zip("abc", data, strict=True):
            file[name] = row
    with h5py.File(path, "a") as file:
        del file["b"]
    cause = causes(path)["gaps"]
    assert 20_000 * 4 <= cause.size < 20_000 * 4 + 4096
    with h5py.File(path) as file, h5py.File(packed, "w") as anew:
        for name in file:
            file.copy(name, anew)
    fixed(cause, packed, "replayed")
    assert cause.given < 170_000
    assert "gaps" not in causes(packed)


def test_keras_16542_a_vocabulary_in_the_configuration(causes, keras, tmp_path):
    words = [f"word{number}" for number in range(5000)]
    path = tmp_path / "net.keras"
    lookup = keras.layers.StringLookup(vocabulary=words)
    keras.Sequential([keras.Input((1,), dtype="string"), lookup]).save(path)
    cause = causes(path)["vocabulary in the configuration"]
    # Each word in quotes, with a comma and a space.
    assert cause.size >= sum(len(word) + 4 for word in words) - 2
    assert "vocabulary" in cause.text
    listed = tmp_path / "words.txt"
    listed.write_text("\n".join(words))
    keras.backend.clear_session()
    lookup = keras.layers.StringLookup(vocabulary=str(listed))
    keras.Sequential([keras.Input((1,), dtype="string"), lookup]).save(path)
    assert "vocabulary in the configuration" not in causes(path)


def test_keras_23553_export_stores_all_variables_twice(causes, net, tmp_path):
    path = tmp_path / "exported"
    net.export(path, verbose=False)
    cause = causes(path)["equal tensors"]
    assert PARAMETERS * 4 - 1024 <= cause.size < PARAMETERS * 4 * 1.05


@pytest.mark.parametrize("kind", ["constant", "variable"])
def test_a_constant_is_traced_five_times(causes, keras, tmp_path, kind):
    tf = needs("tensorflow")
    import numpy as np

    rows = np.random.default_rng(0).standard_normal((100, 64)).astype(np.float32)
    module = tf.Module()
    module.rows = tf.Variable(rows) if kind == "variable" else None
    spec = [tf.TensorSpec((None,), tf.int32)]

    def signature(number):
        def looked_up(at):
            held = module.rows if kind == "variable" else tf.constant(rows)
            return {"out": tf.gather(held, at) + number}

        return tf.function(looked_up, input_signature=spec).get_concrete_function()

    path = tmp_path / "exported"
    signatures = {f"number_{number}": signature(float(number)) for number in range(5)}
    tf.saved_model.save(module, path, signatures=signatures)
    if kind == "variable":
        assert "equal tensors" not in causes(path)
        return
    cause = causes(path)["equal tensors"]
    assert 4 * rows.nbytes <= cause.size < 4 * rows.nbytes + 4 * 100
    assert "5 times" in cause.text
    assert "tf.Variable" in cause.fix


def test_tensorflow_38104_quantized_but_for_a_layer(causes, tmp_path):
    np = needs("numpy")
    import json
    import struct

    # What a converter writes that leaves the embedding in float32.
    shapes = {"embedding": ("F32", [1000, 16], 4), "dense": ("I8", [256, 256], 1)}
    header, body, at = {}, b"", 0
    random = np.random.default_rng(0)
    for name, (dtype, shape, width) in shapes.items():
        size = shape[0] * shape[1] * width
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        values = random.standard_normal(shape).astype("f4" if width == 4 else "i1")
        body, at = body + values.tobytes(), at + size
    text = json.dumps(header, separators=(",", ":")).encode()
    path = tmp_path / "quantized.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    cause = causes(path)["float weights in a quantized model"]
    assert cause.entries == ("embedding",)
    assert cause.size >= 1000 * 16 * 3


@pytest.mark.parametrize(
    ("chunks", "shape"), [((200_000,), (10,)), ((600, 600), (10, 10)), ((64, 4000), (100, 64))]
)
def test_h5py_1555_a_chunk_is_allocated_for_ten_numbers(causes, fixed, tmp_path, chunks, shape):
    """One of them fits the library's cache, the others are written at once."""
    h5py = needs("h5py")
    import numpy as np

    path, fitted = tmp_path / "wide.h5", tmp_path / "fitted.h5"
    rows = np.random.default_rng(0).random((300, 64), np.float32)
    for file_name, size in ((path, chunks), (fitted, tuple(map(min, chunks, shape)))):
        with h5py.File(file_name, "w") as file:
            more = {"chunks": size, "maxshape": (None,) * len(shape)}
            file.create_dataset("added", data=np.ones(shape, np.float32), **more)
            file["w"] = rows
    cause = causes(path)["chunks larger than what they hold"]
    with h5py.File(path) as file:
        held = file["added"].id.get_storage_size() - file["added"].nbytes
    assert cause.size == held
    fixed(cause, fitted, "replayed")
    assert "chunks larger than what they hold" not in causes(fitted)


@pytest.mark.parametrize("name", ["ckpt", "model.ckpt"])
def test_tensorflow_models_8785_checkpoints_of_several_steps(causes, net, tmp_path, name):
    tf = needs("tensorflow")

    checkpoint = tf.train.Checkpoint(model=net)
    manager = tf.train.CheckpointManager(checkpoint, tmp_path, 5, checkpoint_name=name)
    for _ in range(3):
        manager.save()
        net.set_weights([value + 1 for value in net.get_weights()])
    cause = causes(tmp_path)["several steps"]
    for old in (*tmp_path.glob(f"{name}-1.*"), *tmp_path.glob(f"{name}-2.*")):
        old.unlink()
    assert (cause.given, cause.how) == (weight_of(tmp_path), "rebuilt")
    assert "several steps" not in causes(tmp_path)


def test_a_saved_model_has_no_vocabulary_in_its_object_graph(causes, keras, tmp_path):
    tf = needs("tensorflow")

    small = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    tf.saved_model.save(small, tmp_path / "net")
    assert causes(tmp_path / "net") == {}


def test_ultralytics_yolov5_7547_half_precision_and_zeros_in_tflite(causes, net, tmp_path):
    """What is said of weights holds in TFLite's buffers, too."""
    tf = needs("tensorflow")
    import gzip

    import numpy as np

    def converted(change):
        net.set_weights([change(value) for value in net.get_weights()])
        path = tmp_path / "net.tflite"
        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(net).convert())
        return path

    half = causes(converted(lambda value: value.astype("float16").astype("float32")))
    assert half["half precision saved as single"].size == 2 * (64 * 128 + 128 * 16)
    random = np.random.default_rng(0)
    path = converted(lambda value: np.where(random.random(value.shape) < 0.9, 0, value))
    zeros = causes(path)["zero weights"]
    assert zeros.given == len(gzip.compress(path.read_bytes(), 6, mtime=0))

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

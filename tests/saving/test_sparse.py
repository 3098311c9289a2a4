"""A save that leaves the tensors out measures as the real one does, to the byte, or is not used."""

import threading
import zipfile

import pytest

from pytest_modelsize import measure
from pytest_modelsize.saving import save
from pytest_modelsize.saving.keras.sparse import patches
from tests.needs import needs, skip
from tests.saving.states import fit, snapshot, state_of

FORMATS = ("keras", "weights", "h5")
NAMES = (
    "adam", "momentum", "rmsprop", "ema", "accumulation", "loss_scale", "schedule", "nested",
    "shared", "subclassed", "gan", "pair", "uncompiled", "convolutional", "recurrent", "embedding",
    "bfloat16", "half", "vocabulary", "seeded", "einsum", "lora", "int8", "float8", "large",
)  # fmt: skip
STATEFUL = ("adam", "loss_scale", "gan", "nested", "lora", "vocabulary")


@pytest.fixture(autouse=True)
def trusted(keras):
    if not patches.can_be_sparse("keras"):
        skip(f"Keras {keras.__version__} is not one that saves are sparse for", "py")


@pytest.fixture
def odd(keras, np):
    """Builders of models whose variables are out of the ordinary."""
    layers = keras.layers

    def stack(*inner, shape=(8,), dtype=None):
        model = keras.Sequential([keras.Input(shape, dtype=dtype), *inner])
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    def lora():
        model = stack(layers.Dense(16, name="adapted"), layers.Dense(2))
        model.layers[0].enable_lora(2)
        return model

    def quantized(mode):
        model = keras.Sequential([keras.Input((16,)), layers.Dense(32), layers.Dense(8)])
        for layer in model.layers:
            layer.quantize(mode)
        return model

    def vocabulary():
        words = [f"word{number}" for number in range(50)]
        text = layers.TextVectorization(vocabulary=words, output_sequence_length=4)
        model = keras.Sequential(
            [keras.Input((1,), dtype="string"), text, layers.Embedding(60, 8), layers.Dense(2)]
        )
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    return {
        "convolutional": lambda: stack(
            layers.Conv2D(8, 3), layers.BatchNormalization(), layers.Flatten(), shape=(8, 8, 3)
        ),
        "recurrent": lambda: stack(
            layers.Bidirectional(layers.LSTM(8)), layers.Dense(2), shape=(5, 4)
        ),
        "embedding": lambda: stack(layers.Embedding(50, 16), shape=(4,), dtype="int32"),
        "bfloat16": lambda: stack(
            layers.Dense(64, dtype="bfloat16"), layers.Dense(4, dtype="bfloat16")
        ),
        "half": lambda: stack(layers.Dense(64, dtype="float16"), layers.Dense(4)),
        "vocabulary": vocabulary,
        "seeded": lambda: stack(
            layers.GaussianNoise(0.1, seed=1), layers.Dropout(0.5, seed=2), layers.Dense(40)
        ),
        "einsum": lambda: stack(
            layers.EinsumDense("abc,cd->abd", output_shape=(None, 32), bias_axes="d"), shape=(6, 8)
        ),
        "lora": lora,
        "int8": lambda: quantized("int8"),
        "float8": lambda: quantized("float8"),
        # One tensor with a chunk of the file to itself, after many that have none.
        "large": lambda: stack(*(layers.Dense(3) for _ in range(30)), layers.Dense(30_000)),
    }


@pytest.fixture
def model(request, keras, np, build, odd):
    name = request.param
    if name in odd:
        keras.utils.clear_session()
        return odd[name]()
    model = build(name)
    model(np.zeros((1, 6), "float32"))
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        optimizer.build(model.trainable_variables)
    return model


def both(model, folder, format, include_optimizer):
    """Save for real and sparsely."""
    copies = []
    for way in ("real", "sparse"):
        (folder / way).mkdir()
        copies.append(
            save(
                model,
                folder / way,
                format=format,
                include_optimizer=include_optimizer,
                sparse=way == "sparse",
            )
        )
    return copies


@pytest.mark.parametrize("model", NAMES, indirect=True)
def test_a_sparse_save_measures_as_the_real_one_to_the_byte(request, model, tmp_path):
    stateful = request.node.callspec.params["model"] in STATEFUL
    for format in FORMATS:
        for include_optimizer in (True, False) if stateful else (True,):
            folder = tmp_path / f"{format}-{include_optimizer}"
            folder.mkdir()
            real, hollow = both(model, folder, format, include_optimizer)
            assert (real.sparse, hollow.sparse) == (False, True)
            assert hollow.path.stat().st_size == real.path.stat().st_size
            one, other = (measure(c.path, name="model", names=c.names) for c in (real, hollow))
            assert one.tree == other.tree
            assert (real.names, real.optimizers) == (hollow.names, hollow.optimizers)
            # The values of the tensors are not in it.
            assert hollow.path.read_bytes() != real.path.read_bytes()
            assert [path.name for path in (folder / "sparse").iterdir()] == [hollow.path.name]


@pytest.fixture
def skipset(keras, monkeypatch):
    """The kinds of objects for which Keras finds out which attributes it passes over."""
    library, asked = keras.src.saving.saving_lib, []
    original = getattr(library, "get_attr_skipset", None)
    if original is None:
        skip("this Keras remembers them itself", "py")

    def get_attr_skipset(kind):
        asked.append(kind)
        return original(kind)

    monkeypatch.setattr(library, "get_attr_skipset", get_attr_skipset)
    return asked


@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_what_keras_finds_out_about_its_classes_is_found_out_once(
    keras, model, skipset, tmp_path, monkeypatch
):
    both(model, tmp_path, "keras", True)
    assert {"Sequential", "Layer", "Optimizer"} <= set(skipset)
    skipset.clear()
    (tmp_path / "again").mkdir()
    save(model, tmp_path / "again", format="keras", include_optimizer=True, sparse=True)
    assert not skipset

    # All layers have a layer of their own now, which Keras passes over.
    shared = keras.layers.Dense(3)
    shared.build((None, 4))
    monkeypatch.setattr(keras.layers.Layer, "zz_shared", shared, raising=False)
    (tmp_path / "changed").mkdir()
    real, hollow = both(model, tmp_path / "changed", "keras", True)
    assert hollow.sparse
    one, other = (measure(copy.path, name="model", names=copy.names) for copy in (real, hollow))
    assert one.tree == other.tree


@pytest.mark.parametrize("model", ["adam", "vocabulary"], indirect=True)
@pytest.mark.parametrize("enough", [True, False])
def test_keras_way_through_memory_or_a_temporary_file_is_followed(
    keras, model, tmp_path, monkeypatch, enough
):
    """Above half of the free memory Keras writes through a file, some kB apart (saving_lib.py)."""
    library = keras.src.saving.saving_lib
    if not hasattr(library, "is_memory_sufficient"):
        skip("this Keras always goes through a file", "py")
    monkeypatch.setattr(library, "is_memory_sufficient", lambda model: enough)
    real, hollow = both(model, tmp_path, "keras", True)
    assert hollow.sparse
    one, other = (measure(copy.path, name="model", names=copy.names) for copy in (real, hollow))
    assert one.tree == other.tree


@pytest.mark.parametrize("model", ["nested"], indirect=True)
def test_the_archive_is_one_that_others_read(model, tmp_path):
    real, hollow = both(model, tmp_path, "keras", True)
    with zipfile.ZipFile(real.path) as one, zipfile.ZipFile(hollow.path) as other:
        for whole, part in zip(one.infolist(), other.infolist(), strict=True):
            assert (whole.filename, whole.file_size) == (part.filename, part.file_size)
            assert (whole.header_offset, whole.extra) == (part.header_offset, part.extra)
        assert one.read("config.json") == other.read("config.json")


def modules(keras):
    names = ("backend", "h5py", "io", "zipfile")
    libraries = (keras.src.saving.saving_lib, keras.src.legacy.saving.legacy_h5_format)
    found = {(m.__name__, n): getattr(m, n) for m in libraries for n in names if hasattr(m, n)}
    optimizer = keras.src.optimizers.base_optimizer.BaseOptimizer
    return {**found, "optimizer": optimizer.save_own_variables}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_what_cannot_be_left_out_is_saved_for_real(keras, model, tmp_path, monkeypatch, format):
    """A layer that looks at what it has written, and one that cannot be saved sparsely at all."""
    before = modules(keras)
    layer = type(model.layers[0])

    def save_own_variables(self, store):
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable
        assert store["0"][0, 0] == self.variables[0].numpy()[0, 0]

    class Full(keras.src.saving.saving_lib.h5py.File):
        def __init__(self, *args, **kwargs):
            raise OSError(28, "No space left on device")

    if format == "h5":
        from pytest_modelsize.saving.keras.sparse import hdf5

        monkeypatch.setattr(hdf5, "SparseFile", Full)
    else:
        monkeypatch.setattr(layer, "save_own_variables", save_own_variables)
    real, other = both(model, tmp_path, format, True)
    assert not other.sparse
    assert measure(real.path, name="model").tree == measure(other.path, name="model").tree
    assert modules(keras) == before


@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_a_value_that_is_kept_from_the_file_is_noticed(keras, model, tmp_path, monkeypatch):
    """A tensor that was left out and did not end up in the file: the count does not come out."""
    library = keras.src.saving.saving_lib

    def save_own_variables(self, store):
        library.backend.convert_to_numpy(self.variables[0])

    monkeypatch.setattr(type(model.layers[0]), "save_own_variables", save_own_variables)
    _, other = both(model, tmp_path, "weights", True)
    assert not other.sparse


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_another_thread_saves_for_real_meanwhile(keras, model, tmp_path, monkeypatch, format):
    """A second model, saved by Keras' own call from a thread in the middle of a sparse save."""
    keras.utils.set_random_seed(3)
    second = keras.Sequential([keras.Input((9,)), keras.layers.Dense(7), keras.layers.Dense(3)])
    second.compile("adam", "mse")
    second.optimizer.build(second.trainable_variables)
    suffix = {"keras": ".keras", "weights": ".weights.h5", "h5": ".h5"}[format]
    write = second.save_weights if format == "weights" else second.save
    write(tmp_path / f"before{suffix}")
    failures = []

    def meanwhile():
        try:
            write(tmp_path / f"meanwhile{suffix}")
        except Exception as error:
            failures.append(error)

    # The moment: legacy_h5_format.py asks for the layers, saving_lib.py for the variables.
    holder, name = {
        "h5": (keras.src.legacy.saving.legacy_h5_format, "save_weights_to_hdf5_group")
    }.get(format, (type(model.layers[0]), "save_own_variables"))
    original = getattr(holder, name)
    started = []

    def interrupted(*args):
        if not started:
            started.append(threading.Thread(target=meanwhile))
            started[0].start()
            started[0].join()
        return original(*args)

    monkeypatch.setattr(holder, name, interrupted)
    _, hollow = both(model, tmp_path, format, True)
    monkeypatch.undo()
    assert hollow.sparse
    assert len(started) == 1
    assert failures == []
    h5py = needs("h5py")
    values = []
    for moment in ("before", "meanwhile"):
        path = tmp_path / f"{moment}{suffix}"
        if format == "keras":
            with zipfile.ZipFile(path) as archive:
                archive.extract("model.weights.h5", tmp_path / moment)
            path = tmp_path / moment / "model.weights.h5"
        with h5py.File(path) as file:
            names = []
            file.visit(names.append)
            datasets = (file[name] for name in names if isinstance(file[name], h5py.Dataset))
            values.append([(item.name, item[()].tobytes()) for item in datasets])
    assert values[0] == values[1]


@pytest.mark.parametrize(
    "size", [10**6, int(2**31 / 1.05) - 5, int(2**31 / 1.05) + 5, 2**31 - 1, 2**31, 2**32 + 7]
)
def test_the_archive_of_a_member_of_any_size_has_the_size_that_the_format_asks_for(tmp_path, size):
    """APPNOTE.TXT 4.3 and 4.5.3, and where zipfile goes over to ZIP64 (zipfile.py)."""
    from pytest_modelsize.saving.keras.sparse.hdf5 import Content, SparseSave
    from pytest_modelsize.saving.keras.sparse.zip import SparseZip

    limit = 2**31 - 1
    kind = type("Zip", (SparseZip,), {"save": SparseSave(None)})
    path, inside = tmp_path / "model.keras", tmp_path / "inside"
    with inside.open("wb+") as file:
        file.write(b"begin")
        file.truncate(size)
        with path.open("wb") as out, kind(out, "w") as archive:
            archive.writestr("model.weights.h5", Content(file, size, [(5, size - 9)]))
            archive.writestr("behind.json", b"{}")
    names = len("model.weights.h5") + len("behind.json")
    expected = 22 + 2 * (30 + 46) + 2 * names + size + 2
    expected += 4 + 16 if size * 1.05 > limit else 0  # both sizes, in the local header
    expected += 4 + 16 if size > limit else 0  # and in the member's entry
    if 30 + 16 + 20 + size > limit:  # the offset in the other's entry, both records of the end
        expected += (4 + 8) + 56 + 20
    assert path.stat().st_size == expected
    assert sum(leaf.size for _, leaf in measure(path).leaves()) == expected
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()] == [size, 2]
        assert archive.read("behind.json") == b"{}"


def test_only_what_is_known_is_saved_sparsely(keras, monkeypatch):
    assert all(patches.can_be_sparse(format) for format in FORMATS)
    assert not any(patches.can_be_sparse(name) for name in ("saved_model", "tflite", "checkpoint"))
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    assert not patches.can_be_sparse("keras")


@pytest.mark.parametrize("limit", [0, 10**9])
@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_what_keras_has_in_memory_may_be_in_a_file(model, tmp_path, monkeypatch, limit):
    monkeypatch.setattr(patches, "IN_MEMORY", limit)
    real, hollow = both(model, tmp_path, "keras", True)
    assert hollow.sparse
    assert measure(real.path, name="model").tree == measure(hollow.path, name="model").tree


@pytest.mark.parametrize("name", ["adam", "loss_scale", "gan"])
def test_training_goes_on_bit_for_bit_after_a_sparse_save(keras, np, build, data, tmp_path, name):
    twins = []
    for checked in (False, True):
        model = build(name)
        fit(keras, model, data)
        before = snapshot(model)
        for format in FORMATS if checked else ():
            for include_optimizer in (True, False):
                folder = tmp_path / f"{format}-{include_optimizer}"
                folder.mkdir()
                assert both(model, folder, format, include_optimizer)[1].sparse
        assert snapshot(model) == before
        fit(keras, model, data)
        twins.append([value.tobytes() for value in state_of(model)])
    assert len(twins[0]) > 4
    assert twins[0] == twins[1]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("model", ["adam"], indirect=True)
def test_an_interrupted_sparse_save_leaves_nothing_behind(
    keras, model, tmp_path, monkeypatch, format
):
    before = modules(keras)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(model.layers[0]), "save_own_variables", interrupted)
    monkeypatch.setattr(
        keras.src.legacy.saving.legacy_h5_format, "save_weights_to_hdf5_group", interrupted
    )
    with pytest.raises(KeyboardInterrupt):
        save(model, tmp_path, format=format, include_optimizer=True, sparse=True)
    assert list(tmp_path.iterdir()) == []
    assert modules(keras) == before

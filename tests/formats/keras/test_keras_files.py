"""Which section each object of a Keras file serves, against h5py and zipfile as oracles."""

import json
import os
import shutil
import zipfile

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.needs import skip


def network(keras, np, optimizer="adam", units=32):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(units, name="head"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Dense(3, name="tail"),
        ]
    )
    if optimizer:
        model.compile(optimizer, "mse")
        model.train_on_batch(np.ones((2, 8), "float32"), np.ones((2, 3), "float32"))
    return model


@pytest.fixture(scope="module")
def saved(keras, np, tmp_path_factory):
    """The same trained model in every format that Keras writes."""
    folder = tmp_path_factory.mktemp("saved")
    model = network(keras, np)
    model.save(folder / "m.h5")
    model.save(folder / "m.keras")
    model.save(folder / "unzipped", zipped=False)
    model.save_weights(folder / "m.weights.h5")
    return folder


FORMATS = {"m.h5": "h5", "m.keras": "keras", "unzipped": "keras", "m.weights.h5": "weights"}


def bytes_on_disk(path):
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return os.stat(path).st_size


def tensor_bytes(h5py, file, wanted):
    """Bytes of the datasets whose path ``wanted`` accepts, as the HDF5 library counts them."""
    found = 0

    def add(name, item):
        nonlocal found
        if isinstance(item, h5py.Dataset) and wanted(name):
            found += item.id.get_storage_size()

    with h5py.File(file) as opened:
        opened.visititems(add)
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_keras_is_told_by_content_and_adds_up(saved, name):
    measured = measure(saved / name)
    assert measured.format == FORMATS[name]
    assert measured.total == bytes_on_disk(saved / name)
    assert sum(leaf.size for _, leaf in measured.leaves()) == measured.total
    assert recognise(saved / name) is not None


def test_content_decides_where_the_suffix_says_nothing(saved, tmp_path):
    for name, format in FORMATS.items():
        if (saved / name).is_file():
            shutil.copy(saved / name, tmp_path / "model")
            assert measure(tmp_path / "model").format == format


def test_tensors_are_counted_in_the_section_that_h5py_finds_them_in(saved, h5py):
    for name, state in (("m.h5", "optimizer_weights"), ("m.weights.h5", "optimizer/")):
        measured = measure(saved / name)
        for section, wanted in (
            ("optimizer", lambda path, state=state: path.startswith(state)),
            ("weights", lambda path, state=state: not path.startswith(state)),
        ):
            expected = tensor_bytes(h5py, saved / name, wanted)
            assert measured.section(section).of_kind(Kind.DATA) == expected


def test_the_weights_inside_an_archive_are_measured_as_the_same_file_outside(saved, tmp_path):
    with zipfile.ZipFile(saved / "m.keras") as archive:
        archive.extractall(tmp_path)
        headers = bytes_on_disk(saved / "m.keras") - sum(i.file_size for i in archive.infolist())
    inside, outside = measure(saved / "m.keras"), measure(tmp_path / "model.weights.h5")
    assert inside.optimizer == outside.optimizer
    unpacked = measure(tmp_path)
    assert unpacked.format == "keras"
    assert inside.total - unpacked.total == headers
    assert inside.section("weights").of_kind(Kind.DATA) == outside.section("weights").of_kind(
        Kind.DATA
    )


def test_configuration_is_counted_to_the_byte_of_its_text(saved, h5py):
    with h5py.File(saved / "m.h5") as file:
        text = len(file.attrs["model_config"]) + len(file.attrs["training_config"])
        versions = sum(len(file.attrs[name]) for name in ("keras_version", "backend"))
    assert measure(saved / "m.h5").section("config").of_kind(Kind.DATA) == text + versions
    with zipfile.ZipFile(saved / "m.keras") as archive:
        text = sum(archive.getinfo(f"{name}.json").file_size for name in ("config", "metadata"))
    assert measure(saved / "m.keras").section("config").of_kind(Kind.DATA) == text


def test_layers_and_variables_are_named_as_the_model_names_them(saved):
    names = {path[:-1] for path, _ in measure(saved / "m.h5").leaves()}
    assert ("weights", "head", "kernel") in names
    layers = {path[1] for path, _ in measure(saved / "m.keras").leaves() if path[0] == "weights"}
    # Keras before 3.9 stores no names, and groups are called after classes.
    assert {"head", "tail"} <= layers or {"dense", "dense_1"} <= layers


def test_a_numbered_variable_is_shown_with_its_type_and_shape(saved):
    notes = {
        section.note
        for layer in measure(saved / "m.weights.h5").section("weights").children
        for section in layer.children
    }
    assert {"float32 8x32", "float32 32", "float32 32x3", "float32 3"} <= notes


def test_legacy_weights_without_a_configuration_are_weights(h5py, np, tmp_path):
    """As Keras 1 and 2 wrote them: layer groups at the root, named in ``layer_names``."""
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense_1", b"dense_2"]
        file.attrs["backend"] = b"tensorflow"
        for layer in ("dense_1", "dense_2"):
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/kernel:0".encode()]
            group.create_dataset(f"{layer}/kernel:0", data=np.zeros((5, 7), "float32"))
    measured = measure(path)
    assert measured.format == "h5"
    assert measured.section("weights").of_kind(Kind.DATA) == 2 * 5 * 7 * 4
    assert ("weights", "dense_1", "kernel:0") in {path[:-1] for path, _ in measured.leaves()}


def test_several_optimizers_anywhere_in_the_model_are_recognised(keras, np, tmp_path):
    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)
            self.g_optimizer = keras.optimizers.Adam()
            self.held = {"critic": keras.optimizers.SGD(momentum=0.5)}

        def call(self, x):
            return self.dense(x)

    model = Pair()
    model(np.ones((1, 8), "float32"))
    model.g_optimizer.build(model.trainable_variables)
    model.held["critic"].build(model.trainable_variables)
    path = tmp_path / "pair.weights.h5"
    model.save_weights(path)
    measured = measure(path)
    parameters = 8 * 4 + 4
    assert measured.section("weights").of_kind(Kind.DATA) == parameters * 4
    # Three moments in all, and a counter and a rate for each of the two.
    counters = 2 * (model.g_optimizer.iterations.numpy().nbytes + 4)
    assert measured.section("optimizer").of_kind(Kind.DATA) == 3 * parameters * 4 + counters


def test_an_archive_of_another_kind_is_measured_member_by_member(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("a.txt", "x" * 100)
        archive.writestr("../b.txt", "y" * 50)
    measured = measure(tmp_path / "data.zip")
    assert (measured.format, measured.total) == ("zip", bytes_on_disk(tmp_path / "data.zip"))
    assert {child.name for child in measured.section("assets").children} == {"a.txt", "../b.txt"}
    assert recognise(tmp_path / "data.zip") is None


def test_a_deflated_archive_adds_up_and_says_that_shares_are_approximate(saved, tmp_path):
    path = tmp_path / "small.keras"
    with (
        zipfile.ZipFile(saved / "m.keras") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    measured = measure(path)
    assert measured.total == bytes_on_disk(path)
    assert measured.optimizer > 0
    notes = [section.note for section in measured.section("weights").children]
    assert any("approximate" in note for note in notes)


def test_sharded_weights_are_measured_together(keras, np, tmp_path):
    model = network(keras, np, optimizer=None, units=5000)
    try:
        model.save_weights(tmp_path / "m.weights.json", max_shard_size=0.0002)
    except TypeError:
        skip("this Keras writes no shards", "py")
    shards = list(tmp_path.glob("*.weights.h5"))
    assert len(shards) > 1
    expected = sum(4 * value.size for value in model.get_weights())
    for path in (tmp_path, tmp_path / "m.weights.json"):
        measured = measure(path)
        assert measured.total == bytes_on_disk(tmp_path)
        assert measured.section("weights").of_kind(Kind.DATA) == expected
    shards[0].unlink()
    with pytest.raises(ArtifactError, match=shards[0].name):
        measure(tmp_path / "m.weights.json")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../m.h5"}}',
     '{"weight_map": {"a": ["/etc/passwd"]}}', '{"weight_map": {"a": [3]}}', "[" * 100_000],
)  # fmt: skip
def test_a_weight_map_that_is_none_is_an_error(tmp_path, text):
    (tmp_path / "m.weights.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"m\.weights\.json"):
        measure(tmp_path / "m.weights.json")


def test_a_directory_of_models_is_opened_model_by_model(saved):
    measured = measure(saved)
    assert measured.format == "directory"
    assert measured.total == bytes_on_disk(saved)
    assert measured.optimizer >= measure(saved / "m.h5").optimizer


def test_assets_are_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("assets/layers/text/vocabulary.txt", "word\n" * 99)
    measured = measure(tmp_path / "m.keras")
    assert measured.section("assets").of_kind(Kind.DATA) == 99 * 5
    (asset,) = measured.section("assets").children
    assert asset.name == "layers/text/vocabulary.txt"


def test_a_vocabulary_that_keras_stores_twice_is_named_as_waste(keras, np, tmp_path):
    words = keras.layers.TextVectorization(name="words")
    words.adapt(["one two three", "four five"])
    path = tmp_path / "m.keras"
    keras.Sequential([keras.Input((1,), dtype="string"), words]).save(path)
    with zipfile.ZipFile(path) as archive:
        stored = [i for i in archive.infolist() if i.filename.endswith("vocabulary.txt")]
    if len(stored) < 2:
        skip("this Keras stores a vocabulary once", "keras34")
    assets = measure(path).section("assets").children
    assert {asset.of_kind(Kind.DATA) for asset in assets} == {stored[0].file_size}
    (waste,) = [asset.note for asset in assets if asset.note]
    assert waste == f"waste: the same as {stored[0].filename}"


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m.weights.h5"])
@pytest.mark.filterwarnings("ignore")
def test_files_of_keras_2_are_measured_alike(h5py, np, keras_2, tmp_path, name):
    keras = keras_2
    model = keras.Sequential([keras.layers.Dense(5, input_shape=(3,), name="head")])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 5)))
    path = tmp_path / name
    model.save_weights(path) if "weights" in name else model.save(path)
    measured = measure(path)
    assert measured.total == bytes_on_disk(path)
    layers = [part for part in measured.section("weights").children if part.name != "metrics"]
    # tf_keras stores the state of metrics beside that of layers, and no learning rate.
    assert sum(layer.of_kind(Kind.DATA) for layer in layers) == (3 * 5 + 5) * 4
    state = measured.section("optimizer").of_kind(Kind.DATA)
    assert 2 * (3 * 5 + 5) * 4 < state <= 2 * (3 * 5 + 5) * 4 + 16


def test_a_truncated_model_is_an_error_at_any_length(saved, tmp_path):
    for name in ("m.h5", "m.keras"):
        whole = (saved / name).read_bytes()
        path = tmp_path / name
        for length in {0, 1, 7, 8, 50, 96, 500, len(whole) // 2, len(whole) - 1}:
            path.write_bytes(whole[:length])
            with pytest.raises(ArtifactError) as caught:
                measure(path)
            assert str(path) in str(caught.value)

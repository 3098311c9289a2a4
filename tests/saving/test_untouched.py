"""A save that succeeds, and one that breaks off, leave the model as it was: see also test_twins."""

import zipfile

import pytest

from pytest_modelsize.saving import SaveError, save
from tests.needs import needs, skip
from tests.saving.states import fit, snapshot, state_of

KERAS_FORMATS = ("keras", "h5", "weights")
"""Those that Keras writes itself, on any backend."""
NAMES = (
    "adam", "momentum", "rmsprop", "adafactor", "ema", "accumulation", "loss_scale", "schedule",
    "nested", "shared", "subclassed", "gan",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_bit_for_bit(keras, np, build, data, tmp_path, name):
    """On TensorFlow, test_twins has more of this."""
    if keras.backend.backend() == "tensorflow":
        skip("test_twins has this, and more, on TensorFlow", "jax")
    twins = []
    for checked in (False, True):
        model = build(name)
        fit(keras, model, data)
        before = snapshot(model)
        if checked:
            for format in KERAS_FORMATS:
                if name == "adafactor" and format not in ("keras", "weights"):
                    continue  # Keras gives two of its variables one name, and cannot save them
                for include_optimizer in (True, False):
                    folder = tmp_path / f"{format}-{include_optimizer}"
                    folder.mkdir()
                    save(model, folder, format=format, include_optimizer=include_optimizer)
        assert snapshot(model) == before
        fit(keras, model, data)
        twins.append(state_of(model))
    plain, checked = twins
    assert len(plain) == len(checked) > 4
    for one, other in zip(plain, checked, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_keras_save_after_an_h5_check_reloads_with_its_optimizer(keras, build, data, tmp_path):
    """Keras' own HDF5 save takes the optimizer out of the live compile configuration."""
    model = build("momentum")
    fit(keras, model, data)
    model.save(tmp_path / "before.keras")
    save(model, tmp_path, format="h5", include_optimizer=True)
    model.save(tmp_path / "after.keras")
    configs = []
    for name in ("before", "after"):
        with zipfile.ZipFile(tmp_path / f"{name}.keras") as archive:
            configs.append(archive.read("config.json"))
    assert configs[0] == configs[1]
    reloaded = keras.models.load_model(tmp_path / "after.keras")
    assert type(reloaded.optimizer) is type(model.optimizer)
    assert int(reloaded.optimizer.iterations.numpy()) == int(model.optimizer.iterations.numpy()) > 0


@pytest.mark.parametrize("format", ["keras", "h5", "weights"])
@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_save_that_breaks_off_leaves_model_and_folder_as_they_were(
    keras, build, data, tmp_path, monkeypatch, format, fault
):
    model = build("adam")
    fit(keras, model, data)
    before = snapshot(model)
    state = [value.tobytes() for value in state_of(model)]
    library = __import__("sys").modules["keras.src.saving.saving_lib"]
    hooked = library._save_state
    layer = model.layers[0]

    def broken(*args, **kwargs):
        raise fault

    # Half-way: the first variables are written already.
    monkeypatch.setattr(type(layer), "save_own_variables", broken)
    h5py = needs("h5py")
    if format == "h5":
        monkeypatch.setattr(h5py.Group, "create_dataset", broken)
    expected = SaveError if isinstance(fault, OSError) else KeyboardInterrupt
    for include_optimizer in (True, False):
        with pytest.raises(expected) as caught:
            save(model, tmp_path, format=format, include_optimizer=include_optimizer)
        if expected is SaveError:
            assert "No space left on device" in str(caught.value)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert snapshot(model) == before
    assert [value.tobytes() for value in state_of(model)] == state
    assert library._save_state is hooked


def test_an_unsaveable_model_is_an_error_in_the_framework_s_own_words(keras, tmp_path):
    class Odd(keras.layers.Layer):
        def __init__(self, thing):
            super().__init__()

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((2,)), Odd(object())])
    with pytest.raises(
        SaveError, match=r"Sequential cannot be saved as \.keras: .*get_config"
    ) as e:
        save(model, tmp_path, format="keras", include_optimizer=True)
    assert "Keras itself raises this (keras.src." in str(e.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(SaveError, match="int is a model of no known framework"):
        save(3, tmp_path, format="keras", include_optimizer=True)


def test_the_framework_s_message_comes_without_its_escape_codes(keras, tmp_path):
    """Keras emboldens the words of what a layer's call() raised."""
    needs("tensorflow")

    class Odd(keras.layers.Dense):
        broken = False

        def call(self, inputs):
            if Odd.broken:
                raise ValueError("the layer's own words")
            return super().call(inputs)

    model = keras.Sequential([keras.Input((2,)), Odd(3)])
    Odd.broken = True
    for format in ("saved_model", "tflite"):
        with pytest.raises(SaveError, match="the layer's own words") as caught:
            save(model, tmp_path, format=format, include_optimizer=True)
        assert "\x1b" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []


def test_a_message_of_pages_leaves_a_headline_that_is_short(keras, tmp_path, monkeypatch):
    said = "the beginning " + "and so on " * 500

    def broken(*args, **kwargs):
        raise ValueError(said)

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    monkeypatch.setattr(type(model), "save", broken)
    with pytest.raises(SaveError, match="the beginning") as caught:
        save(model, tmp_path, format="keras", include_optimizer=True)
    headline, _, below = str(caught.value).partition("\n")
    assert len(headline) < 400
    assert said.strip() in below

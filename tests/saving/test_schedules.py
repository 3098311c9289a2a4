"""A live model is saved without state, whatever its optimizer's rate is, and wherever it holds it."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.saving import save
from tests.keras_optimizers import Place, dense, holding, kinds_of_keras_3, rate
from tests.needs import needs

FORMATS = ("keras", "h5", "weights", "checkpoint")


def state_of(model, optimizers):
    variables = [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    return [v.numpy().tobytes() for v in variables]


@pytest.mark.parametrize("kind", ["schedule", "callable"])
@pytest.mark.parametrize("name", ["Adam", "SGD", "loss scale", "of one's own"])
@pytest.mark.filterwarnings("ignore")
def test_no_state_is_left_and_the_model_is_as_it_was(keras, tmp_path, name, kind):
    needs("tensorflow")
    if (name, kind) == ("of one's own", "callable"):
        kind = "float"
    model = dense(keras)
    optimizer = kinds_of_keras_3(keras)[name](rate(keras, kind))
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    before, config = state_of(model, [optimizer]), optimizer.get_config()
    for format in FORMATS:
        copies = {
            flag: save(model, tmp_path, format=format, include_optimizer=flag, stem=f"{flag}")
            for flag in (True, False)
        }
        assert measure(copies[False].path).optimizer == 0, format
        full = measure(copies[True].path)
        assert full.optimizer > 0, format
        assert full.optimizer == measure(copies[True].path, names=copies[True].names).optimizer
        assert model.optimizer is optimizer
        assert state_of(model, [optimizer]) == before
    assert optimizer.get_config().keys() == config.keys()


@pytest.mark.parametrize("how", ["attribute", "list", "dict", "two", "nested"])
@pytest.mark.filterwarnings("ignore")
def test_optimizers_held_anywhere_leave_no_state(keras, tmp_path, how):
    np = needs("numpy")
    model = holding(keras, np)
    make = kinds_of_keras_3(keras)["Adam"]
    optimizers = Place(how)(model, lambda: make(rate(keras, "schedule")))
    for optimizer in optimizers:
        optimizer.build(model.trainable_variables)
    before = state_of(model, optimizers)
    for format in ("weights", "checkpoint"):
        copy = save(model, tmp_path, format=format, include_optimizer=False)
        assert measure(copy.path).optimizer == 0, format
    assert state_of(model, optimizers) == before


@pytest.mark.parametrize("format", ["keras", "h5", "weights", "saved_model", "checkpoint"])
@pytest.mark.parametrize("kind", ["new", "legacy"])
@pytest.mark.filterwarnings("ignore")
def test_keras_2_with_a_schedule_leaves_no_state(keras_2, tmp_path, format, kind):
    tf = needs("tensorflow")
    model = dense(keras_2)
    adam = keras_2.optimizers.legacy.Adam if kind == "legacy" else keras_2.optimizers.Adam
    optimizer = adam(rate(keras_2, "schedule"))
    model.compile(optimizer, "mse")
    zeros = [tf.zeros_like(v) for v in model.trainable_variables]
    optimizer.apply_gradients(zip(zeros, model.trainable_variables, strict=True))
    full, lean = (
        save(model, tmp_path, format=format, include_optimizer=flag, stem=f"{flag}")
        for flag in (True, False)
    )
    assert measure(lean.path).optimizer == 0
    # Keras 2 leaves its legacy optimizers out of its native formats by itself.
    native = kind == "legacy" and format in ("keras", "weights")
    assert (measure(full.path).optimizer > 0) is not native
    assert model.optimizer is optimizer

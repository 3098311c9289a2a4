"""What is saved: all that Keras writes, or all of it but optimizer state, read with h5py."""

import threading
from math import prod

import pytest

from pytest_modelsize import measure
from pytest_modelsize.saving import export_call, framework_of, save
from tests.saving.trained import datasets, trained

STATEFUL = (
    "adam", "momentum", "rmsprop", "adafactor", "ema", "accumulation", "loss_scale", "schedule",
    "nested", "shared", "subclassed", "gan",
)  # fmt: skip


def keras_own(model, path):
    model.save_weights(path) if path.name.endswith(".weights.h5") else model.save(path)
    return path


# Keras gives two of Adafactor's variables one name, and cannot save them as .h5.
@pytest.mark.parametrize(
    ("format", "name"),
    [
        (format, name)
        for format in ("keras", "weights", "h5")
        for name in STATEFUL
        if (format, name) != ("h5", "adafactor")
    ],
)
def test_with_the_optimizer_it_is_what_keras_own_call_writes(
    h5py, build, data, tmp_path, name, format
):
    model = trained(build, data, name)
    copy = save(model, tmp_path, format=format, include_optimizer=True)
    own = keras_own(model, tmp_path / f"own{copy.path.name.removeprefix('model')}")
    assert copy.path.stat().st_size == own.stat().st_size
    assert datasets(h5py, copy.path) == datasets(h5py, own)
    assert copy.flag_ignored is False


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize("format", ["keras", "weights", "h5"])
def test_without_it_the_weights_are_there_and_no_state_is(
    h5py, build, data, tmp_path, name, format
):
    model = trained(build, data, name)
    copy = save(model, tmp_path, format=format, include_optimizer=False)
    found = datasets(h5py, copy.path)
    assert not [path for path in found if "optimizer" in path or "spare" in path or "named" in path]
    expected = sum(prod(v.shape) * 4 for v in model.weights)
    seeds = sum(size for path, size in found.items() if "seed_generator" in path)
    assert sum(found.values()) == expected + seeds - _seeds(model)
    assert measure(copy.path, names=copy.names).optimizer == 0
    assert copy.flag_ignored is (format != "h5")


def _seeds(model):
    """`weights` lists the state of seed generators, of uint32, which may or may not be stored."""
    return sum(prod(v.shape) * 4 for v in model.weights if "seed" in v.path)


@pytest.mark.parametrize("format", ["keras", "weights", "h5"])
def test_a_model_that_was_never_trained_or_compiled_has_no_state_to_leave_out(
    h5py, keras, build, tmp_path, format
):
    untrained = build("uncompiled")
    untrained.compile("adam", "mse")
    for model in (build("uncompiled"), untrained):
        copy = save(model, tmp_path, format=format, include_optimizer=False)
        assert not [path for path in datasets(h5py, copy.path) if "optimizer" in path]
        assert copy.flag_ignored is False


@pytest.mark.parametrize("format", ["keras", "weights", "h5"])
def test_the_lean_weights_are_those_of_a_twin_that_was_never_compiled(
    h5py, build, data, tmp_path, format
):
    lean = save(
        trained(build, data, "adam"), tmp_path, format=format, include_optimizer=False, stem="a"
    )
    twin = save(build("uncompiled"), tmp_path, format=format, include_optimizer=True, stem="b")
    assert datasets(h5py, lean.path) == datasets(h5py, twin.path)
    if format == "weights":
        assert lean.path.stat().st_size == twin.path.stat().st_size


@pytest.mark.parametrize("format", ["keras", "weights", "h5"])
@pytest.mark.parametrize("name", ["adam", "loss_scale", "nested", "subclassed", "pair"])
def test_the_advice_really_gives_the_lean_size(build, data, tmp_path, monkeypatch, format, name):
    model = trained(build, data, name)
    copy = save(model, tmp_path, format=format, include_optimizer=False, stem="lean")
    monkeypatch.chdir(tmp_path)
    exec(export_call(format, copy.optimizers), {"model": model})
    assert (tmp_path / copy.path.name.replace("lean", "model")).stat().st_size == (
        copy.path.stat().st_size
    )


def test_the_advice_for_several_optimizers_names_each_of_them(build, data, tmp_path):
    model = trained(build, data, "gan")
    copy = save(model, tmp_path, format="keras", include_optimizer=False)
    advice = export_call("keras", copy.optimizers)
    assert "model.g_optimizer = None" in advice
    assert "model.d_optimizer = None" in advice
    assert "spare" in advice
    assert "named" in advice


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize("format", ["keras", "weights"])
def test_every_dataset_has_the_name_of_its_variable(h5py, build, data, tmp_path, name, format):
    model = trained(build, data, name)
    copy = save(model, tmp_path, format=format, include_optimizer=True)
    numbered = {f"/{path}" for path in datasets(h5py, copy.path)}
    assert numbered <= set(copy.names.variables)
    for group in copy.names.optimizers:
        assert any(path.startswith(f"{group}/") for path in numbered)


def test_variables_are_called_as_the_user_knows_them(build, data, tmp_path):
    copy = save(trained(build, data, "adam"), tmp_path, format="weights", include_optimizer=True)
    names = copy.names.variables
    assert names["/layers/dense/vars/0"] == "kernel"
    assert names["/layers/batch_normalization/vars/2"] == "moving_mean"
    assert names["/optimizer/vars/0"] == "iteration"
    assert names["/optimizer/vars/1"] == "learning_rate"
    assert names["/optimizer/vars/2"] == "hidden/kernel momentum"
    assert names["/optimizer/vars/3"] == "hidden/kernel velocity"


@pytest.mark.parametrize(
    ("name", "slots"),
    [("adam", 2), ("momentum", 1), ("rmsprop", 1), ("ema", 3), ("accumulation", 3),
     ("loss_scale", 4), ("adafactor", None)],
)  # fmt: skip
def test_slots_are_counted_as_they_are_written(h5py, build, data, tmp_path, name, slots):
    model = trained(build, data, name)
    copy = save(model, tmp_path, format="weights", include_optimizer=True)
    (facts,) = copy.optimizers
    trainable = sum(prod(v.shape) for v in model.trainable_variables)
    assert (facts.group, facts.slots, facts.parameters) == ("/optimizer", slots, trainable)
    state = sum(
        size for path, size in datasets(h5py, copy.path).items() if path.startswith("optimizer/")
    )
    assert facts.state_bytes == state
    assert facts.dtype == "float32"


def test_each_optimizer_of_a_model_is_told_where_it_is_kept(build, data, tmp_path):
    copy = save(trained(build, data, "gan"), tmp_path, format="keras", include_optimizer=True)
    told = {facts.group: (facts.name, facts.slots) for facts in copy.optimizers}
    assert told["/g_optimizer"][1] == 2
    assert told["/d_optimizer"][1] == 1
    assert len([group for group in told if group != "/optimizer"]) == 4
    measured = measure(copy.path, names=copy.names)
    assert measured.optimizer > sum(facts.state_bytes for facts in copy.optimizers) > 0


def test_two_threads_that_save_at_once_do_not_disturb_each_other(h5py, build, data, tmp_path):
    models = [trained(build, data, "adam"), trained(build, data, "adam")]
    copies = {}

    def work(index):
        for turn in range(5):
            folder = tmp_path / f"{index}-{turn}"
            folder.mkdir()
            model = models[index]
            if index:
                path = folder / "m.weights.h5"
                model.save_weights(path)
                copies[index, turn] = path
            else:
                copies[index, turn] = save(
                    model, folder, format="weights", include_optimizer=False
                ).path

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(copies) == 10
    for (index, _), path in copies.items():
        state = [name for name in datasets(h5py, path) if name.startswith("optimizer/")]
        assert bool(state) is bool(index)


def test_a_model_is_told_by_its_classes_and_nothing_of_it_runs(build):
    class Trap:
        def __getattribute__(self, name):
            raise AssertionError(name)

    assert framework_of(build("uncompiled")) == "keras"
    assert framework_of(build("subclassed")) == "keras"
    assert framework_of(build("uncompiled").layers[0]) is None
    assert framework_of(Trap()) is None
    assert framework_of(3) is framework_of("model.keras") is framework_of(None) is None


def test_without_the_private_function_the_public_way_is_taken(
    h5py, build, data, tmp_path, monkeypatch
):
    from pytest_modelsize.saving.keras import keras3

    monkeypatch.setattr(keras3, "can_hook", lambda library: False)
    model = trained(build, data, "adam")
    optimizer = model.optimizer
    copy = save(model, tmp_path, format="keras", include_optimizer=False)
    assert model.optimizer is optimizer
    assert not [path for path in datasets(h5py, copy.path) if "optimizer" in path]

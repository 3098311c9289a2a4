"""Attributed is not saved: what leaving the optimizer out really gives, and what a replay says."""

import json
import random
import re

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import size_without_state
from pytest_modelsize.checks.stripping.replay import why_not_replayed
from pytest_modelsize.cli import main
from pytest_modelsize.saving import save
from tests.needs import needs

MODELS = 24


@pytest.fixture(scope="module")
def random_models(keras, np, tmp_path_factory):
    """Random trained models, saved with and without optimizer state: path, lean bytes."""
    layers, optimizers = keras.layers, keras.optimizers
    chance = random.Random(5)
    folder = tmp_path_factory.mktemp("random")
    cases = []
    for number in range(MODELS):
        keras.utils.clear_session()
        stack = [keras.Input((8, 8, 3))]
        for _ in range(chance.randint(0, 3)):
            stack.append(layers.Conv2D(chance.choice([3, 17, 40]), 3, padding="same"))
            if chance.random() < 0.5:
                stack.append(layers.BatchNormalization())
        stack.append(layers.GlobalAveragePooling2D())
        for _ in range(chance.randint(1, 12)):
            stack.append(layers.Dense(chance.choice([1, 7, 64, 300])))
        model = keras.Sequential(stack)
        optimizer = chance.choice(
            [optimizers.Adam, optimizers.RMSprop, optimizers.Nadam, optimizers.Adagrad]
        )()
        model.compile(optimizer, "mse")
        optimizer.build(model.trainable_variables)
        format = ("h5", "keras", "weights")[number % 3]
        full = save(model, folder, format=format, include_optimizer=True, stem=f"full_{number}")
        lean = save(model, folder, format=format, include_optimizer=False, stem=f"lean_{number}")
        cases.append((full.path, full.path.stat().st_size, lean.path.stat().st_size))
    return cases


def test_attributed_bytes_are_close_to_what_leaving_out_really_saves(random_models):
    for path, full, lean in random_models:
        measured = measure(path)
        attributed = measured.optimizer
        if measured.format == "h5":
            # Without the optimizer, Keras writes no training_config either.
            config = measured.section("config").children
            attributed += sum(c.size for c in config if c.name == "training_config")
        assert abs(attributed - (full - lean)) <= max(25_000, full / 1000), path.name


def test_a_replay_gives_the_lean_size_to_the_byte(keras, random_models, tmp_path):
    needs("h5py")
    sizes = [size_without_state(measure(path), path, tmp_path) for path, full, _ in random_models]
    assert [size for size in sizes if size is not None] == [
        lean for size, (_, _, lean) in zip(sizes, random_models, strict=True) if size is not None
    ]
    # Keras before 3.9 writes some archives in a way that no replay gives again: one to three of 24.
    old = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 9)
    assert sizes.count(None) <= (len(sizes) // 6 if old else 0)
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_answer_for_a_file_that_no_replay_gives_again(random_models, tmp_path):
    """Bytes that were put behind the file's end: nobody knows how it was written."""
    path, _, _ = next(case for case in random_models if case[0].suffix == ".h5")
    longer = tmp_path / "longer.h5"
    longer.write_bytes(path.read_bytes() + bytes(64))
    assert size_without_state(measure(longer), longer, tmp_path) is None


def test_there_is_no_answer_where_there_is_no_state(keras, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    copy = save(model, tmp_path, format="keras", include_optimizer=True)
    assert size_without_state(measure(copy.path), copy.path, tmp_path) is None


def test_a_file_on_which_the_hdf5_library_gives_up_gives_no_answer(random_models, tmp_path):
    """Our reader walks it, h5py does not open it: the offsets' size in an unused field is odd."""
    path, full, _ = next(case for case in random_models if case[0].suffix == ".h5")
    data = bytearray(path.read_bytes())
    data[9] = 77  # version of the free-space storage, which our reader has no use for
    broken = tmp_path / "odd.h5"
    broken.write_bytes(data)
    assert measure(broken).total == full
    assert size_without_state(measure(broken), broken, tmp_path) is None


def test_the_command_says_what_the_file_would_weigh(random_models, capsys):
    path, _, lean = next(case for case in random_models if case[0].suffix == ".keras")
    assert main(["show", str(path), "--replay", "--depth", "1"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    size = int(re.fullmatch(r"without optimizer state: ([\d,]+) bytes \(replayed\)", said)[1].replace(",", ""))  # fmt: skip
    assert size == lean
    assert main(["show", str(path), "--replay", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["replayed_without_optimizer"] == size


def test_why_there_is_no_answer_is_said(tmp_path, monkeypatch):
    (tmp_path / "step.index").write_bytes(b"")
    assert why_not_replayed(tmp_path, "checkpoint", 0) == "it holds none"
    said = why_not_replayed(tmp_path / "step.index", "checkpoint", 350)
    assert (
        said
        == "HDF5, PyTorch, Flax and safetensors files can be rebuilt without state, the format checkpoint "
        "cannot"
    )

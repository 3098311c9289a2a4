"""One save for all checks of a round, and a whole copy for a failure."""

from pathlib import Path

import pytest

from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.save_cache import SaveCache, same_artifact
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings

DATA = Path(__file__).parent.parent / "data"
SETTINGS = Settings(format="tflite", include_optimizer=True)


@pytest.fixture
def model():
    """A live model of no framework: the bytes of a TFLite file."""
    return (DATA / "dense.tflite").read_bytes()


def test_the_first_to_ask_has_the_copy_and_the_next_the_measurement(tmp_path, model):
    saves = SaveCache(CopyFolders(tmp_path))
    first = saves.get(Subject("one", model=model), SETTINGS)
    second = saves.get(Subject("two", model=model), SETTINGS)
    assert first.copy is not None
    assert first.copy.read_bytes() == model
    assert second.copy is None
    assert len(list(tmp_path.iterdir())) == 1
    assert first.measurement.tree == second.measurement.tree
    assert (first.measurement.name, second.measurement.name) == ("one.tflite", "two.tflite")


def test_a_whole_copy_is_made_once(tmp_path, model):
    saves = SaveCache(CopyFolders(tmp_path))
    first = saves.get(Subject("one", model=model), SETTINGS)
    assert saves.whole(first).copy == first.copy
    second = saves.get(Subject("two", model=model), SETTINGS)
    assert saves.whole(second).copy == first.copy
    assert saves.whole(second).measurement.name == "two.tflite"


def test_a_copy_that_was_discarded_is_made_anew(tmp_path, model):
    saves = SaveCache(CopyFolders(tmp_path))
    saves.get(Subject("one", model=model), SETTINGS).discard()
    whole = saves.whole(saves.get(Subject("one", model=model), SETTINGS))
    assert whole.copy is not None
    assert whole.copy.read_bytes() == model


def test_an_artifact_that_exists_is_measured_where_it_is(tmp_path):
    saves = SaveCache(CopyFolders(tmp_path))
    path = DATA / "dense.tflite"
    taken = saves.get(Subject("dense.tflite", path=path), SETTINGS)
    assert taken.measurement.bytes_on_disk == path.stat().st_size
    assert saves.whole(taken) is taken
    assert list(tmp_path.iterdir()) == []


def test_what_differs_in_a_setting_or_the_model_is_not_the_same(model):
    keys = [
        same_artifact(Subject("m", model=model), SETTINGS),
        same_artifact(Subject("m", model=model), Settings("keras", True)),
        same_artifact(Subject("m", model=model), Settings("tflite", False)),
        same_artifact(Subject("m", model=model), Settings("tflite", True, {"a": 1})),
        same_artifact(Subject("m", model=model), Settings("tflite", True, compression="zstd")),
        same_artifact(Subject("m", model=bytes(bytearray(model))), SETTINGS),
        same_artifact(Subject("m", path=DATA / "dense.tflite"), SETTINGS),
    ]
    assert len(set(keys)) == len(keys)
    assert same_artifact(Subject("other", model=model), SETTINGS) == keys[0]

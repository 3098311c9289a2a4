"""Reading needs no framework: artifacts of every format, carried with the tests (data/make.py)."""

from pathlib import Path

import pytest

from pytest_modelsize import Kind, measure

DATA = Path(__file__).parent.parent / "data"
PARAMETERS = 3 * 2 + 2
STATE = 2 * PARAMETERS * 4 + 8 + 4  # two moments, the int64 counter, the rate
TORCH_STATE = 2 * PARAMETERS * 4 + 2 * 4  # two moments; a float32 counter for each parameter
FLAX_STATE = 2 * PARAMETERS * 4 + 4  # two moments, the int32 counter; the step is in its type
ARTIFACTS = {
    "dense.h5": ("h5", PARAMETERS * 4, STATE),
    "dense.keras": ("keras", PARAMETERS * 4, STATE),
    "dense.weights.h5": ("weights", PARAMETERS * 4, STATE),
    "checkpoint": ("checkpoint", PARAMETERS * 4, STATE),
    "checkpoint/ckpt-1": ("checkpoint", PARAMETERS * 4, STATE),
    "saved": ("saved_model", PARAMETERS * 4, STATE),
    "dense.tflite": ("tflite", PARAMETERS * 4, 0),
    "dense.safetensors": ("safetensors", PARAMETERS * 4, 0),
    "dense.onnx": ("onnx", PARAMETERS * 4, 0),
    "dense.mlmodel": ("coreml", PARAMETERS * 4, 0),
    "apple/dense.mlpackage": ("coreml", PARAMETERS * 4, 0),
    "dense.npz": ("npz", PARAMETERS * 4, 0),
    "dense.ort": ("ort", PARAMETERS * 4, 0),
    "executorch/dense.pte": ("executorch", PARAMETERS * 4, 0),
    "executorch/outside.ptd": ("executorch", PARAMETERS * 4, 0),
    "external": ("directory", PARAMETERS * 4, 0),
    "openvino": ("directory", PARAMETERS * 4, 0),
    "hub": ("huggingface", PARAMETERS * 4, 0),
    "web": ("tfjs", PARAMETERS * 4, 0),
    "flax/params.msgpack": ("flax", PARAMETERS * 4, 0),
    "flax/state.msgpack": ("flax", PARAMETERS * 4, FLAX_STATE),
    "torch/weights.pth": ("torch", PARAMETERS * 4, 0),
    "torch/tutorial.pt": ("torch", PARAMETERS * 4, TORCH_STATE),
    "torch/legacy.pth": ("torch", PARAMETERS * 4, TORCH_STATE),
    "torch/lightning.ckpt": ("torch", PARAMETERS * 4, TORCH_STATE),
    "torch/scripted.pt": ("torchscript", PARAMETERS * 4, 0),
    "torch/exported.pt2": ("torch_export", PARAMETERS * 4, 0),
}


BOOSTED = {
    "boosted/xgboost.ubj": "xgboost",
    "boosted/xgboost.json": "xgboost",
    "boosted/lightgbm.txt": "lightgbm",
}


@pytest.mark.parametrize("name", BOOSTED)
def test_boosted_trees_are_weights_array_by_array_without_their_package(name):
    measured = measure(DATA / name)
    assert (measured.format, measured.total) == (BOOSTED[name], bytes_of(DATA / name))
    assert (
        measured.optimizer
        == measured.assets
        == measured.section("weights").of_kind(Kind.OPAQUE)
        == 0
    )
    content = (DATA / name).read_bytes()
    arrays = [b"base_weights", b"split_conditions", b"leaf_value", b"split_gain"]
    (trees,) = (part for part in measured.section("weights").children if part.name == "trees")
    assert {part.name for part in trees.children} >= {a.decode() for a in arrays if a in content}
    assert measured.config >= len("agegröße")


def bytes_of(path):
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}.*"))


@pytest.mark.parametrize("name", ARTIFACTS)
def test_an_artifact_is_measured_without_its_framework(name):
    format, weights, state = ARTIFACTS[name]
    measured = measure(DATA / name)
    assert (measured.format, measured.total) == (format, bytes_of(DATA / name))
    assert measured.section("weights").of_kind(Kind.DATA) == weights
    assert measured.section("optimizer").of_kind(Kind.DATA) == state


def test_a_file_that_names_others_is_measured_with_them():
    for name, format in (
        ("external/dense.onnx", "onnx"),
        ("web/model.json", "tfjs"),
        ("openvino/dense.xml", "openvino"),
        ("listed/net-weights_manifest.json", "tfjs"),
        ("hub/model.safetensors.index.json", "safetensors"),
    ):
        measured = measure(DATA / name)
        assert measured.format == format
        assert measured.total > (DATA / name).stat().st_size
        assert measured.section("weights").of_kind(Kind.DATA) == PARAMETERS * 4


def test_a_pickle_without_arrays_is_configuration():
    measured = measure(DATA / "dense.pkl")
    assert (measured.format, measured.config) == ("pickle", bytes_of(DATA / "dense.pkl"))


def test_all_of_them_together_are_measured_as_one_directory():
    measured = measure(DATA)
    assert measured.total == bytes_of(DATA)
    assert (
        measured.section("optimizer").of_kind(Kind.DATA) == 5 * STATE + 3 * TORCH_STATE + FLAX_STATE
    )

import pytest

from pytest_modelsize.checks.causes.evidence import Evidence
from pytest_modelsize.checks.causes.files import (
    files_of_section,
    left_out,
    set_of,
    step_of,
    step_of_checkpoint,
)
from tests.measurements import of_sections


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-500/model.safetensors", ("", 500)),
        ("run/global_step1000/zero_pp_rank_0.pt", ("run/", 1000)),
        ("run/epoch=3.ckpt", ("run/", 3)),
        ("iter_0000100/model.pt", ("", 100)),
        ("model.safetensors", None),
        ("checkpoint/model.pt", None),
    ],
)
def test_the_step_that_a_path_names(name, step):
    assert step_of(name) == step


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("ckpt-12.index", ("ckpt", 12)),
        ("ckpt-12.data-00000-of-00001", ("ckpt", 12)),
        ("model.ckpt-7.meta", ("model.ckpt", 7)),
        ("checkpoint", None),
    ],
)
def test_the_step_of_a_checkpoint_of_tensorflow(name, step):
    assert step_of_checkpoint(name) == step


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("model-00001-of-00002.safetensors", "model.safetensors"),
        ("model.safetensors.index.json", "model.safetensors"),
        ("model.safetensors", "model.safetensors"),
    ],
)
def test_shards_and_their_index_are_parts_of_one_file(name, whole):
    assert set_of(name) == whole


def test_files_that_serve_hardly_anything_but_a_section():
    folder = Evidence(of_sections(weights=1))
    folder.files = {
        "state.pt": Evidence(of_sections(optimizer=60, overhead=40)),
        "half.pt": Evidence(of_sections(optimizer=50, overhead=50)),
        "both.pt": Evidence(of_sections(optimizer=90, weights=10)),
    }
    assert files_of_section(folder, "optimizer") == {"state.pt": 100}


def test_what_is_left_out_goes_as_a_whole():
    assert [(name, change.gone) for name, change in left_out(["a", "b"])] == [
        ("a", True),
        ("b", True),
    ]

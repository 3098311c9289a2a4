"""What is made of the kinds together: which are worth a word, in which order, and what fixes give."""

import shutil

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import evidence, find_causes, size_without_state
from pytest_modelsize.checks.causes.cause import NAMED, REBUILT
from pytest_modelsize.formats.extents import noted
from tests.checks.causes.artifacts import ramp, safetensors
from tests.measurements import of_sections


@pytest.mark.parametrize(("state", "told"), [(10, True), (9, False)])
def test_a_hundredth_of_the_artifact_is_worth_a_word(state, told):
    found = find_causes(of_sections(weights=1000 - state, optimizer=state))
    assert bool(found.causes) is told


def test_a_fix_gives_what_the_file_weighs_with_it(tmp_path):
    """Against the files that hold less, written by hand."""
    held = {"a": ([300], ramp(300)), "c": ([50], ramp(50, 9.3, 0.1))}
    full = safetensors(tmp_path / "full.safetensors", {**held, "b": held["a"]})
    # What is tied is named in the metadata (safetensors.torch.save_model).
    lean = safetensors(tmp_path / "lean.safetensors", held, metadata={"b": "a"})
    (cause,) = find_causes(measure(full), full).causes
    assert (cause.kind, cause.how) == ("equal tensors", REBUILT)
    assert cause.given == lean.stat().st_size


def test_fixes_of_several_causes_are_tried_together(tmp_path):
    halves = ramp(300, 1.0, 2.0**-9)
    full = safetensors(tmp_path / "full.safetensors", {"a": ([300], halves), "b": ([300], halves)})
    lean = safetensors(tmp_path / "lean.safetensors", {"a": ([300], halves)}, "F16", {"b": "a"})
    found = find_causes(measure(full), full)
    assert {cause.kind for cause in found.causes} == {
        "equal tensors", "half precision saved as single"
    }  # fmt: skip
    assert found.together == lean.stat().st_size


def test_a_fix_that_is_not_known_is_only_named():
    (cause,) = find_causes(of_sections(weights=100, optimizer=200)).causes
    assert (cause.given, cause.how) == (None, NAMED)


def test_in_a_folder_causes_of_a_kind_are_one(tmp_path):
    for name, count in (("a", 200), ("b", 300)):
        tensors = {f"{name}.w": ([count], ramp(count, 0.1, 0.7))}
        safetensors(tmp_path / f"{name}.safetensors", tensors, "F64")
        safetensors(tmp_path / "narrow" / f"{name}.safetensors", tensors, "F32")
    narrow = sum(file.stat().st_size for file in (tmp_path / "narrow").iterdir())
    shutil.rmtree(tmp_path / "narrow")
    (cause,) = find_causes(measure(tmp_path), tmp_path).causes
    assert cause.kind == "double precision"
    assert cause.text.endswith("and the like in 1 more")
    assert cause.given == narrow
    assert {name for name, _ in cause.changes} == {"a.safetensors", "b.safetensors"}


def test_a_size_without_state_is_that_of_the_files_that_stay(tmp_path):
    weights = {"fc.weight": ([8, 8], ramp(64)), "fc.bias": ([8], ramp(8))}
    slots = {
        f"{name}.{slot}": value
        for name, value in weights.items()
        for slot in ("exp_avg", "exp_avg_sq")
    }
    lean = safetensors(tmp_path / "lean.safetensors", weights)
    full = safetensors(tmp_path / "full.safetensors", {**weights, **slots})
    assert size_without_state(measure(full), full, tmp_path) == lean.stat().st_size
    assert size_without_state(measure(lean), lean, tmp_path) is None


def test_a_folder_that_was_measured_is_not_measured_again_for_its_files(tmp_path, monkeypatch):
    """Each file is measured once by itself, and where its bytes are is noted meanwhile."""
    for name in ("one", "two"):
        safetensors(tmp_path / f"{name}.safetensors", {name: ([300], ramp(300))})
    with noted() as found:
        measured = measure(tmp_path)
    expected = find_causes(measured, tmp_path)
    named = []
    monkeypatch.setattr(evidence, "files_of", lambda path: pytest.fail("measured again"))
    monkeypatch.setattr(evidence, "measure", lambda path: named.append(path.name) or measure(path))
    assert find_causes(measured, tmp_path, noted=found) == expected
    assert sorted(named) == ["one.safetensors", "two.safetensors"]
    assert expected.causes

import pytest

from pytest_modelsize.checks.causes.copies import find
from tests.checks.causes.artifacts import of_file, ramp, safetensors, stored

MATRIX = ramp(16 * 20)
TURNED = [MATRIX[row * 20 + column] for column in range(20) for row in range(16)]


def causes(tmp_path, tensors):
    return list(find(of_file(safetensors(tmp_path / "m.safetensors", tensors))))


def test_equal_tensors_are_told_with_the_bytes_of_all_but_one(tmp_path):
    tied = {name: ([16, 20], MATRIX) for name in ("embed.w", "head.w", "out.w")}
    (cause,) = causes(tmp_path, {**tied, "other.w": ([16, 20], ramp(320, 9.5))})
    assert (cause.kind, cause.size) == (
        "equal tensors",
        stored(tmp_path / "m.safetensors", "head.w", "out.w"),
    )
    assert cause.text == "embed/w is stored 3 times: as head/w, out/w too"
    ((_, change),) = cause.changes
    assert change.tied == {
        (("weights", "head", "w"), ("weights", "embed", "w")),
        (("weights", "out", "w"), ("weights", "embed", "w")),
    }


def test_a_matrix_beside_its_transpose(tmp_path):
    (cause,) = causes(tmp_path, {"embed.w": ([16, 20], MATRIX), "head.w": ([20, 16], TURNED)})
    smaller = min(stored(tmp_path / "m.safetensors", name) for name in ("embed.w", "head.w"))
    assert (cause.kind, cause.size) == ("transposed copy", smaller)
    assert cause.text.startswith("head/w is embed/w transposed")


@pytest.mark.parametrize(
    "tensors",
    [
        {"a.w": ([16, 20], MATRIX), "b.w": ([16, 20], [*MATRIX[:-1], 0.0])},
        {
            "a.w": ([16, 20], MATRIX),
            "b.w": ([20, 16], MATRIX[::-1]),
        },  # the same numbers, not turned
        {"a.w": ([16, 20], MATRIX), "b.w": ([320], MATRIX)},  # which no reference could tie
        {"a.w": ([255], ramp(255)), "b.w": ([255], ramp(255))},  # 1,020 B, too small for a word
    ],
    ids=["one value differs", "not turned", "another shape", "small"],
)
def test_what_differs_in_values_or_shape_or_is_small_is_no_copy(tmp_path, tensors):
    assert causes(tmp_path, tensors) == []

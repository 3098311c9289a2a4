import pytest

from pytest_modelsize.checks.causes.cause import MEASURED, NAMED
from pytest_modelsize.checks.causes.emptiness import find
from pytest_modelsize.sizes.measurement import Kind
from tests.checks.causes.artifacts import evidence, of_file, ramp, safetensors


def test_views_of_larger_storages_are_told_with_what_no_tensor_uses():
    note = "float32 10, waste: 1,960 B of the storage are in no tensor"
    (cause,) = find(evidence({"weights/w": (2000, note)}))
    assert (cause.kind, cause.size) == ("views of larger storages", 1960)
    assert [change.tight for _, change in cause.changes] == [True]


def test_tensors_that_no_node_uses_are_told_with_all_their_bytes():
    entries = {
        "weights/old": (800, "float32 200, waste: no node uses it"),
        "weights/w": (400, "float32 100"),
    }
    (cause,) = find(evidence(entries, "onnx"))
    assert (cause.kind, cause.size, cause.entries) == ("unused tensors", 800, ("old",))


@pytest.mark.parametrize(
    ("slack", "weights", "found"),
    [
        (1024, 1024, True),
        (1023, 1024, False),
        (1024, 19 * 1024, True),
        (1024, 19 * 1024 + 1, False),
    ],
)
def test_gaps_count_from_one_kilobyte_and_a_twentieth_on(slack, weights, found):
    entries = {"weights/w": (weights, ""), "overhead/gap": (slack, "")}
    causes = list(find(evidence(entries, "h5", kinds={"overhead/gap": Kind.SLACK})))
    assert [(cause.kind, cause.size) for cause in causes] == [("gaps", slack)] * found


@pytest.mark.parametrize(("signs", "zeros"), [("plus", 0.0), ("minus", -0.0)])
def test_zero_weights_are_counted_whatever_their_sign(tmp_path, signs, zeros):
    path = tmp_path / "m.safetensors"
    safetensors(path, {"w": ([512], [zeros] * 300 + ramp(212))})
    (cause,) = find(of_file(path))
    assert (cause.kind, cause.size, cause.how) == ("zero weights", 300 * 4, MEASURED)
    assert cause.text.startswith("58 % of the weights are zero, 1,200 B")  # 300 of 512


def test_a_few_zeros_are_no_pruning(tmp_path):
    path = safetensors(tmp_path / "m.safetensors", {"w": ([512], [0.0] * 255 + ramp(257))})
    assert list(find(of_file(path))) == []


def test_masks_lie_beside_weights_of_their_shape_and_are_ones_and_zeros(tmp_path):
    mask = [1.0, 0.0] * 32
    tensors = {"fc.weight_orig": ([8, 8], ramp(64)), "fc.weight_mask": ([8, 8], mask)}
    path = safetensors(tmp_path / "m.safetensors", tensors)
    (cause,) = find(of_file(path))
    assert (cause.kind, cause.how, cause.entries) == ("pruning masks", NAMED, ("fc/weight_mask",))
    ((_, change),) = cause.changes
    assert change.renamed == {(("weights", "fc", "weight_orig"), "weight")}


def test_what_is_called_a_mask_and_has_other_values_is_a_weight(tmp_path):
    tensors = {"fc.weight": ([8, 8], ramp(64)), "fc.mask": ([8, 8], ramp(64))}
    path = safetensors(tmp_path / "m.safetensors", tensors)
    assert "pruning masks" not in [cause.kind for cause in find(of_file(path))]

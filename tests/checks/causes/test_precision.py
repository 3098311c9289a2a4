import pytest

from pytest_modelsize.checks.causes.precision import find
from tests.checks.causes.artifacts import evidence, of_file, ramp, safetensors


def kinds(entries, format="torch"):
    return [(cause.kind, cause.size) for cause in find(evidence(entries, format))]


def test_double_precision_costs_half_of_its_bytes():
    entries = {"weights/w": (800, "float64 100"), "weights/b": (40, "float32 10")}
    assert kinds(entries) == [("double precision", 400)]
    assert kinds(entries, "pickle") == []  # numbers of an estimator are not narrowed


@pytest.mark.parametrize(("double", "found"), [(100, True), (99, False)])
def test_a_tenth_of_the_weights_is_worth_a_word(double, found):
    entries = {"weights/w": (double, "float64 1"), "weights/b": (1000 - double, "int8 1")}
    assert bool(kinds(entries)) is found


def test_float_weights_beside_quantized_ones_are_told_but_for_their_scales():
    entries = {
        "weights/q": (1000, "int8 100x10"),
        "weights/left": (400, "float32 10x10"),
        "weights/scale": (400, "float32 100"),
    }
    assert kinds(entries) == [("float weights in a quantized model", 300)]
    del entries["weights/left"]
    assert kinds(entries) == []


def test_packed_weights_of_four_bits_are_integers_whatever_holds_them():
    entries = {"weights/qweight": (1000, "int32 25x10"), "weights/left": (400, "float32 10x10")}
    assert kinds(entries) == [("float weights in a quantized model", 300)]


def test_ranges_without_integers_are_a_model_that_was_never_converted():
    entries = {"weights/w": (400, "float32 10x10"), "weights/fake_quant/min": (4, "float32 scalar")}
    assert kinds(entries) == [("float weights in a quantized model", 404 // 2 * 3 // 2)]


HALVES = ramp(100, 1.0, 2.0**-9)
"""Each has nine bits behind the first: within float16's ten, and more than bfloat16's seven."""


@pytest.mark.parametrize(
    ("values", "narrow"),
    [
        (HALVES, "float16"),
        ([2.0**n for n in range(-60, 60)], "bfloat16"),  # beyond float16's range
        ([x + 2.0**-20 for x in HALVES], ""),
        ([0.0, 1.0] * 50, ""),  # fits by chance
    ],
    ids=["half", "bfloat", "single", "few values"],
)
def test_single_precision_whose_values_all_fit_half(tmp_path, values, narrow):
    path = safetensors(tmp_path / "m.safetensors", {"w": ([len(values)], values)})
    found = list(find(of_file(path)))
    assert [cause.fix for cause in found] == ([f"save the weights as {narrow}"] if narrow else [])
    if narrow:
        assert found[0].kind == "half precision saved as single"
        assert [change.narrowed for _, change in found[0].changes] == [{("float32", narrow)}]

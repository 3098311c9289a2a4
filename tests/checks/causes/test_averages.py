import pytest

from pytest_modelsize.checks.causes.averages import find, is_average, is_state
from tests.checks.causes.artifacts import evidence, of_file, ramp, safetensors


@pytest.mark.parametrize(
    "name",
    [
        "ema",
        "model_ema",
        "EMAModel",
        "net.shadow",
        "swa_model",
        "averaged",
        "emaModel",
        "teacher.net",
    ],
)
def test_names_of_averages_are_told(name):
    assert is_average(name)


@pytest.mark.parametrize(
    "name", ["schema", "cinema", "average_precision", "swap", "teachers", "net"]
)
def test_names_that_only_look_like_averages_are_not(name):
    assert not is_average(name)


@pytest.mark.parametrize(("name", "told"), [("best", True), ("last.ckpt", True), ("epoch_3", True), ("bestiary", False), ("encoder", False)])  # fmt: skip
def test_names_of_one_state_among_others(name, told):
    assert is_state(name) is told


def net(prefix, rows=8):
    return {
        f"weights/{prefix}/kernel": (rows * 16, f"float32 {rows}x4"),
        f"weights/{prefix}/bias": (16, "float32 4"),
    }


def test_an_average_has_the_weights_shapes_under_a_name_of_its_own():
    (cause,) = find(evidence({**net("net"), **net("ema")}))
    assert (cause.kind, cause.size, cause.entries) == ("moving average", 8 * 16 + 16, ("ema",))
    assert cause.text.startswith("ema repeats the 2 tensors of net, shape by shape")
    ((file, change),) = cause.changes
    assert file == ""
    assert change.without == {("weights", "ema", "kernel"), ("weights", "ema", "bias")}


def test_gradients_are_a_kind_of_their_own():
    (cause,) = find(evidence({**net("net"), **net("grads")}))
    assert (cause.kind, cause.fix) == ("gradients", "ship net alone")


def test_other_shapes_under_such_a_name_are_a_layer():
    assert list(find(evidence({**net("net"), **net("ema", rows=9)}))) == []


def test_a_list_without_names_is_an_average_where_it_is_as_large_as_the_rest():
    entries = {"weights/net/kernel": (400, "float32 100"), "weights/ema/params": (400, "2 tensors")}
    (cause,) = find(evidence(entries))
    assert (cause.size, cause.entries) == (400, ("ema/params",))
    entries["weights/ema/params"] = (100, "2 tensors")
    assert list(find(evidence(entries))) == []


def two_of(tmp_path, name, values):
    """A file with ``net`` and a group of the same shapes that has other values."""
    tensors = {
        "net.kernel": ([8, 8], ramp(64)),
        "net.bias": ([32], ramp(32, 7.0)),
        f"{name}.kernel": ([8, 8], values[:64]),
        f"{name}.bias": ([32], values[64:]),
    }
    return of_file(safetensors(tmp_path / "m.safetensors", tensors))


NEAR = [*(x + 0.01 * (-1) ** n for n, x in enumerate(ramp(64))), *(x + 0.01 for x in ramp(32, 7.0))]
FAR = [*(float(n * 37 % 64) for n in range(64)), *(float(n * 13 % 32) for n in range(32))]


@pytest.mark.parametrize(
    ("name", "values", "kinds"),
    [
        ("momentum", NEAR, ["moving average"]),
        ("best", NEAR, ["another state of the weights"]),
        ("best", FAR, []),  # trained apart
        ("tower", NEAR, []),  # may have begun as one
    ],
)
def test_a_name_that_may_mean_something_else_is_decided_by_values(tmp_path, name, values, kinds):
    assert [cause.kind for cause in find(two_of(tmp_path, name, values))] == kinds

"""Public complaints about ONNX models, rebuilt small; each cites its thread.

The size with the fix is that of the model saved again by the onnx package, without what is to go.
"""

import pytest

REASON = "onnx and NumPy are not installed: tox run -e formats"
onnx = pytest.importorskip("onnx", reason=REASON)
np = pytest.importorskip("numpy", reason=REASON)
helper = onnx.helper

WORDS, WIDTH = 200, 64
TABLE = np.random.default_rng(0).standard_normal((WORDS, WIDTH)).astype(np.float32)


def write(path, tensors, *nodes, external=False):
    """Write a model with these initializers and nodes, from input ``x`` to output ``y``."""
    kind = helper.np_dtype_to_tensor_dtype(next(iter(tensors.values())).dtype)
    graph = helper.make_graph(
        [helper.make_node(op, given, [out]) for op, *given, out in nodes],
        "graph",
        [helper.make_tensor_value_info("x", kind, [None, WIDTH])],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    more = {"save_as_external_data": True, "location": "data", "size_threshold": 0}
    onnx.save_model(helper.make_model(graph), path, **(more if external else {}))
    return path


def test_transformers_12985_tied_weights_are_stored_transposed(causes, fixed, tmp_path):
    path = write(
        tmp_path / "tied.onnx",
        {"embedding": TABLE, "head": np.ascontiguousarray(TABLE.T)},
        ("MatMul", "x", "head", "h"),
        ("MatMul", "h", "embedding", "y"),
    )
    cause = causes(path)["transposed copy"]
    assert TABLE.nbytes <= cause.size < TABLE.nbytes + 100
    assert "embedding" in cause.text
    assert "head" in cause.text
    write(
        path,
        {"head": np.ascontiguousarray(TABLE.T)},
        ("Transpose", "head", "embedding"),
        ("MatMul", "x", "head", "h"),
        ("MatMul", "h", "embedding", "y"),
    )
    fixed(cause, path, "rebuilt")
    assert causes(path) == {}


def test_a_matrix_of_the_transposed_shape_is_no_copy(causes, tmp_path):
    other = np.ascontiguousarray(TABLE.T) + 1
    path = write(
        tmp_path / "two.onnx",
        {"embedding": TABLE, "head": other},
        ("MatMul", "x", "head", "h"),
        ("MatMul", "h", "embedding", "y"),
    )
    assert causes(path) == {}


@pytest.mark.parametrize("name", ["left.over.weight", "w"])
def test_onnxsim_174_a_weight_that_folding_left_over(causes, fixed, tmp_path, name):
    tensors = {"used": np.ascontiguousarray(TABLE.T), name: TABLE + 1}
    path = write(tmp_path / "net.onnx", tensors, ("MatMul", "x", "used", "y"))
    cause = causes(path)["unused tensors"]
    assert TABLE.nbytes <= cause.size < TABLE.nbytes + 100
    del tensors[name]
    write(path, tensors, ("MatMul", "x", "used", "y"))
    fixed(cause, path, "rebuilt")
    assert causes(path) == {}


def test_onnx_6655_an_initializer_that_is_an_output_is_used(causes, tmp_path):
    path = write(tmp_path / "net.onnx", {"w": np.ascontiguousarray(TABLE.T), "y": TABLE + 1},
                 ("MatMul", "x", "w", "h"))  # fmt: skip
    assert causes(path) == {}


@pytest.mark.parametrize("external", [False, True])
def test_onnx_4149_equal_initializers_are_stored_again(causes, fixed, tmp_path, external):
    path = write(
        tmp_path / "net.onnx",
        {"a": np.ascontiguousarray(TABLE.T), "b": np.ascontiguousarray(TABLE.T)},
        ("MatMul", "x", "a", "h"),
        ("Add", "h", "b", "y"),
        external=external,
    )
    cause = causes(path)["equal tensors"]
    assert TABLE.nbytes <= cause.size < TABLE.nbytes + 150
    assert "share one initializer" in cause.fix
    if external:
        assert cause.given is None
        return
    write(
        path,
        {"a": np.ascontiguousarray(TABLE.T)},
        ("MatMul", "x", "a", "h"),
        ("Add", "h", "a", "y"),
    )
    fixed(cause, path, "rebuilt")


@pytest.mark.parametrize("name", ["encoder.layers.0.weight", "w"])
def test_optimum_2156_half_precision_exported_as_single(causes, fixed, tmp_path, name):
    half = np.ascontiguousarray(TABLE.T).astype(np.float16)
    path = write(tmp_path / "net.onnx", {name: half.astype(np.float32)}, ("MatMul", "x", name, "y"))
    cause = causes(path)["half precision saved as single"]
    write(path, {name: half}, ("MatMul", "x", name, "y"))
    fixed(cause, path, "rebuilt")
    assert causes(path) == {}

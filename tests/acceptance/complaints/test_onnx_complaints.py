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


def write(path, tensors, *nodes, external=False, made=()):
    """Write a model with these initializers and nodes, from input ``x`` to output ``y``.

    Elements lie in another file, or, with ``external="each"``, in one for each tensor.
    """
    kind = helper.np_dtype_to_tensor_dtype(next(iter(tensors.values())).dtype)
    graph = helper.make_graph(
        [*made, *(helper.make_node(op, given, [out]) for op, *given, out in nodes)],
        "graph",
        [helper.make_tensor_value_info("x", kind, [None, WIDTH])],
        [helper.make_tensor_value_info("y", kind, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in tensors.items()],
    )
    more = {"save_as_external_data": True, "size_threshold": 0}
    more |= {"all_tensors_to_one_file": False} if external == "each" else {"location": "data"}
    for old in path.parent.iterdir() if path.exists() else ():
        old.unlink()  # onnx writes behind what is there
    onnx.save_model(helper.make_model(graph), path, **(more if external else {}))
    return path


def constant(name, array):
    return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(array))


OUTSIDE = pytest.mark.parametrize("external", [False, True, "each"])


@OUTSIDE
def test_transformers_12985_tied_weights_are_stored_transposed(causes, fixed, tmp_path, external):
    path = write(
        tmp_path / "tied.onnx",
        {"embedding": TABLE, "head": np.ascontiguousarray(TABLE.T)},
        ("MatMul", "x", "head", "h"),
        ("MatMul", "h", "embedding", "y"),
        external=external,
    )
    cause = causes(path)["transposed copy"]
    assert TABLE.nbytes <= cause.size < TABLE.nbytes + 150
    assert "embedding" in cause.text
    assert "head" in cause.text
    write(
        path,
        {"head": np.ascontiguousarray(TABLE.T)},
        ("Transpose", "head", "embedding"),
        ("MatMul", "x", "head", "h"),
        ("MatMul", "h", "embedding", "y"),
        external=external,
    )
    fixed(cause, path if not external else path.parent, "rebuilt")
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


@OUTSIDE
@pytest.mark.parametrize("name", ["left.over.weight", "w"])
def test_onnxsim_174_a_weight_that_folding_left_over(causes, fixed, tmp_path, name, external):
    tensors = {"used": np.ascontiguousarray(TABLE.T), name: TABLE + 1}
    path = write(tmp_path / "net.onnx", tensors, ("MatMul", "x", "used", "y"), external=external)
    cause = causes(path)["unused tensors"]
    assert TABLE.nbytes <= cause.size < TABLE.nbytes + 150
    del tensors[name]
    write(path, tensors, ("MatMul", "x", "used", "y"), external=external)
    fixed(cause, path if not external else path.parent, "rebuilt")
    assert causes(path) == {}


def test_a_constant_that_no_node_takes_is_left_over_too(causes, tmp_path):
    used, node = {"used": np.ascontiguousarray(TABLE.T)}, ("MatMul", "x", "used", "y")
    path = write(tmp_path / "net.onnx", used, node, made=[constant("dead", TABLE + 1)])
    cause = causes(path)["unused tensors"]
    assert "dead" in cause.text
    write(path, used, node)
    assert (cause.given, cause.how) == (path.stat().st_size, "rebuilt")


def test_onnx_6655_an_initializer_that_is_an_output_is_used(causes, tmp_path):
    path = write(tmp_path / "net.onnx", {"w": np.ascontiguousarray(TABLE.T), "y": TABLE + 1},
                 ("MatMul", "x", "w", "h"))  # fmt: skip
    assert causes(path) == {}


@OUTSIDE
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
    write(
        path,
        {"a": np.ascontiguousarray(TABLE.T)},
        ("MatMul", "x", "a", "h"),
        ("Add", "h", "a", "y"),
        external=external,
    )
    fixed(cause, path if not external else path.parent, "rebuilt")


def test_equal_constants_are_stored_with_each_node(causes, tmp_path):
    head = {"w": np.ascontiguousarray(TABLE.T)}
    nodes = [("MatMul", "x", "w", "h"), ("Add", "h", "c0", "i")]
    both = [constant("c0", TABLE + 1), constant("c1", TABLE + 1)]
    path = write(tmp_path / "net.onnx", head, *nodes, ("Add", "i", "c1", "y"), made=both)
    cause = causes(path)["equal tensors"]
    write(path, head, *nodes, ("Add", "i", "c0", "y"), made=both[:1])
    assert (cause.given, cause.how) == (path.stat().st_size, "rebuilt")


@pytest.mark.parametrize("multiple", [4096, 65536])
def test_the_multiples_at_which_tensors_begin_are_kept(causes, tmp_path, multiple):
    """Large tensors are aligned where they are to be mapped: onnx_ir and ONNX Runtime do it."""
    large = np.random.default_rng(0).standard_normal((300_000, 4)).astype(np.float32)
    at = (len(TABLE.tobytes()) + multiple - 1) // multiple * multiple

    def save(name, *tensors):
        (tmp_path / name).mkdir()
        path, content, made = tmp_path / name / "net.onnx", b"", []
        for label, array in tensors:
            tensor = helper.make_tensor(label, 1, array.shape, array.tobytes(), raw=True)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            content = content.ljust(at if array is large else 0, b"\0")
            where = {"location": "data", "offset": len(content), "length": array.nbytes}
            for key, value in where.items():
                tensor.external_data.add(key=key, value=str(value))
            tensor.ClearField("raw_data")
            content += array.tobytes()
            made.append(tensor)
        graph = helper.make_graph([helper.make_node("Neg", ["large"], ["y"])], "g", [], [
            helper.make_tensor_value_info("y", 1, None)], made)  # fmt: skip
        onnx.save(helper.make_model(graph), path)
        (path.parent / "data").write_bytes(content)
        return path

    path = save("old", ("small", TABLE), ("large", large), ("left", TABLE + 1))
    cause = causes(path)["unused tensors"]
    # With the first tensor gone, too, the large one begins at 0.
    at = 0
    real = save("new", ("large", large))
    assert cause.given == sum(file.stat().st_size for file in real.parent.iterdir())


def test_where_a_file_is_not_laid_out_as_known_no_size_is_given(causes, tmp_path):
    used, node = {"used": np.ascontiguousarray(TABLE.T)}, ("MatMul", "x", "used", "y")
    path = write(tmp_path / "net.onnx", used | {"w": TABLE + 1}, node, external=True)
    with (tmp_path / "data").open("ab") as file:
        file.write(b"left behind")
    assert causes(path)["unused tensors"].given is None


def test_zeros_beside_the_model_are_compressed_too(causes, tmp_path):
    import gzip

    sparse = np.ascontiguousarray(TABLE.T)
    sparse[4:] = 0
    path = write(tmp_path / "net.onnx", {"w": sparse}, ("MatMul", "x", "w", "y"), external=True)
    cause = causes(path)["zero weights"]
    files = [path.read_bytes(), (tmp_path / "data").read_bytes()]
    assert cause.given == sum(len(gzip.compress(content, 6, mtime=0)) for content in files)


def test_pytorch_traces_every_node_to_its_source(causes, tmp_path):
    """torch.onnx.export(dynamo=True) writes a stack trace into each node's metadata."""
    nodes = [helper.make_node("Add", ["x" if not i else f"h{i}", "w"], [f"h{i + 1}"]) for i in range(50)]  # fmt: skip
    path, bare = tmp_path / "net.onnx", tmp_path / "bare.onnx"
    write(bare, {"w": TABLE[:1]}, ("Neg", "h50", "y"), made=nodes)
    for node in nodes:
        node.doc_string = "forward of model.py"
        line = "File model.py, line 12, in forward" * 10
        node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=line)
    write(path, {"w": TABLE[:1]}, ("Neg", "h50", "y"), made=nodes)
    cause = causes(path)["debug information"]
    assert (cause.given, cause.how) == (bare.stat().st_size, "rebuilt")


@pytest.mark.parametrize("name", ["encoder.layers.0.weight", "w"])
def test_optimum_2156_half_precision_exported_as_single(causes, fixed, tmp_path, name):
    half = np.ascontiguousarray(TABLE.T).astype(np.float16)
    path = write(tmp_path / "net.onnx", {name: half.astype(np.float32)}, ("MatMul", "x", name, "y"))
    cause = causes(path)["half precision saved as single"]
    write(path, {name: half}, ("MatMul", "x", name, "y"))
    fixed(cause, path, "rebuilt")
    assert causes(path) == {}

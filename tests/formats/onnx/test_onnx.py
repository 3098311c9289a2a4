"""ONNX models against the onnx package: sizes of its messages, and what its writers lay out."""

from pathlib import Path

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.formats import recognise
from tests.needs import needs, skip


@pytest.fixture(scope="module")
def onnx():
    needs("numpy")
    return needs("onnx")


def entry(measurement, *names):
    """The section at ``names``."""
    section = measurement.section(names[0])
    for name in names[1:]:
        (section,) = (part for part in section.children if part.name == name)
    return section


def in_field(message, *, number=1):
    """Bytes of ``message`` as the field of another: its own, those of its length and of its tag."""
    size = message.ByteSize()
    return (2 if number > 15 else 1) + max(1, -(-size.bit_length() // 7)) + size


def net(onnx, np, **more):
    """A graph with one initializer of each way to store values, and a node that has a constant."""
    make = onnx.helper
    tensors = [
        onnx.numpy_helper.from_array(
            np.arange(600, dtype="float32").reshape(20, 30), "fc.0.weight"
        ),
        onnx.numpy_helper.from_array(np.arange(7, dtype="int64"), "fc.0.bias"),
        make.make_tensor("floats", onnx.TensorProto.FLOAT, [3], [1.0, 2.0, 3.0]),
        make.make_tensor("ints", onnx.TensorProto.INT32, [4], [1, 200, 70000, -1]),
        make.make_tensor("doubles", onnx.TensorProto.DOUBLE, [2], [1.0, 2.0]),
        make.make_tensor("text", onnx.TensorProto.STRING, [2], [b"abc", b"de"]),
        make.make_tensor("int4", onnx.TensorProto.INT4, [3], [1, 2, 3]),
        make.make_tensor("bf16", onnx.TensorProto.BFLOAT16, [3], [1.0, 2.0, 3.0]),
        make.make_tensor("scalar", onnx.TensorProto.FLOAT, [], [1.0]),
    ]
    constant = make.make_node(
        "Constant", [], ["c"], value=onnx.numpy_helper.from_array(np.ones(5, "float32"), "v")
    )
    graph = make.make_graph(
        [constant, make.make_node("Add", ["c", "x"], ["y"], name="add", doc_string="for people")],
        "net",
        [make.make_tensor_value_info("x", 1, [5])],
        [make.make_tensor_value_info("y", 1, [5])],
        initializer=tensors,
    )
    return make.make_model(graph, producer_name="tests", **more)


def test_every_initializer_is_as_large_as_its_message_and_its_values(onnx, np, tmp_path):
    model = net(onnx, np)
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert (result.format, result.total) == ("onnx", model.ByteSize())
    values = {
        "floats": 3 * 4,
        "ints": 1 + 2 + 3 + 10,  # varints; a negative one has ten bytes
        "doubles": 2 * 8,
        "text": 3 + 2,
        "scalar": 4,
    }
    notes = {
        "fc.0.weight": "float32 20x30", "fc.0.bias": "int64 7", "text": "string 2",
        "int4": "int4 3", "bf16": "bfloat16 3", "scalar": "float32 scalar",
    }  # fmt: skip
    for tensor in model.graph.initializer:
        strings = tensor.data_type == onnx.TensorProto.STRING
        under = ("assets", "strings") if strings else ("weights",)
        section = entry(result, *under, *tensor.name.split("."))
        assert section.size == in_field(tensor), tensor.name
        if tensor.raw_data or tensor.name in values:
            expected = len(tensor.raw_data) or values[tensor.name]
            assert section.of_kind(Kind.DATA) == expected, tensor.name
        told = section.note.partition(",")[0]
        assert told == notes.get(tensor.name, told)


def test_nodes_texts_and_the_rest_are_as_large_as_their_messages(onnx, np, tmp_path):
    model = net(onnx, np, doc_string="what it is for")
    onnx.helper.set_model_props(model, {"author": "us", "license": "MIT"})
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    constant, add = model.graph.node
    value = constant.attribute[0].t
    assert entry(result, "weights", "constants", "c").size == in_field(value)
    assert entry(result, "graph", "nodes", "Constant").size == in_field(constant) - in_field(value)
    text = 2 + len(add.doc_string)
    assert entry(result, "graph", "doc strings").size == text
    assert entry(result, "graph", "nodes", "Add").size == in_field(add) - text
    assert entry(result, "graph", "inputs").size == in_field(model.graph.input[0])
    assert entry(result, "graph", "name").size == 2 + len("net")
    assert entry(result, "config", "producer").size == 2 + len("tests")
    assert entry(result, "config", "doc string").size == 2 + len("what it is for")
    for prop in model.metadata_props:
        assert entry(result, "config", "metadata", prop.key).size == in_field(prop)
    versions = 2 + sum(in_field(opset) for opset in model.opset_import)
    assert entry(result, "graph", "versions").size == versions


def test_weights_hidden_in_branches_and_loops_are_found(onnx, np, tmp_path):
    make, from_array = onnx.helper, onnx.numpy_helper.from_array
    big = from_array(np.arange(500, dtype="float32"), "big")
    inner = make.make_graph(
        [make.make_node("Constant", [], ["deep"], value=big)],
        "body", [], [make.make_tensor_value_info("deep", 1, [500])],
        initializer=[from_array(np.arange(90, dtype="float32"), "own")],
    )  # fmt: skip
    loop = make.make_node("Loop", ["n", ""], ["z"], body=inner)
    branch = make.make_graph([loop], "then", [], [make.make_tensor_value_info("z", 1, [500])])
    nothing = make.make_graph([], "else", [], [])
    node = make.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=nothing)
    model = make.make_model(make.make_graph([node], "g", [], []))
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert result.total == model.ByteSize()
    assert entry(result, "weights", "constants", "deep").of_kind(Kind.DATA) == 2000
    assert entry(result, "weights", "own").of_kind(Kind.DATA) == 360
    assert result.weights == in_field(big) + in_field(inner.initializer[0])
    assert {part.name for part in entry(result, "graph", "nodes").children} == {
        "If", "Loop", "Constant",
    }  # fmt: skip


def test_functions_sparse_tensors_and_lists_in_attributes_have_their_entries(onnx, np, tmp_path):
    make, from_array = onnx.helper, onnx.numpy_helper.from_array
    constant = make.make_node("Constant", [], ["k"], value=from_array(np.ones(3, "float32"), "k"))
    function = make.make_function(
        "own.domain", "Twice", ["a"], ["b"], [constant, make.make_node("Add", ["a", "k"], ["b"])],
        [make.make_opsetid("", 17)],
    )  # fmt: skip
    sparse = make.make_sparse_tensor(
        from_array(np.ones(4, "float32"), "sparse"),
        from_array(np.arange(4, dtype="int64"), ""),
        [9],
    )
    trees = make.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml",
        nodes_values=[float(i) for i in range(2000)], nodes_modes=["LEAF"] * 3,
    )  # fmt: skip
    graph = make.make_graph([trees], "g", [], [], sparse_initializer=[sparse])
    model = make.make_model(graph, functions=[function])
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert result.total == model.ByteSize()
    assert entry(result, "weights", "sparse").size == in_field(sparse)
    assert entry(result, "weights", "sparse").of_kind(Kind.DATA) == 4 * 4 + 4 * 8
    assert entry(result, "weights", "sparse").note == "sparse float32 9, waste: no node uses it"
    value = constant.attribute[0].t
    held = in_field(function, number=25) - in_field(value)
    assert entry(result, "graph", "functions", "own.domain.Twice").size == held
    assert entry(result, "weights", "constants", "k").size == in_field(value)
    values = entry(result, "weights", "constants", "y", "nodes_values").size
    assert 2000 * 4 <= values <= 2000 * 5 + 10


LISTS = {
    "floats": ("nodes_values", [0.5], "weights"),
    "ints": ("nodes_featureids", [70_000], "weights"),
    "strings": ("nodes_modes", ["LEAF"], "assets"),
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("number", [1_000, 150_000, 600_000])
def test_lists_of_any_length_in_a_node_are_read(onnx, tmp_path, kind, number):
    """Nodes of over 1 MiB with several lists, as skl2onnx writes every forest."""
    name, element, section = LISTS[kind]
    node = onnx.helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], name="trees", domain="ai.onnx.ml",
        **{name: element * number}, target_weights=[0.25] * 2000, aggregate="SUM",
    )  # fmt: skip
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", [], []))
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert result.total == model.ByteSize()
    under = ("assets", "strings") if section == "assets" else ("weights", "constants")
    found = entry(result, *under, "y", name)
    assert found.note == f"{kind} in TreeEnsembleRegressor"
    (attribute,) = (a for a in node.attribute if a.name == name)
    # All of the attribute but its name; the type at its end stays with the list.
    assert found.size == attribute.ByteSize() - 2 - len(name)
    (weights,) = (a for a in node.attribute if a.name == "target_weights")
    found = entry(result, "weights", "constants", "y", "target_weights")
    assert found.size == weights.ByteSize() - 2 - len("target_weights")


def test_words_in_a_tensor_are_strings_however_many(onnx, tmp_path):
    words = [f"word{n}".encode() for n in range(600_000)]
    tensor = onnx.helper.make_tensor("words", onnx.TensorProto.STRING, [len(words)], words)
    model = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], [tensor]))
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert result.total == model.ByteSize()
    words = entry(result, "assets", "strings", "words")
    assert (words.size, words.note) == (in_field(tensor), "string 600000")


def test_what_serves_training_alone_is_told_from_weights(onnx, np, tmp_path):
    make = onnx.helper
    momentum = onnx.numpy_helper.from_array(np.ones(50, "float32"), "fc.weight.momentum")
    algorithm = make.make_graph(
        [make.make_node("Sub", ["a", "b"], ["c"])], "sgd", [], [], [momentum]
    )
    info = make.make_training_info(algorithm, [("w", "c")], None, None)
    model = net(onnx, np)
    without = model.ByteSize()
    model.training_info.append(info)
    onnx.save(model, tmp_path / "m.onnx")
    result = measure(tmp_path / "m.onnx")
    assert result.total == model.ByteSize()
    assert result.optimizer == in_field(momentum)
    training = entry(result, "graph", "training").size
    assert result.optimizer + training == result.total - without


def test_equal_tensors_and_zeros_are_named_as_waste(onnx, np, tmp_path):
    make, from_array = onnx.helper, onnx.numpy_helper.from_array
    tensors = [
        from_array(np.arange(40, dtype="float32"), "first"),
        from_array(np.arange(40, dtype="float32"), "again"),
        from_array(np.arange(1, 41, dtype="float32"), "other"),
        from_array(np.zeros(40, "float32"), "zeros"),
        from_array(np.r_[np.zeros(900), 1.0, 2.0].astype("float32"), "late"),
        from_array(np.r_[np.zeros(900), 2.0, 1.0].astype("float32"), "later"),
        from_array(np.r_[np.zeros(900), 2.0, 1.0].astype("float32"), "later again"),
        from_array(np.arange(4, dtype="int8"), "tiny"),
        from_array(np.arange(4, dtype="int8"), "tiny2"),
    ]
    model = make.make_model(make.make_graph([], "g", [], [], tensors))
    onnx.save(model, tmp_path / "m.onnx")
    notes = {
        part.name: part.note for part in entry(measure(tmp_path / "m.onnx"), "weights").children
    }
    assert notes == {
        "first": "float32 40",
        "again": "float32 40, waste: the same as first",
        "other": "float32 40",
        "zeros": "float32 40, waste: all zeros",
        "late": "float32 902",
        "later": "float32 902",
        "later again": "float32 902, waste: the same as later",
        "tiny": "int8 4",
        "tiny2": "int8 4",
    }


def test_a_model_of_megabytes_is_read_by_its_tags_with_the_same_result(onnx, np, tmp_path):
    from pytest_modelsize.formats.source import Source

    make, from_array = onnx.helper, onnx.numpy_helper.from_array
    big = [from_array(np.random.default_rng(i).random(300_000), f"w.{i}") for i in range(3)]
    nodes = [make.make_node("Relu", [f"t{i}"], [f"t{i + 1}"], name=f"n{i}") for i in range(30_000)]
    model = make.make_model(make.make_graph(nodes, "g", [], [], big))
    path = tmp_path / "m.onnx"
    onnx.save(model, path)
    read = 0
    plain = Source.read

    def counted(self, offset, size):
        nonlocal read
        read += size
        return plain(self, offset, size)

    result = measure(path)
    for tensor in big:
        section = entry(result, "weights", *tensor.name.split("."))
        assert (section.size, section.of_kind(Kind.DATA)) == (in_field(tensor), 2_400_000)
    nodes_size = sum(in_field(node) for node in nodes)
    assert entry(result, "graph", "nodes", "Relu").size == nodes_size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "read", counted)
        measure(path)
    # Nodes are read, some of them twice; of the tensors' 7 MB nothing but what follows a tag.
    assert read < 3.5 * nodes_size


@pytest.fixture(params=[True, False], ids=["one file", "a file for each"])
def external(request, onnx, np, tmp_path):
    """A model saved by the package with its data beside it."""
    path = tmp_path / "net" / "m.onnx"
    path.parent.mkdir()
    onnx.save(
        net(onnx, np),
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=request.param,
        location="m.onnx.data" if request.param else None,
        size_threshold=0,
    )
    return path


def test_a_lone_model_is_measured_with_its_external_data(onnx, external):
    files = sorted(external.parent.iterdir())
    assert len(files) > 1
    (external.parent / "notes.txt").write_text("not of the model")
    result = measure(external)
    assert (result.format, result.total) == ("onnx", sum(file.stat().st_size for file in files))
    beside = sum(file.stat().st_size for file in files if file != external)
    where = "m.onnx.data" if len(files) == 2 else f"{len(files) - 1} files"
    said = f"{beside:,d} B of the whole are beside the model, in {where}"
    assert result.section("weights").note == said
    loaded = onnx.load(external)
    bare = onnx.load(external, load_external_data=False)
    for tensor, stub in zip(loaded.graph.initializer, bare.graph.initializer, strict=True):
        if stub.data_location != onnx.TensorProto.EXTERNAL:
            continue
        section = entry(result, "weights", *tensor.name.split("."))
        assert section.of_kind(Kind.DATA) == len(tensor.raw_data)
        assert section.of_kind(Kind.STRUCTURE) == in_field(stub)
        where = {item.key: item.value for item in stub.external_data}
        assert section.note.endswith(f", in {where['location']}")


def test_its_folder_is_measured_as_one_artifact_with_every_byte_once(external):
    (external.parent / "notes.txt").write_text("beside it")
    result = measure(external.parent)
    files = [file for file in external.parent.iterdir() if file.is_file()]
    assert result.total == sum(file.stat().st_size for file in files)
    found = {path[1] for path, leaf in result.leaves() if path[0] == "assets"}
    assert found == {"notes.txt", "m.onnx"}  # in the model are its words
    assert result.weights == measure(external).weights


@pytest.mark.parametrize("external", [True], indirect=True)
def test_padding_between_tensors_is_told_from_what_nothing_uses(onnx, np, external):
    data = external.with_name("m.onnx.data")
    used = sum(
        int(item.value)
        for tensor in onnx.load(external, load_external_data=False).graph.initializer
        for item in tensor.external_data
        if item.key == "length"
    )
    with data.open("ab") as file:
        file.write(b"x" * 100)
    overhead = measure(external).section("overhead")
    assert overhead.of_kind(Kind.SLACK) == 100
    assert overhead.of_kind(Kind.RESERVED) == data.stat().st_size - 100 - used


def test_the_content_is_recognised_whatever_the_name(onnx, np, tmp_path):
    path = tmp_path / "model.bin"
    onnx.save(net(onnx, np), path)
    assert recognise(path) == "onnx"
    assert measure(path).format == "onnx"


def weights_of(nodes, tensors=(), sparse=()):
    """Bytes of all tensors of a graph and of those inside it, as the package's messages say."""
    total = sum(map(in_field, [*tensors, *sparse]))
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                inner = attribute.g
                total += weights_of(inner.node, inner.initializer, inner.sparse_initializer)
            if node.op_type == "Constant":
                total += in_field(attribute.t) if attribute.HasField("t") else 0
                sparse_value = attribute.HasField("sparse_tensor")
                total += in_field(attribute.sparse_tensor, number=22) if sparse_value else 0
    return total


def test_the_package_s_own_test_models_have_the_weights_that_their_messages_have(onnx):
    """From convolutional networks to scans and functions; none has a large attribute elsewhere."""
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data"
    with_weights = 0
    for path in sorted(folder.rglob("*.onnx")):
        model = onnx.load(path)
        result = measure(path)
        assert (result.format, result.total) == ("onnx", model.ByteSize()), path
        graph = model.graph
        expected = weights_of(graph.node, graph.initializer, graph.sparse_initializer)
        expected += sum(weights_of(function.node) for function in model.functions)
        assert result.weights == expected, path
        with_weights += expected > 0
    if not with_weights:
        skip("this onnx comes without its test models", "formats")
    assert with_weights > 10

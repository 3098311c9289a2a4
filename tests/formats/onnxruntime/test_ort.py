"""ONNX Runtime's own files, against the classes that it ships for them, and hostile ones by hand."""

import struct
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.flatbuffers import Writer
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.needs import needs

DATA = Path(__file__).parents[2] / "data"
FBS = "onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A layer, a forest, words, and constants in branches; saved by ONNX Runtime."""
    onnx, ort, np = needs("onnx"), needs("onnxruntime"), needs("numpy")
    make, arrays, kind = onnx.helper, onnx.numpy_helper, onnx.TensorProto

    def branch(name, shift):
        value = arrays.from_array(np.arange(5) + shift)
        return make.make_graph(
            [make.make_node("Constant", [], [name], value=value)], name, [],
            [make.make_tensor_value_info(name, kind.INT64, [5])],
        )  # fmt: skip

    nodes = 500
    forest = make.make_node(
        "TreeEnsembleRegressor", ["x"], ["forest"], domain="ai.onnx.ml", n_targets=1,
        nodes_treeids=[0] * nodes, nodes_nodeids=list(range(nodes)), nodes_featureids=[0] * nodes,
        nodes_values=[0.5] * nodes, nodes_modes=["LEAF"] * nodes, nodes_truenodeids=[0] * nodes,
        nodes_falsenodeids=[0] * nodes, target_treeids=[0], target_nodeids=[0], target_ids=[0],
        target_weights=[1.0],
    )  # fmt: skip
    random = np.random.default_rng(0)
    graph = make.make_graph(
        [
            make.make_node("Gemm", ["x", "fc.weight", "fc.bias"], ["y"], transB=1),
            make.make_node(
                "If", ["c"], ["z"], then_branch=branch("t", 0), else_branch=branch("e", 1)
            ),
            make.make_node("Gather", ["words", "i"], ["w"]),
            forest,
        ],
        "net",
        [
            make.make_tensor_value_info("x", kind.FLOAT, [1, 32]),
            make.make_tensor_value_info("c", kind.BOOL, []),
            make.make_tensor_value_info("i", kind.INT64, [1]),
        ],
        [
            make.make_tensor_value_info("y", kind.FLOAT, [1, 64]),
            make.make_tensor_value_info("z", kind.INT64, [5]),
            make.make_tensor_value_info("w", kind.STRING, [1]),
            make.make_tensor_value_info("forest", kind.FLOAT, [1, 1]),
        ],
        [
            arrays.from_array(random.standard_normal((64, 32)).astype("float32"), "fc.weight"),
            arrays.from_array(np.ones(64, "float32"), "fc.bias"),
            arrays.from_array(np.array([f"word{n}" for n in range(300)], object), "words"),
        ],
    )
    sets = [make.make_opsetid("", 17), make.make_opsetid("ai.onnx.ml", 3)]
    path = tmp_path_factory.mktemp("made") / "net.ort"
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    whole = make.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()
    ort.InferenceSession(whole, options, providers=["CPUExecutionProvider"])
    return path


def initializers(graph):
    """Yield name, bytes and type of each tensor of a graph and of those inside it."""
    for index in range(graph.InitializersLength()):
        tensor = graph.Initializers(index)
        yield tensor.Name().decode(), tensor.RawDataLength(), tensor.DataType()
    for index in range(graph.NodesLength()):
        node = graph.Nodes(index)
        for number in range(node.AttributesLength()):
            inner = node.Attributes(number).G()
            if inner is not None:
                yield from initializers(inner)


def data_of(section):
    found = {}
    for path, leaf in section.leaves():
        name = ".".join(part for part in path[1:] if not part.startswith("("))
        if leaf.kind is Kind.DATA and leaf.size:
            found[name] = found.get(name, 0) + leaf.size
    return found


def test_each_tensor_is_as_large_as_onnx_runtime_says(model):
    session = needs(f"{FBS}.InferenceSession").InferenceSession
    measured = measure(model)
    assert (measured.format, measured.total) == ("ort", model.stat().st_size)
    graph = session.GetRootAs(model.read_bytes()).Model().Graph()
    told = {name: size for name, size, kind in initializers(graph) if size}
    found = data_of(measured.section("weights"))
    constants = {name: found.pop(name) for name in list(found) if name.startswith("constants.")}
    assert found == told
    assert len(told) >= 4
    # Six lists of int64 and one of float32 have an entry for each node; of those that are shorter
    # than a kilobyte nothing is told.
    assert sorted(constants.values()) == [4 * 500] + [8 * 500] * 5
    assert measured.section("overhead").of_kind(Kind.SLACK) == 0
    assert measured.assets > sum(len(f"word{n}") + 5 for n in range(300))


def test_what_a_checkpoint_of_training_trains_on_with_is_the_optimizer_s(tmp_path):
    flatbuffers = needs("flatbuffers")
    fbs = {n: needs(f"{FBS}.{n}") for n in (
        "Checkpoint", "ModuleState", "OptimizerGroup", "ParameterOptimizerState", "Tensor",
    )}  # fmt: skip
    builder = flatbuffers.Builder()

    def tensor(name, size):
        said, data = builder.CreateString(name), builder.CreateByteVector(bytes(size))
        module = fbs["Tensor"]
        module.TensorStartDimsVector(builder, 1)
        builder.PrependInt64(size // 4)
        dims = builder.EndVector()
        module.TensorStart(builder)
        module.TensorAddName(builder, said)
        module.TensorAddDims(builder, dims)
        module.TensorAddDataType(builder, 1)
        module.TensorAddRawData(builder, data)
        return module.TensorEnd(builder)

    def listed(places):
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return builder.EndVector()

    weights, frozen = listed([tensor("fc.weight", 400)]), listed([tensor("table", 1000)])
    state = fbs["ModuleState"]
    state.ModuleStateStart(builder)
    state.ModuleStateAddRequiresGradParams(builder, weights)
    state.ModuleStateAddFrozenParams(builder, frozen)
    module = state.ModuleStateEnd(builder)
    moments = listed([tensor(f"momentum{n}", 400) for n in (0, 1)])
    named, kept = builder.CreateString("fc.weight"), fbs["ParameterOptimizerState"]
    kept.ParameterOptimizerStateStart(builder)
    kept.ParameterOptimizerStateAddParamName(builder, named)
    kept.ParameterOptimizerStateAddMomentums(builder, moments)
    states = listed([kept.ParameterOptimizerStateEnd(builder)])
    called, group = builder.CreateString("group0"), fbs["OptimizerGroup"]
    group.OptimizerGroupStart(builder)
    group.OptimizerGroupAddGroupName(builder, called)
    group.OptimizerGroupAddStep(builder, 7)
    group.OptimizerGroupAddOptimizerStates(builder, states)
    groups = listed([group.OptimizerGroupEnd(builder)])
    checkpoint = fbs["Checkpoint"]
    checkpoint.CheckpointStart(builder)
    checkpoint.CheckpointAddModuleState(builder, module)
    checkpoint.CheckpointAddOptimizerGroups(builder, groups)
    builder.Finish(checkpoint.CheckpointEnd(builder), b"ODTC")
    path = tmp_path / "checkpoint"
    path.write_bytes(builder.Output())
    measured = measure(path)
    assert (measured.format, measured.total) == ("ort", path.stat().st_size)
    assert data_of(measured.section("weights")) == {"fc.weight": 400, "table": 1000}
    assert data_of(measured.section("optimizer")) == {
        "group0.fc.weight.momentum0": 400, "group0.fc.weight.momentum1": 400,
    }  # fmt: skip


def test_without_its_package_a_model_is_told_by_content(tmp_path):
    whole = (DATA / "dense.ort").read_bytes()
    (tmp_path / "some").write_bytes(whole)
    assert recognise(tmp_path / "some") == "ort"
    assert data_of(measure(tmp_path / "some").section("weights")) == {
        "head.weight": 24, "head.bias": 8,
    }  # fmt: skip
    (tmp_path / "a.ort").write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="no ONNX Runtime signature"):
        measure(tmp_path / "a.ort")


def one_graph_in_many_branches(n):
    writer = Writer(b"ORTM")
    writer.table("model", {1: "inner"})
    writer.table("inner", {7: "graph"})
    writer.table("graph", {2: "nodes"})
    writer.vector("nodes", [f"node {i}" for i in range(n)])
    for number in range(n):
        writer.table(f"node {number}", {10: "attributes"})
    writer.vector("attributes", ["attribute"] * n)
    writer.table("attribute", {0: "name", 7: "branch"})
    writer.table("branch", {2: "same"})
    writer.vector("same", ["last"] * n)
    writer.table("last", {0: "name"})
    writer.string("name", b"n" * n)
    return writer.written()


def one_list_of_words_for_all(n):
    writer = Writer(b"ORTM")
    writer.table("model", {1: "inner"})
    writer.table("inner", {7: "graph"})
    writer.table("graph", {0: "tensors", 5: "names"})
    writer.vector("tensors", [f"tensor {i}" for i in range(n)])
    for number in range(n):
        writer.table(f"tensor {number}", {0: "name", 5: "names"})
    writer.vector("names", ["name"] * n)
    writer.string("name", b"a." * n)
    return writer.written()


@pytest.mark.parametrize("made", [one_graph_in_many_branches, one_list_of_words_for_all])
def test_what_refers_to_one_structure_many_times_is_cheap(made, tmp_path):
    def at(number):
        path = tmp_path / str(number)
        path.write_bytes(made(number))
        return lambda: measure(path)

    with Frugal():
        assert_hostile_is_cheap(at, 1000)


def test_mutants_give_an_error_or_a_whole_answer(tmp_path):
    path = tmp_path / "mutant"
    outcomes = {"ok": 0, "error": 0}
    for data in mutants((DATA / "dense.ort").read_bytes(), count(300), 13):
        path.write_bytes(data)

        def attempt():
            assert measure(path).total == path.stat().st_size

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 20


def test_a_dimension_too_many_is_an_error(tmp_path):
    writer = Writer(b"ORTM")
    writer.table("model", {1: "inner"})
    writer.table("inner", {7: "graph"})
    writer.table("graph", {0: "tensors"})
    writer.vector("tensors", ["tensor"])
    writer.table("tensor", {2: "dims"})
    writer.string("dims", b"\0" * 8 * 65)
    data = bytearray(writer.written())
    data[writer.places["dims"] : writer.places["dims"] + 4] = struct.pack("<I", 65)
    (tmp_path / "a.ort").write_bytes(data)
    with pytest.raises(ArtifactError, match="65 dimensions"):
        measure(tmp_path / "a.ort")

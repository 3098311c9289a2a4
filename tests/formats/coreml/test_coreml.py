"""Core ML, against the messages of coremltools and its own reader of weight files."""

import json
import shutil
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import companions, is_whole, recognise
from tests.needs import needs

DATA = Path(__file__).parents[2] / "data"

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def ct():
    return needs("coremltools")


@pytest.fixture(scope="module")
def builder(ct, np):
    """A network with layers of many kinds."""
    from coremltools.models import datatypes
    from coremltools.models.neural_network import NeuralNetworkBuilder

    random = np.random.default_rng(0)
    made = NeuralNetworkBuilder(
        [("x", datatypes.Array(3, 8, 8))],
        [("y", datatypes.Array(5))],
        mode="classifier",
        disable_rank5_shape_mapping=True,
    )
    made.add_convolution(
        "conv", 3, 4, 3, 3, 1, 1, "same", 1, random.standard_normal((3, 3, 3, 4)), np.ones(4), True,
        input_name="x", output_name="a",
    )  # fmt: skip
    made.add_convolution(
        "up", 4, 2, 2, 2, 2, 2, "valid", 1, random.standard_normal((2, 2, 4, 2)), None, False,
        is_deconv=True, input_name="a", output_name="b",
    )  # fmt: skip
    made.add_activation("prelu", "PRELU", "b", "c", np.ones(2))
    made.add_batchnorm("norm", 2, np.ones(2), np.ones(2), np.zeros(2), np.ones(2), "c", "d")
    made.add_flatten_to_2d("flat", "d", "e")
    made.add_inner_product(
        "fc", random.standard_normal((5, 512)), np.ones(5), 512, 5, True, "e", "f"
    )
    lstm = [random.standard_normal((6, 5)) for _ in range(4)]
    loop = [random.standard_normal((6, 6)) for _ in range(4)]
    made.add_unilstm(
        "lstm", loop, lstm, [np.ones(6)] * 4, 6, 5, ["f", "h", "c0"], ["g", "h1", "c1"]
    )
    made.add_load_constant_nd("constant", "k", np.ones((2, 7)), (2, 7))
    made.set_class_labels([f"label{n}" for n in range(5)])
    return made


def elements(message):
    """Bytes of all elements in the WeightParams below a message, by layer, as coremltools sees it."""
    if message.DESCRIPTOR.name == "WeightParams":
        held = (message.float16Value, message.rawValue, message.int8RawValue)
        return 4 * len(message.floatValue) + sum(map(len, held))
    total = 0
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                total += elements(inner)
    return total


def data_of(section, but=("quantization",)):
    found = {}
    for path, leaf in section.leaves():
        if leaf.kind is Kind.DATA and path[-1] not in but and not set(path) & set(but):
            name = path[1]
            found[name] = found.get(name, 0) + leaf.size
    return found


def saved(spec, path):
    path.write_bytes(spec.SerializeToString())
    measured = measure(path)
    assert (measured.format, measured.total) == ("coreml", path.stat().st_size)
    return measured


def test_each_layer_s_weights_are_those_of_the_message(builder, tmp_path):
    measured = saved(builder.spec, tmp_path / "net.mlmodel")
    layers = builder.spec.neuralNetworkClassifier.layers
    assert data_of(measured.section("weights")) == {
        layer.name: elements(layer) for layer in layers if elements(layer)
    }
    notes = {"/".join(path[1:-1]): leaf for path, leaf in measured.section("weights").leaves()}
    assert {"conv/weights", "up/weights", "lstm/forget gate recursion"} <= set(notes)
    told = {part.name: part for part in measured.section("weights").children}
    shapes = {f"{layer}/{part.name}": part.note for layer in told for part in told[layer].children}
    assert shapes["conv/weights"] == "float32 4x3x3x3"
    assert shapes["up/weights"] == "float32 4x2x2x2"
    assert shapes["fc/weights"] == "float32 5x512"
    assert shapes["constant/data"] == "float32 2x7"
    assert measured.assets >= sum(len(f"label{n}") for n in range(5))
    assert measured.optimizer == 0


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_quantized_weights_have_their_own_types(ct, builder, tmp_path, bits):
    from coremltools.models.neural_network import quantization_utils

    spec = quantization_utils._quantize_spec_weights(
        type(builder.spec).FromString(builder.spec.SerializeToString()),
        bits,
        ct.models._QUANTIZATION_MODE_LINEAR_QUANTIZATION,
    )
    measured = saved(spec, tmp_path / "net.mlmodel")
    layers = spec.neuralNetworkClassifier.layers
    assert data_of(measured.section("weights")) == {
        layer.name: elements(layer) for layer in layers if elements(layer)
    }
    (fc,) = [part for part in measured.section("weights").children if part.name == "fc"]
    (weights,) = [part for part in fc.children if part.name == "weights"]
    assert weights.note == f"{'float16' if bits == 16 else f'uint{bits}'} 5x512"


def test_a_pipeline_has_its_models_by_name(ct, builder, tmp_path):
    from coremltools.proto import Model_pb2

    whole = Model_pb2.Model(specificationVersion=4)
    for name in ("first", "second"):
        whole.pipeline.models.add().CopyFrom(builder.spec)
        whole.pipeline.names.append(name)
    whole.description.metadata.userDefined["codec"] = "x" * 6000
    measured = saved(whole, tmp_path / "net.mlmodel")
    expected = sum(map(elements, builder.spec.neuralNetworkClassifier.layers))
    assert data_of(measured.section("weights")) == {"first": expected, "second": expected}
    assert measured.config > 6000


def test_a_forest_s_nodes_and_a_linear_model_s_coefficients_are_weights(ct, tmp_path):
    from coremltools.proto import Model_pb2

    forest = Model_pb2.Model(specificationVersion=1)
    forest.description.metadata.shortDescription = "a forest"
    trees = forest.treeEnsembleClassifier
    for number in range(50):
        trees.treeEnsemble.nodes.add(treeId=number, nodeId=1, branchFeatureValue=0.5)
    trees.treeEnsemble.basePredictionValue.extend([0.25, 0.75])
    trees.stringClassLabels.vector.extend(["cat", "dog"])
    measured = saved(forest, tmp_path / "forest.mlmodel")
    told = {part.name: (part.size, part.note) for part in measured.section("weights").children}
    nodes = trees.treeEnsemble.nodes
    assert told["nodes"] == (sum(node.ByteSize() + 2 for node in nodes), "50 nodes")
    assert told["base values"] == (16, "float64 2")
    linear = Model_pb2.Model(specificationVersion=1)
    for _ in range(3):
        linear.glmClassifier.weights.add(value=[0.5] * 7)
    linear.glmClassifier.offset.extend([1.0] * 3)
    linear.description.metadata.shortDescription = "linear"
    measured = saved(linear, tmp_path / "linear.mlmodel")
    told = {part.name: (part.size, part.note) for part in measured.section("weights").children}
    assert told == {"weights": (3 * 7 * 8, "float64 21"), "offset": (24, "float64 3")}


def test_what_apple_alone_reads_is_opaque(ct, tmp_path):
    from coremltools.proto import Model_pb2

    tagger = Model_pb2.Model(specificationVersion=3)
    tagger.description.metadata.shortDescription = "words"
    tagger.wordTagger.modelParameterData = bytes(5000)
    measured = saved(tagger, tmp_path / "tagger.mlmodel")
    assert 5000 < measured.section("weights").of_kind(Kind.OPAQUE) < 5010


@pytest.fixture(scope="module")
def package(ct, np, tmp_path_factory):
    """An ML program with a table that two operations share, and compressed weights."""
    from coremltools.converters.mil import Builder as mb

    random = np.random.default_rng(1)
    table = random.standard_normal((64, 32)).astype("float32")
    quantized = random.integers(-9, 9, (16, 64)).astype("int8")

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 32))], opset_version=ct.target.iOS16)
    def program(x):
        h = mb.linear(x=x, weight=table, bias=np.ones(64, "float32"), name="hidden")
        wide = mb.constexpr_affine_dequantize(
            quantized_data=quantized,
            zero_point=np.int8(0),
            scale=np.float32(0.5),
            axis=0,
            name="wide",
        )
        y = mb.linear(x=h, weight=wide, name="out")
        return mb.add(x=y, y=random.standard_normal((1, 16)).astype("float32"))

    path = tmp_path_factory.mktemp("made") / "net.mlpackage"
    ct.convert(
        program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT16,
    ).save(str(path))  # fmt: skip
    return path


def values_of(spec):
    """Yield dtype, shape, and offset of every value that lies in a file."""
    from coremltools.proto import MIL_pb2

    names = {number: name.lower() for name, number in MIL_pb2.DataType.items()}
    for function in spec.mlProgram.functions.values():
        for block in function.block_specializations.values():
            for operation in block.operations:
                for value in operation.attributes.values():
                    if value.WhichOneof("value") == "blobFileValue":
                        tensor = value.type.tensorType
                        shape = [d.constant.size for d in tensor.dimensions]
                        yield names[tensor.dataType], shape, value.blobFileValue.offset


def test_each_tensor_of_a_package_is_as_large_as_its_library_reads(ct, np, package):
    from coremltools.libmilstoragepython import _BlobStorageReader

    measured = measure(package)
    files = [path for path in package.rglob("*") if path.is_file()]
    assert (measured.format, recognise(package), is_whole(package)) == ("coreml", "coreml", True)
    assert measured.total == sum(path.stat().st_size for path in files)
    spec = ct.models.MLModel(str(package), skip_model_load=True).get_spec()
    (weights,) = [path for path in files if path.name == "weight.bin"]
    reader = _BlobStorageReader(str(weights))
    read = {"float16": reader.read_fp16_data, "int8": reader.read_int8_data,
            "float32": reader.read_float_data}  # fmt: skip
    expected = sorted(
        (f"{dtype} {'x'.join(map(str, shape))}", np.array(read[dtype](offset)).nbytes)
        for dtype, shape, offset in values_of(spec)
    )
    assert len(expected) >= 3
    told = []
    for part in measured.section("weights").children:
        for inner in [part, *part.children]:
            data = sum(leaf.size for leaf in [inner, *inner.children] if leaf.kind is Kind.DATA)
            if inner.note and inner.name not in ("(data)", "(structure)"):
                told.append((inner.note, data))
    assert sorted(told) == expected
    assert measured.section("overhead").of_kind(Kind.SLACK) == 0


def test_a_program_alone_names_its_weights(package, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(package / "Data" / "com.apple.CoreML", folder)
    model = folder / "model.mlmodel"
    assert companions(model) == {folder / "weights" / "weight.bin"}
    measured = measure(model)
    assert measured.total == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert measure(folder).total == measured.total
    (folder / "weights" / "weight.bin").unlink()
    with pytest.raises(ArtifactError, match=r"weight\.bin"):
        measure(model)


def test_what_no_operation_names_in_the_file_of_weights_is_slack(package, tmp_path):
    copy = tmp_path / "net.mlpackage"
    shutil.copytree(package, copy)
    weights = copy / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    weights.write_bytes(weights.read_bytes() + b"\1" * 640)
    measured = measure(copy)
    assert measured.section("overhead").of_kind(Kind.SLACK) >= 640


def test_a_manifest_may_not_lead_out_of_its_package(package, tmp_path):
    copy = tmp_path / "net.mlpackage"
    shutil.copytree(package, copy)
    manifest = json.loads((copy / "Manifest.json").read_text())
    manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"] = "../../out.mlmodel"
    (copy / "Manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="outside its folder"):
        measure(copy)


def test_another_folder_with_a_manifest_is_none(tmp_path):
    (tmp_path / "Data").mkdir()
    for text in ("{}", "[]", "x", '{"rootModelIdentifier": "a", "itemInfoEntries": {"a": 1}}'):
        (tmp_path / "Manifest.json").write_text(text)
        assert recognise(tmp_path) is None


def test_under_that_name_nothing_else_is_read(tmp_path):
    (tmp_path / "a.mlmodel").write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="no Core ML signature"):
        measure(tmp_path / "a.mlmodel")


def test_messages_that_begin_alike_are_not_taken_for_one():
    for name in ("dense.onnx", "saved/saved_model.pb"):
        assert recognise(DATA / name) != "coreml"

"""The reader's tables against the schema that TensorFlow ships, and models that need them."""

import inspect

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.formats.tflite import schema as ours
from tests.needs import needs


@pytest.fixture(scope="module")
def schema():
    return needs("tensorflow.lite.python.schema_py_generated")


class Recorder:
    """Stands for a table in which every field is there, and notes how its class reads them."""

    Pos, Bytes = 0, b""

    def __init__(self):
        self.field, self.found, self.is_vector = None, {}, False

    def Offset(self, slot):
        self.field = (slot - 4) // 2
        return slot

    def GetVectorAsNumpy(self, flags, _):
        self.found[self.field] = flags.bytewidth

    def String(self, _):
        self.found[self.field] = [str] if self.is_vector else str

    def Vector(self, _):
        self.is_vector = True
        return 0

    def Indirect(self, _):
        return 0

    def Get(self, *_):
        return 0

    def Union(self, *_):
        self.found[self.field] = "union"


def owned_by(schema, cls):
    """Return what the fields of a table own, as TensorFlow's class for it reads them."""
    found = {}
    for name, method in vars(cls).items():
        if not inspect.isfunction(method) or name == "Init" or name.endswith(("Length", "IsNone")):
            continue
        table, recorder = cls(), Recorder()
        table._tab = recorder
        listed = len(inspect.signature(method).parameters) - 1
        value = method(table, *[0] * listed)
        found.update(recorder.found)
        if type(value).__module__ == schema.__name__:
            inner = owned_by(schema, type(value))
            found[recorder.field] = [inner] if listed else inner
    return found


@pytest.mark.parametrize(
    ("union", "table"), [("BuiltinOptions", ours.OPTIONS), ("BuiltinOptions2", ours.OPTIONS_2)]
)
def test_the_whole_table_of_options_is_that_of_the_schema(schema, union, table):
    members = {
        number: getattr(schema, name)
        for name, number in vars(getattr(schema, union, object)).items()
        if not name.startswith("_") and name != "NONE"
    }
    assert len(members) > 20 or union != "BuiltinOptions"
    owned = {number: owned_by(schema, cls) for number, cls in members.items()}
    expected = {number: fields for number, fields in owned.items() if fields}
    assert {n: shape for n, shape in table.items() if n in members} == expected


def test_the_other_tables_are_those_of_the_schema(schema):
    quantization = owned_by(schema, schema.QuantizationParameters)
    # A union's members own nothing, or one vector: the first of them does.
    assert quantization.pop(5) == "union"
    assert {k: v for k, v in ours.QUANTIZATION.items() if k != 5} == quantization
    assert ours.QUANTIZATION[5] == owned_by(schema, schema.CustomQuantization)
    sparsity = owned_by(schema, schema.SparsityParameters)
    (dimension,) = sparsity.pop(2)
    assert {k: v for k, v in ours.SPARSITY.items() if k != 2} == sparsity
    vectors = {
        number: owned_by(schema, getattr(schema, name))
        for name, number in vars(schema.SparseIndexVector).items()
        if not name.startswith("_") and name != "NONE"
    }
    assert set(dimension) == set(ours.SPARSITY[2][0]) == {3, 5}
    for _, members in ours.SPARSITY[2][0].values():
        assert members == vectors


def test_types_are_those_of_the_schema(schema):
    numbers = {
        number: name.lower()
        for name, number in vars(schema.TensorType).items()
        if not name.startswith("_")
    }
    assert dict(enumerate(ours.TYPES[: len(numbers)])) == numbers


def converted(tf, function, owner=None):
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], owner
    )


def test_a_hash_table_is_read_and_its_words_are_assets(schema, tf, tmp_path):
    class Table(tf.Module):
        def __init__(self):
            keys = tf.constant([f"word{n:03d}" for n in range(100)])
            values = tf.constant(list(range(100)), tf.int64)
            initial = tf.lookup.KeyValueTensorInitializer(keys, values)
            self.table = tf.lookup.StaticHashTable(initial, 0)

        @tf.function(input_signature=[tf.TensorSpec((2,), tf.string)])
        def look_up(self, x):
            return self.table.lookup(x)

    table = Table()
    path = tmp_path / "table.tflite"
    path.write_bytes(converted(tf, table.look_up, table).convert())
    measured = measure(path)
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    (words,) = (
        len(model.buffers[tensor.buffer].data)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.type == schema.TensorType.STRING and model.buffers[tensor.buffer].data is not None
    )
    assert words > 700
    assert measured.section("assets").of_kind(Kind.DATA) == words
    (strings,) = measured.section("assets").children
    (graph,) = strings.children
    assert strings.name == "strings"
    assert [part.note for part in graph.children] == ["string 100"]


def test_buckets_are_read(tf, tmp_path):
    @tf.function(input_signature=[tf.TensorSpec((2,), tf.float32)])
    def bucketize(x):
        return tf.raw_ops.Bucketize(input=x, boundaries=[0.0, 1.0, 5.0, 9.0])

    path = tmp_path / "buckets.tflite"
    path.write_bytes(converted(tf, bucketize).convert())
    measured = measure(path)
    unknown = [leaf for path, leaf in measured.leaves() if "not known here" in path]
    assert unknown == []
    assert measured.format == "tflite"


def test_every_operator_with_vectors_in_its_options_is_read_whole(schema, tf, tmp_path):
    """Each is put into a model by TensorFlow's own classes, four elements in each vector."""
    flatbuffers = needs("flatbuffers")
    for union, kinds in (("BuiltinOptions", ours.OPTIONS), ("BuiltinOptions2", ours.OPTIONS_2)):
        members = {n: name for name, n in vars(getattr(schema, union, object)).items()}
        for number in kinds.keys() & members.keys():
            options = getattr(schema, f"{members[number]}T")()
            expected = 0
            for field, value in vars(options).items():
                if value is None:
                    is_text = field in ("container", "sharedName", "callTargetName", "name")
                    is_text |= field == "backendConfig"
                    setattr(options, field, "text" if is_text else [1, 0, 1, 0])
                    expected += 1
            assert expected == len(kinds[number]), members[number]
            operator = schema.OperatorT()
            operator.inputs = operator.outputs = [0]
            first = union == "BuiltinOptions"
            setattr(operator, "builtinOptionsType" if first else "builtinOptions2Type", number)
            setattr(operator, "builtinOptions" if first else "builtinOptions2", options)
            graph, model = schema.SubGraphT(), schema.ModelT()
            graph.operators, graph.tensors = [operator], [schema.TensorT()]
            model.subgraphs, model.buffers = [graph], [schema.BufferT()]
            builder = flatbuffers.Builder(1024)
            builder.Finish(model.Pack(builder), b"TFL3")
            path = tmp_path / f"{members[number]}.tflite"
            path.write_bytes(bytes(builder.Output()))
            slack = measure(path).section("overhead").of_kind(Kind.SLACK)
            assert slack == 0, members[number]

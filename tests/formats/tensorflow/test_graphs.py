"""What lies in graphs: words, constants, names of variables, functions of one's own."""

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise


def entries(measured, *under):
    section = measured.section(under[0])
    for name in under[1:]:
        (section,) = (part for part in section.children if part.name == name)
    return {part.name: part for part in section.children}


def large_constants(graph):
    """Constants of a GraphDef and of its functions, as TensorFlow's classes read them."""
    nodes = {node.name: node for node in graph.node}
    for function in graph.library.function:
        nodes.update({f"{function.signature.name}/{n.name}": n for n in function.node_def})
    return {
        name: node.attr["value"].tensor
        for name, node in nodes.items()
        if node.op == "Const" and node.attr["value"].tensor.ByteSize() > 1100
    }


def saved_graph(folder):
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / "saved_model.pb").read_bytes())
    (meta,) = model.meta_graphs
    return meta.graph_def


WORDS = [f"word {number}" for number in range(3000)]


def test_a_vocabulary_in_a_graph_is_named_as_one(tf, tmp_path):
    class Words(tf.Module):
        def __init__(self):
            initial = tf.lookup.KeyValueTensorInitializer(WORDS, list(range(len(WORDS))))
            self.table = tf.lookup.StaticHashTable(initial, -1)

        @tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
        def __call__(self, x):
            return self.table.lookup(x)

    tf.saved_model.save(Words(), str(tmp_path / "m"))
    found = large_constants(saved_graph(tmp_path / "m"))
    words = {name: t for name, t in found.items() if t.dtype == tf.string.as_datatype_enum}
    measured = measure(tmp_path / "m")
    shown = entries(measured, "assets", "strings")
    assert shown.keys() == words.keys()
    for name, tensor in words.items():
        # With the tag and the length that introduce it.
        assert tensor.ByteSize() < shown[name].size <= tensor.ByteSize() + 5
        assert shown[name].note == "string 3000, 3,000 strings in the graph"
    assert measured.assets > sum(map(len, WORDS))


@pytest.mark.parametrize("layer", ["StringLookup", "TextVectorization"])
def test_a_vocabulary_that_keras_exports_is_named_as_one(keras, tf, tmp_path, layer):
    words = getattr(keras.layers, layer)(vocabulary=WORDS)
    model = keras.Sequential([keras.Input((1,), dtype="string"), words])
    model.export(str(tmp_path / "m"))
    measured = measure(tmp_path / "m")
    assert sum(map(len, WORDS)) < measured.assets < sum(len(word) + 5 for word in WORDS)


def test_the_names_of_variables_are_no_words_of_the_model(tf, tmp_path):
    module = tf.Module()
    module.held = [tf.Variable(0.0, name=f"variable_{number}") for number in range(200)]
    tf.saved_model.save(module, str(tmp_path / "m"))
    strings = large_constants(saved_graph(tmp_path / "m"))
    assert strings
    assert measure(tmp_path / "m").assets == 0


def test_a_constant_has_its_type_and_shape(tf, np, tmp_path):
    class Baked(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 100))])
        def __call__(self, x):
            table = tf.constant(np.arange(5000, dtype="float16").reshape(100, 50))
            return x @ tf.cast(table, tf.float32)

    tf.saved_model.save(Baked(), str(tmp_path / "m"))
    shown = entries(measure(tmp_path / "m"), "weights", "constants")
    assert {part.note for part in shown.values()} == {"float16 100x50"}


@pytest.fixture
def old(tf, np):
    """A graph of TensorFlow 1 with a large constant, words, and a variable."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        table = tf.constant(np.ones((40, 30), "float32") * np.arange(30, dtype="float32"))
        tf.constant(WORDS, name="words")
        v1.get_variable("w", shape=(40, 30), initializer=v1.zeros_initializer()).assign(table)
        yield graph


def test_a_frozen_graph_is_measured_as_a_graph(tf, old, tmp_path):
    path = tmp_path / "frozen.pb"
    path.write_bytes(old.as_graph_def().SerializeToString())
    measured = measure(path)
    assert measured.format == recognise(path) == "graph"
    (constant,) = entries(measured, "weights", "constants").values()
    assert (constant.note, 4800 < constant.size < 4830) == ("float32 40x30", True)
    assert list(entries(measured, "assets", "strings")) == ["words"]


def test_the_meta_of_a_checkpoint_is_a_graph_with_its_constants(tf, old, tmp_path):
    v1 = tf.compat.v1
    with v1.Session(graph=old) as session:
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "ck" / "m"))
    meta = tmp_path / "ck" / "m.meta"
    from tensorflow.core.protobuf import meta_graph_pb2

    message = meta_graph_pb2.MetaGraphDef()
    message.ParseFromString(meta.read_bytes())
    measured = measure(meta)
    assert (measured.format, measured.total) == ("graph", meta.stat().st_size)
    parts = entries(measured, "graph")
    for name, part in {"op list": message.meta_info_def, "saver": message.saver_def}.items():
        assert part.ByteSize() < parts[name].size <= part.ByteSize() + 6
    assert len(entries(measured, "weights", "constants")) == 1
    folder = measure(tmp_path / "ck")
    assert folder.format == "checkpoint"
    assert "m.meta" in entries(folder, "graph")
    assert folder.section("weights").of_kind(Kind.DATA) > 2 * 4800
    assert "m.meta" not in entries(folder, "assets") or folder.assets < 60_000


@pytest.mark.parametrize("kind", ["GraphDef", "MetaGraphDef"])
def test_a_graph_under_the_name_of_a_saved_model_is_called_what_it_is(tf, old, tmp_path, kind):
    message = old.as_graph_def()
    if kind == "MetaGraphDef":
        message = tf.compat.v1.train.export_meta_graph(graph=old)
    (tmp_path / "saved_model.pb").write_bytes(message.SerializeToString())
    with pytest.raises(ArtifactError, match=rf"a {kind} .*and no SavedModel.*call it graph\.pb"):
        measure(tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_functions_in_the_metadata_of_keras_2_are_named(keras_2, tmp_path):
    keras = keras_2
    bias = [float(number) for number in range(200)]
    own = keras.layers.Lambda(lambda x, b=tuple(bias): x + b[0], name="own")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d"), own])
    model.save(tmp_path / "m", save_format="tf")
    path = tmp_path / "m" / "keras_metadata.pb"
    measured = measure(tmp_path / "m")
    shown = entries(measured, "config", "keras_metadata.pb")
    assert sum(part.size for part in shown.values()) == path.stat().st_size
    assert "root" in shown
    notes = {leaf.note for _, leaf in measured.leaves() if leaf.note}
    assert "a marshalled Lambda" in notes

"""What was cut off is never held to a budget: every sample, at forty places, and its first bytes.

A cut must be an error, whatever is left. What may follow a model, or is no part of one, is listed.
"""

import shutil

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from tests.needs import needs
from tests.trust.conftest import DATA

FILES = ("dense.h5", "dense.keras", "dense.weights.h5", "dense.npz", "dense.onnx", "dense.tflite")
FOLDERS = {
    "checkpoint": ("ckpt-1.data-00000-of-00001", "ckpt-1.index"),
    "saved": (
        "saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index",
    ),
    "web": ("model.json", "group1-shard1of1.bin"),
    "external": ("dense.onnx", "dense.onnx.data"),
}  # fmt: skip


def places(size):
    """Forty places, evenly spread; the first bytes, and the last ones."""
    spread = {size * part // 40 for part in range(40)}
    return sorted({1, 2, 3, 4, 8, 16, size - 8, size - 4, size - 2, size - 1, *spread} - {0})


def survivors(path, whole, artifact):
    """Return the places at which a cut of ``path`` leaves something that is measured."""
    data = path.read_bytes()
    found = []
    for size in places(len(data)):
        path.write_bytes(data[:size])
        try:
            measure(artifact)
        except ArtifactError:
            continue
        found.append(size)
    path.write_bytes(data)
    assert measure(artifact).total == whole
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_off_is_an_error(name, tmp_path):
    path = shutil.copy(DATA / name, tmp_path)
    assert survivors(tmp_path / name, measure(path).total, path) == []


@pytest.mark.parametrize(
    ("folder", "name"), [(f, n) for f, names in FOLDERS.items() for n in names]
)
def test_a_part_that_was_cut_off_is_an_error(folder, name, tmp_path):
    whole = shutil.copytree(DATA / folder, tmp_path / "m")
    assert survivors(whole / name, measure(whole).total, whole) == []


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """A frozen graph, and a checkpoint of TensorFlow 1 with its ``.meta``."""
    tf = needs("tensorflow")
    folder, v1 = tmp_path_factory.mktemp("graphs"), tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        kernel = v1.get_variable("kernel", shape=(40, 40), use_resource=False)
        product = tf.matmul(v1.placeholder("float32", (1, 40), "x"), kernel, name="y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "m"))
        frozen = v1.graph_util.convert_variables_to_constants(
            session, session.graph_def, [product.op.name]
        )
    (folder / "frozen.pb").write_bytes(frozen.SerializeToString())
    return folder


@pytest.mark.parametrize("name", ["frozen.pb", "m.meta"])
def test_a_graph_that_was_cut_off_is_an_error(graphs, name, tmp_path):
    path = shutil.copy(graphs / name, tmp_path)
    found = survivors(tmp_path / name, (graphs / name).stat().st_size, path)
    # The shortest are as likely anything else that is called so.
    assert [size for size in found if size > 16 or name.endswith(".pb")] == []


@pytest.mark.parametrize("name", ["saved_model.pb", "graph.pb"])
def test_a_lone_graph_of_a_saved_model_is_read_as_one(name, tmp_path):
    path = tmp_path / name
    data = (DATA / "saved" / "saved_model.pb").read_bytes()
    path.write_bytes(data)
    measured = measure(path)
    assert (measured.format, measured.graph) == ("saved_model", len(data))
    assert [size for size in survivors(path, len(data), path) if size > 16] == []


PARTS = {
    "saved/saved_model.pb": "name 'saved', the folder",
    "saved/variables/variables.data-00000-of-00001": "name 'variables'",
    "checkpoint/ckpt-1.data-00000-of-00001": "name 'ckpt-1'",
    "web/group1-shard1of1.bin": "name 'model.json'",
    "external/dense.onnx.data": "name 'dense.onnx'",
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_no_model_and_the_message_says_what_is(name):
    with pytest.raises(ArtifactError, match=PARTS[name]):
        measure(DATA / name)


@pytest.mark.parametrize("name", ["web/group1-shard1of1.bin", "external/dense.onnx.data"])
def test_a_part_whose_leader_is_gone_is_an_error_in_a_folder_too(name, tmp_path):
    shutil.copy(DATA / name, tmp_path)
    with pytest.raises(ArtifactError, match="alone"):
        measure(tmp_path)


def test_a_saved_model_without_a_graph_was_cut_off(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(ArtifactError, match="cut off"):
        measure(tmp_path)


def test_a_saved_model_whose_variables_are_missing_is_an_error(tmp_path):
    shutil.copytree(DATA / "saved", tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "variables")
    with pytest.raises(ArtifactError, match="the graph has variables"):
        measure(tmp_path / "m")


def test_what_a_saved_model_keeps_to_debug_it_is_no_opaque_file(tmp_path):
    tf = needs("tensorflow")
    module = tf.Module()
    module.kernel = tf.Variable(tf.ones((3, 2)))
    module.call = tf.function(
        lambda x: x @ module.kernel, input_signature=[tf.TensorSpec((1, 3), tf.float32)]
    )
    options = tf.saved_model.SaveOptions(save_debug_info=True)
    tf.saved_model.save(module, str(tmp_path / "m"), options=options)
    size = (tmp_path / "m" / "debug" / "saved_model_debug_info.pb").stat().st_size
    measured = measure(tmp_path / "m")
    assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())
    (info,) = (p for p in measured.section("graph").children if p.name == "debug info")
    assert info.size == size > 0


@pytest.mark.parametrize("name", ["config.json", "metadata.json"])
def test_an_unzipped_model_s_texts_are_whole(name, tmp_path):
    import zipfile

    with zipfile.ZipFile(DATA / "dense.keras") as archive:
        archive.extractall(tmp_path)
    size = (tmp_path / name).stat().st_size
    assert survivors(tmp_path / name, measure(tmp_path).total, tmp_path) == []
    assert size == (tmp_path / name).stat().st_size

"""SavedModels and checkpoints, written by TensorFlow, and read back by it as the oracle."""

import os
import shutil

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.saving import save
from tests.formats.mutants import count, mutants, outcome_of
from tests.formats.tensorflow.artifacts import PARAMETERS, bytes_on_disk, data_of, trained
from tests.needs import needs


@pytest.fixture(scope="module")
def written(tf, keras, np, tmp_path_factory):
    """What TensorFlow and Keras write of one trained model."""
    folder = tmp_path_factory.mktemp("tensorflow")
    model = trained(keras, np)
    exported = save(model, folder, format="saved_model", include_optimizer=True, stem="export")
    exported.path.rename(folder / "export")
    tf.saved_model.save(model, str(folder / "saved"))
    tf.train.Checkpoint(model=model).write(str(folder / "plain"))
    steps = tf.train.Checkpoint(model=model)
    steps.save(str(folder / "steps" / "ckpt"))
    steps.save(str(folder / "steps" / "ckpt"))
    tf.train.Checkpoint(model=model).save(str(folder / "one" / "ckpt"))

    class Baked(tf.Module):
        table = np.arange(10_000, dtype="float32").reshape(100, 100)

        @tf.function(input_signature=[tf.TensorSpec((None, 100))])
        def __call__(self, x):
            return x @ tf.constant(self.table)

    tf.saved_model.save(Baked(), str(folder / "baked"))
    return folder


@pytest.fixture(scope="module")
def written_by_keras_2(tf, np, keras_2, tmp_path_factory):
    keras = keras_2
    folder = tmp_path_factory.mktemp("keras_2")
    model = trained(keras, np, input_shape=(64,))
    model.save(folder / "full", save_format="tf")
    model.save(folder / "lean", save_format="tf", include_optimizer=False)
    model.save_weights(folder / "weights" / "w", save_format="tf")
    legacy = trained(keras, np, optimizer=keras.optimizers.legacy.Adam())
    legacy.save_weights(folder / "legacy" / "w", save_format="tf")
    return folder


def variables_of(tf, prefix):
    """Bytes of each numeric variable, as TensorFlow lists them."""
    import math

    return {
        name: math.prod(shape) * tf.train.load_variable(str(prefix), name).dtype.itemsize
        for name, shape in tf.train.list_variables(str(prefix))
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


@pytest.mark.parametrize("name", ["export", "saved", "baked"])
def test_a_saved_model_weighs_what_all_of_its_files_weigh(written, name):
    """A directory's own entry says 4096, whatever is inside: `os.path.getsize` is the trap."""
    measured = measure(written / name)
    assert measured.format == recognise(written / name) == "saved_model"
    assert measured.total == bytes_on_disk(written / name)
    assert measured.total != os.path.getsize(written / name)
    assert measured.graph > 0


def test_variables_are_those_that_tensorflow_lists(tf, written):
    for name, prefix in (
        ("saved", written / "saved" / "variables" / "variables"),
        ("one", written / "one" / "ckpt-1"),
        ("plain", written / "plain"),
    ):
        listed = variables_of(tf, prefix)
        measured = measure(written / name)
        counters = sum(size for key, size in listed.items() if key.startswith("save_counter"))
        found = data_of(measured, "weights") + data_of(measured, "optimizer")
        assert found == sum(listed.values()) - counters


def test_weights_and_state_are_told_apart_by_the_graph_and_not_by_names(written):
    """A trained Keras 3 checkpoint keys the weights under ``optimizer/_trainable_variables``."""
    for name in ("saved", "plain", "one"):
        measured = measure(written / name)
        assert data_of(measured, "weights") == PARAMETERS * 4
        # Two moments, the int64 counter, the rate.
        assert data_of(measured, "optimizer") == 2 * PARAMETERS * 4 + 8 + 4


def test_keras_3_export_stores_each_weight_twice_and_that_is_named(written):
    measured = measure(written / "export")
    notes = [part.note for part in measured.section("weights").children]
    assert data_of(measured, "weights") == 2 * PARAMETERS * 4
    assert sum("stored again" in note for note in notes) == 4
    assert measured.optimizer == 0


def test_a_constant_baked_into_the_graph_is_weights(written):
    weights = measure(written / "baked").section("weights")
    assert 40_000 <= weights.size < 40_100
    (constants,) = weights.children
    (constant,) = constants.children or (constants,)
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((written / "baked" / "saved_model.pb").read_bytes())
    (meta,) = model.meta_graphs
    nodes = {
        f"{function.signature.name}/{node.name}"
        for function in meta.graph_def.library.function
        for node in function.node_def
        if node.op == "Const" and node.ByteSize() > 40_000
    }
    assert (constants.name, {constant.name}) == ("constants", nodes)


def test_functions_are_named_with_their_bytes(tf, written):
    """As TensorFlow's own classes measure them."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((written / "saved" / "saved_model.pb").read_bytes())
    (meta,) = model.meta_graphs
    graph = measure(written / "saved").section("graph")
    functions = next(part for part in graph.children if part.name == "functions")
    found = {part.name: part.size for part in functions.children}
    for function in meta.graph_def.library.function:
        size = function.ByteSize()
        # With the tag and the length that introduce it.
        assert size < found[function.signature.name] <= size + 6
    nodes = next(part for part in graph.children if part.name == "nodes")
    expected = sum(node.ByteSize() for node in meta.graph_def.node)
    assert expected < nodes.size <= expected + 4 * len(meta.graph_def.node)


def test_each_part_of_each_meta_graph_has_the_bytes_that_tensorflow_gives_it(tf, written, tmp_path):
    """A SavedModel of TensorFlow 1 may hold several; here one is there twice."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((written / "saved" / "saved_model.pb").read_bytes())
    (meta,) = model.meta_graphs
    expected = {
        "op list": meta.meta_info_def,
        "saver": meta.saver_def,
        "object graph": meta.object_graph_def,
    }
    copy = model.meta_graphs.add()
    copy.CopyFrom(meta)
    shutil.copytree(written / "saved", tmp_path / "two")
    (tmp_path / "two" / "saved_model.pb").write_bytes(model.SerializeToString())
    for name, labels in (("saved", [None]), ("two", ["meta graph 0", "meta graph 1"])):
        folder = written / name if name == "saved" else tmp_path / name
        measured = measure(folder)
        assert measured.total == bytes_on_disk(folder)
        graph = measured.section("graph")
        for label in labels:
            below = {p.name: p for p in graph.children}
            parts = {p.name: p for p in (below[label].children if label else graph.children)}
            for part, message in expected.items():
                size = message.ByteSize()
                stored = parts[part].size
                if part == "object graph" and label is None:
                    # The bundle's own copy of the graph is an entry of the same name.
                    assert stored > size
                else:
                    assert size < stored <= size + 5  # a tag, and up to four bytes of length
            signatures = sum(
                2 + len(key.encode()) + signature.ByteSize()
                for key, signature in meta.signature_def.items()
            )
            assert signatures < parts["signatures"].size < signatures + 20 * len(meta.signature_def)
            assert {"nodes", "functions"} <= set(parts)


def test_a_checkpoint_of_tensorflow_1_tells_slots_by_their_names(tf, tmp_path):
    """It has no object graph: ``w/Adam`` beside ``w`` is a slot, and ``beta1_power`` a counter."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        variable = v1.get_variable("w", (3, 5))
        step = v1.train.AdamOptimizer().minimize(tf.reduce_sum(variable * variable))
        session.run(v1.global_variables_initializer())
        session.run(step)
        prefix = v1.train.Saver().save(session, str(tmp_path / "ckpt"))
    measured = measure(prefix)
    assert data_of(measured, "weights") == 3 * 5 * 4
    assert data_of(measured, "optimizer") == 2 * 3 * 5 * 4 + 4 + 4
    names = {p.name for p in measured.section("optimizer").children}
    assert names == {"w/Adam", "w/Adam_1", "beta1_power", "beta2_power"}


def test_each_step_of_a_checkpoint_directory_stands_on_its_own(written):
    measured = measure(written / "steps")
    assert measured.format == recognise(written / "steps") == "checkpoint"
    assert measured.total == bytes_on_disk(written / "steps")
    steps = {part.name: part.of_kind(Kind.DATA) for part in measured.section("weights").children}
    assert steps == {"ckpt-1": PARAMETERS * 4, "ckpt-2": PARAMETERS * 4}


def test_a_prefix_stands_for_its_index_and_shards(written):
    files = [written / "plain.index", *written.glob("plain.data-*")]
    for path in (written / "plain", written / "plain.index"):
        assert recognise(path) == "checkpoint"
        assert measure(path).total == sum(file.stat().st_size for file in files)


def test_keras_2_saves_are_read_alike(tf, written_by_keras_2):
    folder = written_by_keras_2
    for name, state in (("full", True), ("lean", False), ("weights", True), ("legacy", True)):
        measured = measure(folder / name)
        assert measured.total == bytes_on_disk(folder / name)
        metrics = 8 if name in ("full", "lean") else 0
        assert data_of(measured, "weights") == PARAMETERS * 4 + metrics
        optimizer = data_of(measured, "optimizer")
        assert (optimizer > 2 * PARAMETERS * 4) if state else optimizer == 0
    assert measure(folder / "full").config > 1000


def test_a_folder_of_models_is_opened_model_by_model(written):
    measured = measure(written)
    assert measured.total == bytes_on_disk(written)
    assert data_of(measured, "optimizer") >= 3 * 2 * PARAMETERS * 4


def test_leftovers_and_assets_are_named(written, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(written / "baked", model)
    (model / "assets").mkdir(exist_ok=True)
    (model / "assets" / "vocabulary.txt").write_text("word\n" * 10)
    (model / ".ipynb_checkpoints").mkdir()
    (model / ".ipynb_checkpoints" / "old.txt").write_text("x" * 7)
    measured = measure(model)
    assert measured.total == bytes_on_disk(model)
    notes = {part.name: (part.size, part.note) for part in measured.section("assets").children}
    assert notes["vocabulary.txt"][0] == 50
    size, note = notes[".ipynb_checkpoints/old.txt"]
    assert size == 7
    assert "hidden" in note


def copied(written, tmp_path, name="one"):
    shutil.copytree(written / name, tmp_path / name)
    return tmp_path / name


def test_a_missing_shard_is_a_clear_error(written, tmp_path):
    folder = copied(written, tmp_path)
    (shard,) = folder.glob("*.data-*")
    shard.unlink()
    with pytest.raises(ArtifactError, match=r"data-00000-of-00001: this shard is missing"):
        measure(folder)


def test_a_shard_that_is_still_being_written_is_a_clear_error(written, tmp_path):
    folder = copied(written, tmp_path)
    (shard,) = folder.glob("*.data-*")
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="truncated, or still being written"):
        measure(folder)


def test_a_checkpoint_in_the_making_is_a_clear_error(written, tmp_path):
    folder = copied(written, tmp_path)
    (folder / "ckpt-2_temp").mkdir()
    (folder / "ckpt-2_temp" / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="still being written"):
        measure(folder)


def test_an_index_that_lost_its_end_is_a_clear_error(written, tmp_path):
    folder = copied(written, tmp_path)
    (index,) = folder.glob("*.index")
    whole = index.read_bytes()
    for length in (0, 10, 47, 48, len(whole) - 1):
        index.write_bytes(whole[:length])
        with pytest.raises(ArtifactError, match="truncated"):
            measure(folder)


def test_links_out_of_a_model_are_not_followed(written, tmp_path):
    folder = copied(written, tmp_path, "baked")
    outside = tmp_path / "outside.pb"
    shutil.move(folder / "saved_model.pb", outside)
    (folder / "saved_model.pb").symlink_to(outside)
    with pytest.raises(ArtifactError, match="a symbolic link out of the folder"):
        measure(folder)


def test_mutants_give_an_error_or_a_whole_answer(written, tmp_path):
    outcomes = {"ok": 0, "error": 0}
    for seed, (name, pattern) in enumerate(
        [("one", "*.index"), ("one", "*.data-*"), ("baked", "saved_model.pb"), ("saved", "saved_model.pb")]
    ):  # fmt: skip
        folder = copied(written, tmp_path / str(seed), name)
        (path,) = folder.glob(pattern)
        whole = path.read_bytes()
        for data in mutants(whole, count(60), seed):
            path.write_bytes(data)

            def attempt(folder=folder):
                assert measure(folder).total == bytes_on_disk(folder)

            outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 10


def repacked(cramjam, index):
    """Return the table of ``index`` with its blocks packed by snappy, as other writers do it."""
    from pytest_modelsize.formats.source import Source
    from pytest_modelsize.formats.tensorflow.table import MAGIC, read_table

    def varint(number):
        out = b""
        while number > 0x7F:
            out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
        return out + bytes([number])

    def block(entries):
        plain = b"".join(
            varint(0) + varint(len(key)) + varint(len(value)) + key + value
            for key, value in entries
        )
        return plain + bytes(4) + (1).to_bytes(4, "little")

    def checksum(data):
        """CRC-32C, masked as tensorflow/core/lib/hash/crc32c.h does it."""
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        crc ^= 0xFFFFFFFF
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        return masked.to_bytes(4, "little")

    def stored(content, at):
        data = bytes(cramjam.snappy.compress_raw(content))
        return data + b"\x01" + checksum(data + b"\x01"), varint(at) + varint(len(data))

    table = read_table(Source.of_bytes("index", index))
    pairs = [(entry.key, entry.value) for entry in table.entries]
    out, handles = b"", []
    for half in (pairs[: len(pairs) // 2], pairs[len(pairs) // 2 :]):
        data, handle = stored(block(half), len(out))
        out += data
        handles.append((half[-1][0], handle))
    meta, meta_handle = stored(block([]), len(out))
    out += meta
    leading, leading_handle = stored(block(handles), len(out))
    footer = (meta_handle + leading_handle).ljust(40, b"\0") + MAGIC
    return out + leading + footer


def test_an_index_that_is_packed_by_snappy_is_read_as_tensorflow_reads_it(tf, written, tmp_path):
    cramjam = needs("cramjam")
    shutil.copytree(written / "steps", tmp_path / "s")
    plain = measure(tmp_path / "s" / "ckpt-1")
    index = tmp_path / "s" / "ckpt-1.index"
    index.write_bytes(repacked(cramjam, index.read_bytes()))
    prefix = str(index.with_suffix(""))
    assert tf.train.list_variables(prefix) == tf.train.list_variables(str(written / "steps/ckpt-1"))
    packed = measure(tmp_path / "s" / "ckpt-1")
    shards = sum(shard.stat().st_size for shard in index.parent.glob("ckpt-1.data*"))
    assert packed.total == index.stat().st_size + shards < plain.total
    for section in ("weights", "optimizer"):
        assert data_of(packed, section) == data_of(plain, section)

"""Bundles of several shards, as TensorFlow's own operations write and merge them.

A save on several devices or hosts writes a shard for each with ``SaveV2``, and puts them together
with ``MergeV2Checkpoints`` (tensorflow/core/util/tensor_bundle/tensor_bundle.cc, MergeBundles). So
does `shard` here, on one machine.
"""

import math
import shutil

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats.folder import Tree
from pytest_modelsize.formats.tensorflow.bundle import read_bundle
from tests.formats.mutants import count, mutants, outcome_of
from tests.formats.tensorflow.artifacts import PARAMETERS, bytes_on_disk, data_of, trained

SHARDS = 3


def shard(tf, source, target):
    """Write the checkpoint ``source`` again as ``target``, in `SHARDS` shards."""
    reader = tf.train.load_checkpoint(str(source))
    names = sorted(reader.get_variable_to_shape_map())
    parts = []
    for number in range(SHARDS):
        mine = names[number::SHARDS]
        parts.append(str(target.parent / f"part-{number}"))
        tensors = [tf.constant(reader.get_tensor(name)) for name in mine]
        tf.raw_ops.SaveV2(
            prefix=parts[-1],
            tensor_names=mine,
            shape_and_slices=[""] * len(mine),
            tensors=tensors,
        )
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=str(target))
    return names


@pytest.fixture(scope="module")
def checkpoint(tf, keras, np, tmp_path_factory):
    """A trained model's checkpoint, as it was written and in shards."""
    folder = tmp_path_factory.mktemp("shards")
    (folder / "one").mkdir()
    (folder / "many").mkdir()
    tf.train.Checkpoint(model=trained(keras, np)).write(str(folder / "one" / "ckpt"))
    shard(tf, folder / "one" / "ckpt", folder / "many" / "ckpt")
    return folder


@pytest.fixture(scope="module")
def saved_model(tf, np, tmp_path_factory):
    """A SavedModel whose variables are in shards."""
    folder = tmp_path_factory.mktemp("saved_model")

    class Scale(tf.Module):
        def __init__(self):
            super().__init__()
            self.factors = [tf.Variable(np.full((n, 7), n, "float32")) for n in range(1, 9)]

    tf.saved_model.save(Scale(), str(folder / "model"))
    variables = folder / "model" / "variables"
    variables.rename(folder / "old")
    variables.mkdir()
    shard(tf, folder / "old" / "variables", variables / "variables")
    return folder / "model"


def names_and_data(measured):
    return {
        (section.name, part.name): (part.of_kind(Kind.DATA), part.note)
        for section in measured.tree
        if section.name != "overhead"
        for part in section.children
    }


def test_the_bundle_is_in_shards_and_adds_up(tf, checkpoint):
    folder = checkpoint / "many"
    assert len(list(folder.glob(f"ckpt.data-*-of-0000{SHARDS}"))) == SHARDS
    for path in (folder, folder / "ckpt", folder / "ckpt.index"):
        measured = measure(path)
        assert (measured.format, measured.total) == ("checkpoint", bytes_on_disk(folder))
    assert data_of(measured, "weights") == PARAMETERS * 4
    assert data_of(measured, "optimizer") == 2 * PARAMETERS * 4 + 8 + 4


def test_every_variable_is_the_one_that_tensorflow_lists_and_lies_where_it_is_said_to(
    tf, checkpoint
):
    prefix = checkpoint / "many" / "ckpt"
    with Tree(checkpoint / "many").open(checkpoint / "many" / "ckpt.index") as index:
        found = {variable.key: variable for variable in read_bundle(index).variables}
    listed = dict(tf.train.list_variables(str(prefix)))
    assert {key: list(variable.shape) for key, variable in found.items()} == listed
    assert {variable.shard for variable in found.values()} == set(range(SHARDS))
    for key, variable in found.items():
        shard = prefix.with_name(f"ckpt.data-{variable.shard:05d}-of-{SHARDS:05d}")
        there = shard.read_bytes()[variable.offset :][: variable.size]
        value = tf.train.load_variable(str(prefix), key)
        if variable.dtype == "string":
            assert value in there
        else:
            assert (there, variable.dtype) == (value.tobytes(), value.dtype.name)
            assert variable.size == math.prod(variable.shape) * value.dtype.itemsize


def test_names_and_sections_are_those_of_the_same_checkpoint_in_one_shard(checkpoint):
    one, many = (names_and_data(measure(checkpoint / name / "ckpt")) for name in ("one", "many"))
    assert one == many
    assert ("graph", "object graph") in many


def test_a_saved_model_in_shards_loads_and_adds_up(tf, saved_model):
    loaded = tf.saved_model.load(str(saved_model))
    assert [int(factor[0, 0]) for factor in loaded.factors] == list(range(1, 9))
    measured = measure(saved_model)
    assert (measured.format, measured.total) == ("saved_model", bytes_on_disk(saved_model))
    sizes = sorted(p.of_kind(Kind.DATA) for p in measured.section("weights").children)
    assert sizes == [n * 7 * 4 for n in range(1, 9)]
    assert not [p for p in measured.section("assets").children if "data-" in p.name]


@pytest.fixture(params=["checkpoint", "saved_model"])
def artifact(request, checkpoint, saved_model, tmp_path):
    """Either of them, to be broken: where it is, and the prefix of its bundle."""
    target = tmp_path / "model"
    if request.param == "checkpoint":
        shutil.copytree(checkpoint / "many", target)
        return target, target / "ckpt"
    shutil.copytree(saved_model, target)
    return target, target / "variables" / "variables"


def shards_of(prefix):
    return sorted(prefix.parent.glob(f"{prefix.name}.data-*"))


@pytest.mark.parametrize("number", range(SHARDS))
def test_a_missing_shard_is_named(artifact, number):
    folder, prefix = artifact
    shards_of(prefix)[number].unlink()
    with pytest.raises(
        ArtifactError, match=rf"data-0000{number}-of-0000{SHARDS}: this shard is missing"
    ):
        measure(folder)


@pytest.mark.parametrize("number", range(SHARDS))
def test_a_shard_that_ends_before_the_index_says_is_named(artifact, number):
    folder, prefix = artifact
    path = shards_of(prefix)[number]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        ArtifactError, match=rf"data-0000{number}-of-.*truncated, or still being written"
    ):
        measure(folder)


def test_an_index_that_names_a_shard_beyond_its_number_is_an_error(artifact):
    """Field 3 of an entry is its shard; field 1 of the header is how many there are."""
    folder, prefix = artifact
    index = prefix.with_name(f"{prefix.name}.index")
    whole = index.read_bytes()
    assert whole.count(b"\x18\x02") >= 1
    index.write_bytes(whole.replace(b"\x18\x02", b"\x18\x07"))
    with pytest.raises(ArtifactError, match="3 shards, and an entry in shard 7"):
        measure(folder)


@pytest.mark.parametrize("left", ["variables_temp", "ckpt-9_temp", "ckpt.tempstate123"])
def test_a_bundle_whose_parts_are_being_written_is_an_error(artifact, left):
    folder, prefix = artifact
    (prefix.parent / left).mkdir()
    (prefix.parent / left / "part-00000-of-00002.data-00000-of-00001").write_bytes(b"x")
    with pytest.raises(ArtifactError, match=rf"{left}: .*still being written"):
        measure(folder)


def test_shards_without_their_index_are_a_bundle_that_is_being_written(artifact):
    """The index is what MergeBundles writes last."""
    folder, prefix = artifact
    prefix.with_name(f"{prefix.name}.index").unlink()
    with pytest.raises(ArtifactError, match=r"no index.*still being written"):
        measure(folder)


def test_a_shard_left_from_another_save_is_shown(artifact):
    folder, prefix = artifact
    left = prefix.with_name(f"{prefix.name}.data-00000-of-00001")
    left.write_bytes(b"x" * 77)
    measured = measure(folder)
    assert measured.total == bytes_on_disk(folder)
    found = {part.name: part.size for part in measured.section("assets").children}
    assert found[left.relative_to(folder).as_posix()] == 77


def test_mutants_give_an_error_or_a_whole_answer(artifact):
    folder, prefix = artifact
    outcomes = {"ok": 0, "error": 0}
    index = prefix.with_name(f"{prefix.name}.index")
    for data in mutants(index.read_bytes(), count(80), 4):
        index.write_bytes(data)

        def attempt():
            assert measure(folder).total == bytes_on_disk(folder)

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 5

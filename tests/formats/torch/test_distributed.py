"""Folders of ``torch.distributed.checkpoint``, against what PyTorch itself says of them."""

import pickle
import shutil

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.sizes.measurement import Kind


@pytest.fixture(scope="module")
def saved(torch, tmp_path_factory):
    import torch.distributed.checkpoint as dcp

    folder = tmp_path_factory.mktemp("dcp") / "step"
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.BatchNorm1d(32)).half()
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    state = {"model": model.state_dict(), "optim": optimizer.state_dict(), "epoch": 3}
    dcp.save(state, checkpoint_id=folder, no_dist=True)
    return folder


def told_by_pytorch(folder):
    """Return the bytes of elements of each entry that is a tensor."""
    from torch.distributed.checkpoint import FileSystemReader

    entries = FileSystemReader(folder).read_metadata().state_dict_metadata
    return {
        name: entry.size.numel() * entry.properties.dtype.itemsize
        for name, entry in entries.items()
        if hasattr(entry, "size")
    }


@pytest.mark.filterwarnings("ignore")
def test_every_tensor_has_its_bytes_and_its_section(saved):
    measured = measure(saved)
    assert measured.format == "distributed checkpoint"
    assert measured.total == sum(file.stat().st_size for file in saved.iterdir())
    told = told_by_pytorch(saved)
    state = {name: size for name, size in told.items() if name.startswith("optim.state.")}
    weights = sum(told.values()) - sum(state.values())
    assert measured.section("optimizer").of_kind(Kind.DATA) == sum(state.values())
    assert measured.section("weights").of_kind(Kind.DATA) == weights
    names = {".".join(p[1:]).removesuffix(".(data)") for p, _ in measured.leaves()}
    assert set(told) <= names
    assert "config" in {section.name for section in measured.tree}


def test_it_is_one_artifact(saved):
    assert recognise(saved) == "distributed checkpoint"


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


def test_a_missing_shard_is_an_error(copy):
    next(copy.glob("*.distcp")).unlink()
    with pytest.raises(ArtifactError, match="distcp"):
        measure(copy)


def test_a_shard_that_is_cut_off_is_an_error(copy):
    shard = next(copy.glob("*.distcp"))
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="claims bytes"):
        measure(copy)


def test_what_lies_behind_all_chunks_is_slack(copy):
    shard = next(copy.glob("*.distcp"))
    shard.write_bytes(shard.read_bytes() + bytes(77))
    assert measure(copy).section("overhead").of_kind(Kind.SLACK) == 77


@pytest.mark.parametrize("path", ["../out.distcp", "/etc/passwd"])
@pytest.mark.filterwarnings("ignore")
def test_a_shard_outside_the_folder_is_refused(copy, path):
    metadata = copy / ".metadata"
    value = pickle.loads(metadata.read_bytes())
    for place in value.storage_data.values():
        place.relative_path = path
    metadata.write_bytes(pickle.dumps(value))
    with pytest.raises(ArtifactError, match="outside the checkpoint's folder"):
        measure(copy)


def test_another_pickle_of_that_name_is_no_checkpoint(tmp_path):
    (tmp_path / ".metadata").write_bytes(pickle.dumps({"a": 1}))
    assert measure(tmp_path).format == "directory"

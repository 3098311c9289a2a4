"""An artifact with several causes: what all fixes give together is what a save with all of them has."""

import gzip

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.report.causes import cause_lines
from pytest_modelsize.sizes.bytesize import human
from tests.acceptance.complaints.conftest import weight_of
from tests.needs import needs

needs("torch")
safetensors = needs("safetensors.torch")


@pytest.fixture
def findings(tmp_path_factory):
    def find(path):
        return find_causes(measure(path), path, scratch=tmp_path_factory.mktemp("scratch"))

    return find


@pytest.fixture
def parts(torch):
    """Return a trained model's state, its optimizer's, and an average of it, in float64."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.Linear(128, 32)).double()
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 64).double()).sum().backward()
    optimizer.step()
    state = net.state_dict()
    return state, optimizer.state_dict(), {key: value + 1 for key, value in state.items()}


@pytest.mark.parametrize("order", [("model", "ema", "opt"), ("opt", "ema", "model")])
def test_a_checkpoint_has_state_an_average_and_wide_weights(
    findings, torch, parts, tmp_path, order
):
    path = tmp_path / "checkpoint.pt"
    made = dict(zip(("model", "opt", "ema"), parts, strict=True))
    torch.save({"epoch": 3, **{key: made[key] for key in order}}, path)
    found = findings(path)
    kinds = ["optimizer state", "moving average", "double precision"]
    assert [cause.kind for cause in found.causes] == kinds
    total = weight_of(path)
    state = parts[0]
    state.update({name: value.float() for name, value in state.items()})
    torch.save({"epoch": 3, "model": state}, path)
    assert found.together == weight_of(path)
    # What two fixes leave out both is left out once.
    assert found.together > total - sum(total - cause.given for cause in found.causes)
    said = " ".join(" ".join(cause_lines(found.causes, total, found.together)).split())
    assert f"together: {human(weight_of(path))} in place of {human(total)}" in said


@pytest.mark.parametrize("name", ["ema_state", "state_dict_ema"])
def test_an_average_repeats_what_was_never_trained(findings, torch, tmp_path, name):
    """It is an average and equal too, counters and all: as timm and detectron2 keep it."""
    path = tmp_path / "checkpoint.pt"
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.BatchNorm2d(64))
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(2, 3, 8, 8)).sum().backward()
    optimizer.step()
    average = {key: value.clone() for key, value in net.state_dict().items()}
    checkpoint = {"model": net.state_dict(), name: average, "optimizer": optimizer.state_dict()}
    torch.save(checkpoint, path)
    found = findings(path)
    assert {"moving average", "equal tensors"} <= {cause.kind for cause in found.causes}
    torch.save({"model": checkpoint["model"]}, path)
    assert found.together == weight_of(path)


def test_a_folder_has_files_too_many_and_wide_weights(findings, torch, parts, tmp_path):
    folder = tmp_path / "hub"
    folder.mkdir()
    state, optimizer, _ = parts
    safetensors.save_file(state, folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    torch.save(optimizer, folder / "optimizer.pt")
    found = findings(folder)
    wide = next(cause for cause in found.causes if cause.kind == "double precision")
    assert "model.safetensors" in wide.text  # and not in the copy, which is to go
    others = weight_of(folder) - weight_of(folder / "model.safetensors")
    safetensors.save_file({k: v.float() for k, v in state.items()}, folder / "model.safetensors")
    assert wide.given == weight_of(folder) == others + weight_of(folder / "model.safetensors")
    (folder / "pytorch_model.bin").unlink()
    (folder / "optimizer.pt").unlink()
    assert found.together == weight_of(folder)
    assert findings(folder) == type(found)()


def test_zeros_in_a_folder_give_the_folder_with_its_files_compressed(findings, torch, tmp_path):
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for name in ("a", "b"):
        sparse = {name: torch.randn(100, 100)}
        sparse[name][:, 5:] = 0
        safetensors.save_file(sparse, folder / f"{name}.safetensors")
    (cause,) = findings(folder).causes
    assert cause.kind == "zero weights"
    for name in ("a", "b"):
        path = folder / f"{name}.safetensors"
        path.write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))
    assert (cause.given, cause.how) == (weight_of(folder), "measured")


def test_of_one_cause_nothing_is_added_up(findings, torch, parts, tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.save_file(parts[0], path)
    found = findings(path)
    assert [cause.kind for cause in found.causes] == ["double precision"]
    assert found.together is None

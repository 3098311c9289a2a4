"""The size of a checkpoint without its optimizer's state, against `torch.save` of just that."""

import re

import pytest

from pytest_modelsize.checks.stripping.torch import size_without_state
from pytest_modelsize.cli import main
from tests.acceptance.complaints.conftest import weight_of
from tests.formats.torch.handmade import PROTO, STOP, archive, legacy, mapping, tensor


@pytest.fixture
def entries(torch):
    """What checkpoints are made of; the state lies where it is put among them."""

    def entries(layers=1):
        torch.manual_seed(0)
        nn = torch.nn
        parts = [part for _ in range(layers) for part in (nn.Linear(9, 9), nn.BatchNorm1d(9))]
        model = nn.Sequential(*parts)
        optimizer = torch.optim.Adam(model.parameters())
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        weights = model.state_dict()
        return {
            "model": weights,
            "optimizer": optimizer.state_dict(),
            "epoch": 3,
            "best": torch.tensor(0.5),
            "schedule": [{"lr": 0.1, "step": 1, "_last_lr": [0.1]}],
            "ema": {name: value.clone() for name, value in weights.items()},
        }

    return entries


@pytest.fixture
def saved(torch, tmp_path):
    def saved(entries):
        path = tmp_path / "checkpoint.pt"
        torch.save(entries, path)
        return path

    return saved


@pytest.mark.parametrize(
    "order",
    [
        ("model", "optimizer"),
        ("optimizer", "model"),
        ("model", "optimizer", "epoch", "best", "schedule", "ema"),
        ("epoch", "optimizer", "schedule", "model", "best", "ema"),
        ("optimizer", "epoch"),
    ],
)
@pytest.mark.parametrize("layers", [1, 12, 40])
def test_it_is_the_size_of_what_is_saved_without_that_entry(entries, saved, order, layers):
    made = entries(layers)
    path = saved({key: made[key] for key in order})
    found = size_without_state(path)
    path = saved({key: made[key] for key in order if key != "optimizer"})
    assert found == path.stat().st_size


def test_no_byte_is_hidden_by_the_padding(entries, saved):
    """Members are aligned to 64 bytes: with one of 64 lengths, a byte too many shows."""
    made = entries()
    for length in range(1, 65):
        lean = {"m" * length: made["model"]}
        found = size_without_state(saved({**lean, "optimizer": made["optimizer"]}))
        assert found == saved(lean).stat().st_size


def test_states_of_lightning_go_all_at_once(entries, saved):
    made = entries()
    lean = {"state_dict": made["model"], "lr_schedulers": [], "epoch": 3}
    states = [made["optimizer"], entries(2)["optimizer"]]
    found = size_without_state(saved({**lean, "optimizer_states": states}))
    assert found == saved(lean).stat().st_size


def test_a_file_without_state_has_no_such_size(entries, saved):
    made = entries()
    assert size_without_state(saved({"model": made["model"]})) is None
    assert size_without_state(saved(made["optimizer"])) is None


def test_what_pytorch_does_not_write_has_no_such_size(torch, entries, tmp_path):
    made = entries()
    path = tmp_path / "other.pt"
    torch.save(made, path, pickle_protocol=4)
    assert size_without_state(path) is None
    torch.save(made, path, _use_new_zipfile_serialization=False)
    assert size_without_state(path) is None


def test_an_archive_laid_out_in_another_way_has_no_such_size(tmp_path):
    state = mapping(state=b"}" + b"J\0\0\0\0" + mapping(m=tensor("1", (2,), 2)) + b"s")
    pickled = PROTO + mapping(w=tensor("0", (2,), 2), optimizer=state) + STOP
    path = tmp_path / "handmade.pt"
    path.write_bytes(archive(pickled, {"0": bytes(8), "1": bytes(8)}))
    assert size_without_state(path) is None
    path.write_bytes(legacy(pickled, {"0": (2, bytes(8)), "1": (2, bytes(8))}))
    assert size_without_state(path) is None


@pytest.fixture
def replayed(capsys):
    """Return a function: what ``modelsize show --replay`` says of an artifact."""

    def replayed(path):
        assert main(["show", str(path), "--replay", "--depth", "1"]) == 0
        said = capsys.readouterr().out.splitlines()[-1].removeprefix("without optimizer state: ")
        told = re.fullmatch(r"([\d,]+) bytes \(replayed\)", said)
        return int(told[1].replace(",", "")) if told else said

    return replayed


def test_a_folder_is_replayed_file_by_file(torch, entries, replayed, tmp_path):
    """As DeepSpeed and accelerate leave it: state in files of its own, and beside the weights."""
    made = entries()
    both, alone = tmp_path / "checkpoint.pt", tmp_path / "optim_states.pt"
    torch.save({"model": made["model"], "optimizer": made["optimizer"]}, both)
    torch.save(made["optimizer"], alone)
    (tmp_path / "config.json").write_text("{}")
    found = replayed(tmp_path)
    alone.unlink()
    torch.save({"model": made["model"]}, both)
    assert found == weight_of(tmp_path)


def test_state_in_safetensors_is_replayed(torch, entries, replayed, tmp_path):
    safetensors = pytest.importorskip(
        "safetensors.torch", reason="safetensors is not installed: tox run -e pytorch"
    )
    made, path = entries(), tmp_path / "all.safetensors"
    weights = {f"model.{name}": value for name, value in made["model"].items()}
    names = [name for name, value in made["model"].items() if value.dtype == torch.float32]
    state = {
        f"optimizer.state.{name}.{slot}": torch.ones_like(made["model"][name])
        for name in names
        for slot in ("exp_avg", "exp_avg_sq")
    }
    safetensors.save_file({**weights, **state}, path)
    found = replayed(path)
    safetensors.save_file(weights, path)
    assert found == weight_of(path)


def test_what_cannot_be_replayed_says_so(torch, entries, replayed, tmp_path):
    path = tmp_path / "old.pt"
    torch.save(entries(), path, _use_new_zipfile_serialization=False)
    assert replayed(path) == "not known: it is not written as its library writes it now"

"""Optimizer state is found whatever it is kept in, against the difference of two saves."""

import pytest

from pytest_modelsize import Kind, measure
from tests.formats.torch.handmade import storages
from tests.formats.torch.training import CHECKPOINTS, SAFETENSORS, optimizers_of, train
from tests.needs import needs


@pytest.fixture(scope="module")
def trained(torch):
    """Every optimizer, with and without a schedule."""
    return {
        (kind, scheduled): train(torch, kind, scheduled=scheduled)
        for kind in optimizers_of(torch)
        for scheduled in (False, True)
    }


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("form", CHECKPOINTS)
def test_every_optimizer_is_found_in_a_checkpoint(torch, trained, tmp_path, form, scheduled):
    full, lean = tmp_path / "full.pt", tmp_path / "lean.pt"
    for kind in optimizers_of(torch):
        if (kind, form) == ("LBFGS", "by slot, in tuples"):
            continue  # a history of flat vectors, without any name
        whole, without = CHECKPOINTS[form](trained[kind, scheduled])
        torch.save(whole, full)
        torch.save(without, lean)
        measured = measure(full)
        state = storages(full) - storages(lean)
        found = measured.section("optimizer").of_kind(Kind.DATA)
        assert state > 0, kind
        assert found == state, kind
        assert measure(lean).optimizer == 0, kind


@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("form", SAFETENSORS)
def test_every_optimizer_is_found_in_safetensors(torch, trained, tmp_path, form, scheduled):
    safetensors = needs("safetensors.torch", "pytorch")
    path = tmp_path / "full.safetensors"
    for kind in optimizers_of(torch):
        if kind == "LBFGS":
            continue  # keeps lists, which safetensors does not
        trained_one = trained[kind, scheduled]
        tensors = {
            name: torch.as_tensor(value).clone()
            for name, value in SAFETENSORS[form](trained_one).items()
        }
        safetensors.save_file(tensors, path)
        everything = sum(t.numel() * t.element_size() for t in tensors.values())
        weights = sum(t.numel() * t.element_size() for t in trained_one.model.state_dict().values())
        measured = measure(path)
        assert measured.section("optimizer").of_kind(Kind.DATA) == everything - weights, kind
        assert measured.section("weights").of_kind(Kind.DATA) == weights, kind

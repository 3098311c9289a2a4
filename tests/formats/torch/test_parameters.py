"""Which parameter a numbered state serves: named where there is one way only, and never guessed."""

import pytest

from pytest_modelsize import measure
from pytest_modelsize.sizes.comparison import entries
from tests.needs import skip


@pytest.fixture
def slots(torch, tmp_path):
    """Train a step, save, and return the names of the first moments."""

    def saved(model, groups, **more):
        optimizer = torch.optim.Adam(groups)
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        path = tmp_path / "checkpoint.pt"
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), **more}, path)
        found = [entry.name for entry in entries(measure(path).section("optimizer"))]
        return {name.removeprefix("exp_avg/") for name in found if name.startswith("exp_avg/")}

    return saved


def test_buffers_and_shared_parameters_have_no_state(torch, slots):
    nn = torch.nn
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[3].weight = model[2].weight
    names = {name for name, _ in model.named_parameters()}
    assert slots(model, model.parameters()) == names


def test_a_head_that_is_trained_alone_is_named_where_its_shapes_fit_once(torch, slots):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    assert slots(model, model[1].parameters()) == {"1.weight", "1.bias"}


def test_one_of_two_equal_layers_is_not_named(torch, slots):
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    assert slots(model, model[1].parameters()) == {"param 0", "param 1"}


def test_groups_are_named_each_by_its_shapes(torch, slots):
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 5))
    decayed = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    names = {name for name, _ in model.named_parameters()}
    assert slots(model, [{"params": decayed}, {"params": rest}]) == names


def test_groups_in_another_order_are_not_named_by_order(torch, slots):
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    groups = [{"params": model[1].parameters()}, {"params": model[0].parameters()}]
    assert slots(model, groups) == {f"param {number}" for number in range(4)}


def test_an_optimizer_that_was_told_names_says_them(torch, slots):
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
    try:
        torch.optim.Adam(model.named_parameters())
    except (TypeError, ValueError):
        skip("this PyTorch takes no named parameters", "pytorch")
    assert slots(model, model[1].named_parameters()) == {"weight", "bias"}


def test_two_models_that_fit_leave_the_state_unnamed(torch, slots):
    model = torch.nn.Linear(2, 3)
    other = torch.nn.ModuleDict({"body": torch.nn.Linear(2, 3)})
    assert slots(model, model.parameters(), other=other.state_dict()) == {"param 0", "param 1"}


def test_a_copy_of_the_model_with_the_same_names_does_not_hinder(torch, slots):
    model = torch.nn.Linear(2, 3)
    ema = torch.nn.Linear(2, 3)
    assert slots(model, model.parameters(), ema=ema.state_dict()) == {"weight", "bias"}

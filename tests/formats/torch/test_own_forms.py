"""State in forms that people made up themselves, beside a network, and what is left without it."""

import copy

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.checks.stripping.torch import size_without_state
from tests.formats.torch.handmade import storages
from tests.needs import needs


class MyAdam:
    """An optimizer of one's own, which is no Optimizer."""

    def __init__(self, moments):
        self.m, self.v = moments(), moments()
        self.t = 3


class Descent:
    """Another, whose name says little."""

    def __init__(self, moments):
        self.momentum = list(moments().values())


def forms(torch, model):
    """What is added to a checkpoint of ``model``."""
    parameters = dict(model.named_parameters())

    def named():
        return {name: torch.randn_like(p) for name, p in parameters.items()}

    def listed():
        return list(named().values())

    def numbered(slots):
        return {i: slots(p) for i, p in enumerate(parameters.values())}

    def by_name(slots):
        return {name: slots(p) for name, p in parameters.items()}

    def alike(*names):
        return lambda p: {name: torch.randn_like(p) for name in names}

    def eight_bit(p):
        codes = {name: torch.zeros(p.shape, dtype=torch.uint8) for name in ("state1", "state2")}
        maps = {name: torch.zeros(256) for name in ("qmap1", "qmap2")}
        return {"step": 1, **codes, **maps, "absmax1": torch.zeros(3), "absmax2": torch.zeros(3)}

    def shampoo(p):
        return {
            "step": 1,
            "precond_0": torch.zeros(p.shape[0], p.shape[0]),
            "inv_precond_0": torch.zeros(p.shape[0], p.shape[0]),
            "momentum_buffer": torch.zeros_like(p),
        }

    flat = torch.zeros(sum(p.numel() for p in parameters.values()))
    zeros = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    groups = [{"params": [0], "lr": 0.1}]
    return {
        "m and v": {"stuff": {"m": named(), "v": named(), "t": 7}},
        "m and v in lists": {"stuff": {"m": listed(), "v": listed()}},
        "m and v at the top": {"m": named(), "v": named()},
        "a momentum": {"momentum": named()},
        "a velocity in a list": {"velocity": listed()},
        "names that say nothing": {"my_adam": {"alpha": named(), "beta": named()}},
        "lists that say nothing": {"my_adam": {"alpha": listed(), "beta": listed()}},
        "a tuple of lists": {"adam": (listed(), listed())},
        "a list of lists": {"optim": [listed(), listed()]},
        "right below the key": {"opt": named()},
        "a list right below the key": {"opt": listed()},
        "two slots by name": {"kept": by_name(alike("alpha", "beta"))},
        "two slots by number": {"kept": numbered(alike("alpha", "beta"))},
        "numbers as texts": {"opt": {str(k): v for k, v in numbered(alike("a", "b")).items()}},
        "a list of slots": {"kept": list(numbered(alike("exp_avg")).values())},
        "Muon by name": {"muon": by_name(alike("momentum_buffer"))},
        "names of a wrapped model": {
            "kept": {f"module.{k}": v for k, v in by_name(alike("exp_avg")).items()}
        },
        "eight bits": {"b": numbered(eight_bit)},
        "Shampoo": {"s": numbered(shampoo)},
        "ZeRO": {
            "ds": {
                "base_optimizer_state": [{0: {"step": 1, "exp_avg": flat, "exp_avg_sq": flat}}],
                "fp32_flat_groups": [flat.clone()],
            }
        },
        "ZeRO with settings": {
            "optimizer": {
                "base_optimizer_state": {0: {"step": 1, "exp_avg": flat}},
                "single_partition_of_fp32_groups": [flat.clone()],
                "zero_stage": 2,
            }
        },
        "Megatron": {
            "optimizer": {
                "optimizer": {"state": {0: {"exp_avg": flat}}, "param_groups": groups},
                "fp32_from_fp16_params": [[torch.zeros(8, 16)]],
            }
        },
        "flat": {"aux": {"exp_avg": flat, "exp_avg_sq": flat.clone(), "step": 3}},
        "copies of the state_dict": {
            "optimizer": {"m": copy.deepcopy(zeros), "v": copy.deepcopy(zeros)}
        },
        "an object": {"x": MyAdam(named)},
        "an object whose class says little": {"x": Descent(named)},
        "in the shape of Optax": {"opt_state": {"mu": named(), "nu": named(), "count": 3}},
        "a schedule-free one": {"o": {"state": numbered(alike("z")), "param_groups": groups}},
        "dotted": {f"optim_state.exp_avg.{name}": value for name, value in named().items()},
        "groups in a tuple": {
            "q": {"state": numbered(alike("own")), "param_groups": tuple(groups)}
        },
    }


@pytest.fixture
def model(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Linear(16, 4))


def test_state_of_every_form_is_found_and_what_is_left_is_told(torch, model, tmp_path):
    path = tmp_path / "checkpoint.pt"
    lean = {"model": model.state_dict(), "epoch": 3}
    torch.save(lean, path)
    weights, left = storages(path), path.stat().st_size
    for form, more in forms(torch, model).items():
        torch.save({**lean, **more}, path)
        measured = measure(path)
        assert measured.section("optimizer").of_kind(Kind.DATA) == storages(path) - weights, form
        assert measured.section("weights").of_kind(Kind.DATA) == weights, form
        assert size_without_state(path) == left, form


def test_arrays_of_numpy_may_be_state(torch, model, tmp_path):
    needs("numpy", "pytorch")
    path = tmp_path / "checkpoint.pt"
    moments = {name: p.detach().numpy() for name, p in model.named_parameters()}
    adam = {"m": moments, "v": {name: array.copy() for name, array in moments.items()}}
    torch.save({"model": model.state_dict(), "adam": adam}, path)
    measured = measure(path)
    elements = sum(p.numel() for p in model.parameters())
    assert measured.section("optimizer").of_kind(Kind.DATA) >= 2 * 4 * elements
    names = {"/".join(p[1:3]) for p, _ in measured.leaves() if p[0] == "optimizer"}
    assert names >= {"adam/m", "adam/v"}

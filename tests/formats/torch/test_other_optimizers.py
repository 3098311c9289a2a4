"""Slots as optimizers of other packages keep them, in every form, and what only looks like them.

Names and shapes are those that one step leaves: torch_optimizer 0.3, pytorch_optimizer 4.1,
schedulefree 1.4, prodigyopt 1.1, torchao 0.18.
"""

import pytest

from pytest_modelsize import Kind, measure
from tests.formats.torch.handmade import storages
from tests.formats.torch.training import CHECKPOINTS, SAFETENSORS, train
from tests.needs import needs


def kinds(torch):
    """What is kept for one parameter, by the package's name for the optimizer."""

    def like(*names):
        return lambda p: {name: torch.randn_like(p) for name in names}

    def shampoo(p):
        squares = [torch.randn(n, n) for n in p.shape]
        return {
            "step": 3,
            **{f"precond_{axis}": square for axis, square in enumerate(squares)},
            **{f"inv_precond_{axis}": square + 1 for axis, square in enumerate(squares)},
            "momentum_buffer": torch.randn_like(p),
        }

    def counted(**more):
        return lambda p: {**{k: torch.randn_like(p) for k in more}, "step": torch.tensor(3.0)}

    return {
        "AdaMod": like("exp_avg", "exp_avg_sq", "exp_avg_lr"),
        "Apollo": like("exp_avg_grad", "approx_hessian", "update"),
        "MADGRAD": like("grad_sum_sq", "s", "x0"),
        "ScheduleFree": like("z"),
        "Prodigy": counted(s=1, p0=1, exp_avg=1, exp_avg_sq=1),
        "SPAM": like("mask", "exp_avg", "exp_avg_sq"),
        "Shampoo": shampoo,
    }


FORMS = (
    "tutorial", "state alone", "state by parameter", "by name", "by name, beside", "FSDP, flat",
    "by slot", "objects",
)  # fmt: skip
FLAT = ("by name", "by name, beside", "by number", "by slot")
UNTOLD = {("SPAM", "by name, beside"), ("SPAM", "by slot, flat"), ("SPAM", "by name, beside, flat")}
"""A mask by itself may as well be one for pruning."""


@pytest.fixture(scope="module")
def trained(torch):
    """A network with the state of each kind."""

    class Kept(torch.optim.Optimizer):
        def __init__(self, parameters, slots):
            super().__init__(parameters, {"lr": 0.1})
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p] = slots(p.detach())

    Kept.__qualname__ = "Kept"
    globals()["Kept"] = Kept  # so that it can be pickled
    found = {}
    for kind, slots in kinds(torch).items():
        one = train(torch, "SGD", scheduled=False)
        one.optimizer = Kept(list(one.model.parameters()), slots)
        found[kind] = one
    return found


@pytest.mark.parametrize("form", FORMS)
def test_state_of_other_packages_is_found_in_a_checkpoint(torch, trained, tmp_path, form):
    full, lean = tmp_path / "full.pt", tmp_path / "lean.pt"
    for kind, one in trained.items():
        whole, without = CHECKPOINTS[form](one)
        torch.save(whole, full)
        torch.save(without, lean)
        state = storages(full) - storages(lean)
        found = measure(full).section("optimizer").of_kind(Kind.DATA)
        if (kind, form) in UNTOLD:
            assert found == state * 2 / 3
        else:
            assert found == state > 0, kind
        assert measure(lean).optimizer == 0, kind


@pytest.mark.parametrize("form", FLAT)
def test_and_in_safetensors(torch, trained, tmp_path, form):
    safetensors = needs("safetensors.torch", "pytorch")
    path = tmp_path / "full.safetensors"
    for kind, one in trained.items():
        flat = SAFETENSORS[form](one)
        tensors = {name: torch.as_tensor(value).clone() for name, value in flat.items()}
        safetensors.save_file(tensors, path)
        everything = sum(t.numel() * t.element_size() for t in tensors.values())
        weights = sum(t.numel() * t.element_size() for t in one.model.state_dict().values())
        found = measure(path).section("optimizer").of_kind(Kind.DATA)
        if (kind, f"{form}, flat") in UNTOLD:
            assert found == (everything - weights) * 2 / 3
        else:
            assert found == everything - weights > 0, (kind, form)


def friends(torch):
    """Flat names that have nothing of an optimizer's."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(7, 12), nn.BatchNorm1d(12), nn.Linear(12, 5)).state_dict()
    body = {f"body.{name}": value for name, value in model.items()}
    four_bits = {
        "fc.weight": torch.zeros(42, 1, dtype=torch.uint8),
        "fc.weight.absmax": torch.zeros(2),
        "fc.weight.quant_map": torch.zeros(16),
        "fc.weight.quant_state.bitsandbytes__nf4": torch.zeros(80, dtype=torch.uint8),
    }
    return {
        "a network in a module called optimizer": {
            **body, **{f"optimizer.net.{name}": value for name, value in model.items()},
        },
        "a learned optimizer": {
            **body, **{f"optimizer.{k}": v for k, v in nn.LSTM(7, 12).state_dict().items()},
        },
        "a module optimizer.state of layers": {**body, "optimizer.state.0.weight": model["0.weight"]},
        "masks below weights": {**body, "body.0.weight.mask": model["0.weight"].clone()},
        "bitsandbytes in four bits": four_bits,
        "a teacher in the optimizer": {
            **body, **{f"optimizer.teacher.body.{name}": value for name, value in model.items()},
        },
        "low rank": {
            **body,
            "body.0.lora_A.default.weight": torch.zeros(4, 7),
            "body.0.lora_B.default.weight": torch.zeros(12, 4),
            "body.0.lora_magnitude_vector.default.weight": torch.zeros(12),
        },
        "four gates of one shape": {f"cell.W_{gate}": torch.zeros(12, 12) for gate in "ifgo"},
        "experts with a state": {
            f"experts.{i}.{name}": torch.zeros(12, 7)
            for i in range(3) for name in ("state", "exp_avg_gate", "w1", "w2")
        },
        "a field of radiance with a step": {
            **body, "step": torch.tensor(3), "occs": torch.zeros(128), "aabb": torch.zeros(6),
        },
    }  # fmt: skip


def test_what_only_looks_like_it_is_weights(torch, tmp_path):
    safetensors = needs("safetensors.torch", "pytorch")
    for name, tensors in friends(torch).items():
        copies = {key: value.clone() for key, value in tensors.items()}
        safetensors.save_file(copies, tmp_path / "m.safetensors")
        assert measure(tmp_path / "m.safetensors").optimizer == 0, name
        for content in (copies, {"state_dict": copies}):
            torch.save(content, tmp_path / "m.pt")
            assert measure(tmp_path / "m.pt").optimizer == 0, name
    held = {name: torch.nn.Linear(7, 12).state_dict() for name in ("a", "b")}
    layers = {name: dict(torch.nn.Linear(7, 12).state_dict()) for name in "qkvo"}
    named = torch.nn.ModuleDict(
        {"state": torch.nn.Linear(3, 3), "param_groups": torch.nn.Linear(3, 3)}
    )
    masks = {p: {"mask": torch.ones_like(p)} for p in torch.nn.Linear(7, 12).parameters()}
    for content in ({"optimizer": list(held.values())}, {"optimizer": {0: held["a"]}}, masks, layers,
                    named.state_dict()):  # fmt: skip
        torch.save(content, tmp_path / "m.pt")
        assert measure(tmp_path / "m.pt").optimizer == 0, content

"""Plain arrays are a checkpoint where an optimizer's state is beside them, and else data."""

import copy
import dataclasses
import typing
from collections import OrderedDict, UserDict

import pytest

from pytest_modelsize.checks.roots import roots
from pytest_modelsize.checks.subject import as_subject
from pytest_modelsize.formats import measure
from pytest_modelsize.saving import SaveError, framework_of, save
from pytest_modelsize.saving.watching.saves import SavedFile

SHAPE = (40, 20)
WEIGHTS = (40 * 20 + 40) * 4


@dataclasses.dataclass
class Fields:
    """A dataclass for the two."""

    net: dict
    how: dict


class Named(typing.NamedTuple):
    """A named tuple for the two."""

    net: dict
    how: dict


@pytest.fixture
def trained(torch):
    """A network, its optimizer, a copy of its weights without versions, and the slots by name."""
    net = torch.nn.Linear(20, 40)
    how = torch.optim.Adam(net.parameters())
    for parameter in net.parameters():
        slots = {"exp_avg": torch.ones_like(parameter), "exp_avg_sq": torch.ones_like(parameter)}
        how.state[parameter] = {"step": torch.tensor(1.0), **slots}
    copied = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    return net, how, copied, {name: how.state[p] for name, p in net.named_parameters()}


def by_slot(copied, slots):
    return {
        slot: {name: kept[slot].detach().clone() for name, kept in slots.items()}
        for slot in ("exp_avg", "exp_avg_sq")
    }


STATES = {
    "copied": lambda n, h, c: {"net": c, "how": h.state_dict()},
    "flat": lambda n, h, c: {**c, "how": h.state_dict()},
    "shared": lambda n, h, c: {**n.state_dict(), "how": h.state_dict()},
    "whole": lambda n, h, c: copy.deepcopy({"net": n.state_dict(), "how": h.state_dict()}),
    "a live optimizer": lambda n, h, c: {"net": c, "how": [h]},
    "ordered": lambda n, h, c: OrderedDict(net=c, how=h.state_dict()),
    "a wrapper": lambda n, h, c: UserDict(net=c, how=h.state_dict()),
    "deep": lambda n, h, c: {"run": {"last": [{"net": c}], "how": [h.state_dict()]}, "epoch": 3},
    "a dataclass": lambda n, h, c: Fields(c, h.state_dict()),
    "a named tuple": lambda n, h, c: Named(c, h.state_dict()),
}


@pytest.mark.parametrize("form", STATES)
def test_weights_beside_an_optimizer_s_state_are_a_checkpoint(trained, tmp_path, form):
    net, how, copied, _ = trained
    subject = as_subject(STATES[form](net, how, copied), "made")
    for full, state in ((True, 2 * WEIGHTS), (False, 0)):
        saved = save(subject.model, tmp_path, format="torch", include_optimizer=full)
        found = measure(saved.path)
        assert WEIGHTS <= found.size_of("weights") < WEIGHTS + 2_000
        assert state <= found.size_of("optimizer") <= 1.5 * state


@pytest.mark.parametrize("arrays", ["torch", "numpy"])
@pytest.mark.parametrize("form", ["flat", "by slot"])
def test_slots_as_plain_arrays_are_measured_and_never_left_out(trained, tmp_path, form, arrays):
    *_, copied, slots = trained
    made = {"params": copied, **by_slot(copied, slots)}
    if form == "flat":
        made = {**copied}
        for slot, held in by_slot(copied, slots).items():
            made.update({f"{name}.{slot}": tensor for name, tensor in held.items()})
    if arrays == "numpy":
        made = {
            key: {name: tensor.numpy() for name, tensor in held.items()}
            if isinstance(held, dict)
            else held.numpy()
            for key, held in made.items()
        }
    format = {"torch": "torch", "numpy": "pickle"}[arrays]
    assert framework_of(made) == arrays
    saved = save(made, tmp_path, format=format, include_optimizer=True)
    assert 2 * WEIGHTS <= measure(saved.path).size_of("optimizer") < 3 * WEIGHTS
    with pytest.raises(SaveError, match=r"it holds optimizer state as plain arrays \(.*exp_avg"):
        save(made, tmp_path, format=format, include_optimizer=False)


DATA = {
    "a batch": lambda t, n, h: {"x": t.ones(SHAPE), "y": t.ones(40)},
    "outputs": lambda t, n, h: {key: t.ones(SHAPE) for key in ("mean", "var", "m", "v")},
    "particles": lambda t, n, h: {
        "position": t.ones(SHAPE), "velocity": t.ones(SHAPE), "momentum": t.ones(SHAPE), "step": 3,
    },
    "gradients": lambda t, n, h: {name: t.ones_like(p) for name, p in n.named_parameters()},
    "an optimizer's state": lambda t, n, h: h.state_dict(),
    "an optimizer and a loss": lambda t, n, h: {"how": h, "loss": t.ones(())},
    "results": lambda t, n, h: {"optimizer": "adam", "x": t.ones(999, 2)},
    "a copied state": lambda t, n, h: {k: v.clone() for k, v in n.state_dict().items()},
}  # fmt: skip


@pytest.mark.parametrize("form", DATA)
def test_other_arrays_are_data(torch, trained, form):
    net, how, *_ = trained
    assert as_subject(DATA[form](torch, net, how), "made") is None


def test_a_copied_state_beside_a_network_is_saved_with_it(torch, trained, tmp_path):
    net, _, copied, _ = trained
    saved = save(
        {"net": net, "ema": copied, "x": torch.ones(9999)},
        tmp_path,
        format="torch",
        include_optimizer=True,
    )
    assert 2 * WEIGHTS <= measure(saved.path).size_of("weights") < 2 * WEIGHTS + 2_000


def test_what_a_file_has_not_got_of_a_checkpoint_is_held_by_itself(trained, tmp_path):
    net, how, *_ = trained
    made = as_subject(copy.deepcopy({"net": net.state_dict(), "how": how.state_dict()}), "made")
    path = tmp_path / "a.pt"
    file = as_subject(str(path), "a") or dataclasses.replace(made, model=None, path=path)
    weights = {(number, tensor.nbytes): tensor for number, tensor in enumerate(net.parameters())}
    kept = [t for slots in how.state.values() for t in slots.values()]
    state = {(-number, tensor.nbytes): tensor for number, tensor in enumerate(kept, 1)}
    assert roots([file, made], [SavedFile(path, weights)]) == [file, made]
    assert roots([file, made], [SavedFile(path, {**weights, **state})]) == [file]

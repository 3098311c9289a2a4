"""Names of parameters as PyTorch and its kin write them: layers parted by dots.

`named_parameters` of torch.nn.Module joins the names of modules and of the parameter by dots, and
so do the writers of safetensors and of ONNX that start from such a model.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_modelsize.sizes.measurement import SectionPath

__all__ = ["Homes", "described", "optimizer_names"]

_DEEPEST = 16
"""Layers within layers that are told apart."""
_MOST_LAYERS = 50_000
"""Layers and parameters together, above which no name is parted: what it costs must be bounded."""

_OPTIMIZER_ROOTS = frozenset({
    "optimizer", "optimizers", "optimizer_state", "optimizer_states", "optimizer_state_dict",
    "optimizer_state_dicts", "optim_state_dict",
})  # fmt: skip
"""First parts of a name under which people and frameworks put an optimizer's ``state_dict``."""
_SLOTS = frozenset({
    "exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_inf", "momentum_buffer", "square_avg",
    "grad_avg", "acc_delta", "exp_avg_res", "exp_avg_sq_row", "exp_avg_sq_col",
})  # fmt: skip
"""Last parts of a name: keys of the state that torch/optim/*.py keeps for each parameter (adam.py,
adamax.py, sgd.py, rmsprop.py, adadelta.py, ...) and transformers/optimization.py (Adafactor).
Keys that a module may well use for a parameter of its own (``step``, ``sum``, ``mu``) count only
beside one of these."""
_BESIDE = frozenset({"step", "sum", "prev", "eta", "ax", "mu", "mu_product", "RMS"})


def optimizer_names(names: Iterable[str]) -> frozenset[str]:
    """Return which of ``names`` are conclusively an optimizer's state.

    The first part says so (``optimizer.state.0.exp_avg``), or the last one does
    (``encoder.weight.exp_avg``), or it stands beside such a one (``encoder.weight.step``). Names
    that are merely suggestive (``layers.0.weight.m``) stay weights.
    """
    known = list(names)
    owners = {name.rpartition(".")[0] for name in known if name.rpartition(".")[2] in _SLOTS}
    found = set()
    for name in known:
        owner, _, last = name.rpartition(".")
        root = name.partition(".")[0]
        beside = last in _BESIDE and owner in owners
        if last in _SLOTS or beside or (root in _OPTIMIZER_ROOTS and owner):
            found.add(name)
    return frozenset(found)


class Homes:
    """Where each of an artifact's parameters is entered: in its section, layer by layer."""

    __slots__ = ("_parted", "_state")

    def __init__(self, names: Iterable[str]) -> None:
        known = list(names)
        self._state = optimizer_names(known)
        self._parted = _few_layers(known)

    def of(self, name: str) -> SectionPath:
        """Return the entry of the parameter ``name``."""
        section = "optimizer" if name in self._state else "weights"
        if not self._parted:
            return (section, name)
        parts = name.split(".", _DEEPEST)
        if section == "optimizer" and parts[0] in _OPTIMIZER_ROOTS and len(parts) > 2:
            del parts[0]
        return (section, *parts)


def _few_layers(names: Iterable[str]) -> bool:
    """Return whether ``names``, parted at their dots, make a tree of reasonable size."""
    layers: set[str] = set()
    for name in names:
        end = name.find(".")
        for _ in range(_DEEPEST):
            if end < 0:
                break
            layers.add(name[:end])
            end = name.find(".", end + 1)
        layers.add(name)
        if len(layers) > _MOST_LAYERS:
            return False
    return True


def described(dtype: str, shape: Iterable[int]) -> str:
    """Return type and shape as reports show them: ``float32 3x3x64``."""
    return f"{dtype} {'x'.join(map(str, shape)) or 'scalar'}"

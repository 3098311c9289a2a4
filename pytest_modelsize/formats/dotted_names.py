"""Names of parameters as PyTorch and its kin write them: layers parted by dots.

`named_parameters` of torch.nn.Module joins the names of modules and of the parameter by dots, and
so do the writers of safetensors and of ONNX that start from such a model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pytest_modelsize.sizes.measurement import SectionPath

__all__ = ["Homes"]

_DEEPEST = 16
"""Layers within layers that are told apart."""
_MOST_LAYERS = 50_000
"""Layers and parameters together, above which no name is parted: what it costs must be bounded."""


class Homes:
    """Where each of an artifact's parameters is entered: in its section, layer by layer.

    Args:
        names: of all.
        state: of those that are optimizer state.
    """

    __slots__ = ("_parted", "_state")

    def __init__(self, names: Iterable[str], state: Collection[str] = ()) -> None:
        known = list(names)
        self._state = state
        self._parted = _few_layers(known)

    def of(self, name: str) -> SectionPath:
        """Return the entry of the parameter ``name``."""
        section = "optimizer" if name in self._state else "weights"
        if not self._parted:
            return (section, name)
        return (section, *name.split(".", _DEEPEST))


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

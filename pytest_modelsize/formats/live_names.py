"""What a live model knows about its own artifact and the file alone does not."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["LiveNames"]


@dataclass(frozen=True, slots=True)
class LiveNames:
    """Names for the numbered entries of a weights file, taken from the model that was saved.

    Attributes:
        variables: HDF5 path of a dataset (``/optimizer/vars/17``) to the name that its owner gives
            the variable (``conv2d_kernel_momentum``, ``kernel``).
        objects: HDF5 path of a group (``/layers/dense``) to the name of the object that it holds
            (``head``): Keras stores it in the file only from 3.9 on.
        optimizers: HDF5 paths of the groups that hold an optimizer (``/optimizer``,
            ``/g_optimizer``). Where this is given, nothing is guessed about which groups do.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    optimizers: frozenset[str] | None = None

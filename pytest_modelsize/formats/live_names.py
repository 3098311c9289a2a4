"""What a live model, or its configuration, knows of an artifact and the weights alone do not."""

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
        configuration: the model's, as it lies beside the weights; empty where there is none, or a
            live model has told more.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    optimizers: frozenset[str] | None = None
    configuration: bytes = b""

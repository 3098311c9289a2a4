"""Names for the numbered variables of an optimizer, from its configuration and what it serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Config = Mapping[str, Any]
    _Shape = tuple[int, ...]
    _Served = list[tuple[str, _Shape]]
    _Blocks = Sequence[tuple[str, ...]]

__all__ = ["names_of_slots"]


def names_of_slots(
    model: _Config, served: _Served, datasets: Mapping[str, _Shape]
) -> dict[str, str]:
    """Return the name of each variable of a model's optimizer, where all of them are known.

    Args:
        model: its configuration.
        served: the variables that are trained, in the model's order: names, with shapes.
        datasets: the shapes of all that the optimizer keeps, by HDF5 path.
    """
    optimizer = (model.get("compile_config") or {}).get("optimizer")
    if not isinstance(optimizer, dict):
        return {}
    wanted: dict[str, _Served] = {"/optimizer": _state(optimizer, served)}
    if optimizer.get("class_name") == "LossScaleOptimizer":
        inner = _state(optimizer["config"]["inner_optimizer"], served)
        scalars = ("iteration", "learning_rate", "step_counter", "dynamic_scale")
        wanted = {
            "/optimizer": [*((name, ()) for name in scalars), *inner],
            "/optimizer/inner_optimizer": inner,
        }
    names, shapes = {}, {}
    for group, variables in wanted.items():
        for number, (name, shape) in enumerate(variables):
            names[f"{group}/vars/{number}"], shapes[f"{group}/vars/{number}"] = name, shape
    return names if datasets == shapes else {}


def _state(optimizer: _Config, served: _Served) -> _Served:
    """Return an optimizer's variables in their order; nothing where its class is not known.

    Two scalars come first (a schedule has no rate to keep), and then slots, some of which stand
    variable by variable (keras/src/optimizers/base_optimizer.py, ``build``).
    """
    config, make = optimizer["config"], _SLOTS.get(str(optimizer.get("class_name")))
    if make is None:
        return []
    has_rate = not isinstance(config.get("learning_rate"), dict)
    wanted: _Served = [("iteration", ()), *([("learning_rate", ())] if has_rate else ())]
    blocks = [("average",)] if config.get("use_ema") else []
    blocks += [("gradient_accumulator",)] if config.get("gradient_accumulation_steps") else []
    for block in (*blocks, *make(config)):
        wanted += [(f"{name} {slot}", shape) for name, shape in served for slot in block]
    if optimizer["class_name"] == "Nadam":
        wanted.append(("variable", ()))  # its product of momenta, which has no name of its own
    return wanted


_MOMENTS = ("momentum", "velocity")


def _one_block(*slots: str) -> Callable[[_Config], _Blocks]:
    return lambda config: [slots]


def _of_adam(config: _Config) -> _Blocks:
    return [_MOMENTS, ("velocity_hat",)] if config.get("amsgrad") else [_MOMENTS]


def _of_rmsprop(config: _Config) -> _Blocks:
    momentum = [("momentum",)] if config.get("momentum") else []
    return [("velocity",), *momentum, *([("average_gradient",)] if config.get("centered") else [])]


_SLOTS: Mapping[str, Callable[[_Config], _Blocks]] = {
    "Adadelta": _one_block("accumulated_grad", "accumulated_delta_var"),
    "Adagrad": _one_block("accumulator"),
    "Adam": _of_adam,
    "AdamW": _of_adam,
    "Adamax": _one_block("momentum", "norm"),
    "Ftrl": _one_block("accumulator", "linear"),
    "Lamb": _one_block(*_MOMENTS),
    "Lion": _one_block("momentum"),
    "Nadam": _one_block(*_MOMENTS),
    "RMSprop": _of_rmsprop,
    "SGD": lambda config: [("momentum",)] if config.get("momentum") else [],
}
"""Slots by class, those together that stand variable by variable."""

"""PyTorch: save a live module, alone or with its optimizer, by the calls that its users write.

PyTorch itself is the one that the test has imported: a live module is proof that it did.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.formats.live_names import LiveNames
from pytest_modelsize.saving.framework import is_a, is_optimizer_state
from pytest_modelsize.saving.keras.optimizers import OptimizerFacts
from pytest_modelsize.saving.saved_copy import SavedCopy
from pytest_modelsize.saving.torch.checkpoint import Parts, checkpoint, parts_of, weights
from pytest_modelsize.saving.torch.onnx import export_onnx
from pytest_modelsize.saving.training_state import refuse_slots

__all__ = ["SUFFIXES", "save_torch"]

SUFFIXES: Mapping[str, str] = {"torch": ".pt", "safetensors": ".safetensors", "onnx": ".onnx"}

_FAKE = ("torch._subclasses.fake_tensor", "FakeTensor")
_FEW = 4
"""Keys of a dictionary that are spelt out."""


def save_torch(
    model: Any, path: Path, format: str, include_optimizer: bool, options: Mapping[str, Any]
) -> SavedCopy:
    """Save ``model`` to ``path``; what PyTorch raises passes through.

    A module is saved as its state_dict. A dictionary such as ``{"model": module, "optimizer":
    optimizer, "epoch": 3}`` is saved as PyTorch's tutorials do: ``{"model_state_dict": ...,
    "optimizer_state_dict": ..., "epoch": 3}``; without optimizer state, as what ships: the module's
    state_dict. What trains in lists, tuples, dictionaries and dataclasses in there is saved in its
    place.

    Args:
        model: a ``torch.nn.Module``, or a dictionary that holds at least one, or its state.
        path: where to; the suffix fits the format.
        format: ``torch``, ``safetensors`` or ``onnx``.
        include_optimizer: write the state of optimizers that the dictionary holds.
        options: passed on to ``torch.save``, ``safetensors.torch.save_model`` or
            ``torch.onnx.export``, which takes ``args``.
    """
    torch = sys.modules["torch"]
    parts = parts_of(model)
    if not include_optimizer and not parts.modules:
        refuse_slots(model)
    for key, module in parts.modules.items():
        _check_written(torch, key, module)
    if format == "torch":
        full = include_optimizer and parts.trains
        torch.save(checkpoint(parts) if full else weights(parts), str(path), **options)
    elif format == "safetensors":
        _safetensors().save_model(_only(parts, format), str(path), **options)
    else:
        path = export_onnx(torch, _only(parts, format), path, options)
    facts = tuple(
        _facts(key, optimizer)
        for key, optimizer in parts.optimizers.items()
        if not is_optimizer_state(optimizer)
    )
    return SavedCopy(
        path,
        LiveNames(),
        facts if format == "torch" else (),
        flag_ignored=False,
        call=_call(parts) if format == "torch" else "",
    )


def _check_written(torch: Any, key: str, module: Any) -> None:
    """Refuse a module whose tensors would not be in the file: every budget would hold on it."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(
                f"{name} of {key} has no shape yet: call the module on data before its size is "
                "looked at"
            )
        if tensor.is_meta:
            raise ValueError(f"{name} of {key} is on the meta device, and has no values to save")
        if is_a(tensor, _FAKE):
            raise ValueError(f"{name} of {key} is a fake tensor, and has no values to save")


def _call(parts: Parts) -> str:
    """Return what a user writes to save what `weights` is."""
    if len(parts.modules) == 1:
        (name,) = parts.modules
        return f'torch.save({name}.state_dict(), "model.pt")'
    if not parts.modules:
        return _call_for_states(parts)
    states = ", ".join(f'"{name}": {name}.state_dict()' for name in parts.modules)
    return f'torch.save({{{states}}}, "model.pt")'


def _call_for_states(parts: Parts) -> str:
    keys = [f'"{key}"' if type(key) is str else repr(key) for key in parts.weights_at]
    if len(parts.tensors) == 1:
        name = next(iter(parts.tensors))
        end = min(len(name), *(name.find(mark) % (len(name) + 1) for mark in "[."))
        return f'torch.save(checkpoint["{name[:end]}"]{name[end:]}, "model.pt")'
    if len(keys) == 1:
        return f'torch.save(checkpoint[{keys[0]}], "model.pt")'
    if len(keys) <= _FEW:
        states = ", ".join(f"{key}: checkpoint[{key}]" for key in keys)
        return f'torch.save({{{states}}}, "model.pt")'
    return 'torch.save({key: checkpoint[key] for key in weights}, "model.pt")'


def _only(parts: Parts, format: str) -> Any:
    if not parts.modules:
        raise ValueError(
            f"format={format!r} saves a module, and the dictionary has only states: name the "
            "module itself with model="
        )
    if len(parts.modules) != 1:
        raise ValueError(
            f"format={format!r} saves one module, and there are {', '.join(parts.modules)}: name "
            "one of them in the test, and stack one marker for each"
        )
    (module,) = parts.modules.values()
    return module


def _safetensors() -> Any:
    try:
        return importlib.import_module("safetensors.torch")
    except ImportError as error:
        raise RuntimeError(
            "format='safetensors' needs the package safetensors, which is not installed here"
        ) from error


def _facts(key: str, optimizer: Any) -> OptimizerFacts:
    """Return what ``optimizer`` keeps for the parameters that it has served so far."""
    state = {
        parameter: slots
        for group in optimizer.param_groups
        for parameter in group["params"]
        if (slots := optimizer.state.get(parameter))
    }
    tensors = [
        (name, value, parameter)
        for parameter, slots in state.items()
        for name, value in slots.items()
        if hasattr(value, "untyped_storage")
    ]
    alike = [(n, t) for n, t, p in tensors if n != "step" and t.shape == p.shape]
    other = any(t.numel() > 1 and t.shape != p.shape for _, t, p in tensors)
    counts = Counter(name for name, _ in alike)
    whole = not other and set(counts.values()) <= {len(state)}
    dtypes = Counter(str(tensor.dtype).removeprefix("torch.") for _, tensor in alike)
    return OptimizerFacts(
        group=f"/{key}",
        name=type(optimizer).__name__.lower(),
        slots=len(counts) if whole else None,
        parameters=sum(parameter.numel() for parameter in state),
        dtype=dtypes.most_common(1)[0][0] if dtypes else "",
        state_bytes=sum(tensor.numel() * tensor.element_size() for _, tensor, _ in tensors),
    )

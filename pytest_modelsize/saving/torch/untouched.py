"""A module that goes through evaluation and a forward pass, and comes back as it was.

A copy goes through it, where there can be one: `eval()` may do anything, such as merge LoRA's
factors into a weight, and `train()` takes that back by arithmetic, not to the bit. Where a module
cannot be copied, what it holds is put back: attributes, parameters, buffers and their elements.
"""

from __future__ import annotations

import contextlib
import copy
import random
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

from pytest_modelsize.saving.torch.global_modes import global_modes

__all__ = ["for_inference"]

_MAPPINGS = (dict, OrderedDict, defaultdict)
_NESTED = 4
"""Containers within containers in which tensors are looked for."""


@contextlib.contextmanager
def for_inference(torch: Any, module: Any) -> Iterator[Any]:
    """Yield ``module``, or a copy of it, in evaluation mode, and leave it as it was.

    Random states, of PyTorch, NumPy and Python, and settings of the process are put back too.
    """
    parts = list(module.modules())
    held = [(part, _shallow(part.__dict__)) for part in parts]
    with _random_states(torch), global_modes(torch):
        twin = _copied(torch, module)
        # With a copy at work, hooks may reach the module itself all the same.
        tensors = _tensors(torch, parts) if twin is None else _small(torch, parts)
        contents = [(t, t.data, _cloned(t), t.grad, _cloned(t.grad)) for t in tensors]
        modes = [part.training for part in parts]
        try:
            subject = module if twin is None else twin
            subject.eval()
            yield subject
        finally:
            if twin is None and modes != [part.training for part in parts]:
                with contextlib.suppress(Exception):  # code of the user's: what it set is put back
                    module.train(modes[0])
            _put_back(torch, held, contents)


def _copied(torch: Any, module: Any) -> Any:
    """Return a copy that shares no tensor with ``module``; None where there can be none."""
    try:
        twin = copy.deepcopy(module)
        own = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
        own |= {id(part) for part in module.modules()}
        shared = any(
            id(held) in own for held in (*twin.parameters(), *twin.buffers(), *twin.modules())
        )
    except Exception:  # noqa: BLE001 - attributes may be locks, streams, results of autograd
        return None
    return None if shared else twin


def _shallow(held: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return a dictionary's items, with those of the containers among them: hooks, parameters."""
    return [(key, (value, _items_of(value))) for key, value in held.items()]


def _items_of(value: Any) -> Any:
    if type(value) in _MAPPINGS:
        return list(value.items())
    return list(value) if type(value) in (list, set) else None


def _same(one: list[Any], other: list[Any]) -> bool:
    """Return whether two lists hold the same objects."""
    flat = [[id(x) for item in items for x in _pair(item)] for items in (one, other)]
    return flat[0] == flat[1]


def _pair(item: Any) -> tuple[Any, ...]:
    return item if type(item) is tuple else (item,)


def _put_back(
    torch: Any,
    held: list[tuple[Any, list[tuple[Any, Any]]]],
    contents: list[tuple[Any, ...]],
) -> None:
    for part, attributes in held:
        before = [(name, value) for name, (value, _) in attributes]
        if [(n, id(v)) for n, v in before] != [(n, id(v)) for n, v in part.__dict__.items()]:
            part.__dict__.clear()
            part.__dict__.update(before)
        for _, (value, items) in attributes:
            if items is None or _same(items, _items_of(value)):
                continue
            if type(value) is list:
                value[:] = items
            else:
                value.clear()
                value.update(items)
    with torch.no_grad():
        for tensor, own, content, grad, grad_content in contents:
            if not torch.equal(own, content):
                own.copy_(content)
            if tensor.layout == torch.strided:
                moved = tensor.data_ptr() != own.data_ptr() or tensor.shape != own.shape
                if moved:
                    tensor.data = own
            tensor.grad = grad
            if grad is not None and not torch.equal(grad, grad_content):
                grad.copy_(grad_content)


def _cloned(tensor: Any) -> Any:
    return None if tensor is None else tensor.detach().clone()


def _tensors(torch: Any, parts: list[Any]) -> list[Any]:
    """Return all tensors that modules hold, plain attributes too, each once."""
    found: dict[int, Any] = {}
    for part in parts:
        _gather(torch, part.__dict__, found, 0)
    return list(found.values())


def _small(torch: Any, parts: list[Any]) -> list[Any]:
    """Return those that are not parameters: what hooks and counters write to."""
    return [t for t in _tensors(torch, parts) if not isinstance(t, torch.nn.Parameter)]


def _gather(torch: Any, value: Any, found: dict[int, Any], depth: int) -> None:
    if isinstance(value, torch.Tensor):
        if value.is_leaf:
            found[id(value)] = value
    elif depth < _NESTED and isinstance(value, (dict, list, tuple, set)):
        for held in value.values() if isinstance(value, dict) else value:
            _gather(torch, held, found, depth + 1)


@contextlib.contextmanager
def _random_states(torch: Any) -> Iterator[None]:
    state, own = torch.get_rng_state(), random.getstate()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    numpy = sys.modules.get("numpy")
    others = numpy.random.get_state() if numpy is not None else None
    try:
        yield
    finally:
        torch.set_rng_state(state)
        random.setstate(own)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
        if numpy is not None:
            numpy.random.set_state(others)

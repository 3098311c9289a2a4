"""What a layer of Keras keeps besides its own variables, where it is quantized or has an adapter.

The order is that of keras/src/layers/core/dense.py (einsum_dense.py, embedding.py),
``variable_serialization_spec``: by mode, and without what a layer does not have.
"""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    _Config = Mapping[str, Any]
    _Shape = tuple[int, ...]

__all__ = ["adapter_of", "quantized"]

_GROUPED = ("kernel_scale", "kernel_zero", "g_idx")
_FLOAT8 = tuple(
    f"{what}_{part}"
    for what in ("inputs", "kernel", "outputs_grad")
    for part in ("scale", "amax_history")
)
_AFTER = {
    "int8": ("kernel_scale",),
    "int4": _GROUPED,
    "float8": _FLOAT8,
    "gptq": _GROUPED,
    "awq": ("kernel_scale", "kernel_zero", "awq_scales", "g_idx"),
}
"""What follows the kernel and the bias, by mode."""
_KINDS = ("Dense", "EinsumDense", "Embedding")


def quantized(kind: str, names: tuple[str, ...], config: _Config, count: int) -> tuple[str, ...]:
    """Return the names of a layer's variables in their order; as given where it is not quantized.

    Args:
        kind: the class.
        names: of the variables that the layer has when it is not quantized.
        config: of the layer.
        count: how many it has in the file: those at the end are only in some.
    """
    dtype = config.get("dtype")
    policy = dtype.get("config") if isinstance(dtype, Mapping) else None
    mode = str(policy.get("mode", "")).partition("/")[0] if isinstance(policy, Mapping) else ""
    if kind not in _KINDS or mode not in _AFTER:
        return names
    after = _AFTER[mode]
    if kind == "Embedding":
        after = tuple(name.replace("kernel", "embeddings") for name in after)
    if mode in ("gptq", "awq"):
        names = (*names[1:], f"quantized_{names[0]}")
    return (*names, *after)[: max(count, len(names))]


def adapter_of(kind: str, config: _Config, shapes: Mapping[str, _Shape]) -> dict[str, _Shape]:
    """Return the names and shapes of what is trained beside a frozen kernel; empty for no adapter.

    Both are merged into the kernel when the model is saved (``_get_kernel_with_merged_lora``), so
    that only the optimizer has something of them.
    """
    rank = config.get("lora_rank")
    base = "embeddings" if kind == "Embedding" else "kernel"
    if kind not in _KINDS or not isinstance(rank, int) or base not in shapes:
        return {}
    shape = shapes[base]
    return {f"lora_{base}_a": (*shape[:-1], rank), f"lora_{base}_b": (rank, shape[-1])}

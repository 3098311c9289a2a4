"""PyTorch's settings of the whole process, which a module's own code may change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

__all__ = ["global_modes"]

_FLAGS = (("cudnn", "benchmark"), ("cudnn", "deterministic"), ("cudnn", "enabled"))


@contextlib.contextmanager
def global_modes(torch: Any) -> Iterator[None]:
    """Put back what PyTorch computes with: gradients, types, determinism, precision, threads."""
    grad, dtype = torch.is_grad_enabled(), torch.get_default_dtype()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
    anomaly = torch.is_anomaly_enabled()
    flags = [(part, name, getattr(getattr(torch.backends, part), name)) for part, name in _FLAGS]
    try:
        yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        torch.use_deterministic_algorithms(deterministic, warn_only=warns)
        if torch.is_anomaly_enabled() != anomaly:
            torch.autograd.set_detect_anomaly(anomaly)
        if torch.get_float32_matmul_precision() != precision:
            torch.set_float32_matmul_precision(precision)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        for part, name, value in flags:
            if getattr(getattr(torch.backends, part), name) != value:
                setattr(getattr(torch.backends, part), name, value)

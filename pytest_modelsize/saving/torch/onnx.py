"""PyTorch's own export to ONNX, with the module handed back as it was."""

from __future__ import annotations

import contextlib
import inspect
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.torch.untouched import for_inference

__all__ = ["export_onnx"]


def export_onnx(torch: Any, module: Any, path: Path, options: Mapping[str, Any]) -> Path:
    """Export ``module``, as it is for inference, and return what was written.

    Args:
        torch: the test's PyTorch.
        module: what is exported.
        path: where to.
        options: of ``torch.onnx.export``; ``args`` are example inputs, and are needed. Tensors go
            into the file itself unless ``external_data`` asks for a file beside it: what is
            returned is then a directory of both.

    Raises:
        ValueError: without ``args``.
    """
    if "args" not in options:
        raise ValueError(
            "an export to ONNX needs example inputs: write "
            "save_options={'args': (torch.zeros(1, 3),)}, with a tensor such as the model takes"
        )
    known = inspect.signature(torch.onnx.export).parameters
    inside = {"external_data": False} if "external_data" in known else {}
    target = path.with_name(f"{path.name}.d")
    target.mkdir()
    chosen = {**inside, **options}
    args = chosen.pop("args")
    with for_inference(torch, module) as subject, _quiet():
        torch.onnx.export(subject, args, str(target / path.name), **chosen)
    written = list(target.iterdir())
    if len(written) > 1:
        return target.rename(path)
    written[0].rename(path)
    target.rmdir()
    return path


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter talks of its progress, and warns of its own future."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield

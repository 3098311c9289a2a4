"""Formats that are recognised by name and not opened: one opaque entry of the assets.

CatBoost (``CBM1``: catboost/libs/model/model_export/model_exporter.cpp), TensorRT's plans
(``ftrt``, behind a JSON text of Ultralytics' where that writes them), ncnn (src/net.cpp: 7767517,
as text or as a number), Paddle (framework.proto; tensors as in
phi/core/framework/dense_tensor_serialize.cc), and what
PyTorch before 0.1.10 wrote: a tar (``_legacy_load`` in torch/serialization.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.nested import add_opaque
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind
from pytest_modelsize.sizes.patterns import late

__all__ = ["format", "format_of", "read", "recognises"]

format = "named"
_NCNN = 7767517
_NCNN_TEXT = late(rb"7767517\s+\d+\s+\d+\s")
_PADDLE_PROGRAM = late(rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x08\x00\x10\xff{9}\x01")
"""A ProgramDesc begins with its first block: index 0, and -1 for the block around it."""
_PADDLE_TENSOR = late(rb"\0{16}.\0{3}\x08.\x10", re.DOTALL)
"""Version 0, no levels, version 0; then the length of a TensorDesc: type and dimensions."""
_TAR = ("sys_info", "storages", "tensors", "pickle")
"""The members, one of which is the first."""


def recognises(source: Source) -> bool:
    """Return whether the content, or what lies beside it, is known by name."""
    return bool(format_of(source))


def format_of(source: Source) -> str:
    """Return the name of the format; empty where that is not known."""
    return next((name for name, is_one in _NAMED.items() if is_one(source)), "")


def read(source: Source, ledger: Ledger) -> str:
    """Give every byte to one entry, and return the format's name. A graph in text is one."""
    name = format_of(source)
    if _NCNN_TEXT.match(source.head):
        ledger.add(("graph", source.title), Kind.DATA, source.size)
        extents.note(source, 0, source.size, ("graph", source.title))
        return name
    add_opaque(ledger, source.title, source.size, f"{_WHAT[name]}, which is not opened here")
    extents.note(source, 0, source.size, ("assets", source.title))
    return name


def _is_plan(source: Source) -> bool:
    head = source.head
    at = 4 + int.from_bytes(head[:4], "little") if head[4:5] == b"{" else 0
    return head[at : at + 4] == b"ftrt"


def _is_ncnn(source: Source) -> bool:
    head = source.head
    if _NCNN_TEXT.match(head) or head[:4] == _NCNN.to_bytes(4, "little"):
        return True
    # Weights begin with no signature: they lie beside the graph that they are for.
    stem, dot, suffix = source.title.rpartition(".")
    folder = source.folder
    return bool(dot) and suffix == "bin" and folder is not None and folder.has(f"{stem}.param")


def _is_paddle(source: Source) -> bool:
    return bool(_PADDLE_PROGRAM.match(source.head) or _PADDLE_TENSOR.match(source.head))


def _is_tar(source: Source) -> bool:
    head = source.head
    return head[257:262] == b"ustar" and head[:100].rstrip(b"\0").decode("latin-1") in _TAR


_NAMED: dict[str, Callable[[Source], bool]] = {
    "catboost": lambda source: source.head.startswith(b"CBM1"),
    "tensorrt": _is_plan,
    "ncnn": _is_ncnn,
    "paddle": _is_paddle,
    "torch": _is_tar,
}
_WHAT = {
    "catboost": "a CatBoost model",
    "tensorrt": "a TensorRT plan",
    "ncnn": "an ncnn model",
    "paddle": "a Paddle model",
    "torch": "a tar as PyTorch wrote before 0.1.10",
}

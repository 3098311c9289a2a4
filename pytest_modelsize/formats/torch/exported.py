"""What ``torch.export.save`` writes: a ZIP archive of graphs as JSON, and of tensors by number.

Since PyTorch 2.8 (torch/csrc/export/pt2_archive_constants.h, torch/export/pt2_archive/_package.py)
below one folder: ``models/<model>.json``, ``data/weights/weight_<n>`` with
``<model>_weights_config.json`` that names them, the same for ``data/constants/``, and sample
inputs. Before that (torch/export/__init__.py of 2.1 to 2.7), ``serialized_exported_program.json``
beside tensors that ``torch.save`` wrote.
"""

from __future__ import annotations

import json
from math import prod

from pytest_modelsize.formats.containers.zip import (
    STORED,
    ZipArchive,
    ZipMember,
    read_zip,
    unpack,
)
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.torch.archive import charge, read_saved
from pytest_modelsize.formats.torch.archive_root import OLD_GRAPH, root_of
from pytest_modelsize.formats.torch.tensors import StorageId, Tensor, shown
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_exported"]

_OLD_TENSORS = ("serialized_state_dict.pt", "serialized_constants.pt")
_CONFIGS = ("data/weights/", "data/constants/")
_GRAPHS = ("models/", "data/aotinductor/", "data/executorch/", "data/mtia", OLD_GRAPH)
_TOGETHER = ("archive_format", "archive_version", "byteorder", "version", ".data/")
_LARGEST_CONFIG = 4 * 2**20
"""Bytes of the largest list of names that is opened: 14,000 weights."""
_TYPES = {
    1: ("uint8", 1), 2: ("int8", 1), 3: ("int16", 2), 4: ("int32", 4), 5: ("int64", 8),
    6: ("float16", 2), 7: ("float32", 4), 8: ("float64", 8), 9: ("complex32", 4),
    10: ("complex64", 8), 11: ("complex128", 16), 12: ("bool", 1), 13: ("bfloat16", 2),
    28: ("uint16", 2), 29: ("float8_e4m3fn", 1), 30: ("float8_e5m2", 1),
}  # fmt: skip
"""Names and bytes of an element: torch/_export/serde/schema.py, ``ScalarType``."""


def read_exported(source: Source, archive: ZipArchive, root: str, ledger: Ledger) -> str:
    """Give every byte of the archive's members to ``ledger``; return ``torch_export``.

    Raises:
        ArtifactError: where a list of names, or an archive inside, is broken.
    """
    named: dict[str, tuple[SectionPath, str]] = {}
    for member in archive.members:
        name = member.name.removeprefix(root)
        if name.endswith("_config.json") and name.startswith(_CONFIGS):
            named.update(_names(source, member, root))
    for member in archive.members:
        name = member.name.removeprefix(root)
        if member.name in named:
            path, note = named[member.name]
            charge(member, path, Kind.DATA, ledger, note)
        elif name in _OLD_TENSORS and member.method == STORED and not member.encrypted:
            _read_inside(source, member, name, ledger)
        else:
            charge(member, *_home(name), ledger)
    return "torch_export"


def _names(source: Source, member: ZipMember, root: str) -> dict[str, tuple[SectionPath, str]]:
    """Return entry and note of each tensor's member, from the ``config.json`` beside them.

    Its form is that of torch/_export/serde/schema.py, ``PayloadConfig``.
    """
    if member.unpacked > _LARGEST_CONFIG:
        return {}
    folder = member.name[: member.name.rindex("/") + 1]
    try:
        config = json.loads(unpack(source, member, _LARGEST_CONFIG))["config"]
        tensors = [
            (name, folder + meta["path_name"], _tensor(meta)) for name, meta in config.items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise source.error(
            member.offset, f"{member.name!r} is not a list of tensors: {type(error).__name__}"
        ) from None
    found: dict[str, list[tuple[str, Tensor | None]]] = {}
    for name, held, tensor in tensors:
        found.setdefault(held, []).append((name, tensor))
    return {held: (("weights", names[0][0]), _note(names)) for held, names in found.items()}


def _tensor(meta: Any) -> Tensor | None:
    """Return what ``TensorMeta`` says of a tensor; None where its bytes are a pickle's."""
    if meta.get("use_pickle") or not meta.get("tensor_meta"):
        return None
    told = meta["tensor_meta"]
    dtype, width = _TYPES.get(told["dtype"], ("", None))
    shape = tuple(int(size["as_int"]) for size in told["sizes"])
    strides = tuple(int(step["as_int"]) for step in told["strides"])
    offset = int(told["storage_offset"]["as_int"])
    return Tensor(
        storage=StorageId(key="", dtype=dtype, width=width, elements=prod(shape), at=0),
        dtype=dtype,
        width=width,
        offset=offset,
        shape=shape,
        strides=strides,
    )


def _note(names: list[tuple[str, Tensor | None]]) -> str:
    _, tensor = names[0]
    parts = [] if tensor is None else [shown(tensor.dtype, tensor.shape)]
    if len(names) > 1:
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        parts.append(f"shared with {names[1][0]}{more}")
    return ", ".join(filter(None, parts))


def _read_inside(source: Source, member: ZipMember, name: str, ledger: Ledger) -> None:
    """Read an archive of tensors inside the archive."""
    window = source.window(member.offset, member.stored, member.name)
    inner = Ledger()
    archive = read_zip(window) if member.stored else None
    root = root_of(archive) if archive is not None else None
    if archive is None or root is None:
        charge(member, ("weights", name), Kind.DATA, ledger)
        return
    read_saved(window, archive, root, inner)
    for loose, kind, size in archive.loose:
        inner.add(("overhead", name, loose), kind, size)
    for section in inner.sections():
        ledger.graft((section.name,), section)
    ledger.add(("overhead", name), Kind.STRUCTURE, member.structure)
    ledger.add(("overhead", name), Kind.RESERVED, member.padding)


def _home(name: str) -> tuple[SectionPath, Kind]:
    if name.startswith(_GRAPHS):
        return ("graph", name), Kind.DATA
    if name.startswith(_CONFIGS):
        if name.endswith(".json"):
            return ("weights", name), Kind.STRUCTURE
        return ("weights", name), Kind.DATA
    if name.startswith(_TOGETHER):
        return ("overhead", name), Kind.STRUCTURE
    return ("assets", name.removeprefix("extra/") or "(no name)"), Kind.DATA

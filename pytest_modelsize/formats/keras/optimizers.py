"""Which groups of a Keras weights file hold an optimizer's state?

The file does not say. A live model does (`LiveNames.optimizers`); from the file alone the group
``/optimizer`` is conclusive, and any other is told by what `Optimizer.save_own_variables` in
keras/src/optimizers/base_optimizer.py writes first: ``vars/0`` is the iteration counter, an integer
scalar, and ``vars/1`` the learning rate, a floating-point scalar.
"""

from __future__ import annotations

from pytest_modelsize.formats.containers.hdf5 import HDF5File, HDF5Object
from pytest_modelsize.formats.live_names import LiveNames

__all__ = ["optimizer_groups"]

_CONCLUSIVE = "/optimizer"


def optimizer_groups(file: HDF5File, names: LiveNames) -> dict[str, str]:
    """Return the HDF5 path of each group that holds optimizer state, with its shown name.

    The name is the one that the optimizer was given (``adam``), as stored in the file, preceded by
    where the model keeps it when that is not the usual place (``g_optimizer/adam``).
    """
    if names.optimizers is not None:
        groups = {group for group in names.optimizers if group in file.objects}
    else:
        groups = {path.removesuffix("/vars") for path in file.objects if _is_optimizer(file, path)}
    return {group: _shown(file, group, names.objects.get(group)) for group in groups}


def _is_optimizer(file: HDF5File, path: str) -> bool:
    if path == _CONCLUSIVE:
        return True
    if not path.endswith("/vars") or path == "/vars":
        return False
    first, second = file.objects.get(f"{path}/0"), file.objects.get(f"{path}/1")
    return _scalar(first, "int", "uint") and _scalar(second, "float", "bfloat")


def _scalar(item: HDF5Object | None, *dtypes: str) -> bool:
    return item is not None and item.shape == () and item.dtype.startswith(dtypes)


def _shown(file: HDF5File, group: str, known: str | None) -> str:
    place = group.removeprefix("/").replace("/", ".")
    variables = file.objects.get(f"{group}/vars")
    texts = None
    if variables is not None and "name" in variables.attributes:
        texts = variables.attributes["name"].read_strings()
    stored = texts[0].decode("utf-8", "replace") if texts and len(texts) == 1 else ""
    name = known or stored.replace("/", "_")
    if group == _CONCLUSIVE or not place:
        return name or "optimizer"
    return f"{place} ({name})" if name else place

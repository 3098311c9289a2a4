"""Save a model without writing its tensors: the same file to the byte, but for their bytes.

Keras itself does the saving, by its own code from end to end: which objects, in which order,
through memory or through a temporary file. While it does, four names that its two saving modules
look up mean something else to this thread: ``h5py.File``, ``io.BytesIO`` and ``zipfile.ZipFile``
leave holes (`sparse_hdf5`, `sparse_zip`), and ``backend.convert_to_numpy`` hands on a tensor's
shape and type in place of a copy; its optimizers hand over variables in place of copies, and what
it finds out about its own classes it finds out once (`skipsets`). h5py and zipfile are not touched,
nor is the model. It pays for small models too, whose tensors are never converted.

It is exact, or it is not used: by versions for which the tests show it, and by counting that each
tensor left out has got its room in the file, once.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.keras.sparse.skipsets import skipsets_kept

__all__ = ["FORMATS", "can_be_sparse", "sparse_files"]

FORMATS = ("keras", "weights", "h5")
"""Formats that are saved in this way."""
TRUSTED = frozenset((3, minor) for minor in range(4, 16))
"""Major and minor versions of Keras for which the tests show that not a byte differs."""
IN_MEMORY = 32 * 10**6
"""Bytes of a model up to which memory does for what Keras would have in memory."""
_ELEMENT = 4
"""Bytes that an element is taken to have here."""
_LIBRARY = "keras.src.saving.saving_lib"
_LEGACY = "keras.src.legacy.saving.legacy_h5_format"
_OPTIMIZER = "keras.src.optimizers.base_optimizer"
_LOCK = threading.RLock()
"""Names are replaced for the whole process, so one save is sparse at a time."""


def can_be_sparse(format: str) -> bool:
    """Return whether Keras 3 models may be saved sparsely in ``format``."""
    return format in FORMATS and _trusted()


def _trusted() -> bool:
    keras, h5py = sys.modules.get("keras"), sys.modules.get("h5py")
    if keras is None or h5py is None or not {_LIBRARY, _LEGACY, _OPTIMIZER} <= set(sys.modules):
        return False
    version = tuple(map(int, str(keras.__version__).split(".")[:2]))
    return version in TRUSTED and str(keras.backend.backend()) == "tensorflow"


@contextmanager
def sparse_files(model: Any, folder: Path) -> Iterator[None]:
    """Make what this thread saves meanwhile sparse.

    Args:
        model: what is saved.
        folder: where temporary files go.

    Raises:
        Inexact: where a tensor that was left out did not end up in a file, once.
    """
    from pytest_modelsize.saving.keras.sparse.hdf5 import (
        Inexact,
        SparseBytes,
        SparseFile,
        SparseSave,
    )
    from pytest_modelsize.saving.keras.sparse.zip import SparseZip

    size = sum(math.prod(variable.shape) * _ELEMENT for variable in model.variables)
    save = SparseSave(folder if size > IN_MEMORY else None)
    file, memory, archive = (
        type(cls.__name__, (cls,), {"save": save}) for cls in (SparseFile, SparseBytes, SparseZip)
    )
    with _LOCK, ExitStack() as stack:
        stack.enter_context(skipsets_kept(sys.modules[_LIBRARY]))  # looks at classes as they are
        backend = _Converting(save, sys.modules[_LIBRARY].backend.convert_to_numpy)
        for library in (_LIBRARY, _LEGACY):
            stack.enter_context(_looked_up(library, "backend", convert_to_numpy=backend))
            stack.enter_context(_looked_up(library, "h5py", File=file))
        stack.enter_context(_looked_up(_LIBRARY, "io", BytesIO=memory))
        stack.enter_context(_looked_up(_LIBRARY, "zipfile", ZipFile=archive))
        stack.enter_context(_optimizers_hand_over_variables())
        yield
    if save.handed != save.reserved:
        raise Inexact(f"{save.handed} tensors were left out, and {save.reserved} have got room")


class _Converting:
    """Keras' conversion to NumPy, but for tensors, which stay where they are."""

    def __init__(self, save: Any, original: Callable[[Any], Any]) -> None:
        self._save, self._original = save, original

    def __call__(self, value: Any) -> Any:
        found = self._save.stand_in(value)
        return self._original(value) if found is None else found


class _Namespace:
    """A module as one thread sees it: some names mean something else."""

    def __init__(self, module: Any, names: Mapping[str, Any]) -> None:
        self._module, self._names, self._thread = module, names, threading.get_ident()

    def __getattr__(self, name: str) -> Any:
        if name in self._names and threading.get_ident() == self._thread:
            return self._names[name]
        return getattr(self._module, name)


@contextmanager
def _looked_up(library: str, name: str, **names: Any) -> Iterator[None]:
    """Let the module ``library`` find ``names`` in the module that it knows as ``name``."""
    holder = sys.modules[library]
    original = getattr(holder, name)
    setattr(holder, name, _Namespace(original, names))
    try:
        yield
    finally:
        setattr(holder, name, original)


@contextmanager
def _optimizers_hand_over_variables() -> Iterator[None]:
    """Have Keras' optimizers hand over their variables, not copies of them (base_optimizer.py).

    That is all that its ``save_own_variables`` does otherwise, and the store converts them itself.
    """
    cls: Any = sys.modules[_OPTIMIZER].BaseOptimizer
    original = cls.save_own_variables
    thread = threading.get_ident()

    def save_own_variables(self: Any, store: Any) -> None:
        if threading.get_ident() != thread:
            original(self, store)
            return
        for number, variable in enumerate(self.variables):
            store[str(number)] = variable

    cls.save_own_variables = save_own_variables
    try:
        yield
    finally:
        cls.save_own_variables = original

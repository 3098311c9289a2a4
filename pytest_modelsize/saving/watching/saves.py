"""Files that a test's body has its frameworks save, wherever they go."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.composition import tensors_in
from pytest_modelsize.saving.containers import elements_of, walk
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.own_state import ancestors, attributes_of, full_name
from pytest_modelsize.saving.per_class import per_class
from pytest_modelsize.saving.watching.hard_links import link_to, unlink
from pytest_modelsize.saving.watching.makers import CONVERTERS
from pytest_modelsize.saving.watching.patches import Patch
from pytest_modelsize.saving.watching.saving_calls import SAVING_CALLS, SavingCall
from pytest_modelsize.saving.watching.streams import Stream, is_stream, new_file, path_of
from pytest_modelsize.saving.watching.written import Written, is_called_by_the_test

__all__ = ["SavedFile", "Saves"]


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One artifact that a framework wrote.

    Attributes:
        path: where to, absolute; a copy of what went to a stream.
        tensors: what was written, identified as by `composition.tensors_in`.
        link: the same files, should they be deleted before they are looked at; or None.
        way: ``save`` by a framework's call, ``stream`` by one to a stream, ``open`` by the test.
    """

    path: Path
    tensors: dict[object, object] = field(default_factory=dict, compare=False)
    link: Path | None = None
    way: str = "save"


_ARRAYS = frozenset(
    {
        ("torch", "Tensor"),
        ("numpy", "ndarray"),
        ("jaxlib._jax", "ArrayImpl"),
        ("jaxlib.xla_extension", "ArrayImpl"),
        ("tensorflow.python.ops.variables", "Variable"),
        ("keras.src.backend.common.variables", "Variable"),
    }
)


class Saves:
    """Notes the artifacts that are saved.

    Args:
        bound: artifacts of which is remembered what was written; of more, only that they were.
        folder: gives the folder in which files are kept that the test may delete itself.

    Attributes:
        unseen: the kinds of the streams to which was saved what cannot be read again.
        lost: saves to streams that were not kept, because there were more than the bound.
    """

    def __init__(self, bound: int, folder: Callable[[], Path | None]) -> None:
        self._folder = folder
        self._files: dict[Path, SavedFile] = {}
        self._streams: list[SavedFile] = []
        self._written = Written(bound, folder)
        self._bound = bound
        self._depth = self._inside_converter = 0
        self.unseen: list[str] = []
        self.lost = 0

    def patches(self) -> list[Patch]:
        """Return the calls to wrap, those of all the frameworks that are known."""
        saves = [
            Patch(call.module, call.name, functools.partial(self._noted, call))
            for call in SAVING_CALLS
        ]
        converters = [
            Patch("tensorflow.lite.python.lite", f"{name}.convert", self._for_itself)
            for name in CONVERTERS
        ]
        return [*saves, *converters, *self._written.patches()]

    def files(self) -> list[SavedFile]:
        """Return what was saved, in order, each path once; it may be gone."""
        opened = [
            SavedFile(path, link=link, way="open")
            for path, link in self._written.links.items()
            if path not in self._files
        ]
        return [*self._files.values(), *self._streams, *opened]

    def let_go(self) -> None:
        """Drop all references, the links and the copies."""
        for file in (*self._files.values(), *self._streams):
            if file.link is not None:
                unlink(file.link)
        self._files.clear()
        self._streams.clear()
        self._written.let_go()

    def _for_itself(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Do not note what a converter saves to a folder of its own, to read it again."""

        def convert(*args: Any, **kwargs: Any) -> Any:
            self._inside_converter += 1
            try:
                return original(*args, **kwargs)
            finally:
                self._inside_converter -= 1

        return convert

    def _noted(self, call: SavingCall, original: Callable[..., Any]) -> Callable[..., Any]:
        def save(*args: Any, **kwargs: Any) -> Any:
            before = dict(self._files)
            given = _argument(args, kwargs, call.path)
            stream = Stream(given) if is_stream(given) else None
            self._depth += 1
            try:
                result = original(*args, **kwargs)
            finally:
                self._depth -= 1
            model = _argument(args, kwargs, call.model)
            if self._inside_converter or (call.models and not _is_model(model)):
                return result
            if call.returns:
                # Packages pickle what they copy, or send to another process.
                if not self._depth and is_called_by_the_test():
                    self._note_bytes(result, call, model)
                return result
            path = path_of(result if call.result else given)
            if path is not None:
                self._note(_completed(path, call.suffix), model, before)
            elif stream is not None and not self._depth:
                self._note_stream(stream, call, model)
            return result

        return save

    def _note(self, path: Path, model: object, before: Mapping[Path, SavedFile]) -> None:
        tensors: dict[object, object] = {}
        if len(self._files) < self._bound:
            tensors = tensors_in(list(_held(model)))
        known = self._files.pop(path, None)
        if known is not None and known is not before.get(path):
            # One call has passed through another, and both know something of the file.
            tensors.update(known.tensors)
        if known is not None and known.link is not None:
            unlink(known.link)
        link = link_to(path, self._folder()) if len(self._files) < self._bound else None
        self._files[path] = SavedFile(path, tensors, link)

    def _note_stream(self, stream: Stream, call: SavingCall, model: object) -> None:
        if self._are_too_many():
            return
        path = self._place(f"{stream.kind}{call.suffix}")
        self._keep(path, path is not None and stream.copy_to(path), model, stream.kind)

    def _note_bytes(self, content: object, call: SavingCall, model: object) -> None:
        if self._are_too_many():
            return
        path, known = self._place(f"{call.name}{call.suffix}"), False
        if path is not None and isinstance(content, (bytes, bytearray)):
            known = bool(path.write_bytes(content))
        self._keep(path, known, model, call.name)

    def _keep(self, path: Path | None, written: bool, model: object, kind: str) -> None:
        if path is not None and written:
            self._streams.append(
                SavedFile(path, tensors_in(list(_held(model))), link=path, way="stream")
            )
            return
        self.unseen.append(kind)
        if path is not None:
            unlink(path)

    def _are_too_many(self) -> bool:
        too_many = len(self._streams) >= self._bound
        self.lost += too_many
        return too_many

    def _place(self, name: str) -> Path | None:
        return new_file(self._folder(), name)


def _completed(path: Path, suffix: str) -> Path:
    """Return the path with the suffix that NumPy appends where it is missing."""
    if suffix in (".npy", ".npz") and path.suffix != suffix:
        return path.with_name(f"{path.name}{suffix}")
    return path


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], which: tuple[int, str]) -> object:
    position, keyword = which
    return args[position] if len(args) > position else kwargs.get(keyword)


def _is_model(value: object) -> bool:
    """Return whether it is a model or an array, or holds one."""
    return _counts(value) or any(_counts(held) for held in walk(value))


def _counts(value: object) -> bool:
    return _is_array(type(value)) or framework_of(value) is not None


@per_class
def _is_array(cls: type) -> bool:
    return any(full_name(base) in _ARRAYS for base in ancestors(cls))


def _held(model: object) -> Iterable[object]:
    """Yield what a save is given, and what a Checkpoint or a Trainer has of it."""
    yield model
    kind = full_name(type(model))
    if kind[1] in ("Checkpoint", "Trainer"):
        for value in attributes_of(model).values():
            if elements_of(value) is None:
                yield value

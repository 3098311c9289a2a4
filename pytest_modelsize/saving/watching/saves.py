"""Files that a test's body has its frameworks save, wherever they go."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.composition import tensors_in
from pytest_modelsize.saving.containers import elements_of, walk
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.own_state import attributes_of, full_name
from pytest_modelsize.saving.watching.links import link_to, unlink
from pytest_modelsize.saving.watching.patches import Patch

__all__ = ["SavedFile", "Saves"]


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One artifact that a framework wrote.

    Attributes:
        path: where to, absolute.
        tensors: what was written, as `composition.tensors_in` tells tensors apart.
        link: the same files, should they be deleted before they are looked at; or None.
    """

    path: Path
    tensors: dict[object, object] = field(default_factory=dict, compare=False)
    link: Path | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that saves.

    Attributes:
        module, name: as a `Patch` has them.
        path: position and keyword of the argument that says where to.
        model: of the one that says what; a method's instance is at position 0.
        result: the call returns the path.
        models: it writes anything, and is noted only where that holds a model.
    """

    module: str
    name: str
    path: tuple[int, str]
    model: tuple[int, str] = (0, "model")
    result: bool = False
    models: bool = False


def _methods(module: str, cls: str, path: str, *names: str) -> Iterator[_Call]:
    for name in names:
        yield _Call(module, f"{cls}.{name}", (1, path))


_CALLS = (
    _Call("torch.serialization", "save", (1, "f"), (0, "obj")),
    _Call("torch.jit._serialization", "save", (1, "f"), (0, "m")),
    _Call("torch.jit._script", "RecursiveScriptModule.save", (1, "f")),
    _Call("torch.export", "save", (1, "f"), (0, "ep")),
    _Call("torch.onnx", "export", (2, "f")),
    _Call("torch.onnx._internal.exporter._onnx_program", "ONNXProgram.save", (1, "destination")),
    *(
        _Call(f"safetensors.{library}", "save_file", (1, "filename"), (0, "tensors"))
        for library in ("torch", "numpy", "flax", "tensorflow")
    ),
    _Call("safetensors.torch", "save_model", (1, "filename")),
    _Call("onnx", "save_model", (1, "f"), (0, "proto")),
    _Call("onnx", "save", (1, "f"), (0, "proto")),
    *_methods(
        "transformers.modeling_utils", "PreTrainedModel", "save_directory", "save_pretrained"
    ),
    *_methods(
        "transformers.modeling_tf_utils", "TFPreTrainedModel", "save_directory", "save_pretrained"
    ),
    *_methods("diffusers.models.modeling_utils", "ModelMixin", "save_directory", "save_pretrained"),
    *_methods("huggingface_hub.hub_mixin", "ModelHubMixin", "save_directory", "save_pretrained"),
    *_methods("keras.src.models.model", "Model", "filepath", "save", "save_weights", "export"),
    *_methods(
        "tf_keras.src.engine.training", "Model", "filepath", "save", "save_weights", "export"
    ),
    *_methods("keras.src.engine.training", "Model", "filepath", "save", "save_weights", "export"),
    _Call("keras.src.saving.saving_api", "save_model", (1, "filepath")),
    _Call("keras.src.saving.saving_api", "save_weights", (1, "filepath")),
    _Call("tf_keras.src.saving.saving_api", "save_model", (1, "filepath")),
    _Call(
        "torch.distributed.checkpoint.state_dict_saver",
        "save",
        (9, "checkpoint_id"),
        (0, "state_dict"),
    ),
    _Call("joblib.numpy_pickle", "dump", (1, "filename"), (0, "value")),
    *(
        _Call(module, "dump", (1, "file"), (0, "obj"), models=True)
        for module in ("pickle", "cloudpickle", "dill")
    ),
    *_methods("xgboost.core", "Booster", "fname", "save_model"),
    *_methods("xgboost.sklearn", "XGBModel", "fname", "save_model"),
    *_methods("lightgbm.basic", "Booster", "filename", "save_model"),
    *_methods("catboost.core", "CatBoost", "fname", "save_model"),
    *_methods("skorch.net", "NeuralNet", "f_params", "save_params"),
    _Call("keras_hub.src.models.task", "Task.save_to_preset", (1, "preset_dir")),
    _Call("keras_hub.src.models.backbone", "Backbone.save_to_preset", (1, "preset_dir")),
    _Call("tensorflow.python.saved_model.save", "save", (1, "export_dir"), (0, "obj")),
    _Call(
        "tensorflow.python.checkpoint.checkpoint",
        "Checkpoint.save",
        (1, "file_prefix"),
        result=True,
    ),
    _Call(
        "tensorflow.python.checkpoint.checkpoint",
        "Checkpoint.write",
        (1, "file_prefix"),
        result=True,
    ),
    *_methods("lightning.pytorch.trainer.trainer", "Trainer", "filepath", "save_checkpoint"),
    *_methods("pytorch_lightning.trainer.trainer", "Trainer", "filepath", "save_checkpoint"),
)


class Saves:
    """Notes the artifacts that are saved.

    Args:
        bound: artifacts of which is remembered what was written; of more, only that they were.
        folder: gives the folder in which files are kept that the test may delete itself.
    """

    def __init__(self, bound: int, folder: Callable[[], Path | None]) -> None:
        self._folder = folder
        self._files: dict[Path, SavedFile] = {}
        self._bound = bound

    def patches(self) -> list[Patch]:
        """Return the calls to wrap, those of all the frameworks that are known."""
        return [
            Patch(call.module, call.name, functools.partial(self._noted, call)) for call in _CALLS
        ]

    def files(self) -> list[SavedFile]:
        """Return what was saved, in order, each path once; it may be gone."""
        return list(self._files.values())

    def let_go(self) -> None:
        """Drop all references, and the links."""
        for file in self._files.values():
            if file.link is not None:
                unlink(file.link)
        self._files.clear()

    def _noted(self, call: _Call, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def save(*args: Any, **kwargs: Any) -> Any:
            before = dict(self._files)
            result = original(*args, **kwargs)
            where = result if call.result else _argument(args, kwargs, call.path)
            path, model = _path(where), _argument(args, kwargs, call.model)
            if path is not None and (not call.models or _is_model(model)):
                self._note(path, model, before)
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


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], which: tuple[int, str]) -> object:
    position, keyword = which
    return args[position] if len(args) > position else kwargs.get(keyword)


def _path(where: object) -> Path | None:
    """Return the absolute path that an argument names; None for a stream without one."""
    named: Any = where
    if full_name(type(where)) == ("tempfile", "_TemporaryFileWrapper"):
        where = attributes_of(where).get("file")
    if isinstance(where, io.IOBase) and full_name(type(where))[0] == "_io":
        named = getattr(where, "name", None)
    if not isinstance(named, (str, bytes, os.PathLike)):
        return None
    return Path(os.path.abspath(os.fsdecode(named)))


def _is_model(value: object) -> bool:
    return framework_of(value) is not None or any(framework_of(held) for held in walk(value))


def _held(model: object) -> Iterable[object]:
    """Yield what a save is given, and what a Checkpoint or a Trainer has of it."""
    yield model
    kind = full_name(type(model))
    if kind[1] in ("Checkpoint", "Trainer"):
        for value in attributes_of(model).values():
            if elements_of(value) is None:
                yield value

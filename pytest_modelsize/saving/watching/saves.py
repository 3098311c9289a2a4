"""Files that a test's body has its frameworks save, wherever they go."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_modelsize.saving.composition import tensors_in
from pytest_modelsize.saving.containers import elements_of, walk
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.own_state import ancestors, attributes_of, full_name
from pytest_modelsize.saving.per_class import PerClass
from pytest_modelsize.saving.watching.links import link_to, unlink
from pytest_modelsize.saving.watching.makers import CONVERTERS
from pytest_modelsize.saving.watching.patches import Patch
from pytest_modelsize.saving.watching.streams import Stream, is_stream, new_file, path_of
from pytest_modelsize.saving.watching.written import Written, is_called_by_the_test

__all__ = ["SavedFile", "Saves"]


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One artifact that a framework wrote.

    Attributes:
        path: where to, absolute; a copy of what went to a stream.
        tensors: what was written, as `composition.tensors_in` tells tensors apart.
        link: the same files, should they be deleted before they are looked at; or None.
        way: ``save`` by a framework's call, ``stream`` by one to a stream, ``open`` by the test.
    """

    path: Path
    tensors: dict[object, object] = field(default_factory=dict, compare=False)
    link: Path | None = None
    way: str = "save"


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that saves.

    Attributes:
        module, name: as a `Patch` has them.
        path: position and keyword of the argument that says where to.
        model: of the one that says what; a method's instance is at position 0.
        result: the call returns the path.
        models: it writes anything, and is noted only where that holds a model or tensors.
        suffix: of what goes to a stream; of files, too, where the call appends it.
        returns: the call returns the bytes; it has no path.
    """

    module: str
    name: str
    path: tuple[int, str]
    model: tuple[int, str] = (0, "model")
    result: bool = False
    models: bool = False
    suffix: str = ""
    returns: bool = False


_NOWHERE = (99, "")
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


def _methods(module: str, cls: str, path: str, *names: str) -> Iterator[_Call]:
    for name in names:
        yield _Call(module, f"{cls}.{name}", (1, path))


_CALLS = (
    _Call("torch.serialization", "save", (1, "f"), (0, "obj"), suffix=".pt"),
    _Call("torch.jit._serialization", "save", (1, "f"), (0, "m"), suffix=".pt"),
    _Call("torch.jit._script", "RecursiveScriptModule.save", (1, "f"), suffix=".pt"),
    _Call("torch.export", "save", (1, "f"), (0, "ep"), suffix=".pt2"),
    _Call("torch.onnx", "export", (2, "f"), suffix=".onnx"),
    _Call("torch.onnx._internal.exporter._onnx_program", "ONNXProgram.save", (1, "destination")),
    *(
        _Call(f"safetensors.{library}", "save_file", (1, "filename"), (0, "tensors"))
        for library in ("torch", "numpy", "flax", "tensorflow")
    ),
    *(
        _Call(
            f"safetensors.{library}",
            "save",
            _NOWHERE,
            (0, "tensors"),
            suffix=".safetensors",
            returns=True,
        )
        for library in ("torch", "numpy", "flax", "tensorflow")
    ),
    _Call("safetensors.torch", "save_model", (1, "filename")),
    _Call("onnx", "save_model", (1, "f"), (0, "proto"), suffix=".onnx"),
    _Call("onnx", "save", (1, "f"), (0, "proto"), suffix=".onnx"),
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
    _Call("joblib.numpy_pickle", "dump", (1, "filename"), (0, "value"), suffix=".joblib"),
    *(
        _Call(module, "dump", (1, "file"), (0, "obj"), models=True, suffix=".pkl")
        for module in ("pickle", "cloudpickle", "dill")
    ),
    *(
        _Call(module, "dumps", _NOWHERE, (0, "obj"), models=True, suffix=".pkl", returns=True)
        for module in ("pickle", "cloudpickle", "dill")
    ),
    *(
        _Call(module, name, (0, "file"), (1, "arr"), suffix=".npy" if name == "save" else ".npz")
        for module in ("numpy.lib._npyio_impl", "numpy.lib.npyio")
        for name in ("save", "savez", "savez_compressed")
    ),
    _Call(
        "flax.serialization", "to_bytes", _NOWHERE, (0, "target"), suffix=".msgpack", returns=True
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

    Attributes:
        unseen: the kinds of the streams to which was saved what cannot be read again.
    """

    def __init__(self, bound: int, folder: Callable[[], Path | None]) -> None:
        self._folder = folder
        self._files: dict[Path, SavedFile] = {}
        self._streams: list[SavedFile] = []
        self._written = Written(bound, folder)
        self._bound = bound
        self._depth = self._inside_converter = 0
        self.unseen: list[str] = []

    def patches(self) -> list[Patch]:
        """Return the calls to wrap, those of all the frameworks that are known."""
        saves = [
            Patch(call.module, call.name, functools.partial(self._noted, call)) for call in _CALLS
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

        @functools.wraps(original)
        def convert(*args: Any, **kwargs: Any) -> Any:
            self._inside_converter += 1
            try:
                return original(*args, **kwargs)
            finally:
                self._inside_converter -= 1

        return convert

    def _noted(self, call: _Call, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
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

    def _note_stream(self, stream: Stream, call: _Call, model: object) -> None:
        path = self._place(f"{stream.kind}{call.suffix}")
        self._keep(path, path is not None and stream.copy_to(path), model, stream.kind)

    def _note_bytes(self, content: object, call: _Call, model: object) -> None:
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

    def _place(self, name: str) -> Path | None:
        if len(self._streams) >= self._bound:
            return None
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


@PerClass
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

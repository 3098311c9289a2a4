"""The calls of the frameworks that save: where each is, and which argument says what and where to.

Another framework's call is one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.sizes.records import dataclass

__all__ = ["SAVING_CALLS", "SavingCall"]

_NOWHERE = (99, "")
"""Of a call that has no path."""


@dataclass(frozen=True, slots=True)
class SavingCall:
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


def _methods(module: str, cls: str, path: str, *names: str) -> Iterator[SavingCall]:
    for name in names:
        yield SavingCall(module, f"{cls}.{name}", (1, path))


SAVING_CALLS = (
    SavingCall("torch.serialization", "save", (1, "f"), (0, "obj"), suffix=".pt"),
    SavingCall("torch.jit._serialization", "save", (1, "f"), (0, "m"), suffix=".pt"),
    SavingCall("torch.jit._script", "RecursiveScriptModule.save", (1, "f"), suffix=".pt"),
    SavingCall("torch.export", "save", (1, "f"), (0, "ep"), suffix=".pt2"),
    SavingCall("torch.onnx", "export", (2, "f"), suffix=".onnx"),
    SavingCall(
        "torch.onnx._internal.exporter._onnx_program", "ONNXProgram.save", (1, "destination")
    ),
    *(
        SavingCall(f"safetensors.{library}", "save_file", (1, "filename"), (0, "tensors"))
        for library in ("torch", "numpy", "flax", "tensorflow")
    ),
    *(
        SavingCall(
            f"safetensors.{library}",
            "save",
            _NOWHERE,
            (0, "tensors"),
            suffix=".safetensors",
            returns=True,
        )
        for library in ("torch", "numpy", "flax", "tensorflow")
    ),
    SavingCall("safetensors.torch", "save_model", (1, "filename")),
    SavingCall("onnx", "save_model", (1, "f"), (0, "proto"), suffix=".onnx"),
    SavingCall("onnx", "save", (1, "f"), (0, "proto"), suffix=".onnx"),
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
    SavingCall("keras.src.saving.saving_api", "save_model", (1, "filepath")),
    SavingCall("keras.src.saving.saving_api", "save_weights", (1, "filepath")),
    SavingCall("tf_keras.src.saving.saving_api", "save_model", (1, "filepath")),
    SavingCall(
        "torch.distributed.checkpoint.state_dict_saver",
        "save",
        (9, "checkpoint_id"),
        (0, "state_dict"),
    ),
    SavingCall("joblib.numpy_pickle", "dump", (1, "filename"), (0, "value"), suffix=".joblib"),
    *(
        SavingCall(module, "dump", (1, "file"), (0, "obj"), models=True, suffix=".pkl")
        for module in ("pickle", "cloudpickle", "dill")
    ),
    *(
        SavingCall(module, "dumps", _NOWHERE, (0, "obj"), models=True, suffix=".pkl", returns=True)
        for module in ("pickle", "cloudpickle", "dill")
    ),
    *(
        SavingCall(
            module, name, (0, "file"), (1, "arr"), suffix=".npy" if name == "save" else ".npz"
        )
        for module in ("numpy.lib._npyio_impl", "numpy.lib.npyio")
        for name in ("save", "savez", "savez_compressed")
    ),
    SavingCall(
        "flax.serialization", "to_bytes", _NOWHERE, (0, "target"), suffix=".msgpack", returns=True
    ),
    *_methods("xgboost.core", "Booster", "fname", "save_model"),
    *_methods("xgboost.sklearn", "XGBModel", "fname", "save_model"),
    *_methods("lightgbm.basic", "Booster", "filename", "save_model"),
    *_methods("catboost.core", "CatBoost", "fname", "save_model"),
    *_methods("skorch.net", "NeuralNet", "f_params", "save_params"),
    SavingCall("keras_hub.src.models.task", "Task.save_to_preset", (1, "preset_dir")),
    SavingCall("keras_hub.src.models.backbone", "Backbone.save_to_preset", (1, "preset_dir")),
    SavingCall("tensorflow.python.saved_model.save", "save", (1, "export_dir"), (0, "obj")),
    SavingCall(
        "tensorflow.python.checkpoint.checkpoint",
        "Checkpoint.save",
        (1, "file_prefix"),
        result=True,
    ),
    SavingCall(
        "tensorflow.python.checkpoint.checkpoint",
        "Checkpoint.write",
        (1, "file_prefix"),
        result=True,
    ),
    *_methods("lightning.pytorch.trainer.trainer", "Trainer", "filepath", "save_checkpoint"),
    *_methods("pytorch_lightning.trainer.trainer", "Trainer", "filepath", "save_checkpoint"),
)

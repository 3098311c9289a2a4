"""More kinds of models: every optimizer that Keras ships, and every way to make a model special."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["NOT_BY_THEMSELVES", "OPTIMIZERS", "SPECIAL", "kind"]

OPTIMIZERS = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon",
    "Nadam", "RMSprop", "SGD", "ScheduleFreeAdamW",
)  # fmt: skip
"""Those that are built without arguments."""
NOT_BY_THEMSELVES = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
"""The base class, and those around others: they are among the special ones."""


def _plain(keras: Any, **first: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(5, "relu", name="hidden", **first),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(2, name="last"),
        ]
    )


def _compiled(keras: Any, model: Any, optimizer: Any = None, **options: Any) -> Any:
    chosen = {"loss": "mse", "run_eagerly": True, "jit_compile": False, **options}
    model.compile(optimizer or keras.optimizers.Adam(0.01), **chosen)
    return model


def _lora(keras: Any) -> Any:
    model = _plain(keras)
    model.layers[0].enable_lora(2)
    return _compiled(keras, model)


def _quantized(keras: Any) -> Any:
    model = _plain(keras)
    model.quantize("int8")
    return _compiled(keras, model)


def _quantized_lora(keras: Any) -> Any:
    model = _plain(keras)
    model.quantize("int8")
    model.layers[0].enable_lora(2)
    return _compiled(keras, model)


@contextmanager
def _policy(keras: Any, name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _mixed(keras: Any) -> Any:
    with _policy(keras, "mixed_float16"):
        # At the scale that Keras begins with, these gradients overflow, and no step is taken.
        scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=2.0)
        return _compiled(keras, _plain(keras), scaled)


def _bfloat16(keras: Any) -> Any:
    with _policy(keras, "mixed_bfloat16"):
        return _compiled(keras, _plain(keras))


def _multi(keras: Any) -> Any:
    mapped = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.01, momentum=0.9))
    mapped["hidden.*"] = keras.optimizers.Adam()
    return _compiled(keras, _plain(keras), keras.optimizers.MultiOptimizer(mapped))


def _stateful(keras: Any) -> Any:
    """A recurrent state, and a seed: variables that a forward pass changes."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(4, 6)),
            layers.Reshape((3, 2)),
            layers.GaussianNoise(0.1),
            layers.GRU(3, stateful=True),
            layers.Dense(2),
        ]
    )
    return _compiled(keras, model)


def _frozen(keras: Any) -> Any:
    model = _plain(keras)
    model.layers[0].trainable = False
    return _compiled(keras, model)


def _custom(keras: Any) -> Any:
    """A layer, a loss, a metric and an optimizer of the user's own."""
    register = keras.saving.register_keras_serializable("kinds")

    @register
    class Scaled(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.scale = self.add_weight(shape=(shape[-1],), name="scale")

        def call(self, inputs: Any) -> Any:
            return inputs * self.scale

    @register
    class Counted(keras.metrics.Metric):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.seen = self.add_variable((), "zeros", name="seen")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.seen.assign_add(1.0)

        def result(self) -> Any:
            return self.seen + 0.0

    @register
    class Slow(keras.optimizers.SGD):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.steps = self.add_variable_from_reference(self.iterations, name="own_steps")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            self.steps.assign_add(1)
            super().update_step(gradient, variable, learning_rate)

    @register
    def far_off(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(abs(y_true - y_pred) ** 3)

    model = keras.Sequential([keras.Input((6,)), Scaled(), keras.layers.Dense(2)])
    optimizer = Slow(0.01, momentum=0.5)
    return _compiled(keras, model, optimizer, loss=far_off, metrics=[Counted(), "mae"])


SPECIAL: dict[str, Callable[[Any], Any]] = {
    "lora": _lora,
    "quantized": _quantized,
    "quantized lora": _quantized_lora,
    "mixed_float16": _mixed,
    "mixed_bfloat16": _bfloat16,
    "MultiOptimizer": _multi,
    "stateful": _stateful,
    "frozen": _frozen,
    "custom": _custom,
}


def kind(keras: Any, name: str) -> Any:
    """Return the compiled model ``name``: an optimizer's, or a special one."""
    if name in SPECIAL:
        return SPECIAL[name](keras)
    return _compiled(keras, _plain(keras), getattr(keras.optimizers, name)())

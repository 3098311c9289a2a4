"""A passing check beside the framework's bare save of the same model in the same format."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.timing import in_turns, megabytes, peak_memory, ratios, row, spread, table
from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.take import Settings
from pytest_modelsize.checks.targets import Subject
from pytest_modelsize.plugin.marker import parse_marker
from pytest_modelsize.saving import FORMATS
from pytest_modelsize.sizes.budget import judge

SUFFIXES = {"keras": ".keras", "h5": ".h5", "weights": ".weights.h5"}
_LARGE = 100 * 10**6
"""Bytes of a model whose saves are run less often."""


def models(short: bool) -> Iterator[tuple[str, Any]]:
    """Build one model after the other, without their published weights."""
    import keras

    examples = Path(__file__).parent.parent / "examples" / "unet"
    sys.path.insert(0, str(examples))
    from unet import build_unet

    def compiled(model: Any, optimizer: Any = "adam") -> Any:
        model.compile(optimizer, "mse")
        model.optimizer.build(model.trainable_variables)
        return model

    applications = keras.applications
    yield "U-Net, Adam", compiled(build_unet())
    if short:
        yield "dense, 67 MB, momentum", compiled(dense(2048, 2), momentum())
        return
    yield "MobileNetV2", applications.MobileNetV2(weights=None)
    yield "ResNet50", applications.ResNet50(weights=None)
    yield "VGG16", applications.VGG16(weights=None)
    yield "VGG16, momentum", compiled(applications.VGG16(weights=None), momentum())
    yield "dense, 1.07 GB, momentum", compiled(dense(4096, 8), momentum())


def momentum() -> Any:
    """SGD with one slot for each variable."""
    import keras

    return keras.optimizers.SGD(0.01, momentum=0.9)


def dense(width: int, depth: int) -> Any:
    """A stack of dense layers, all of one width."""
    import keras

    layers = [keras.layers.Dense(width, use_bias=False) for _ in range(depth)]
    return keras.Sequential([keras.Input((width,)), *layers])


def bare_save(model: Any, format: str, path: Path) -> Callable[[], None]:
    """Keras' own call, as a user writes it."""
    return lambda: model.save_weights(path) if format == "weights" else model.save(path)


def check(model: Any, format: str, folder: Path) -> Callable[[], None]:
    """What the marker does when the budget holds: save, measure, judge, delete."""
    budget = parse_marker(("100 GB",), {}, FORMATS).budget

    def work() -> None:
        settings = Settings(format, include_optimizer=True, sparse=True)
        taken = SaveCache(CopyFolders(folder)).get(Subject("model", model=model), settings)
        assert judge(budget, taken.measurement) == ()
        taken.discard()

    return work


def report(folder: Path, short: bool) -> None:
    """Print the table."""
    print("## A passing check beside the bare save\n")
    print(
        "The same model in the same format, in turns: Keras' own call, and all that the marker does "
        "(save, measure, judge, delete). *Memory* is how far each raises the process's.\n"
    )
    print(
        table(
            "model", "file", "bare save, ms", "check, ms", "check / bare", "memory: bare", "check"
        )
    )
    for name, model in models(short):
        for format in ("keras", "h5"):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                path = Path(scratch, f"bare{SUFFIXES[format]}")
                bare = bare_save(model, format, path)
                ours = check(model, format, Path(scratch))
                bare()
                size = path.stat().st_size
                runs = 3 if short or size > _LARGE else 9
                times = in_turns(
                    {"bare": bare, "check": ours}, runs, lambda path=path: path.unlink(True)
                )
                path.unlink(True)
                memory = [megabytes(peak_memory(work)) for work in (bare, ours)]
                ratio = spread(ratios(times["check"], times["bare"]))
                print(
                    row(
                        f"{name}, `{SUFFIXES[format]}`",
                        megabytes(size),
                        spread(times["bare"], 0),
                        spread(times["check"], 0),
                        ratio,
                        *memory,
                    ),
                    flush=True,
                )
        del model
    print()

"""Measuring an artifact beside other tools that look into it, and how it grows."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.checks import SUFFIXES, momentum
from benchmarks.timing import (
    bytes_read,
    in_turns,
    megabytes,
    peak_memory,
    ratios,
    row,
    spread,
    table,
)
from pytest_modelsize import measure

Work = Callable[[], object]


def files(folder: Path, short: bool) -> dict[str, Path]:
    """Save models; large ones without the bytes of their tensors, which nothing here reads."""
    import keras
    from unet import build_unet

    from pytest_modelsize.saving import save

    unet = build_unet(32, 32)
    unet.compile("adam", "mse")
    unet.optimizer.build(unet.trainable_variables)
    wanted = [("U-Net, Adam", unet, ("h5", "keras", "tflite"))]
    if not short:
        vgg = keras.applications.VGG16(weights=None)
        vgg.compile(momentum(), "mse")
        vgg.optimizer.build(vgg.trainable_variables)
        mobile = keras.applications.MobileNetV2(weights=None)
        wanted.append(("MobileNetV2", mobile, ("h5", "keras", "tflite")))
        wanted.append(("VGG16", keras.applications.VGG16(weights=None), ("h5", "keras")))
    found = {}
    for number, (name, model, formats) in enumerate(wanted):
        for format in formats:
            copy = save(
                model,
                folder,
                format=format,
                include_optimizer=True,
                stem=f"model{number}",
                sparse=True,
            )
            suffix = SUFFIXES.get(format, f".{format}")
            found[f"{name}, `{suffix}`"] = copy.path
    return found


def others(path: Path) -> dict[str, Work]:
    """The tools that look into such a file, as far as they are here."""
    works: dict[str, Work] = {}

    def process(*command: str) -> Work:
        return lambda: subprocess.run(command, check=True, capture_output=True)

    if path.suffix == ".h5":
        if shutil.which("h5stat"):
            works["h5stat"] = process("h5stat", "-S", str(path))
        works["h5py walk"] = lambda: walk(path)
    elif path.suffix == ".keras" and shutil.which("zipinfo"):
        works["zipinfo"] = process("zipinfo", "-v", str(path))
    elif path.suffix == ".tflite":
        works["TFLite's analyzer"] = lambda: analyze(path)
    return works


def walk(path: Path) -> None:
    """Visit all objects with h5py, and ask each dataset for its size."""
    import h5py

    def look(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            item.id.get_storage_size()

    with h5py.File(path) as file:
        file.visititems(look)


def analyze(path: Path) -> None:
    """Run TensorFlow's own analyzer, which prints."""
    import tensorflow as tf

    with contextlib.redirect_stdout(io.StringIO()):
        tf.lite.experimental.Analyzer.analyze(model_path=str(path))


def report(folder: Path, short: bool) -> None:
    """Print the table of files."""
    print("## Measuring beside other tools\n")
    print(
        "Every byte by section, layer and variable, in the process; `h5stat` and `zipinfo` are "
        "processes of their own, h5py and TFLite's analyzer are called in the process. *Read* "
        "counts what our readers ask the file system for.\n"
    )
    print(table("file", "bytes", "ours, ms", "other", "other, ms", "ours / other", "read"))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, path in files(Path(scratch), short).items():
            tools = others(path)
            times = in_turns({"ours": lambda path=path: measure(path), **tools}, 3 if short else 15)
            with bytes_read() as counted:
                measure(path)
            for tool in tools or ["-"]:
                other = times.get(tool)
                print(
                    row(
                        name,
                        path.stat().st_size,
                        spread(times["ours"], 1),
                        tool,
                        spread(other, 1) if other else "-",
                        spread(ratios(times["ours"], other)) if other else "-",
                        sum(counted),
                    ),
                    flush=True,
                )
    print()


def with_tensors(path: Path, number: int, size: int) -> None:
    """Write ``number`` tensors of ``size`` bytes each, a hundred in a group, nothing in them."""
    import h5py

    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple((size // 4,))
    with h5py.File(path, "w") as file:
        for start in range(0, number, 100):
            group = file.create_group(f"layer_{start // 100}")
            for index in range(min(100, number - start)):
                name = f"tensor_{index}".encode()
                h5py.h5d.create(group.id, name, h5py.h5t.NATIVE_FLOAT, space, creation)


def growth(folder: Path, short: bool) -> None:
    """Print how the time grows with the number of tensors, and with their bytes."""
    numbers = [100, 1000, 4000] if short else [100, 1000, 10_000, 100_000]
    sizes = [10**6, 10**9] if short else [10**6, 10**7, 10**8, 10**9, 10**10]
    print("## Growth with the number of tensors, and with their bytes\n")
    print("HDF5 files, a hundred tensors in a group; the larger ones are sparse.\n")
    print(table("tensors", "file", "ms", "ms for 1,000 tensors", "read", "memory"))
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch, "tensors.h5")
        for number in numbers:
            with_tensors(path, number, 16)
            print(row(number, *_grown(path, number, short)), flush=True)
        print()
        print(table("tensors", "file", "ms", "ms for 1,000 tensors", "read", "memory"))
        for size in sizes:
            with_tensors(path, 1000, size // 1000)
            print(row(1000, *_grown(path, 1000, short)), flush=True)
    print()


def _grown(path: Path, number: int, short: bool) -> tuple[object, ...]:
    runs = 3 if short or number >= 10_000 else 9
    times = in_turns({"ours": lambda: measure(path)}, runs)["ours"]
    with bytes_read() as counted:
        measure(path)
    per_thousand = [time * 1000 / number for time in times]
    memory = megabytes(peak_memory(lambda: measure(path)))
    return (
        megabytes(path.stat().st_size),
        spread(times, 1),
        spread(per_thousand, 1),
        sum(counted),
        memory,
    )

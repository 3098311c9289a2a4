"""Where the bytes of real files are, and what it costs to know: ours beside h5stat and h5py.

Run with an environment that has TensorFlow (and hdf5-tools for h5stat):

    python benchmarks/accounting.py [FOLDER] > docs/accounting.md

Times are medians of side-by-side runs in one process, with their spread; the ratio is what counts.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parent.parent / "examples" / "unet"))

from pytest_modelsize import Kind, Measurement, measure
from pytest_modelsize.checks.causes import size_without_state

RUNS = 9
SECTIONS = ("weights", "optimizer", "config", "assets", "overhead")


def write_files(folder: Path) -> dict[str, tuple[Path, Path | None]]:
    """Save the models; return each file, and the same model saved lean, by what it is."""
    import h5py
    import keras
    import numpy as np
    from unet import build_unet

    from pytest_modelsize.saving import save

    files: dict[str, tuple[Path, Path | None]] = {}

    def add(name: str, model: object, stem: str, *formats: str) -> None:
        for format in formats:
            full = save(model, folder, format=format, include_optimizer=True, stem=stem)
            lean = save(model, folder, format=format, include_optimizer=False, stem=f"{stem}_lean")
            suffix = full.path.name.removeprefix(stem)
            files[f"{name}, `{suffix}`"] = (full.path, lean.path)

    unet = build_unet()
    unet.compile("adam", "mse")
    unet.optimizer.build(unet.trainable_variables)
    add("U-Net, Adam", unet, "unet", "h5", "keras", "weights")
    mobile = keras.applications.MobileNetV2(weights=None)
    mobile.compile("adam", "mse")
    mobile.optimizer.build(mobile.trainable_variables)
    add("MobileNetV2, Adam", mobile, "mobile", "h5", "keras")
    words = [f"word{n}" for n in range(20_000)]
    text = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            keras.layers.TextVectorization(vocabulary=words, name="text"),
        ]
    )
    add("20,000 words", text, "words", "keras")
    add("VGG16", keras.applications.VGG16(weights=None), "vgg", "h5", "keras")
    many = folder / "many.h5"
    with h5py.File(many, "w") as file:
        for group in range(500):
            made = file.create_group(f"layer_{group}")
            for index in range(100):
                made.create_dataset(str(index), data=np.zeros(4, "float32"))
    files["50,000 datasets, `.h5`"] = (many, None)
    return files


def hdf5_of(path: Path, folder: Path) -> Path:
    """Return the HDF5 file itself, taken out of its archive for tools that cannot look inside."""
    if path.suffix != ".keras":
        return path
    target = folder / f"{path.stem}.inside.h5"
    with zipfile.ZipFile(path) as archive, target.open("wb") as file:
        shutil.copyfileobj(archive.open("model.weights.h5"), file)
    return target


def h5stat(path: Path) -> int | None:
    """Return the bytes that h5stat leaves unaccounted for; None where it is not installed."""
    if shutil.which("h5stat") is None:
        return None
    run = subprocess.run(["h5stat", "-S", path], capture_output=True, text=True, check=False)
    found = re.search(r"Unaccounted space: (-?\d+)", run.stdout)
    return int(found[1]) if found else None


def visit(path: Path) -> None:
    """Walk a file with h5py, asking each dataset for its size."""
    import h5py

    def look(_: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            item.id.get_storage_size()

    source = path if path.suffix != ".keras" else None
    if source is None:
        with zipfile.ZipFile(path) as archive:
            content = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(content) as file:
            file.visititems(look)
        return
    with h5py.File(source) as file:
        file.visititems(look)


def timed(*works: Callable[[], object]) -> list[list[float]]:
    """Return the milliseconds of each work, taken in turns, after one round to warm up."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(RUNS + 1):
        for index, work in enumerate(works):
            begun = time.perf_counter()
            work()
            if turn:
                times[index].append((time.perf_counter() - begun) * 1000)
    return times


def shown(milliseconds: list[float]) -> str:
    """Median and spread: ``8.7 (8.5-9.9)``."""
    low, middle, high = min(milliseconds), statistics.median(milliseconds), max(milliseconds)
    return f"{middle:.1f} ({low:.1f}-{high:.1f})"


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(f"{c:,d}" if isinstance(c, int) else str(c) for c in cells) + " |"


def slack_of(measured: Measurement) -> int:
    """Bytes that serve nothing at all."""
    return sum(leaf.size for _, leaf in measured.leaves() if leaf.kind is Kind.SLACK)


def main() -> None:
    """Write the files, and print both tables as Markdown."""
    given = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=given) as scratch:
        folder = Path(scratch)
        files = write_files(folder)
        print("# Where the bytes are\n")
        print(
            "Real files, every byte attributed; what `h5stat` leaves unaccounted for in the same "
            "HDF5 file; and what leaving the optimizer out saves: *replayed* from the file alone, "
            "and *really*, by saving the same model without it. Written by "
            "`python benchmarks/accounting.py`.\n"
        )
        print(row("file", "total", *SECTIONS, "slack in it", "h5stat: unaccounted"))
        print(row("---", *["---:"] * 8))
        for name, (path, _) in files.items():
            measured = measure(path)
            sizes = [int(measured.sections[section]) for section in SECTIONS]
            rest = h5stat(hdf5_of(path, folder))
            print(
                row(
                    name,
                    path.stat().st_size,
                    *sizes,
                    slack_of(measured),
                    "-" if rest is None else rest,
                )
            )
        print("\n## Attributed, replayed, saved\n")
        print(row("file", "total", "optimizer, attributed", "lean, replayed", "lean, really"))
        print(row("---", *["---:"] * 4))
        for name, (path, lean) in files.items():
            total = path.stat().st_size
            replayed = size_without_state(measure(path), path, folder)
            if replayed is not None and lean is not None:
                print(row(name, total, int(measure(path).optimizer), replayed, lean.stat().st_size))
        print("\n## What it costs\n")
        print(
            "Milliseconds, warm: median and spread of nine runs taken in turns. h5py loads a "
            "`.keras` file's weights into memory before it can look at them.\n"
        )
        print(
            row(
                "file",
                "ours",
                "h5stat, a process",
                "h5py `visititems`",
                "ours / h5stat",
                "ours / h5py",
            )
        )
        print(row("---", *["---:"] * 5))
        for name, (path, _) in files.items():
            inside = hdf5_of(path, folder)
            ours, theirs, library = timed(
                lambda path=path: measure(path),
                lambda inside=inside: h5stat(inside),
                lambda path=path: visit(path),
            )
            middle = statistics.median(ours)
            ratios = [f"{middle / statistics.median(other):.2f}" for other in (theirs, library)]
            print(row(name, shown(ours), shown(theirs), shown(library), *ratios))
        kept = Path(__file__).parent.parent / "docs" / "accounting.md"
        heading = "\n## Files that nobody here made\n"
        print(heading + kept.read_text().partition(heading)[2], end="")


if __name__ == "__main__":
    main()

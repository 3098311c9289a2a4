"""The command beside a bare start of Python, and one call of it with many files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Work, in_turns, ratios, row, spread, table

DATA = Path(__file__).parent.parent / "tests" / "data"
FILES = (
    "dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite", "dense.safetensors",
    "dense.onnx", "dense.pkl", "torch/weights.pth", "torch/exported.pt2", "torch/lightning.ckpt",
    "saved", "checkpoint", "hub", "web", "external",
)  # fmt: skip
CALL = "from pytest_modelsize.cli import run; run()"


def report(folder: Path, short: bool) -> None:
    """Print the tables."""
    runs = 5 if short else 15
    print("## The command beside a bare start of Python\n")
    print(
        "Processes, in turns: `modelsize show FILE`, `modelsize check FILE --max 1GB`, and "
        "`python -c pass`. The files are small, so that what is timed is the start.\n"
    )
    print(table("file", "python, ms", "show, ms", "show / python", "check, ms", "check / python"))
    for name in FILES:
        path = str(DATA / name)
        works = {
            "bare": process("pass"),
            "show": process(CALL, "show", path),
            "check": process(CALL, "check", "--max", "1GB", path),
        }
        times = in_turns(works, runs)
        cells = [spread(times["bare"], 1)]
        for work in ("show", "check"):
            cells += [spread(times[work], 1), spread(ratios(times[work], times["bare"]))]
        print(row(f"`{name}`", *cells), flush=True)
    print()
    many(folder, short)


def many(folder: Path, short: bool) -> None:
    """Print what one call costs that checks many files."""
    number = 100 if short else 1000
    print(f"One call of `modelsize check` with {number:,d} files:\n")
    print(table("file", "whole, ms", "ms a file"))
    for name in ("dense.h5", "dense.keras", "dense.tflite", "dense.safetensors"):
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            paths = [Path(scratch, f"{number}-{name}") for number in range(number)]
            for path in paths:
                shutil.copy(DATA / name, path)
            work = process(CALL, "check", "--quiet", "--max", "1GB", *map(str, paths))
            times = in_turns({"check": work}, 3)["check"]
        each = [time / number for time in times]
        print(row(f"`{name}`", spread(times, 0), spread(each)), flush=True)
    print()


def process(code: str, *arguments: str) -> Work:
    """Return the work of a process of Python's."""
    command = [sys.executable, "-c", code, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)

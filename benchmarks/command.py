"""The command beside a bare start of Python, and one call of it with many files."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import Work, in_turns, ratios, row, spread, table

DATA = Path(__file__).parent.parent / "tests" / "data"
FILES = (
    "dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite", "dense.safetensors",
    "dense.onnx", "dense.pkl", "torch/weights.pth", "torch/exported.pt2", "torch/lightning.ckpt",
    "saved", "checkpoint", "hub", "web", "external", "torch/legacy.pth", "torch/scripted.pt",
    "dense.npz", "dense.ort", "dense.mlmodel", "apple/dense.mlpackage", "openvino/dense.xml",
    "executorch/dense.pte", "flax/state.msgpack", "boosted/xgboost.json", "boosted/xgboost.ubj",
    "boosted/lightgbm.txt", "plain",
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
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, path in [*((name, DATA / name) for name in FILES), *packed(Path(scratch))]:
            print(row(f"`{name}`", *_cells(str(path), runs)), flush=True)
    print()
    many(folder, short)


def _cells(path: str, runs: int) -> list[str]:
    works = {
        "bare": process("pass"),
        "show": process(CALL, "show", path),
        "check": process(CALL, "check", "--max", "1GB", path),
    }
    times = in_turns(works, runs)
    cells = [spread(times["bare"], 1)]
    for work in ("show", "check"):
        cells += [spread(times[work], 1), spread(ratios(times[work], times["bare"]))]
    return cells


def packed(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write models as they are packed to be downloaded, and what takes a few lines to write."""
    made = folder / "dense.onnx.gz"
    made.write_bytes(gzip.compress((DATA / "dense.onnx").read_bytes()))
    yield made.name, made
    for kind in ("tar", "zip"):
        yield f"hub.{kind}", Path(shutil.make_archive(str(folder / "hub"), kind, DATA / "hub"))
    # numpy/lib/format.py, version 1.0
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }".ljust(117) + "\n"
    made = folder / "dense.npy"
    made.write_bytes(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() + bytes(32))
    yield made.name, made
    # ggml/docs/gguf.md: version 3, one tensor, no metadata
    name = b"dense.weight"
    fields = struct.pack("<4sIQQQ", b"GGUF", 3, 1, 0, len(name)) + name
    fields += struct.pack("<IQQIQ", 2, 4, 2, 0, 0)
    made = folder / "dense.gguf"
    made.write_bytes(fields.ljust(-len(fields) % 32 + len(fields), b"\0") + bytes(32))
    yield made.name, made


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

"""Run all benchmarks and print docs/performance.md."""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from benchmarks import checks, command, finding, load, marked, measuring

INTRODUCTION = """\
# What it costs

Written by `python -m benchmarks`, all in one run, works in turns: medians of processor time with \
their quartiles, {machine}. Times depend on the machine; the ratios are what counts. Processor time \
leaves out waiting for the disk, which a bare save of a large model does and its check does not.

The check of a Keras model leaves the bytes of its tensors out: Keras saves by its own code, with \
holes in a sparse file where the tensors would be, and every section has the same size to the byte. \
That is done for Keras 3.4 to 3.15 in `.keras`, `.weights.h5` and `.h5`, for which the tests show \
it; everything else, and whatever is kept after a failure, is saved for real. \
`--modelsize-save=real` (or `modelsize_save = real` in the ini file) has all saves real.
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where files are written meanwhile")
    parser.add_argument("--short", action="store_true", help="small models, few runs")
    given = parser.parse_args()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    print(INTRODUCTION.format(machine=machine))
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        folder = Path(scratch)
        load.report(given.short)
        command.report(folder, given.short)
        checks.report(folder, given.short)
        measuring.report(folder, given.short)
        measuring.growth(folder, given.short)
        finding.report(folder, given.short)
        marked.report(folder, given.short)


if __name__ == "__main__":
    main()

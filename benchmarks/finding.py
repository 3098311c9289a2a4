"""A marked run of a suite beside the same suite with its checks written out."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import in_turns, ratios, row, spread, table

_MODULE = """
import os
from pathlib import Path
import pytest, torch
from torch import nn
from pytest_modelsize.checks.copy_folders import CopyFolders
from pytest_modelsize.checks.save_cache import SaveCache
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings
from pytest_modelsize.plugin.marker import parse_marker
from pytest_modelsize.saving import FORMATS
from pytest_modelsize.sizes.budget import judge

BUDGET = parse_marker(("1 GB",), {}, FORMATS).budget
WAY = os.environ["WAY"]
if WAY == "marker":
    pytestmark = pytest.mark.max_model_size("1 GB")

def block(width):
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())

def build(width, depth=40):
    return nn.Sequential(*(block(width) for _ in range(depth)))

@pytest.fixture
def check(tmp_path):
    '''What a marker does once it has the model.'''
    def check(model):
        if WAY == "written out":
            taken = SaveCache(CopyFolders(tmp_path)).get(Subject("net", model=model), Settings("torch", True))
            assert judge(BUDGET, taken.measurement) == ()
            taken.discard()
    return check

@pytest.mark.parametrize("number", range(TESTS))
def test_local(number, check):
    net = build(WIDTH)
    net(torch.zeros(1, WIDTH, 8, 8))
    check(net)
"""
_SUITES = (("1.5 MB", 32, 12), ("1.5 MB", 32, 60), ("23 MB", 128, 12))
"""Size and width of the network, and tests: what a run imports once is shared by more of them."""


def report(folder: Path, short: bool) -> None:
    """Print the table."""
    print("## A marked run beside its checks\n")
    print(
        "A run of pytest with tests of a PyTorch network in a local variable, 120 modules, "
        "forward pass included: with the checks of the models written out in the tests, and with "
        "one marker for all, which has to watch what the tests make and to find it. Without either "
        "is what the suite costs alone.\n"
    )
    print(
        table(
            "model", "tests", "alone, ms", "written out, ms", "marker, ms", "marker / written out"
        )
    )
    for size, width, tests in _SUITES:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            module = Path(scratch, "test_suite.py")
            code = _MODULE.replace("WIDTH", str(width)).replace("TESTS", str(tests))
            module.write_text(code, encoding="utf-8")
            works = {way: _run(module, way) for way in ("alone", "written out", "marker")}
            times = in_turns(works, 3 if short else 5)
        print(
            row(
                size,
                str(tests),
                *(spread(times[way], 0) for way in works),
                spread(ratios(times["marker"], times["written out"])),
            ),
            flush=True,
        )
    print()


def _run(module: Path, way: str) -> object:
    def work() -> None:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(module)]
        named = {**os.environ, "WAY": way, "OMP_NUM_THREADS": "1"}
        named.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once
        subprocess.run(command, env=named, check=True, capture_output=True)

    return work

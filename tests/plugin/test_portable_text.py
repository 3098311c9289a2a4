"""What reports say of a failure is the same on every machine."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_modelsize.plugin.portable_text import portable

ROOT = Path("/srv/agent/work") if os.sep == "/" else Path("C:\\agent\\work")
BASE = ROOT.parent / "scratch"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model.pt 11 kB > 1 kB\n\n  total  11\n  kept: /tmp/pytest-of-you/pytest-7/m0/t-1/a.pt",
            "model.pt 11 kB > 1 kB\n\n  total  11",
        ),
        ("/tmp/pytest-of-you/pytest-7/test_it0/sub/m.pt: an empty file", "sub/m.pt: an empty file"),
        ("x\n/var/f/T/pytest-of-a-b/pytest-0/popen-gw1/test_it0/m.pt, byte 0", "x\nm.pt, byte 0"),
        (f"{ROOT}{os.sep}exports{os.sep}m.pt: gone", f"exports{os.sep}m.pt: gone"),
        (
            f"path='a' matches nothing in t0 nor in {ROOT}",
            "path='a' matches nothing in t0 nor in .",
        ),
        (f"'{BASE}{os.sep}test_it0{os.sep}a b.pt' is gone", "'a b.pt' is gone"),
        (f"{Path.home()}{os.sep}cache{os.sep}m.pt: gone", f"~{os.sep}cache{os.sep}m.pt: gone"),
        ("  weights/pytest-of-x  10\n  budget: test_it.py:3", None),
    ],
)
def test_paths_of_the_machine_are_left_out(text, expected):
    factory = SimpleNamespace(_basetemp=BASE)
    config = SimpleNamespace(rootpath=ROOT, _tmp_path_factory=factory)
    said = portable(text, SimpleNamespace(config=config))
    assert said == (text if expected is None else expected)


def test_a_run_without_pytest_s_temporary_folders_has_none_to_leave_out():
    item = SimpleNamespace(config=SimpleNamespace(rootpath=ROOT))
    assert portable("m.pt: gone", item) == "m.pt: gone"

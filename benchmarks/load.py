"""What a plugin adds to a pytest session that does not use it."""

from __future__ import annotations

import compileall
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest_modelsize
from benchmarks.timing import in_turns, row, spread, table

PLUGINS = {
    "pytest-modelsize": "pytest_modelsize.plugin",
    "pytest-memray": "pytest_memray.plugin",
    "pytest-benchmark": "pytest_benchmark.plugin",
}
_IMPORT = """
import time, pytest
begun = time.process_time()
import {module}
print((time.process_time() - begun) * 1000, len(sys.modules))
"""


def _environment() -> dict[str, str]:
    """Return the environment, in which Python keeps what it compiled, as it does by default."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


_WARM = """
import contextlib, io, sys, time, pytest
options = ["-q", "-p", "no:cacheprovider", sys.argv[1]]

def session(*more):
    begun = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*more, *options])
    return (time.process_time() - begun) * 1000

for turn in range(int(sys.argv[3])):
    alone, beside = session("-p", "empty_plugin"), session("-p", sys.argv[2])
    if turn > 2:
        print(beside - alone)
"""


def session(*options: str) -> None:
    """Run pytest on one empty test, in a process of its own, with no plugins but the given ones."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n")
        environment = {**_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)


def import_times(module: str, runs: int) -> list[float]:
    """Milliseconds that importing ``module`` takes once pytest is imported."""
    times = []
    code = "import sys" + _IMPORT.format(module=module)
    environment = {**_environment(), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for _ in range(runs):
        run = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env=environment,
        )
        times.append(float(run.stdout.split()[0]))
    return times


def warm_times(module: str, runs: int, tests: int = 1) -> list[float]:
    """Milliseconds that a session of empty tests takes longer with ``module`` than without.

    Without is with an empty plugin in its place. Both are imported already.
    """
    with tempfile.TemporaryDirectory() as folder:
        code = "".join(f"def test_{number}(): pass\n" for number in range(tests))
        Path(folder, "test_nothing.py").write_text(code)
        Path(folder, "empty_plugin.py").touch()
        environment = {**_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        run = subprocess.run(
            [sys.executable, "-c", _WARM, folder, module, str(runs + 3)],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
        )
    return [float(line) for line in run.stdout.split()]


def report(short: bool) -> None:
    """Print the table."""
    runs = 5 if short else 21
    # As pip does when it installs a package; here it may run from its source, not compiled yet.
    compileall.compile_dir(Path(pytest_modelsize.__file__).parent, quiet=2)
    found = {}
    for name, module in PLUGINS.items():
        try:
            if importlib.util.find_spec(module) is not None:
                found[name] = module
        except ModuleNotFoundError:
            pass
    works = {"pytest alone": lambda: session()}
    for name, module in found.items():
        works[name] = lambda module=module: session("-p", module)
    times = in_turns(works, runs)
    print("## A session that does not use it\n")
    print(
        "One empty test. *Session* is a process for each run, and varies by more than a light "
        "plugin adds. So what is added is also timed alone: *import* is the plugin's module, once "
        "pytest is there; *hooks* is what a further session in one process takes more with it than with an empty "
        "plugin, of one test and of 1,000.\n"
    )
    print(table("plugin", "session, ms", "import, ms", "hooks, ms", "of 1,000 tests, ms"))
    alone = times["pytest alone"]
    print(row("pytest alone", spread(alone, 0), "-", "-", "-"))
    for name in PLUGINS:
        if name not in found:
            print(row(name, "not installed", "-", "-", "-"))
            continue
        module = found[name]
        added = (
            spread(import_times(module, runs), 1),
            spread(warm_times(module, runs), 1),
            spread(warm_times(module, runs, tests=1000), 0),
        )
        print(row(name, spread(times[name], 0), *added))
    print()

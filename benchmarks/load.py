"""What a plugin adds to a pytest session that does not use it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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


def session(*options: str) -> None:
    """Run pytest on one empty test, in a process of its own, with no plugins but the given ones."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n")
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)


def import_times(module: str, runs: int) -> list[float]:
    """Milliseconds that importing ``module`` takes once pytest is imported."""
    times = []
    code = "import sys" + _IMPORT.format(module=module)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
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


def report(short: bool) -> None:
    """Print the table."""
    runs = 5 if short else 21
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
        "One empty test, a process for each run. *Added* is what a session takes more than pytest "
        "alone in the same turn; *import* is the plugin's module alone, once pytest is there.\n"
    )
    print(table("plugin", "session, ms", "added, ms", "import, ms"))
    alone = times["pytest alone"]
    print(row("pytest alone", spread(alone, 0), "-", "-"))
    for name in PLUGINS:
        if name not in found:
            print(row(name, "not installed", "-", "-"))
            continue
        added = [one - other for one, other in zip(times[name], alone, strict=True)]
        imported = import_times(found[name], runs)
        print(row(name, spread(times[name], 0), spread(added, 1), spread(imported, 1)))
    print()

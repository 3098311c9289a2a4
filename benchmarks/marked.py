"""What a marked test takes beside the save of its model: to find it, measure it, judge it, keep it."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.timing import row, spread, table

_MODULE = """
import keras, pytest

pytestmark = pytest.mark.max_model_size("1 GB")

def build():
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    return model

@pytest.fixture(scope="module")
def shared():
    return build()

@pytest.mark.parametrize("number", range(TESTS))
def test_fixture(number, shared):
    pass

@pytest.mark.parametrize("number", range(TESTS))
def test_local(number):
    model = build()
"""


class _Clock:
    """Times the steps of each test's call, in milliseconds of processor time."""

    def __init__(self) -> None:
        self.tests: list[dict[str, float]] = []
        self._undo: list[Callable[[], None]] = []

    def pytest_collection_finish(self) -> None:
        from pytest_modelsize.checks import take
        from pytest_modelsize.plugin import enforcement

        self._time(take, "save", "save")
        self._time(take, "_weighed", "measure")
        self._time(enforcement, "checks_of", "find", whole=True)

    def pytest_unconfigure(self) -> None:
        for undo in self._undo:
            undo()

    def pytest_runtest_logstart(self) -> None:
        self.tests.append(dict.fromkeys(("call", "find", "save", "measure"), 0.0))

    def _time(self, module: Any, name: str, step: str, *, whole: bool = False) -> None:
        original = getattr(module, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            begun = time.process_time()
            result = original(*args, **kwargs)
            if whole:
                result = list(result)  # a generator
            self.tests[-1][step] += (time.process_time() - begun) * 1000
            return result

        setattr(module, name, timed)
        self._undo.append(lambda: setattr(module, name, original))


def _wrapper(clock: _Clock) -> object:
    import pytest

    class Outer:
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_call(self) -> Iterator[None]:
            begun = time.process_time()
            result = yield
            clock.tests[-1]["call"] += (time.process_time() - begun) * 1000
            return result

    return Outer()


def report(folder: Path, short: bool) -> None:
    """Print the table."""
    import pytest

    number = 20 if short else 500
    print("## A marked test beside the save of its model\n")
    print(
        f"{2 * number} tests of a Keras model of two Dense layers, {number} with it in a fixture "
        f"and {number} that build it, each saved anew. *Beside* is all that the marker adds and is "
        "not Keras' own save: watching the body, finding the model, measuring, judging, and "
        "keeping the result.\n"
    )
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        module = Path(scratch, "test_suite.py")
        module.write_text(_MODULE.replace("TESTS", str(number)), encoding="utf-8")
        clock = _Clock()
        plain = _Clock()
        for which, options in ((plain, ()), (clock, ("-p", "pytest_modelsize.plugin"))):
            plugins = [which if options else _Bare(which), _wrapper(which)]
            with contextlib.redirect_stdout(io.StringIO()), _no_other_plugins():
                code = pytest.main(["-q", "-p", "no:cacheprovider", *options, str(module)], plugins)
            assert code == 0, code
    print(
        table(
            "model",
            "save, ms",
            "find, ms",
            "measure, ms",
            "rest, ms",
            "beside, ms",
            "beside / save",
        )
    )
    for name, part in (("fixture", slice(1, number)), ("local", slice(number + 1, None))):
        marked, bare = clock.tests[part], plain.tests[part]
        body = sorted(test["call"] for test in bare)[len(bare) // 2]
        beside = [test["call"] - test["save"] - body for test in marked]
        rest = [b - test["find"] - test["measure"] for b, test in zip(beside, marked, strict=True)]
        print(
            row(
                name,
                *(
                    spread([test[step] for test in marked], 1)
                    for step in ("save", "find", "measure")
                ),
                spread(rest, 1),
                spread(beside, 1),
                spread([b / test["save"] for b, test in zip(beside, marked, strict=True)]),
            )
        )
    print()


@contextlib.contextmanager
def _no_other_plugins() -> Iterator[None]:
    before = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        if before is not None:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = before


class _Bare:
    """Begins a record for each test, where there is nothing to time inside."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def pytest_runtest_logstart(self) -> None:
        self._clock.pytest_runtest_logstart()

    def pytest_configure(self, config: Any) -> None:
        config.addinivalue_line("markers", "max_model_size: not held here")

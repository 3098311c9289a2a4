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

from benchmarks.timing import ratios, row, spread, table

_UNET = Path(__file__).parent.parent / "examples" / "unet"
_MODULE = """
import sys
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

@pytest.fixture(scope="module")
def unet():
    sys.path.insert(0, UNET)
    from unet import build_unet
    model = build_unet()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model

@pytest.mark.parametrize("number", range(UNETS))
def test_unet(number, unet):
    pass
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
        self.tests.append(dict.fromkeys(("call", "find", "save", "measure", "bare"), 0.0))

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


def _wrapper(clock: _Clock, folder: Path) -> object:
    """Times each test's call, and after it a save of the model in its fixture, as a user has it."""
    import pytest

    class Outer:
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_call(self, item: Any) -> Iterator[None]:
            begun = time.process_time()
            result = yield
            ended = time.process_time()
            clock.tests[-1]["call"] += (ended - begun) * 1000
            for model in item.funcargs.values():
                if hasattr(model, "save"):
                    begun = time.process_time()
                    model.save(folder / "bare.keras")
                    clock.tests[-1]["bare"] += (time.process_time() - begun) * 1000
            return result

    return Outer()


def report(folder: Path, short: bool) -> None:
    """Print the table."""
    import pytest

    number, unets = (20, 10) if short else (500, 200)
    print("## A marked test beside the save of its model\n")
    print(
        f"{2 * number} tests of a Keras model of two Dense layers, {number} with it in a fixture "
        f"and {number} that build it, and {unets} of the U-Net of the examples in a fixture; each "
        "model is saved anew. *Beside* is all that the marker adds and is not the save: watching "
        "the body, finding the model, measuring, judging, and keeping the result.\n"
    )
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        module = Path(scratch, "test_suite.py")
        code = _MODULE.replace("UNETS", str(unets)).replace("TESTS", str(number))
        module.write_text(code.replace("UNET", repr(str(_UNET))), encoding="utf-8")
        clock = _Clock()
        plain = _Clock()
        for which, options in ((plain, ()), (clock, ("-p", "pytest_modelsize.plugin"))):
            plugins = [which if options else _Bare(which), _wrapper(which, Path(scratch))]
            with contextlib.redirect_stdout(io.StringIO()), _no_other_plugins():
                code = pytest.main(["-q", "-p", "no:cacheprovider", *options, str(module)], plugins)
            assert code == 0, code
    parts = {
        "fixture": slice(1, number),
        "local": slice(number + 1, 2 * number),
        "U-Net, Adam": slice(2 * number + 1, None),
    }
    added: dict[str, list[float]] = {}
    print(
        table("model", *(f"{name}, ms" for name in ("save", "find", "measure", "rest", "beside")))
    )
    for name, part in parts.items():
        marked, bare = clock.tests[part], plain.tests[part]
        body = sorted(test["call"] for test in bare)[len(bare) // 2]
        added[name] = [test["call"] - body for test in marked]
        beside = [all - test["save"] for all, test in zip(added[name], marked, strict=True)]
        rest = [b - test["find"] - test["measure"] for b, test in zip(beside, marked, strict=True)]
        steps = [[test[step] for test in marked] for step in ("save", "find", "measure")]
        print(row(name, *(spread(times, 1) for times in (*steps, rest, beside))))
    print(
        "\nAll that the marker adds, its save included, beside Keras' own `model.save`, which is "
        "timed after each test.\n"
    )
    print(table("model", "marker, ms", "model.save, ms", "marker / model.save", "over all tests"))
    for name in ("fixture", "U-Net, Adam"):
        saves = [test["bare"] for test in clock.tests[parts[name]]]
        whole = f"{sum(added[name]) / sum(saves):.2f}"
        both = (added[name], saves)
        print(row(name, *(spread(times, 1) for times in both), spread(ratios(*both)), whole))
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

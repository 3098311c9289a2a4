"""What a body has when it returns, whatever it is wrapped in, and nothing is left behind."""

import asyncio
import functools
import gc
import subprocess
import sys
import threading
import unittest.mock
import weakref

import pytest

from pytest_modelsize.plugin.body_frames import BodyFrames, body_functions, core_of
from tests.needs import lacks, needs


class Thing:
    pass


def body():
    net = Thing()
    other = net
    del other
    assert net


def run(function, call=None):
    """Call a function while its body is watched; return what it had, by name."""
    seen = []
    codes = frozenset(f.__code__ for f in body_functions(function, __file__))
    with BodyFrames(codes, lambda code, found: seen.append(found), core=core_of(function)):
        (call or function)()
    assert sys.getprofile() is None
    found = {}
    for snapshot in seen:
        found.update(snapshot.locals)
    return found


def wrapped(function):
    @functools.wraps(function)
    def inner():
        return function()

    return inner


def hidden(function):
    def inner():
        return function()

    return inner


async def coroutine():
    await asyncio.sleep(0)
    net = Thing()
    assert net


def closing():
    net = Thing()

    def inner():
        return net

    assert inner()


def test_the_locals_are_those_at_the_return():
    found = run(body)
    assert isinstance(found["net"], Thing)
    assert "other" not in found


@pytest.mark.parametrize(
    "function",
    [
        wrapped(body),
        hidden(body),
        wrapped(hidden(wrapped(body))),
        unittest.mock.patch("os.sep", "/")(body),
        closing,
    ],
    ids=["wraps", "closure", "three", "patch", "cell"],
)
def test_a_body_is_found_in_what_it_is_wrapped_in(function):
    assert isinstance(run(function)["net"], Thing)


def test_a_coroutine_is_a_body():
    assert isinstance(run(coroutine, lambda: asyncio.run(coroutine()))["net"], Thing)


def test_a_method_s_instance_is_seen_as_it_was_then():
    class Case:
        def test(self):
            self.net = Thing()

        def all(self):
            self.test()
            del self.net

    case, seen = Case(), []
    codes = frozenset({Case.test.__code__})
    with BodyFrames(codes, lambda code, found: seen.append(found)):
        case.all()
    if sys.version_info >= (3, 12):
        assert isinstance(seen[0].attributes["net"], Thing)
    else:
        assert not seen


def test_hypothesis_calls_the_body_that_is_watched():
    hypothesis = needs("hypothesis")

    @hypothesis.settings(max_examples=3, database=None)
    @hypothesis.given(hypothesis.strategies.integers())
    def given(number):
        net = Thing()
        assert net

    assert isinstance(run(given)["net"], Thing)


def test_nothing_of_a_body_is_kept():
    kept = []

    def body():
        net = Thing()
        kept.append(weakref.ref(net))

    run(body)
    gc.collect()
    assert kept[0]() is None


@pytest.mark.parametrize("wrapped", [False, True])
def test_where_there_is_no_event_nothing_is_profiled_once_the_body_runs(monkeypatch, wrapped):
    monkeypatch.setattr(BodyFrames, "_take_a_tool", lambda frames: None)
    profiles, found = [], []

    def core():
        profiles.append(sys.getprofile())
        return len(profiles)

    @functools.wraps(core)
    def outer():
        return core()

    function = outer if wrapped else core
    codes = frozenset(one.__code__ for one in body_functions(function, __file__))
    frames = BodyFrames(codes, lambda code, seen: found.append(code), core=core_of(function))
    with frames:
        before = sys.getprofile()
        function()
    assert before is not None
    assert profiles == [None]
    assert set(found) == codes
    assert sys.getprofile() is None


def test_a_profiler_is_left_alone():
    calls = []

    def profile(*event):
        calls.append(event)

    sys.setprofile(profile)
    try:
        with BodyFrames(frozenset({body.__code__}), lambda *_: None, core=body.__code__):
            assert sys.getprofile() is profile
            body()
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert calls


@pytest.mark.skipif(
    sys.version_info < (3, 12), reason=lacks("sys.monitoring, which is new in Python 3.12")
)
def test_the_identifiers_that_others_hold_are_left_to_them():
    monitoring = sys.monitoring
    free = [tool for tool in range(6) if monitoring.get_tool(tool) is None]
    for tool in free:
        monitoring.use_tool_id(tool, "another")
    try:
        assert isinstance(run(body)["net"], Thing)
        assert all(monitoring.get_tool(tool) == "another" for tool in free)
    finally:
        for tool in free:
            monitoring.free_tool_id(tool)
    assert isinstance(run(body)["net"], Thing)
    assert [tool for tool in range(6) if monitoring.get_tool(tool) is None] == free
    assert not any(monitoring.get_local_events(tool, body.__code__) for tool in (3, 4))


def test_a_body_may_run_in_a_thread():
    def in_thread():
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()

    found = run(body, in_thread)
    assert isinstance(found.get("net"), Thing) or sys.version_info < (3, 12)


@pytest.mark.parametrize("core", ["ctrace", "pytrace", "sysmon"])
def test_coverage_counts_the_same_lines_beside_it(core, tmp_path):
    needs("coverage")
    if core == "sysmon" and sys.version_info < (3, 12):
        pytest.skip(lacks("sys.monitoring, which is new in Python 3.12"))
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def helper(path):\n"
        "    path.write_bytes(b'x')\n"
        "@pytest.mark.max_model_size('1 kB', path='a.bin')\n"
        "def test_it(tmp_path):\n"
        "    for name in 'ab':\n"
        "        helper(tmp_path / f'{name}.bin')\n"
        "    assert name == 'b'\n"
    )
    counted = {}
    for plugin in ("pytest_modelsize.plugin", "no:modelsize"):
        data = tmp_path / f"data-{plugin.replace(':', '')}"
        subprocess.run(
            [
                sys.executable, "-m", "coverage", "run", f"--data-file={data}", "--branch",
                "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "-p", plugin, "test_it.py",
            ],
            cwd=tmp_path, env=environment(core), check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        counted[plugin] = lines(data, tmp_path / "test_it.py")
    assert counted["pytest_modelsize.plugin"] == counted["no:modelsize"] == {1, 2, 3, 4, 5, 6, 7, 8}


def environment(core):
    import os

    return {**os.environ, "COVERAGE_CORE": core, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def lines(data, file):
    import coverage

    found = coverage.CoverageData(str(data))
    found.read()
    arcs = found.arcs(str(file))
    return {line for arc in arcs for line in arc if line > 0}

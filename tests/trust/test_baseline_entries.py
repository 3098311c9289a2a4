"""Each entry of a baseline is one artifact's, whatever else ran; only a removed test loses its."""

from __future__ import annotations

import json

import pytest

from tests.needs import needs

GROWS = """
import pytest

@pytest.mark.parametrize("n", range(8))
@pytest.mark.max_model_growth("1%", path="model.bin")
def test_net(n): pass

class TestOther:
    @pytest.mark.max_model_growth("1%", path="model.bin")
    def test_it(self): pass
"""
FILTERS = {
    "half of the items": "items[:] = items[::2]",
    "no item": "items.clear()",
    "a class": "items[:] = [item for item in items if item.cls is None]",
    "each item on its own": "[items.remove(item) for item in list(items)[1:]]",
}


def with_entries(suite, code=GROWS):
    suite.artifact(5000)
    suite.makepyfile(test_it=code)
    suite.start("--modelsize-update")
    return suite.baseline()


def assert_untouched(suite, *options, plugins=(), **kwargs):
    """A run that could say that entries are stale says so of none, and prunes none."""
    before = (suite.path / "modelsize-baseline.json").read_bytes()
    told = suite.start(*options, plugins=plugins, **kwargs).stdout
    told.no_fnmatch_line("*that no test uses*")
    suite.start(*options, "--modelsize-update=prune", plugins=plugins, **kwargs)
    assert (suite.path / "modelsize-baseline.json").read_bytes() == before


@pytest.mark.parametrize("dropped", FILTERS)
@pytest.mark.parametrize("order", ["tryfirst", "trylast"])
def test_items_that_a_conftest_drops_without_a_word_keep_their_entries(suite, dropped, order):
    with_entries(suite)
    suite.makeconftest(
        f"""
        import pytest
        @pytest.hookimpl({order}=True)
        def pytest_collection_modifyitems(items):
            {FILTERS[dropped]}
        """
    )
    assert_untouched(suite)


SHARDS = {
    "shard": ("pytest_shard.pytest_shard", ["--num-shards=2", "--shard-id=0"]),
    "split": ("pytest_split.plugin", ["--splits=2", "--group=1"]),
    "test groups": ("pytest_test_groups", ["--test-group-count=2", "--test-group=1"]),
}


@pytest.mark.parametrize("name", SHARDS)
def test_a_shard_removes_nothing(suite, name):
    plugin, options = SHARDS[name]
    needs(plugin.partition(".")[0], "others")
    with_entries(suite)
    assert_untouched(suite, "-Wignore", *options, plugins=[plugin], process=True)


@pytest.mark.parametrize(
    "options",
    [
        ("-x",),
        ("--maxfail=1",),
        ("--lf",),
        ("--sw",),
        ("-k", "test_net"),
        ("-m", "not max_model_growth"),
        ("--deselect=test_it.py::TestOther",),
        ("test_it.py::TestOther",),
        ("--ignore=test_it.py",),
        ("--ignore-glob=*it*",),
        ("--co",),
        ("other",),
        ("-o", "python_files=nothing.py"),
        ("-o", "python_functions=nothing"),
        ("-o", "python_classes=Nothing"),
        ("-o", "testpaths=other"),
        ("-o", "norecursedirs=*"),
        ("-p", "no:python"),
    ],
    ids=" ".join,
)
def test_a_part_of_the_suite_removes_nothing(suite, options):
    with_entries(suite)
    suite.mkdir("other").joinpath("test_other.py").write_text("def test_it(): pass\n")
    assert_untouched(suite, *options)


NOT_THERE = {
    "a missing package": "import pytest\npytest.importorskip('not_installed')\n" + GROWS,
    "a module that is skipped": "import pytest\npytest.skip('x', allow_module_level=True)\n"
    + GROWS,
    "an error": "raise ImportError\n" + GROWS,
    "a condition": "if False:\n" + GROWS.replace("\n", "\n    "),
    "a class that is no test here": GROWS.replace(
        "class TestOther:", "class TestOther:\n    __test__ = False"
    ),
    "all skipped": GROWS.replace("\n@", "\n@pytest.mark.skip\n@"),
    "skipped by its class": GROWS.replace("\nclass", "\n@pytest.mark.skip\nclass"),
    "skipped in its body": GROWS.replace("pass", "pytest.skip()"),
    "expected to fail": GROWS.replace("pass", "pytest.xfail()"),
    "without a marker for now": GROWS.replace('@pytest.mark.max_model_growth("1%", ', "dict("),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_a_test_that_is_not_here_today_keeps_its_entry(suite, name):
    code = NOT_THERE[name].replace('dict(path="model.bin")', "")
    with_entries(suite)
    suite.makepyfile(test_it=code)
    assert_untouched(suite)


@pytest.mark.parametrize(
    "conftest",
    [
        "collect_ignore = ['test_it.py']",
        "collect_ignore_glob = ['test_*']",
        "def pytest_ignore_collect(): return True",
        "def pytest_pycollect_makeitem(): return []",
    ],
)
def test_a_file_that_a_conftest_leaves_out_keeps_its_entries(suite, conftest):
    with_entries(suite)
    suite.makeconftest(conftest)
    assert_untouched(suite)


CHANGES = {
    "parameter": (lambda code: code.replace("range(8)", "range(7)"), 8),
    "function": (lambda code: code.replace("test_net", "test_new"), 1),
    "class": (lambda code: code.replace("TestOther", "TestNew"), 8),
    "class removed": (lambda code: code.partition("class")[0], 8),
    "method": (lambda code: code.replace("def test_it", "def test_new"), 8),
    "emptied": (lambda code: "", 0),
    "file": (None, 0),
}
"""How a file with nine entries is changed, and how many of them are left."""


def assert_removed(suite, names, *options, **kwargs):
    """Change a file in each of some ways; the entries of what is gone are named, and pruned."""
    suite.artifact(5000)
    files = {name: f"test_{name.replace(' ', '_')}" for name in names}
    suite.makepyfile(**dict.fromkeys(files.values(), GROWS))
    suite.start("--modelsize-update")
    before, left = suite.baseline(), 0
    for name, file in files.items():
        change, stay = CHANGES[name]
        left += stay
        if change is None:
            (suite.path / f"{file}.py").unlink()
        else:
            suite.makepyfile(**{file: change(GROWS) or "\n"})
    suite.makepyfile(test_plain="def test_plain(): pass\n")
    suite.start("--modelsize-update=new")  # a test that was renamed is a new one
    result = suite.start(*options, **kwargs)
    result.stdout.fnmatch_lines([f"*has {len(before) - left} entr* that no test uses*"])
    suite.start("--modelsize-update=prune", *options, **kwargs)
    after = suite.baseline()
    assert len(after.keys() & before.keys()) == left


@pytest.mark.parametrize("name", CHANGES)
def test_a_test_that_was_removed_loses_its_entry(suite, name):
    assert_removed(suite, [name])


def test_in_several_processes_those_that_were_removed_lose_theirs(suite):
    needs("xdist", "others")
    assert_removed(suite, CHANGES, "-n2", plugins=["xdist"], process=True)


def test_a_shard_of_the_whole_suite_removes_what_is_gone(suite):
    """The collection is whole, though a plugin then drops most of it."""
    with_entries(suite)
    suite.makepyfile(test_it=GROWS.replace("range(8)", "range(7)"))
    suite.makeconftest("def pytest_collection_modifyitems(items): items[:] = items[:1]")
    suite.start("--modelsize-update=prune")
    assert len(suite.baseline()) == 8


RETRIED = """
import pathlib
import pytest

TRIED = pathlib.Path("{name}.tried")

@pytest.fixture(autouse=True)
def attempt():
    TRIED.write_text(TRIED.read_text() + "x" if TRIED.exists() else "x")

{mark}
@pytest.mark.max_model_growth("1%", path="{name}.bin")
@pytest.mark.max_model_size("6 kB", path="{name}.bin")
def test_net(attempt):
    def write(size):
        pathlib.Path("{name}.bin").write_bytes(bytes(size))
    first = len(TRIED.read_text()) == 1
    {body}
"""
BODIES = {
    "fails_then_passes": ("assert not first", "passed"),
    "too_large_then_small": ("write(9000 if first else 5000)", "passed"),
    "too_large_then_skipped": ("write(9000)\n    if not first: pytest.skip()", "skipped"),
    "too_large_then_fails": ("write(9000)\n    assert first", None),
    "passes": ("pass", "passed"),
}
RETRIES = {
    "retry": ("pytest_retry.retry_plugin", ["--retries=1"], ""),
    "retry by marker": ("pytest_retry.retry_plugin", [], "@pytest.mark.flaky(retries=1)"),
    "rerunfailures": ("pytest_rerunfailures", ["--reruns=1"], ""),
    "flaky": ("flaky.flaky_pytest_plugin", ["--force-flaky", "--no-flaky-report"], ""),
}


@pytest.mark.parametrize("name", RETRIES)
@pytest.mark.parametrize("workers", [False, True], ids=["alone", "xdist"])
def test_the_attempt_that_counts_is_the_one_on_record(suite, name, workers):
    plugin, options, mark = RETRIES[name]
    for needed in (plugin.partition(".")[0], *(["xdist"] if workers else [])):
        needs(needed, "others")
    plugins = [plugin, *(["xdist"] if workers else [])]
    options = ["-Wignore", *options, *(["-n1"] if workers else [])]

    def write(mark, **texts):
        for body, text in texts.items():
            suite.artifact(5000, f"{body}.bin")
            code = RETRIED.format(name=body, mark=mark, body=text)
            suite.makepyfile(**{f"test_{body}": code})
            (suite.path / f"{body}.tried").unlink(missing_ok=True)

    write("", **dict.fromkeys(BODIES, "pass"))
    suite.start("--modelsize-update")
    assert len(suite.baseline()) == len(BODIES)
    write(mark, **{body: text for body, (text, _) in BODIES.items()})
    result = suite.start("--modelsize-report=r.json", *options, plugins=plugins, process=True)
    outcomes = result.parseoutcomes()
    assert [outcomes[each] for each in ("passed", "skipped", "failed")] == [3, 1, 1]
    found = json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"]
    assert {each["test"]: each["verdict"] for each in found} == {
        f"test_{body}.py::test_net": verdict for body, (_, verdict) in BODIES.items() if verdict
    }
    assert {each["measurement"]["total"] for each in found if each["verdict"] == "passed"} == {5000}
    write(mark, **{body: text for body, (text, _) in BODIES.items()})
    suite.start("--modelsize-update=prune", *options, plugins=plugins, process=True)
    assert len(suite.baseline()) == len(BODIES)


def test_a_rerun_that_fails_to_set_up_leaves_no_record_of_the_run_before(suite):
    needs("pytest_rerunfailures", "others")
    suite.artifact(9000)
    code = RETRIED.format(name="model", mark="", body="pass").replace(
        "def attempt():", "def attempt():\n    assert not TRIED.exists()"
    )
    suite.makepyfile(test_it=code)
    suite.start("--reruns=1", "--modelsize-report=r.json", plugins=["rerunfailures"], process=True)
    assert json.loads((suite.path / "r.json").read_text("utf-8"))["artifacts"] == []


NUMBERED = """
import json, struct, pytest

def save(folder, size):
    folder.mkdir(exist_ok=True)
    head = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    content = struct.pack("<Q", len(head)) + head + bytes(size)
    (folder / "model.safetensors").write_bytes(content)
    (folder / "config.json").write_text('{"model_type": "bert"}')

class TestA:
    @pytest.mark.max_model_growth("1%")
    def test_saved(self, tmp_path): save(tmp_path, 1000)

class TestB:
    @pytest.mark.max_model_growth("1%")
    def test_saved(self, tmp_path): save(tmp_path, 2000)

@pytest.mark.parametrize("size", [3000, 4000])
@pytest.mark.max_model_growth("1%")
def test_saved_under_a_name_that_is_longer_than_thirty(tmp_path, size): save(tmp_path, size)

@pytest.fixture
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export50")
    save(folder, 5000)
    return folder

@pytest.mark.parametrize("n", range(3))
@pytest.mark.max_model_growth("1%", model="made")
def test_made(made, n): pass

@pytest.fixture
def drawn():
    import pathlib, tempfile
    with tempfile.TemporaryDirectory() as name:
        save(pathlib.Path(name), 6000)
        yield pathlib.Path(name)

@pytest.mark.max_model_growth("1%", model="drawn")
def test_drawn(drawn): pass
"""


@pytest.mark.parametrize("options", [(), ("-k", "TestB"), ("-k", "made and 2"), ("-k", "4000")])
def test_an_entry_is_called_the_same_whatever_else_ran(suite, options):
    suite.makepyfile(test_it=NUMBERED)
    suite.start("--modelsize-update")
    names = {name for entries in suite.baseline().values() for name in entries}
    assert names == {"tmp_path", "export50", "tmp"}
    assert len(suite.baseline()) == 8
    result = suite.start(*options, "--modelsize-update=new")
    result.stdout.fnmatch_lines(["baseline modelsize-baseline.json: * as they were"])
    outcomes = suite.start(*options).parseoutcomes()
    assert outcomes.keys() <= {"passed", "deselected"}


def test_two_artifacts_of_one_name_have_no_entry_and_growth_is_not_checked(suite):
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.fixture
        def one(tmp_path_factory):
            path = tmp_path_factory.mktemp("a") / "m.bin"
            path.write_bytes(bytes(1000))
            return path
        @pytest.fixture
        def two(tmp_path_factory):
            path = tmp_path_factory.mktemp("b") / "m.bin"
            path.write_bytes(bytes(9000))
            return path
        @pytest.mark.max_model_growth("1%", model="one")
        @pytest.mark.max_model_growth("1%", model="two")
        def test_it(one, two): pass
        """
    )
    suite.start("--modelsize-update")
    result = suite.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: 2 artifacts of this test are called 'm.bin'*"]
    )

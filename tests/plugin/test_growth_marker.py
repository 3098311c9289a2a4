"""`max_model_growth` and the baseline that it is held against, in real runs of pytest."""

import json
import xml.etree.ElementTree as ElementTree

import pytest

from tests.needs import needs

BASELINE = "modelsize-baseline.json"
GROWS = """
import pytest

@pytest.mark.max_model_growth("5%", path="model.bin")
def test_net(): pass
"""


def test_without_an_entry_it_fails_with_the_command_that_accepts_the_size(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS)
    result = suite.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*budget not checked: modelsize-baseline.json has no entry for 'model.bin' of this test.*"]
    )
    result.stdout.fnmatch_lines(["    pytest test_it.py::test_net --modelsize-update=new"])
    assert not (suite.path / BASELINE).exists()


def test_the_command_shown_accepts_the_size_from_where_pytest_was_called(suite, monkeypatch):
    suite.artifact(1000)
    folder = suite.mkdir("some folder")
    (folder / "test_it.py").write_text(GROWS, encoding="utf-8")
    monkeypatch.chdir(folder)
    shown = suite.start()
    (line,) = [line for line in shown.outlines if line.endswith("--modelsize-update=new")]
    assert line.split() == ["pytest", "test_it.py::test_net", "--modelsize-update=new"]
    suite.start("test_it.py::test_net", "--modelsize-update=new").assert_outcomes(passed=1)
    assert list(suite.baseline()) == ["some folder/test_it.py::test_net"]
    suite.start().assert_outcomes(passed=1)


def test_growth_within_the_limit_passes_and_beyond_it_fails_with_the_diff(suite):
    suite.makepyfile(test_it=GROWS)
    suite.artifact(100_000)
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    suite.artifact(105_000)
    suite.start().assert_outcomes(passed=1)
    suite.artifact(105_001)
    result = suite.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "model.bin grew 5,001 B (+5.0 %) > 5,000 B (5%)*",
            "  section  baseline    saved  change",
            "  assets    100,000  105,001  +5,001  ####################",
            "  total     100,000  105,001  +5,001  may grow 5,000",
            "  changed in assets:",
            "    changed  model.bin  +5,001  100,000 -> 105,001*",
            "  baseline: modelsize-baseline.json",
            "  accept: pytest test_it.py::test_net --modelsize-update",
        ]
    )
    suite.start("test_it.py::test_net", "--modelsize-update").assert_outcomes(passed=1)
    suite.start().assert_outcomes(passed=1)


def test_a_plain_run_never_writes_the_baseline(suite):
    suite.makepyfile(test_it=GROWS)
    suite.artifact(1000)
    suite.start("--modelsize-update")
    before = (suite.path / BASELINE).read_bytes()
    suite.artifact(500)
    suite.start().assert_outcomes(passed=1)
    suite.start("--modelsize", "--modelsize-report=r.json").assert_outcomes(passed=1)
    assert (suite.path / BASELINE).read_bytes() == before


def test_an_update_that_finds_nothing_new_leaves_the_file_alone(suite):
    suite.makepyfile(test_it=GROWS)
    suite.artifact(1000)
    suite.start("--modelsize-update").stdout.fnmatch_lines(["baseline *: 1 added"])
    written = (suite.path / BASELINE).stat().st_mtime_ns
    suite.start("--modelsize-update").stdout.fnmatch_lines(["baseline *: 1 as they were"])
    assert (suite.path / BASELINE).stat().st_mtime_ns == written


def test_an_update_of_new_ones_still_holds_the_others(suite):
    suite.makepyfile(test_it=GROWS)
    suite.artifact(1000)
    suite.start("--modelsize-update")
    suite.artifact(2000)
    result = suite.start("--modelsize-update=new")
    result.assert_outcomes(failed=1)
    assert suite.baseline()["test_it.py::test_net"]["model.bin"]["total"] == 1000


def test_an_update_of_some_tests_leaves_the_entries_of_others(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS, test_other=GROWS)
    suite.start("--modelsize-update")
    suite.artifact(3000)
    suite.start("test_other.py", "--modelsize-update").assert_outcomes(passed=1)
    totals = {test: entry["model.bin"]["total"] for test, entry in suite.baseline().items()}
    assert totals == {"test_it.py::test_net": 1000, "test_other.py::test_net": 3000}


def test_a_size_over_its_budget_is_not_accepted(suite):
    suite.artifact(1000)
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("500 B", path="model.bin")
        def test_net(): pass
        """
    )
    result = suite.start("--modelsize-update")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["not accepted, because over budget: model.bin of test_it*"])
    assert not (suite.path / BASELINE).exists()


def test_both_markers_hold_one_artifact(suite):
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("2 kB", path="model.bin")
        @pytest.mark.max_model_growth("10 B", path="model.bin")
        def test_net(): pass
        """
    )
    suite.artifact(1000)
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    suite.artifact(2500)
    result = suite.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["model.bin 2.5 kB > 2 kB", "model.bin grew 1.5 kB *"])


def test_a_budget_on_the_size_explains_itself_by_the_baseline(suite):
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("2 kB", path="model.bin")
        def test_net(): pass
        """
    )
    suite.artifact(1000)
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    suite.artifact(2500)
    suite.start().stdout.fnmatch_lines(
        ["  section  baseline  saved  change", "  total       1,000  2,500  +1,500  budget 2,000"]
    )


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ('"5"', "*'5' is not a size*or a share of the baseline*"),
        ("", '*has no limit: write @pytest.mark.max_model_growth("5%")*'),
        ('config="1kb"', "*config: *did you mean*"),
        ('"5%", confg="1 kB"', "*has no keyword 'confg': did you mean 'config'*"),
        ('"5%", "6%"', "*takes one limit, not 2*"),
    ],
)
def test_a_mistake_is_an_error_of_that_test_with_its_line(suite, marker, message):
    suite.makepyfile(
        test_it=f"""
        import pytest
        @pytest.mark.max_model_growth({marker})
        def test_net(): pass
        def test_other(): pass
        """
    )
    result = suite.start()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"max_model_growth {message}", "*at: test_it.py:2: *"])


def test_a_damaged_baseline_fails_what_needs_it_and_stops_an_update(suite):
    suite.makepyfile(
        test_it=GROWS
        + """
@pytest.mark.max_model_size("5 kB", path="model.bin")
def test_size(): pass
"""
    )
    suite.artifact(1000)
    (suite.path / BASELINE).write_text("{\n<<<<<<< HEAD\n", encoding="utf-8")
    result = suite.start()
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["*not checked: modelsize-baseline.json, line 2: a merge conflict*"]
    )
    for option in ("--modelsize-update", "--modelsize-update=new", "--modelsize-update=prune"):
        result = suite.start(option)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: modelsize-baseline.json, line 2: a merge conflict*"])
    assert (suite.path / BASELINE).read_text("utf-8") == "{\n<<<<<<< HEAD\n"


def test_entries_that_no_test_uses_are_reported_and_only_pruning_removes_them(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS, test_other=GROWS)
    suite.start("--modelsize-update")
    (suite.path / "test_other.py").unlink()
    result = suite.start()
    result.stdout.fnmatch_lines(
        [
            "modelsize-baseline.json has 1 entry that no test uses; remove it with",
            "  pytest --modelsize-update=prune",
            "  test_other.py::test_net [[]model.bin]",
        ]
    )
    assert len(suite.baseline()) == 2
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    assert len(suite.baseline()) == 2
    suite.start("--modelsize-update=prune").stdout.fnmatch_lines(["baseline *: 1 removed"])
    assert list(suite.baseline()) == ["test_it.py::test_net"]
    suite.start().stdout.no_fnmatch_line("*that no test uses*")


@pytest.mark.parametrize(
    "options", [("-k", "net"), ("-m", "not nothing"), ("test_it.py",), ("--ignore=nothing",)]
)
def test_a_filtered_run_reports_and_prunes_nothing(suite, options):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS + "\ndef test_plain(): pass\n", test_other=GROWS)
    suite.start("--modelsize-update")
    suite.makepyfile(test_other="def test_plain(): pass\n")
    options = ("-k", "not plain") if options[0] == "-k" else options
    options = ("--deselect=test_it.py::test_plain",) if options[0] == "-m" else options
    suite.start(*options).stdout.no_fnmatch_line("*that no test uses*")
    suite.start(*options, "--modelsize-update=prune")
    assert len(suite.baseline()) == 2


def test_a_failing_run_reports_and_prunes_nothing(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS, test_other=GROWS)
    suite.start("--modelsize-update")
    suite.makepyfile(test_other="def test_plain(): assert False\n")
    suite.start().stdout.no_fnmatch_line("*that no test uses*")
    result = suite.start("--modelsize-update=prune")
    result.stdout.fnmatch_lines(["*modelsize-baseline.json was not pruned: tests failed"])
    assert len(suite.baseline()) == 2


def test_pruning_a_filtered_run_is_an_error(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS + "\ndef test_plain(): pass\n")
    suite.start("--modelsize-update")
    result = suite.start("--modelsize-update=prune", "-k", "net")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["*was not pruned: tests were deselected"])


def test_an_entry_of_a_test_that_is_skipped_is_in_use(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS)
    suite.start("--modelsize-update")
    suite.makepyfile(test_it=GROWS.replace("def test_net(): pass", "def test_net(): pytest.skip()"))
    result = suite.start("--modelsize-update=prune")
    result.stdout.fnmatch_lines(["baseline *: nothing to write"])
    assert len(suite.baseline()) == 1


def test_an_interrupted_update_writes_nothing(suite):
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS + "\ndef test_stop(): raise KeyboardInterrupt\n")
    result = suite.start("--modelsize-update", process=True)
    result.stdout.fnmatch_lines(["*was not updated: the run did not finish*"])
    assert not (suite.path / BASELINE).exists()


def test_the_ini_file_names_another_baseline(suite):
    suite.makeini("[pytest]\nmodelsize_baseline = sizes/accepted.json\n")
    suite.mkdir("sizes")
    suite.artifact(1000)
    suite.makepyfile(test_it=GROWS)
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    assert (suite.path / "sizes" / "accepted.json").exists()
    suite.start().assert_outcomes(passed=1)


def test_another_file_is_not_compared_though_it_differs_in_its_suffix_alone(suite):
    suite.artifact(1000, "model.fp32")
    suite.makepyfile(test_it=GROWS.replace("model.bin", "model.fp*"))
    suite.start("--modelsize-update")
    (suite.path / "model.fp32").rename(suite.path / "model.fp16")
    result = suite.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["budget not checked: * has no entry for 'model.fp16' of this*"])


LIVE = """
import pytest
from conftest import Net, build, train

@pytest.fixture
def nets():
    held = Net(None)
    held.{name} = train(build({units}))
    return held

@pytest.mark.max_model_growth("5%", model="nets.{name}")
def test_net(nets): pass
"""


@pytest.mark.parametrize("name", ["fp16", "h5", "model"])
def test_the_same_live_model_in_another_format_is_compared(project, name):
    project.run_code(LIVE.format(name=name, units=16), "--modelsize-update").assert_outcomes(
        passed=1
    )
    result = project.run_code(LIVE.format(name=name, units=640), "-omodelsize_format=weights")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"nets.{name}.weights.h5 grew *",
            f"  baseline: modelsize-baseline.json, 'nets.{name}.keras', of format keras*",
        ]
    )


@pytest.mark.parametrize("format", ["keras", "saved_model"])
def test_another_live_model_is_not_compared(project, format):
    """Both attributes look like suffixes."""
    option = f"-omodelsize_format={format}"
    project.run_code(LIVE.format(name="fp32", units=16), option, "--modelsize-update")
    result = project.run_code(LIVE.format(name="fp16", units=15), option)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"budget not checked: * no entry for 'nets.fp16.{format}' *"])


def test_workers_lose_nothing(suite):
    needs("xdist")
    suite.artifact(1000)
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.parametrize("n", range(40))
        @pytest.mark.max_model_growth("5%", path="model.bin")
        def test_net(n): pass
        """
    )
    suite.start("-n4", "--modelsize-update", plugins=["xdist"], process=True).assert_outcomes(
        passed=40
    )
    assert len(suite.baseline()) == 40
    suite.artifact(2000)
    result = suite.start("-n2", plugins=["xdist"], process=True)
    result.assert_outcomes(failed=40)
    suite.artifact(1000)
    (suite.path / "test_it.py").write_text(
        (suite.path / "test_it.py").read_text().replace("range(40)", "range(39)")
    )
    result = suite.start("-n2", plugins=["xdist"], process=True)
    result.stdout.fnmatch_lines(["*has 1 entry that no test uses*", "*test_net[[]39]*"])
    suite.start("-n2", "--modelsize-update=prune", plugins=["xdist"], process=True)
    assert len(suite.baseline()) == 39


def test_a_rerun_has_the_last_word(suite):
    needs("pytest_rerunfailures")
    suite.artifact(1000)
    suite.makepyfile(
        test_it="""
        import pathlib
        import pytest
        @pytest.mark.max_model_size("900 B", path="model.bin")
        def test_net(request):
            mark = pathlib.Path("tried")
            if mark.exists():
                pathlib.Path("model.bin").write_bytes(bytes(800))
            mark.touch()
        """
    )
    result = suite.start(
        "--reruns=1", "--modelsize-update", "--junitxml=j.xml", plugins=["rerunfailures"]
    )
    result.assert_outcomes(passed=1)
    assert suite.baseline()["test_it.py::test_net"]["model.bin"]["total"] == 800
    cases = ElementTree.parse(suite.path / "j.xml").getroot().iter("testcase")
    totals = [
        [p.get("value") for p in case.iter("property") if p.get("name").endswith(":total")]
        for case in cases
    ]
    assert totals == [["1000"], ["800"]]  # a case for each attempt, and one total in each


def test_a_live_model_that_grew_is_explained_layer_by_layer(project):
    code = """
        import pytest
        from conftest import build, train

        @pytest.fixture
        def net():
            return train(build({units}))

        @pytest.mark.max_model_growth("10%", config="200 B")
        def test_net(net): pass
    """
    project.run_code(code.format(units=64), "--modelsize-update").assert_outcomes(passed=1)
    # Layers and optimizers are numbered through the process: their names are longer by now.
    project.run_code(code.format(units=64)).assert_outcomes(passed=1)
    entry = json.loads((project.path / BASELINE).read_text("utf-8"))
    stored = entry["tests"]["test_it.py::test_net"]["net.keras"]
    assert set(stored["versions"]) == {"keras", "tensorflow"}
    result = project.run_code(code.format(units=128))
    result.assert_outcomes(failed=1)
    # 64 more units: 8 x 64 kernel and 64 bias of the first layer, 64 x 2 of the second, times 4.
    weights = 4 * (8 * 64 + 64 + 64 * 2)
    result.stdout.fnmatch_lines([f"  weights *+{weights:,d}*"])
    result.stdout.fnmatch_lines([f"    changed  * +{4 * 8 * 64:,d}  *"])
    result.stdout.fnmatch_lines(["  fix: save without the optimizer's state: *"])

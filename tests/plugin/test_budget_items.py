"""Budgets of ``pyproject.toml`` held by pytest, as tests of their own."""

import gzip
import json
from pathlib import Path

import pytest

from pytest_modelsize.checks.budget_file.entries import KEYS, read_budgets
from pytest_modelsize.plugin.budget_items import marks_of
from pytest_modelsize.plugin.marker import parse_marker

DATA = Path(__file__).parent.parent / "data"
TABLE = """
[[tool.modelsize.budgets]]
path = "exports/*.bin"
max = "1 kB"
reason = "the boot loader"
"""


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder with two artifacts and a passing test; ``run(*options)`` runs pytest there."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    exports = pytester.mkdir("exports")
    (exports / "a.bin").write_bytes(b"\xff" * 1000)
    (exports / "b.bin").write_bytes(b"\xff" * 1001)
    folder = pytester.mkdir("tests")
    (folder / "test_it.py").write_text("def test_it(): pass\n")
    pytester.makepyprojecttoml(TABLE)

    def run(*options, plugins=()):
        named = [option for name in ("modelsize", *plugins) for option in ("-p", name)]
        return pytester.runpytest_inprocess(*named, "-pno:cacheprovider", *options)

    pytester.run_pytest = run
    return pytester


def test_each_artifact_is_a_test_of_its_own_with_the_failure_of_a_marker(project):
    result = project.run_pytest("--modelsize")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "exports/b.bin 1,001 B > 1,000 B",
            "  reason: the boot loader",
            '  budget: pyproject.toml:1: path = "exports/[*].bin", max = "1 kB", reason = *',
            "*model sizes*",
            "*pyproject.toml::exports/b.bin",
            "ok *exports/a.bin",
            "FAILED pyproject.toml::exports/b.bin - exports/b.bin 1,001 B > 1,000 B*",
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "passed", "failed"),
    [
        ([], 2, 1),
        (["."], 2, 1),
        (["pyproject.toml"], 1, 1),
        (["pyproject.toml::exports/b.bin"], 0, 1),
        (["tests", "pyproject.toml"], 2, 1),
        (["-k", "b.bin or test_it"], 1, 1),
        (["-k", "nothing"], 0, 0),
        (["-m", "max_model_size"], 1, 1),
        (["--deselect", "pyproject.toml::exports/b.bin"], 2, 0),
        (["--ignore", "pyproject.toml"], 1, 0),
        (["tests"], 1, 0),
        (["tests/test_it.py"], 1, 0),
        (["tests/test_it.py::test_it"], 1, 0),
    ],
)
@pytest.mark.parametrize("ini", ["", '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'])
def test_they_are_collected_where_the_whole_project_or_the_file_is(
    project, ini, arguments, passed, failed
):
    project.makepyprojecttoml(TABLE + ini)
    outcomes = project.run_pytest(*arguments).parseoutcomes()
    assert (outcomes.get("passed", 0), outcomes.get("failed", 0)) == (passed, failed)
    assert not outcomes.keys() & {"error", "errors", "warnings"}


@pytest.mark.parametrize("paths", ["tests", "tests exports", "."])
def test_a_run_without_arguments_collects_them_once_whatever_its_test_paths(project, paths):
    project.makeini(f"[pytest]\ntestpaths = {paths}\n")
    lines = [line for line in project.run_pytest("-q", "--collect-only").outlines if ".bin" in line]
    assert lines == ["pyproject.toml::exports/a.bin", "pyproject.toml::exports/b.bin"]


def test_a_run_in_a_folder_below_is_not_one_of_the_project(project, monkeypatch):
    monkeypatch.chdir(project.path / "tests")
    project.run_pytest().assert_outcomes(passed=1)


def test_workers_hold_them_too(project):
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: tox run -e py")
    project.makepyprojecttoml(TABLE + '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    result = project.run_pytest("-n2", "--modelsize", plugins=["xdist"])
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*model sizes*", "*pyproject.toml::exports/b.bin"])


def test_they_are_listed_without_being_held(project):
    result = project.run_pytest("--collect-only", "-q")
    lines = [line for line in result.outlines if "::" in line]
    assert lines == [
        "tests/test_it.py::test_it",
        "pyproject.toml::exports/a.bin",
        "pyproject.toml::exports/b.bin",
    ]
    assert result.ret == 0


def test_reports_and_junit_have_them_as_any_test(project):
    result = project.run_pytest("--modelsize-report=r.json", "--junitxml=j.xml")
    assert result.ret == 1
    found = json.loads((project.path / "r.json").read_text())["artifacts"]
    shown = {one["test"]: (one["artifact"], one["verdict"]) for one in found}
    assert shown == {
        "pyproject.toml::exports/a.bin": ("exports/a.bin", "passed"),
        "pyproject.toml::exports/b.bin": ("exports/b.bin", "failed"),
    }
    junit = (project.path / "j.xml").read_text()
    assert '<testcase classname="pyproject.toml" name="exports/a.bin"' in junit
    assert '<property name="modelsize:exports/a.bin:total" value="1000" />' in junit


def test_every_key_of_the_file_is_one_that_a_marker_has(project):
    """What a marker does not take over would be a budget that nobody holds."""
    file = project.path / "modelsize.toml"
    values = {
        "path": '"exports/a.bin"', "max": '"2 kB"', "weights": 1, "optimizer": 2, "config": 3,
        "graph": 4, "assets": 5, "overhead": 6, "dtypes": '{ float32 = "5 %" }',
        "max_growth": '"5%"', "include_optimizer": "false", "compression": '"gzip"',
        "reason": '"why"',
    }  # fmt: skip
    values |= {key: '["*.spm"]' for key in KEYS if key == "allow_opaque"}
    assert set(values) == set(KEYS)
    for left_out in (set(), {"max"}, set(KEYS) - {"path", "dtypes"}, {"max_growth"}):
        lines = [f"{key} = {value}" for key, value in values.items() if key not in left_out]
        file.write_text("[[budgets]]\n" + "\n".join(lines))
        (declared,) = read_budgets(file)
        size, *growth = marks_of(declared, "exports/a.bin")
        request = parse_marker(size.args, size.kwargs, ())
        assert request.budget == declared.budget
        assert request.compression == declared.compression
        assert request.target.path == "exports/a.bin"
        assert bool(growth) == ("max_growth" not in left_out)
        for mark in growth:
            request = parse_marker(mark.args, mark.kwargs, (), growth=True)
            assert request.growth == declared.growth
            assert request.budget.include_optimizer == declared.budget.include_optimizer
            assert request.compression == declared.compression


def test_growth_is_held_against_the_baseline_of_the_other_tests(project):
    project.makepyprojecttoml(
        '[[tool.modelsize.budgets]]\npath = "exports/a.bin"\nmax_growth = "5%"'
    )
    result = project.run_pytest()
    result.assert_outcomes(passed=1, failed=1)
    command = "pytest pyproject.toml::exports/a.bin --modelsize-update=new"
    result.stdout.fnmatch_lines(
        [
            "budget not checked: modelsize-baseline.json has no entry for 'exports/a.bin'*",
            f"    {command}",
        ]
    )
    project.run_pytest(*command.split()[1:]).assert_outcomes(passed=1)
    project.run_pytest().assert_outcomes(passed=2)
    (project.path / "exports" / "a.bin").write_bytes(b"\xff" * 1051)
    result = project.run_pytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["exports/a.bin grew 51 B (+5.1 %) > *"])
    # A run of other tests takes the entry for no relic.
    result = project.run_pytest("tests", "--modelsize-update=prune")
    assert "pyproject.toml::exports/a.bin" in (project.path / "modelsize-baseline.json").read_text()


def test_a_glob_that_matches_nothing_is_not_checked(project):
    project.makepyprojecttoml('[[tool.modelsize.budgets]]\npath = "exports/*.keras"\nmax = 1\n')
    result = project.run_pytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "budget not checked: path='exports/[*].keras' matches nothing in *",
            '  budget: pyproject.toml:1: path = "exports/[*].keras", max = 1',
            "FAILED pyproject.toml::exports/[*].keras - budget not checked: *",
        ]
    )


def test_artifacts_that_the_tests_write_are_held_when_these_are_done(project):
    project.makepyprojecttoml('[[tool.modelsize.budgets]]\npath = "exports/*.out"\nmax = 5\n')
    (project.path / "tests" / "test_it.py").write_text(
        "def test_it(request):\n"
        "    for size in (5, 6):\n"
        "        path = request.config.rootpath / 'exports' / f'{size}.out'\n"
        "        path.write_bytes(b'x' * size)\n"
    )
    result = project.run_pytest("--modelsize")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["exports/6.out 6 B > 5 B"])
    assert "exports/5.out" in result.stdout.str()


def test_an_artifact_that_went_away_is_not_checked(project):
    project.makepyprojecttoml('[[tool.modelsize.budgets]]\npath = "exports/a.bin"\nmax = "1 kB"\n')
    (project.path / "tests" / "test_it.py").write_text(
        "def test_it(request): (request.config.rootpath / 'exports' / 'a.bin').unlink()\n"
    )
    result = project.run_pytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["budget not checked: *'exports/a.bin' matches nothing*"])


def test_several_budgets_of_one_artifact_all_hold(project):
    project.makepyprojecttoml(
        TABLE + '[[tool.modelsize.budgets]]\npath = "exports/a.bin"\nassets = "999 B"\n'
        '[[tool.modelsize.budgets]]\npath = "exports/a.*"\nmax = "20 B"\ncompression = "gzip"\n'
    )
    result = project.run_pytest("pyproject.toml::exports/a.bin")
    result.assert_outcomes(failed=1)
    packed = len(gzip.compress(b"\xff" * 1000, 6, mtime=0))
    result.stdout.fnmatch_lines(
        [
            "exports/a.bin: assets 1 kB > 999 B",
            '  budget: pyproject.toml:5: path = "exports/a.bin", assets = "999 B"',
            f"exports/a.bin, gzip {packed} B > 20 B",
        ]
    )


def test_include_optimizer_and_sections_are_held_as_by_a_marker(project):
    for name in ("dense.keras", "dense.safetensors"):
        (project.path / "exports" / name).write_bytes((DATA / name).read_bytes())
    project.makepyprojecttoml(
        '[[tool.modelsize.budgets]]\npath = "exports/dense.*"\ninclude_optimizer = false\nmax = "1 MB"\n'
        '[[tool.modelsize.budgets]]\npath = "exports/a.bin"\nmax = "1 MB"\noptimizer = 0\n'
    )
    result = project.run_pytest()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "exports/dense.keras: optimizer * > 0 B (include_optimizer=False)",
            "budget not checked: exports/a.bin holds * bytes that nobody could open, so optimizer= cannot be*",
        ]
    )


def test_a_mistake_is_an_error_of_its_own_and_the_tests_run(project):
    project.makepyprojecttoml(TABLE.replace("max", "maximum"))
    result = project.run_pytest()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "pyproject.toml:3: *has no key 'maximum'*",
            "ERROR pyproject.toml::budgets - Failed: pyproject.toml:*",
        ]
    )


def test_a_file_of_our_own_and_those_of_folders_below_are_collected(project):
    project.makepyprojecttoml("[project]\nname = 'x'\ndependencies = ['pytest-modelsize']\n")
    own = project.path / "exports" / "modelsize.toml"
    own.write_text('[[budgets]]\npath = "*.bin"\nmax = "1 kB"\n')
    result = project.run_pytest()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "exports/b.bin 1,001 B*",
            '  budget: exports/modelsize.toml:1: path = "[*].bin", max = "1 kB"',
            "FAILED exports/modelsize.toml::b.bin*",
        ]
    )


def test_reruns_hold_them_again(project):
    pytest.importorskip(
        "pytest_rerunfailures", reason="pytest-rerunfailures is not installed: tox run -e py"
    )
    result = project.run_pytest(
        "--reruns=1", "-p", "pytest_rerunfailures", "--modelsize-report=r.json"
    )
    result.assert_outcomes(passed=2, failed=1)
    found = json.loads((project.path / "r.json").read_text())["artifacts"]
    assert sorted(one["verdict"] for one in found) == ["failed", "passed"]


def test_names_with_odd_signs_are_artifacts_like_others(project):
    (project.path / "exports" / "a [1] ünï.bin").write_bytes(b"x" * 10)
    result = project.run_pytest("-k", "ünï", "--modelsize")
    result.assert_outcomes(passed=1, deselected=3)

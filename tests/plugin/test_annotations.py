"""A failed budget beside the code, in GitHub Actions."""

import re

import pytest

from tests.needs import needs

TESTS = """
import pytest

@pytest.mark.max_model_size("1 kB", path="model.bin")
@pytest.mark.parametrize("n", range(2))
def test_over(n): pass

@pytest.mark.max_model_size("1 MB", path="model.bin")
def test_within(): pass

@pytest.mark.xfail
@pytest.mark.max_model_size("1 kB", path="model.bin")
def test_expected(): pass

@pytest.mark.max_model_size("1 kB", path="none.bin")
def test_unchecked(): pass

def test_plain(): assert 0
"""
OVER = "::error file=tests/test_it.py,line=4,title=model size::model.bin 5 kB > 1 kB"


@pytest.fixture
def run(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    suite.mkdir("tests")
    (suite.path / "tests" / "test_it.py").write_text(TESTS, encoding="utf-8")
    (suite.path / "model.bin").write_bytes(bytes(5000))

    def run(*arguments, **keywords):
        result = suite.start(*arguments, **keywords)
        return [line for line in result.outlines if "::error" in line]

    run.suite = suite
    return run


def test_a_budget_that_does_not_hold_is_shown_on_its_marker_s_line(run):
    lines = run()
    assert lines[:2] == [OVER, OVER]
    assert re.match(
        r"::error file=tests/test_it\.py,line=15,title=model size not checked::budget not checked", lines[2]
    )  # fmt: skip
    assert len(lines) == 3


def test_each_is_there_once_whatever_the_number_of_processes(run):
    needs("xdist")
    lines = run("-n2", plugins=("xdist",), process=True)
    assert lines.count(OVER) == 2
    assert len(lines) == 3


def test_paths_are_those_of_the_repository(run, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(run.suite.path.parent))
    assert run()[0].startswith(f"::error file={run.suite.path.name}/tests/test_it.py,line=4,")


@pytest.mark.parametrize("quiet", ["-q", "-qq", "--tb=no", "-p no:cacheprovider"])
def test_a_short_output_has_them_too(run, quiet):
    assert run(*quiet.split())[0] == OVER


def test_they_are_turned_off_in_the_ini_file_and_elsewhere(run, monkeypatch):
    assert run("-o", "modelsize_annotations=false") == []
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert run() == []


def test_beside_the_plugin_that_annotates_every_failure_there_is_one_of_each(run, monkeypatch):
    needs("pytest_github_actions_annotate_failures")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    result = run.suite.runpytest_subprocess("-k", "over")
    lines = [line for line in (*result.outlines, *result.errlines) if line.startswith("::error")]
    assert len(lines) == 2
    assert all(" kB > " in line for line in lines)


def test_names_cannot_end_the_line_or_set_a_property(suite, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    name = "a%0A::warning::b,line=1\n::error::c.bin"
    suite.makepyfile(
        test_it=f"""
            import pytest
            @pytest.mark.max_model_size("1 kB", path={name!r})
            def test_it(): pass
            """
    )
    (suite.path / name).write_bytes(bytes(5000))
    result = suite.start()
    lines = [line for line in result.outlines if line.startswith("::")]
    assert len(lines) == 1
    assert "%250A" in lines[0]

"""What a run says at its end, and the reports that it writes."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import pytest

from tests.check_results import SCHEMA
from tests.needs import needs

SUITE = """
import pytest

@pytest.mark.max_model_size("10 kB", path="small.bin", assets="9 kB")
def test_held(): pass

@pytest.mark.max_model_size("10 kB", path="large.bin")
def test_exceeded(): pass

@pytest.mark.max_model_size("10 kB")
def test_unchecked(): pass

def test_measured(model_size):
    assert model_size("small.bin").total == 4000

def test_plain(): pass
"""


@pytest.fixture
def run(suite):
    suite.artifact(4000, "small.bin")
    suite.artifact(25_000, "large.bin")
    suite.makepyfile(test_it=SUITE)

    def start(*options, **keywords):
        result = suite.start(*options, **keywords)
        result.assert_outcomes(passed=3, failed=2)
        return result

    start.path, start.suite = suite.path, suite
    return start


def table(result):
    lines = result.outlines
    start = next(n for n, line in enumerate(lines) if "model sizes" in line)
    end = next(n for n in range(start + 1, len(lines)) if lines[n].startswith("="))
    return lines[start + 1 : end]


def test_without_the_option_the_run_ends_as_always(run):
    run().stdout.no_fnmatch_line("*model sizes*")


def test_the_table_lists_the_failed_ones_first_within_eighty_columns(run):
    lines = table(run("--modelsize", "--color=no"))
    assert lines == [
        "           total  budget  share  artifact       test",
        "FAILED     25 kB   10 kB  250 %  large.bin      test_it.py::test_exceeded",
        "  large.bin 25 kB > 10 kB",
        "UNCHECKED      ?                 (no artifact)  test_it.py::test_unchecked",
        "  budget not checked: no model and no artifact found in its fixtures, the loc...",
        "ok          4 kB   10 kB   40 %  small.bin      test_it.py::test_held",
        "-           4 kB                 small.bin      test_it.py::test_measured",
        "1 budget is loose, that of small.bin: 60 %, 4.4 kB would do",
    ]
    assert max(map(len, lines)) <= 80


def test_only_the_failed_ones_or_none(run):
    lines = table(run("--modelsize=failed"))
    assert [line.split()[-1] for line in lines if "test_it" in line] == [
        "test_it.py::test_exceeded",
        "test_it.py::test_unchecked",
    ]
    run("--modelsize=none").stdout.no_fnmatch_line("*model sizes*")


def test_an_option_leaves_the_path_behind_it_to_pytest(run):
    result = run("--modelsize", "test_it.py")
    assert "test_it.py::test_held" in "\n".join(table(result))
    run("--modelsize-update", "test_it.py")
    assert (run.path / "modelsize-baseline.json").exists()


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["--modelsize", "tests"], ["--modelsize=all", "tests"]),
        (["--modelsize", "failed", "tests"], ["--modelsize", "failed", "tests"]),
        (["--modelsize", "-x"], ["--modelsize", "-x"]),
        (["-x", "--modelsize"], ["-x", "--modelsize"]),
        (["--modelsize=none", "a.py::b"], ["--modelsize=none", "a.py::b"]),
        (["--modelsize-update", "new"], ["--modelsize-update", "new"]),
        (["--modelsize-update", "new.py"], ["--modelsize-update=all", "new.py"]),
        (["--modelsize-suggest", "s.json"], ["--modelsize-suggest", "s.json"]),
        (["--modelsize-suggest", "s"], ["--modelsize-suggest=table", "s"]),
        (["--", "--modelsize", "tests"], ["--", "--modelsize", "tests"]),
    ],
)
def test_what_is_a_value_and_what_is_a_path(given, read):
    from pytest_modelsize.plugin.option_values import separate

    separate(given)
    assert given == read


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--modelsize=fialed", "write all, failed, none"),
        ("--modelsize-update=old", "write all, new, prune"),
        ("--modelsize-suggest=x.txt", "write a file that ends in .json"),
    ],
)
def test_a_value_that_an_option_does_not_have_is_refused(run, option, words):
    result = run.suite.start(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option}: {words}"])


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("small.bin/r.json", "*small.bin is not a folder"),
        ("folder.json", "is a directory, not a regular file"),
        ("./modelsize-baseline.json", "is already the baseline"),
    ],
)
@pytest.mark.parametrize("option", ["report", "suggest"])
def test_a_report_that_cannot_be_written_is_refused_before_the_run(run, option, target, words):
    (run.path / "folder.json").mkdir(exist_ok=True)
    result = run.suite.start(f"--modelsize-{option}={target}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --modelsize-{option}={target}: {words}"])
    assert "test_it" not in result.stdout.str()


def test_a_report_whose_extra_is_missing_is_refused(tmp_path, monkeypatch):
    from pytest_modelsize.plugin import report_files

    monkeypatch.setattr(report_files, "find_spec", lambda name: None)
    problem = report_files.why_not_written(tmp_path / "r.html")
    assert problem == 'needs jinja2 and squarify: pip install "pytest-modelsize[html]"'
    assert report_files.why_not_written(tmp_path / "new" / "r.json") == ""
    assert not list(tmp_path.iterdir())


def test_a_damaged_baseline_is_an_error_line_with_the_cure(run):
    (run.path / "modelsize-baseline.json").write_text('{\n"version": 1,\n "x"')
    result = run("--modelsize")
    result.stdout.fnmatch_lines(
        ["ERROR: modelsize-baseline.json, line 3: not JSON: *; restore it (git checkout *), or *"]
    )


def test_json_is_what_its_schema_says_and_obeys_the_law(run):
    jsonschema = needs("jsonschema")
    run("--modelsize-report=out/r.json")
    document = json.loads((run.path / "out" / "r.json").read_text("utf-8"))
    jsonschema.validate(document, json.loads(SCHEMA.read_text("utf-8")))
    assert document["summary"] == {"artifacts": 4, "failed": 1, "unchecked": 1}
    for result in document["artifacts"]:
        if result["measurement"]:
            sections = result["measurement"]["sections"]
            assert sum(s["size"] for s in sections) == result["measurement"]["total"]
    first = document["artifacts"][0]
    assert (first["verdict"], first["measurement"]["total"]) == ("failed", 25_000)
    assert first["limits"] == [
        {"kind": "size", "section": None, "allowed": 10_000, "used": 25_000, "written": "10 kB"}
    ]
    assert str(run.path) not in json.dumps(
        [{k: v for k, v in result.items() if k != "detail"} for result in document["artifacts"]]
    )


def test_csv_has_a_row_for_each_artifact(run):
    run("--modelsize-report=r.csv")
    with (run.path / "r.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["verdict"], r["artifact"], r["total"], r["assets"]) for r in rows] == [
        ("failed", "large.bin", "25000", "25000"),
        ("unchecked", "", "", ""),
        ("passed", "small.bin", "4000", "4000"),
        ("measured", "small.bin", "4000", "4000"),
    ]


def test_several_reports_are_written_in_one_run_and_named(run):
    result = run("--modelsize-report=r.json", "--modelsize-report=r.md", "--modelsize-report=r.csv")
    result.stdout.fnmatch_lines(["report: r.json", "report: r.md", "report: r.csv"])
    assert (run.path / "r.md").read_text("utf-8").startswith("<!-- pytest-modelsize -->\n### Model")


def test_an_unknown_suffix_is_refused_before_anything_runs(run):
    result = run.suite.start("--modelsize-report=r.pdf")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'r.pdf' should end in one of .json, .md*"])


def test_a_report_that_cannot_be_written_ends_a_good_run_with_an_error(suite):
    suite.makepyfile(test_it="def test(): open('taken', 'w').close()")
    result = suite.start("--modelsize-report=taken/r.json")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["report not written: *taken cannot be made: File exists"])


def test_a_job_s_step_summary_is_appended_to_unless_turned_off(run, monkeypatch):
    page = run.path / "summary.md"
    page.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    run()
    text = page.read_text("utf-8")
    assert text.startswith("before\n<!-- pytest-modelsize -->\n")
    assert "2 of 4 over budget or unchecked" in text
    run("-o", "modelsize_step_summary=false")
    assert page.read_text("utf-8") == text


def test_a_step_summary_is_not_written_where_nothing_was_measured(suite, monkeypatch):
    page = suite.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    suite.makepyfile(test_it="def test(): pass")
    suite.start().assert_outcomes(passed=1)
    assert not page.exists()


def test_junit_has_the_totals_of_each_test_case(run):
    run("--junitxml=j.xml")
    cases = ElementTree.parse(run.path / "j.xml").getroot().iter("testcase")
    properties = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in cases
    }
    assert properties["test_exceeded"] == {
        "modelsize:large.bin:total": "25000",
        "modelsize:large.bin:assets": "25000",
    }
    assert properties["test_unchecked"] == properties["test_plain"] == {}


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_workers_report_to_their_controller(run, workers):
    needs("xdist")
    result = run(
        workers, "--modelsize", "--modelsize-report=r.json", "--color=no", plugins=["xdist"],
        process=True,
    )  # fmt: skip
    assert [line.split()[-1] for line in table(result) if "test_it" in line] == [
        "test_it.py::test_exceeded",
        "test_it.py::test_unchecked",
        "test_it.py::test_held",
        "test_it.py::test_measured",
    ]
    document = json.loads((run.path / "r.json").read_text("utf-8"))
    assert document["summary"] == {"artifacts": 4, "failed": 1, "unchecked": 1}


def test_a_budget_on_the_compressed_size(suite):
    suite.artifact(50_000)
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("1 kB", path="model.bin", compression="gzip")
        @pytest.mark.max_model_size("50 kB", path="model.bin")
        def test_held(): pass

        @pytest.mark.max_model_size("10 B", path="model.bin", compression="gzip")
        def test_exceeded(): pass

        @pytest.mark.max_model_size("10 B", path="model.bin", compression="gzipp")
        def test_mistaken(): pass

        def test_fixture(model_size):
            assert model_size("model.bin", compression="gzip").total < "1 kB"
        """
    )
    result = suite.start("--modelsize-update")
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*unknown compression 'gzipp': did you mean 'gzip'*",
            "model.bin, gzip * > 10 B*",
            "  compressed: by gzip (zlib *, level 6); other builds may give other sizes",
        ]
    )
    assert set(suite.baseline()["test_it.py::test_held"]) == {"model.bin", "model.bin, gzip"}

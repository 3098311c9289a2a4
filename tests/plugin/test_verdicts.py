"""The marker's verdict on a live model: held, exceeded, never silently passed."""

import re


def test_a_budget_that_is_held_passes_and_leaves_nothing_behind(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1MB")
        def test_small(model, tmp_path):
            pass
        """
    )
    result.assert_outcomes(passed=1)
    saved = [path for path in project.path.rglob("*") if path.suffix in (".keras", ".h5")]
    assert saved == []


def test_a_budget_that_is_exceeded_fails_with_the_diff_and_names_the_optimizer(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("20 kB", reason="it ships by post")
        def test_large(model):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"model\.keras [\d.]+ kB > 20 kB",
            r"  section +lean +saved +change",
            r"  optimizer +0 +[\d,]+ +\+[\d,]+ +####################",
            r"  total +[\d,]+ +[\d,]+ +\+[\d,]+ +budget 20,000",
            r"  optimizer: [Aa]dam\w*, 2 slots x 178 parameters, float32",
            r"  largest in optimizer:",
            r"  fix: save without the optimizer's state: [\d.]+ kB.*\(measured\)",
            r"  reason: it ships by post",
            r'  budget: test_it\.py:3: @pytest\.mark\.max_model_size\("20 kB", reason="it ships.*',
            r"  kept: .*model\.keras",
        ],
    )


def test_the_short_summary_is_the_headline_alone(project, monkeypatch):
    code = """
        import pytest

        @pytest.mark.max_model_size("20 kB")
        def test_large(model):
            pass
        """
    headline = r"model\.keras [\d.]+ kB > 20 kB: optimizer [\d.]+ kB \([Aa]dam\w*\)"
    # On CI pytest does not cut the line to the terminal's width.
    monkeypatch.setenv("CI", "1")
    result = project.run_code(code, "-vv")
    (line,) = [line for line in result.outlines if line.startswith("FAILED test_it.py")]
    assert re.fullmatch(rf"FAILED test_it\.py::test_large - {headline}", line)


def test_without_the_optimizer_the_same_model_passes(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.parametrize("format", ["keras", "h5", "weights"])
        def test_fails(format, request, model):
            request.applymarker(pytest.mark.max_model_size(optimizer=0, format=format))

        @pytest.mark.max_model_size("1MB", include_optimizer=False, format="keras", optimizer=0)
        @pytest.mark.max_model_size("1MB", include_optimizer=False, format="h5", optimizer=0)
        @pytest.mark.max_model_size("1MB", include_optimizer=False, format="weights", optimizer=0)
        def test_passes(model):
            pass
        """
    )
    result.assert_outcomes(failed=3, passed=1, warnings=2)


def test_all_budgets_of_a_test_that_are_exceeded_are_shown(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("2 kB", format="h5")
        @pytest.mark.max_model_size("3 kB", format="keras", config="100 B")
        def test_large(model):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"model\.keras .* > 3 kB",
            r"also: model\.keras: config .* > 100 B",
            r"model\.h5 .* > 2 kB",
        ]
    )


def test_the_saved_copy_that_failed_is_kept_and_is_what_was_measured(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 kB", format="h5")
        def test_large(model):
            pass
        """
    )
    (kept,) = [line.partition("kept: ")[2] for line in result.outlines if "  kept: " in line]
    (total,) = [line for line in result.outlines if line.startswith("  total")]
    from pathlib import Path

    assert f"{Path(kept).stat().st_size:,d}" in total


def test_a_failing_or_skipping_body_is_not_measured(project):
    result = project.run_code(
        """
        import pytest
        pytestmark = pytest.mark.max_model_size("1 B")

        def test_fails(model):
            assert False, "the body"

        def test_skips(model):
            pytest.skip("the body")

        @pytest.mark.skip
        def test_is_skipped(model):
            pass
        """
    )
    result.assert_outcomes(failed=1, skipped=2)
    result.stdout.no_fnmatch_line("*ModelSize*")


def test_no_colour_code_is_in_the_message(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_large(model):
            pass
        """,
        "--color=no",
    )
    assert "\x1b" not in "\n".join(result.outlines)


def test_the_ini_file_sets_the_format(project):
    project.makeini("[pytest]\nmodelsize_format = h5\n")
    code = """
        import pytest

        @pytest.mark.max_model_size("1 B")
        def test_large(model):
            pass
        """
    project.run_code(code).stdout.fnmatch_lines(["model.h5 *"])
    project.makeini("[pytest]\nmodelsize_format = onnxx\n")
    result = project.run_code(code)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*modelsize_format*unknown format 'onnxx'*"])

"""A mistake is an error of that one test, names the marker's line, and never passes."""

import pytest

from tests.needs import needs

MISTAKES = {
    '"2MBs"': 'did you mean "2MB"',
    '"-1 MB"': "is not a size",
    '"1e3"': "is not a size",
    "True": "True is not a size",
    "": "has no limit",
    '"1MB", "2MB"': "takes one limit",
    '"1MB", optimiser=0': "did you mean 'optimizer'",
    '"1MB", format="karas"': "did you mean 'keras'",
    '"1MB", include_optimizer="no"': "takes True or False",
}  # fmt: skip


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_wrong_argument_is_an_error_with_file_and_line(project, arguments):
    assert_refused(project, arguments)


def test_a_wrong_argument_is_an_error_of_its_test_under_workers_too(suite):
    needs("xdist")
    suite.artifact(1000)
    suite.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.xfail
        @pytest.mark.max_model_size("2MBs", path="model.bin")
        def test_wrong():
            pass

        def test_right():
            pass
        """
    )
    result = suite.start("-n2", plugins=["xdist"], process=True)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(
        ["max_model_size *", "  at: test_it.py:4: @pytest.mark.max_model_size(*"]
    )
    assert MISTAKES['"2MBs"'] in result.stdout.str()


def assert_refused(project, arguments):
    result = project.run_code(
        f"""
        import pytest

        @pytest.mark.xfail
        @pytest.mark.parametrize("n", [1])
        @pytest.mark.max_model_size({arguments})
        def test_wrong(model, n):
            pass

        def test_right():
            pass
        """,
    )
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(
        ["max_model_size *", "  at: test_it.py:5: @pytest.mark.max_model_size(*"]
    )
    assert MISTAKES[arguments] in result.stdout.str()
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_bare_marker_without_a_call_is_an_error(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size
        def test_wrong(model):
            pass
        """
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["max_model_size has no limit*", "  at: test_it.py:3: *"])


@pytest.mark.parametrize(
    ("arguments", "fixtures", "message"),
    [
        ("", "", "no model and no artifact found"),
        ("", "numbers", "its fixtures (numbers: a list of 3 int)"),
        (", model='modle'", "model", "no fixture, attribute or local 'modle', did you mean 'model'?"),
        (", model='trainer.outer'", "trainer", "trainer (of type conftest.Net) has no 'outer'"),
        (", model='trainer'", "trainer", "is of type conftest.Net: write model='trainer.inner'"),
        (", model='numbers'", "numbers", "is a list of 3 int, which is neither a model that can be saved"),
        (", path='*.h5'", "tmp_path", "path='*.h5' matches nothing in"),
        (", path='*.py'", "tmp_path", "path='*.py' matches 2 artifacts"),
    ],
)  # fmt: skip
def test_a_target_that_is_not_one_artifact_fails_and_says_what_to_write(
    project, arguments, fixtures, message
):
    result = project.run_code(
        f"""
        import pytest

        @pytest.mark.max_model_size("1GB"{arguments})
        def test_it({fixtures}):
            pass

        @pytest.fixture
        def numbers():
            return [1, 2, 3]
        """
    )
    result.assert_outcomes(failed=1)
    output = result.stdout.str()
    assert "\nbudget not checked: " in output
    assert message in output
    assert "budget: test_it.py:3: @pytest.mark.max_model_size(" in output


def test_of_several_artifacts_none_passes_unread(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1GB")
        def test_it(tmp_path):
            for name in ("a.h5", "b.keras"):
                (tmp_path / name).write_bytes(b"")
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: *a.h5: an empty file*", '*b.keras *not checked *path="b.keras"']
    )


@pytest.mark.parametrize(
    ("content", "name"), [("", "a.h5"), ("rubbish", "b.h5"), ("PK", "c.keras")]
)
def test_a_broken_artifact_fails_with_its_name(project, content, name):
    result = project.run_code(
        f"""
        import pytest

        @pytest.mark.max_model_size("1GB")
        def test_it(tmp_path):
            (tmp_path / "{name}").write_text("{content}")
        """
    )
    result.assert_outcomes(failed=1)
    why = ", byte 0: *" if content else ": an empty file*"
    result.stdout.fnmatch_lines([f"budget not checked: *{name}{why}"])


def test_a_model_that_cannot_be_saved_fails_with_the_framework_s_own_words(project):
    result = project.run_code(
        """
        import keras, pytest

        class Silent(keras.layers.Layer):
            def __init__(self, thing):
                super().__init__()
            def call(self, x):
                return x

        @pytest.fixture
        def net():
            return keras.Sequential([keras.Input((2,)), Silent(object())])

        @pytest.mark.max_model_size("1GB")
        def test_it(net):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: Sequential cannot be saved as .keras: NotImplementedError: *Silent*"]
    )


def test_a_marked_doctest_fails_clearly(project):
    project.syspathinsert()
    project.makepyfile(
        mark_everything="""
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.max_model_size("1GB"))
        """
    )
    result = project.run_code(
        '''
        import pytest

        def test_plain():
            """
            >>> 1
            1
            """
        ''',
        "--doctest-modules",
        plugins=["mark_everything"],
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*no model and no artifact found*"])

"""The user is told, once, when their own export would not keep the promise."""

import re

CODE = """
import pytest

@pytest.mark.max_model_size("1MB", include_optimizer=False, format="{format}")
@pytest.mark.parametrize("n", [1, 2])
def test_it(model, n):
    pass
"""


def test_the_warning_comes_once_with_both_sizes_and_the_call_that_works(project):
    for format in ("keras", "weights"):
        result = project.run_code(CODE.format(format=format))
        result.assert_outcomes(passed=2, warnings=1)
        text = " ".join(result.outlines)
        sizes = re.search(
            r"ModelSizeWarning: Sequential saved as \S+ is ([\d,]+) bytes without optimizer state.*"
            r"writes ([\d,]+) bytes",
            text,
        )
        lean, full = (int(size.replace(",", "")) for size in sizes.groups())
        assert full - lean > 2 * 4 * 178
        assert "model.optimizer = None" in text


def test_there_is_no_warning_where_keras_honours_the_flag(project):
    project.run_code(CODE.format(format="h5")).assert_outcomes(passed=2, warnings=0)


def test_there_is_no_warning_for_a_model_without_state(project):
    result = project.run_code(
        """
        import keras, pytest

        @pytest.fixture
        def net():
            return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])

        @pytest.mark.max_model_size("1MB", include_optimizer=False)
        def test_it(net):
            pass
        """
    )
    result.assert_outcomes(passed=1, warnings=0)


def test_where_warnings_are_errors_every_test_ends_alike(project):
    # Keras 2 draws with a float.
    errors = ("-Werror", "-Wignore:non-integer arguments to randrange:DeprecationWarning")
    project.run_code(CODE.format(format="keras"), *errors).assert_outcomes(failed=2)
    ignored = (*errors, "-Wignore::pytest_modelsize.ModelSizeWarning")
    project.run_code(CODE.format(format="keras"), *ignored).assert_outcomes(passed=2)

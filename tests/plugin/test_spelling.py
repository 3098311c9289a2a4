"""A misspelt marker is an error of its test, and not a budget that nobody holds."""

import pytest

NEAR = {
    "max_model_sze": "max_model_size",
    "max_modelsize": "max_model_size",
    "maxmodelsize": "max_model_size",
    "max_model_sizes": "max_model_size",
    "max_model_Size": "max_model_size",
    "MaxModelSize": "max_model_size",
    "max_module_size": "max_model_size",
    "model_max_size": "max_model_size",
    "model_size": "max_model_size",
    "max_model": "max_model_size",
    "max_model_grwth": "max_model_growth",
    "max_model_grow": "max_model_growth",
    "maxmodelgrowth": "max_model_growth",
    "model_growth": "max_model_growth",
    "max_size": "max_model_size",
    "max_growth": "max_model_growth",
}
KNOWN = "-Wignore::pytest.PytestUnknownMarkWarning"
"""This suite makes warnings errors, of inner runs too; pytest itself only warns."""
OTHERS = ("slow", "gpu", "min_model_size", "max_model_time", "max_memory", "timeout", "flaky")
PLACES = {
    "function": '@pytest.mark.{name}("1 B")\ndef test_it(): pass\n',
    "class": '@pytest.mark.{name}("1 B")\nclass TestIt:\n    def test_it(self): pass\n',
    "module": 'pytestmark = pytest.mark.{name}("1 B")\ndef test_it(): pass\n',
    "class attribute": (
        'class TestIt:\n    pytestmark = [pytest.mark.{name}("1 B")]\n    def test_it(self): pass\n'
    ),
    "parameter": (
        '@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.{name}("1 B"))])\n'
        "def test_it(n): pass\n"
    ),
    "beside a right one": (
        '@pytest.mark.max_model_size("1 MB", path="model.bin")\n@pytest.mark.{name}("1 B")\n'
        "def test_it(): pass\n"
    ),
    "expected to fail": '@pytest.mark.xfail\n@pytest.mark.{name}("1 B")\ndef test_it(): pass\n',
}


@pytest.mark.parametrize("name", NEAR)
def test_a_name_near_ours_is_an_error_that_says_what_is_meant(suite, name):
    suite.makepyfile(test_it="import pytest\n" + PLACES["function"].format(name=name))
    result = suite.start(KNOWN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            f"unknown marker '{name}': did you mean '{NEAR[name]}'?*",
            f'  at: test_it.py:2: @pytest.mark.{name}("1 B")',
        ]
    )


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_stands(suite, place):
    suite.artifact(10)
    suite.makepyfile(test_it="import pytest\n" + PLACES[place].format(name="max_model_sze"))
    suite.start(KNOWN).assert_outcomes(errors=1)


def test_with_strict_markers_nothing_passes_either(suite):
    suite.makepyfile(test_it="import pytest\n" + PLACES["function"].format(name="max_model_sze"))
    result = suite.start("--strict-markers")
    result.assert_outcomes(errors=1)


@pytest.mark.parametrize("name", OTHERS)
def test_a_marker_for_something_else_is_left_alone(suite, name):
    suite.makepyfile(test_it="import pytest\n" + PLACES["function"].format(name=name))
    suite.start(KNOWN).assert_outcomes(passed=1)


def test_a_marker_that_the_project_has_registered_is_its_own(suite):
    suite.makeini("[pytest]\nmarkers =\n    model_size(n): ours\n    max_models: how many\n")
    for name in ("model_size", "max_models"):
        suite.makepyfile(test_it="import pytest\n" + PLACES["function"].format(name=name))
        suite.start().assert_outcomes(passed=1)


def test_a_name_that_may_be_another_s_is_ours_only_with_a_limit(suite):
    suite.makepyfile(
        "import pytest\n@pytest.mark.max_size\ndef test_it(): pass\n"
        "@pytest.mark.max_size('large')\ndef test_that(): pass\n"
    )
    suite.start(KNOWN).assert_outcomes(passed=2)

"""Test classes as TensorFlow's and Keras' own suites write them."""

import re

import pytest

from tests.needs import needs

CODE = """
import keras, pytest
from absl.testing import parameterized
{imports}

class Helpers:
    '''What test classes inherit to build models with.'''
    def build(self, units):
        self.net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
        self.net.compile("adam", "mse", run_eagerly=True)
        return self.net

    def assert_shape(self, units):
        self.assertEqual(self.net.output_shape, (None, units))

@pytest.mark.max_model_size("60 kB")
class SizeTest(Helpers, {bases}):
    def setUp(self):
        super().setUp()
        self.sizes = []

    def test_small(self):
        self.build(2)
        self.assert_shape(2)

    def test_body_fails(self):
        self.build(20_000)
        self.assert_shape(3)

    @parameterized.named_parameters(("small", 2), ("large", 20_000))
    def test_named(self, units):
        self.build(units)

    @parameterized.parameters(2, 20_000)
    def test_numbered(self, units):
        with self.subTest("built"):
            self.build(units)

    @pytest.mark.max_model_size("1 B", model="net")
    def test_the_nearest_marker_counts(self):
        self.build(2)

    def test_none(self):
        pass
"""


@pytest.mark.parametrize(
    ("imports", "bases"),
    [
        ("import unittest", "parameterized.TestCase"),
        ("import tensorflow as tf", "parameterized.TestCase, tf.test.TestCase"),
        ("from keras.src import testing", "testing.TestCase, parameterized.TestCase"),
    ],
    ids=["absl", "tensorflow", "keras"],
)
def test_a_class_with_helpers_and_parameters_is_checked_test_by_test(project, imports, bases):
    needs("absl")
    if "keras.src" in imports:
        needs("keras.src.testing")
        bases = "testing.TestCase" if _is_parameterized() else bases
    result = project.run_code(CODE.format(imports=imports, bases=bases), "-Wignore", "-rA")
    for outcome, names in {
        # A class's budget is for those of its tests that have a model.
        "PASSED": ["test_small", "test_named_small", "test_numbered0", "test_none"],
        "FAILED": [
            "test_body_fails",
            "test_named_large",
            "test_numbered1",
            "test_the_nearest_marker_counts",
        ],
    }.items():
        for name in names:
            result.stdout.fnmatch_lines([f"{outcome} test_it.py::SizeTest::{name}*"])
    limits = re.findall(r"^net\.keras [\d.]+ kB > ([\d.]+ k?B):", result.stdout.str(), re.MULTILINE)
    assert sorted(limits) == ["1 B", "60 kB", "60 kB"]
    assert "budget not checked" not in result.stdout.str()


def _is_parameterized():
    """Whether Keras' own class is absl's, as it has been since 3.0."""
    from absl.testing import parameterized
    from keras.src import testing

    return issubclass(testing.TestCase, parameterized.TestCase)

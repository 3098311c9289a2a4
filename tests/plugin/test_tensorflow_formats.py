"""The marker on SavedModels, checkpoints and TFLite models."""

import re

import pytest

from tests.needs import needs

needs("tensorflow")


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("saved_model", "model.saved_model"),
        ("checkpoint", "model.ckpt"),
        ("tflite", "model.tflite"),
    ],
)
def test_each_format_is_held_to_its_budget(project, format, name):
    result = project.run_code(
        f"""
        import pytest

        @pytest.mark.max_model_size("1MB", format="{format}", include_optimizer=False)
        def test_held(model):
            pass

        @pytest.mark.max_model_size("1 B", format="{format}")
        def test_exceeded(model):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"{name} * > 1 B*"])


def test_a_tflite_budget_says_what_smaller_weights_really_give(project):
    result = project.run_code(
        """
        import pytest
        from conftest import build

        @pytest.fixture
        def large():
            return build(2000)

        @pytest.mark.max_model_size("60 kB", format="tflite")
        def test_large(large):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines_random(
        [
            r"  fix: float16 weights: [\d.]+ kB, \d+ % of the budget \(measured\)",
            r"       converter\.optimizations = \[tf\.lite\.Optimize\.DEFAULT\]",
            r"  fix: int8 weights: [\d.]+ kB, \d+ % of the budget \(measured\)",
        ]
    )


def test_a_saved_model_budget_names_the_graph_s_share_and_its_largest_functions(project):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 kB", format="saved_model")
        def test_large(model):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"  graph +[\d,]+ +(\d+ % |[\d,]+ ).*",
            r"  largest in graph:",
            r"    functions/__inference.* +[\d,]+",
        ]
    )


def test_options_are_passed_on_and_each_set_of_them_is_held_by_itself(project):
    result = project.run_code(
        """
        import pytest
        import tensorflow as tf

        LIGHT = {"optimizations": [tf.lite.Optimize.DEFAULT], "supported_types": [tf.float16]}

        @pytest.mark.max_model_size(weights="1 B", format="tflite", save_options=LIGHT)
        @pytest.mark.max_model_size(weights="1MB", format="tflite")
        def test_it(model):
            pass

        @pytest.mark.max_model_size("1MB", format="tflite", save_options=["optimizations"])
        def test_wrong(model):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["*save_options= takes a dictionary by option*"])


def test_a_converted_model_s_bytes_are_found_among_the_fixtures(project):
    result = project.run_code(
        """
        import pytest
        import tensorflow as tf
        from conftest import build

        @pytest.fixture
        def converted():
            return tf.lite.TFLiteConverter.from_keras_model(build()).convert()

        @pytest.mark.max_model_size("1 B")
        def test_it(converted, model_size):
            assert model_size(converted).total == len(converted)

        class TestHeld:
            held = None

            @pytest.mark.max_model_size("1 B", model="held")
            def test_attribute(self, converted, model):
                type(self).held = bytearray(converted)

        @pytest.mark.max_model_size("1 B", model="converted", format="keras")
        def test_by_name(converted, model):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=3)
    headlines = [line for line in result.outlines if re.match(r"\S+\.tflite \S+ k?B > 1 B", line)]
    assert len(headlines) >= 3
    result.stdout.fnmatch_lines(["held.tflite * > 1 B*"])
    result.stdout.fnmatch_lines(["*.tflite * > 1 B*"])


def test_a_checkpoint_s_prefix_may_be_named(project):
    result = project.run_code(
        """
        import pytest
        import tensorflow as tf

        @pytest.mark.max_model_size("1MB", path="ckpt-1", include_optimizer=False)
        def test_full(model, tmp_path):
            tf.train.Checkpoint(model=model).save(str(tmp_path / "ckpt"))
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["ckpt-1: optimizer * > 0 B (include_optimizer=False)"])


def test_a_checkpoint_over_budget_shows_a_call_that_writes_the_size_shown(project, keras):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("3 kB", format="checkpoint")
        def test_large(model):
            pass
        """,
        "-Wignore",
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"  optimizer: adam\w*, 2 slots x 178 parameters, float32",
            r"  fix: save without the optimizer's state: [\d.]+ kB, \d+ % of the budget \(measured\)",
            r"       del model\.optimizer  # .*",
            r"       tf\.train\.Checkpoint\(model=model\)\.write\(\"model\.ckpt\"\)",
        ]
    )

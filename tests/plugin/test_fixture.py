"""``model_size``: a measurement in the test's hands, and an assertion that explains itself."""

import pytest


def test_the_sizes_are_those_of_what_keras_writes(project):
    result = project.run_code(
        """
        import os, pytest

        @pytest.mark.parametrize("format", ["keras", "h5", "weights"])
        def test_it(model, model_size, tmp_path, format):
            measured = model_size(model, format=format)
            if format == "weights":
                path = tmp_path / "m.weights.h5"
                model.save_weights(path)
            else:
                path = tmp_path / f"m.{format}"
                model.save(path)
            assert measured.total == os.stat(path).st_size == model_size(path).total
            assert measured.total == sum(measured.sections.values())
            assert measured.sections["optimizer"] == measured.optimizer > 2 * 4 * 178
            assert measured.weights >= 4 * 178
            assert model_size(model, format=format, include_optimizer=False).optimizer == 0
            assert "1 B" < measured < "1MB"
        """
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    "assertion",
    [
        'model_size(model).total <= "20 kB"',
        'model_size(model) <= "20 kB"',
        "model_size(model).total < 20_000",
        '"20 kB" >= model_size(model).total',
    ],
)
@pytest.mark.parametrize("option", ["-q", "-vv"])
def test_an_assertion_fails_with_the_same_diff_as_the_marker(project, assertion, option):
    result = project.run_code(
        f"""
        def test_it(model, model_size):
            assert {assertion}
        """,
        option,
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"E +(AssertionError: )?assert model\.keras [\d.]+ kB > 20 kB",
            r"(E +|  )optimizer +0 +[\d,]+ +\+[\d,]+ +####################",
            r"(E +|  )total +[\d,]+ +[\d,]+ +\+[\d,]+ +budget 20,000",
            r"(E +|  )fix: save without the optimizer's state: .*",
        ]
    )


def test_an_assertion_on_a_section_names_what_is_large_in_it(project, keras):
    result = project.run_code(
        """
        def test_it(model, model_size):
            assert model_size(model, include_optimizer=False).weights <= "1 kB"
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [r"E +(AssertionError: )?assert model\.keras: weights .* > 1 kB", r".*hidden/kernel.*"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("model_size(3)", "*TypeError: model_size takes a model or the path of an artifact, not int*"),
        ("model_size('nothing.h5')", "*ArtifactError: nothing.h5: cannot be measured: *"),
        ("model_size(model, format='kears')", "*ValueError: model_size has the unknown format 'kears': did you mean 'keras'*"),
        ("model_size(model).total <= '2MBs'", '*SizeError: *did you mean "2MB"*'),
        ("model_size()", "*TypeError: *"),
        ("model_size(model, include_optimiser=False)", "*TypeError: *include_optimiser*"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_at_its_line(project, call, error):
    result = project.run_code(
        f"""
        def test_it(model, model_size):
            assert {call}
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([error])


def test_what_was_handed_over_is_let_go_after_the_test(project):
    result = project.run_code(
        """
        import gc, weakref
        from conftest import build

        held = []

        def test_first(model_size):
            model = build()
            model_size(model)
            held.append(weakref.ref(model.layers[0]))

        def test_second():
            import keras
            keras.backend.clear_session()
            gc.collect()
            assert held[0]() is None
        """
    )
    result.assert_outcomes(passed=2)

"""Markers on functions, classes and modules, alone and stacked."""


def test_the_nearest_marker_of_an_artifact_has_the_word(project):
    result = project.run_code(
        """
        import pytest
        pytestmark = pytest.mark.max_model_size("1 B")

        def test_module(model):
            pass

        @pytest.mark.max_model_size("1MB")
        def test_function_over_module(model):
            pass

        @pytest.mark.max_model_size("1MB")
        class TestClass:
            def test_class_over_module(self, model):
                pass

            @pytest.mark.max_model_size("2 B", model="model")
            def test_function_over_class(self, model):
                pass
        """
    )
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(["* > 1 B*", "*budget: test_it.py:2: *", "* > 2 B*"])


def test_markers_for_other_formats_and_flags_all_hold(project):
    result = project.run_code(
        """
        import pytest
        pytestmark = [
            pytest.mark.max_model_size("1 B", format="h5"),
            pytest.mark.max_model_size("2 B", format="h5", include_optimizer=False),
        ]

        @pytest.mark.max_model_size("3 B")
        @pytest.mark.max_model_size(config="4 B")
        def test_it(model):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    for budget in ("1 B", "2 B", "3 B", "4 B"):
        result.stdout.fnmatch_lines([f"* > {budget}*"])


def test_each_parametrised_model_is_measured(project):
    result = project.run_code(
        """
        import pytest
        from conftest import build

        @pytest.fixture(params=[2, 4000])
        def net(request):
            return build(request.param)

        @pytest.mark.max_model_size("100 kB")
        def test_it(net):
            pass

        @pytest.mark.parametrize("units", [
            pytest.param(2, marks=pytest.mark.max_model_size("1MB")),
            pytest.param(3, marks=pytest.mark.max_model_size("3 B")),
        ])
        def test_marked_parameter(model_size, units):
            model_size(build(units))
        """
    )
    result.assert_outcomes(failed=2, passed=2)
    result.stdout.fnmatch_lines(["*budget: test_it.py:14: *3 B*"])


def test_a_marker_added_by_a_fixture_or_a_hook_counts(project):
    result = project.run_code(
        """
        import pytest

        @pytest.fixture(autouse=True)
        def strict(request):
            request.node.add_marker(pytest.mark.max_model_size("1 B"))

        def test_it(model):
            pass
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["* > 1 B*"])

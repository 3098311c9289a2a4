"""How often, and how, a test's model is saved for its budgets."""

import json
import re
from pathlib import Path

import pytest

from pytest_modelsize import measure

SPY = """
import json
from importlib import import_module
from pathlib import Path

# Not "from pytest_modelsize import check": that may be one that an earlier run left behind.
check = import_module("pytest_modelsize.checks.explanation")
original = check.save

def save(model, folder, *, format, include_optimizer, **kwargs):
    copy = original(model, folder, format=format, include_optimizer=include_optimizer, **kwargs)
    with Path({log!r}).open("a") as log:
        print(json.dumps([format, include_optimizer, copy.sparse]), file=log)
    return copy

check.save = save
"""


@pytest.fixture
def saves(project, keras, tmp_path):
    """Return a function: all saves that inner runs made, sorted: format, flag, tensors left out."""
    from pytest_modelsize.saving.keras.sparse import patches

    if not patches.can_be_sparse("keras"):
        pytest.skip(f"Keras {keras.__version__} is not one that saves are sparse for")
    # The inner run imports the package anew: what spies on it must be imported there.
    log = tmp_path / "saves.log"
    project.makepyfile(spy=SPY.format(log=str(log)))
    project.syspathinsert()
    return lambda: sorted(json.loads(line) for line in log.read_text().splitlines())


TWO_BUDGETS = """
import pytest
@pytest.mark.max_model_size("1 MB")
@pytest.mark.max_model_size(weights="1 MB", reason="the other team")
@pytest.mark.max_model_size("1 MB", include_optimizer=False)
@pytest.mark.max_model_size("1 MB", format="h5")
def test_it(model):
    pass
"""


def test_one_save_serves_all_budgets_of_a_model_saved_alike(project, saves):
    project.run_code(TWO_BUDGETS, plugins=["spy"]).assert_outcomes(passed=1, warnings=1)
    # What the warning about the flag compares with is the save that was there already.
    assert saves() == [["h5", True, True], ["keras", False, True], ["keras", True, True]]


@pytest.mark.parametrize("how", ["option", "ini"])
def test_the_user_can_have_all_saves_real(project, saves, how):
    if how == "ini":
        project.makeini("[pytest]\nmodelsize_save = real\n")
    options = ["--modelsize-save=real"] if how == "option" else []
    project.run_code(TWO_BUDGETS, *options, plugins=["spy"]).assert_outcomes(passed=1, warnings=1)
    assert [sparse for _, _, sparse in saves()] == [False] * 3


def test_the_option_goes_before_the_ini_file(project, saves):
    project.makeini("[pytest]\nmodelsize_save = real\n")
    project.run_code(TWO_BUDGETS, "--modelsize-save=auto", plugins=["spy"]).assert_outcomes(
        passed=1, warnings=1
    )
    assert [sparse for _, _, sparse in saves()] == [True] * 3


def test_another_way_in_the_ini_file_fails_the_test(project):
    project.makeini("[pytest]\nmodelsize_save = fast\n")
    result = project.run_code(TWO_BUDGETS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ini option modelsize_save: 'fast' is neither of auto, real*"])


@pytest.mark.parametrize("format", ["keras", "h5", "weights"])
def test_what_is_kept_after_a_failure_is_whole(project, keras, saves, format):
    result = project.run_code(
        f"""
        import pytest
        @pytest.mark.max_model_size("1 B", format="{format}")
        @pytest.mark.max_model_size(weights="2 B", format="{format}")
        @pytest.mark.max_model_size("1 MB", format="{format}")
        def test_it(model):
            model.layers[0].set_weights([w * 0 + 0.25 for w in model.layers[0].get_weights()])
        """,
        plugins=["spy"],
    )
    result.assert_outcomes(failed=1)
    # Sparse, real, and one without the optimizer's state for the explanation.
    assert saves() == [[format, False, True], [format, True, False], [format, True, True]]
    text = result.stdout.str()
    kept = {Path(found) for found in re.findall(r"(\S+/model\.\S*(?:keras|h5))$", text, re.M)}
    assert len(kept) == 1
    path = kept.pop()
    fresh = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(16, name="hidden"), keras.layers.Dense(2)]
    )
    if format == "weights":
        fresh.load_weights(path)
    else:
        fresh = keras.models.load_model(path, compile=False)
    assert float(fresh.layers[0].get_weights()[0].min()) == 0.25
    assert re.search(rf"is {measure(path).bytes_on_disk:,d} B|over its budget", text)


def test_a_fixture_s_measurement_is_that_of_the_real_file(project, saves):
    project.run_code(
        """
        def test_it(model, model_size, tmp_path):
            model.save(tmp_path / "real.keras")
            assert model_size(model).total == (tmp_path / "real.keras").stat().st_size
        """,
        plugins=["spy"],
    ).assert_outcomes(passed=1)
    assert saves() == [["keras", True, True]]


SAVED_BEFORE = """
import keras
import pytest

@pytest.mark.max_model_size("1 MB")
def test_it(model, model_size):
    first = model_size(model)
    {between}
    assert model_size(model).total {compared} first.total
"""


@pytest.mark.parametrize(
    ("between", "compared", "expected"),
    [
        ("model.layers[0].kernel.assign(model.layers[0].kernel + 1)", "==", 1),
        ("model.layers[0].trainable = False", "!=", 2),
        ("model.optimizer = None", "<", 2),
        ("model.compile('sgd', 'mse')", "<", 2),
    ],
    ids=["values", "configuration", "optimizer", "compiled"],
)
def test_a_fixture_s_save_serves_the_marker_while_the_model_is_unchanged(
    project, saves, between, compared, expected
):
    project.run_code(
        SAVED_BEFORE.format(between=between, compared=compared), plugins=["spy"]
    ).assert_outcomes(passed=1)
    assert len(saves()) == expected


def test_a_model_of_the_user_s_own_classes_is_saved_anew_each_time(project, saves):
    project.run_code(
        """
        import keras
        import pytest

        class Mine(keras.layers.Dense):
            pass

        @pytest.fixture
        def mine():
            return keras.Sequential([keras.Input((3,)), Mine(2)])

        @pytest.mark.max_model_size("1 MB")
        def test_it(mine, model_size):
            model_size(mine)
            model_size(mine)
        """,
        plugins=["spy"],
    ).assert_outcomes(passed=1)
    assert len(saves()) == 3


def test_a_budget_after_the_fixture_fails_with_a_whole_copy(project, saves):
    result = project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 kB")
        def test_it(model, model_size):
            assert model_size(model).total < "1 MB"
        """,
        plugins=["spy"],
    )
    result.assert_outcomes(failed=1)
    assert [sparse for _, optimizer, sparse in saves() if optimizer][::-1] == [True, False]
    kept = re.search(r"kept: (.*)", result.stdout.str())
    assert kept
    assert measure(Path(kept[1])).total > 1000

"""How often, and how, a test's model is saved for its budgets."""

import json
import re
from pathlib import Path

import pytest

from pytest_modelsize import measure
from tests.needs import skip

SPY = """
import json
from importlib import import_module
from pathlib import Path

# Not "from pytest_modelsize.checks import take": that may be one that an earlier run left behind.
take = import_module("pytest_modelsize.checks.take")
original = take.save

def save(model, folder, *, format, include_optimizer, **kwargs):
    copy = original(model, folder, format=format, include_optimizer=include_optimizer, **kwargs)
    with Path({log!r}).open("a") as log:
        print(json.dumps([format, include_optimizer, copy.sparse]), file=log)
    return copy

take.save = save
"""


@pytest.fixture
def saves(project, keras, tmp_path):
    """Return a function: all saves that inner runs made, sorted: format, flag, tensors left out."""
    from pytest_modelsize.saving.keras.sparse import patches

    if not patches.can_be_sparse("keras"):
        skip(f"Keras {keras.__version__} is not one that saves are sparse for", "py")
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
    result.stdout.fnmatch_lines(["*ini option modelsize_save: 'fast' should be one of auto, real*"])


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
    kept = {
        Path(found) for found in re.findall(r"(\S+/model\.\S*(?:keras|h5))$", text, re.MULTILINE)
    }
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
    assert re.search(rf" {measure(path).bytes_on_disk:,d} B >| > ", text)


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


GROWN = """
import keras
import os
import pytest

def grow(model):
    {grow}

def test_real(untrained, tmp_path):
    '''What Keras' own file weighs, before and after.'''
    untrained.save(tmp_path / "small.keras")
    grow(untrained)
    untrained.save(tmp_path / "large.keras")
    sizes = [os.path.getsize(tmp_path / name) for name in ("small.keras", "large.keras")]
    open("sizes", "w").write(" ".join(map(str, sizes)))

@pytest.mark.max_model_size({limit})
def test_grown(untrained, model_size):
    model_size(untrained)
    grow(untrained)

@pytest.mark.max_model_size({limit})
def test_as_it_came(untrained):
    pass
"""


@pytest.mark.parametrize(
    "grow",
    [
        "model.second = keras.optimizers.Adam(); model.second.build(model.trainable_variables)",
        "model.extra = model.add_weight(shape=(5000,), name='extra')",
        "model.add(keras.layers.Dense(500))",
        "model.compile('adam', 'mse'); model.optimizer.build(model.trainable_variables)",
        "setattr(model, '_name' if keras.__version__[0] == '2' else 'name', 'n' * 6000)",
    ],
    ids=["second optimizer", "variable", "layer", "optimizer", "configuration"],
)
def test_a_model_that_grew_after_the_fixture_saw_it_is_measured_as_it_is_now(project, grow):
    project.run_code(GROWN.format(grow=grow, limit=10**6), "-k", "real").assert_outcomes(
        passed=1, deselected=2
    )
    before, after = map(int, (project.path / "sizes").read_text().split())
    assert before + 1000 < after
    result = project.run_code(GROWN.format(grow=grow, limit=(before + after) // 2))
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(["*test_grown*", "* > *"])


def test_the_fixture_s_save_is_not_the_marker_s(project, saves):
    project.run_code(
        """
        import pytest

        @pytest.mark.max_model_size("1 MB")
        def test_it(model, model_size):
            model_size(model)
            model_size(model)
        """,
        plugins=["spy"],
    ).assert_outcomes(passed=1)
    assert len(saves()) == 3


def test_an_assertion_is_not_explained_by_a_model_that_changed_since(project, saves):
    """What a save without optimizer state gives now says nothing of what was measured then."""
    result = project.run_code(
        """
        import keras

        def test_changed(model, model_size):
            total = model_size(model).total
            model.add(keras.layers.Dense(500))
            assert total <= "1 kB"

        def test_unchanged(model, model_size):
            total = model_size(model).total
            assert total <= "1 kB"
        """,
        "-vv",
        plugins=["spy"],
    )
    result.assert_outcomes(failed=2)
    changed, unchanged = result.stdout.str().split("test_unchanged(")
    assert " > 1 kB" in changed
    assert "fix: save without" not in changed
    assert "fix: save without" in unchanged


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
    assert [sparse for _, optimizer, sparse in saves() if optimizer] == [False, True, True]
    kept = re.search(r"kept: (.*)", result.stdout.str())
    assert kept
    assert measure(Path(kept[1])).total > 1000

"""Markers on tests whose models are of other packages than Keras and PyTorch."""

import json

import pytest

from tests.needs import needs

REASON = "{} is not installed: tox run -e estimators"
CONFTEST = """
import numpy as np, pytest, sklearn.linear_model, sklearn.pipeline, sklearn.preprocessing, xgboost
X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int)

@pytest.fixture
def model():
    steps = sklearn.preprocessing.StandardScaler(), sklearn.linear_model.LogisticRegression()
    return sklearn.pipeline.make_pipeline(*steps).fit(X, Y)

@pytest.fixture
def booster():
    return xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, Y)

class Recommender:
    def save(self, path): path.write_bytes(b"x" * 100)

@pytest.fixture
def recommender():
    return Recommender()
"""


@pytest.fixture(scope="module")
def packages():
    """What can be imported once in a process is imported here, and not in an inner run."""
    for name in ("sklearn.pipeline", "sklearn.neighbors", "xgboost"):
        pytest.importorskip(name, reason=REASON.format(name.partition(".")[0]))


@pytest.fixture
def project(packages, pytester, monkeypatch):
    """A folder with fitted models as fixtures; ``run_code(code, *options)`` runs a test module."""
    for name in ("CI", "BUILD_NUMBER", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)

    def run_code(code, *options):
        pytester.makepyfile(test_it=f"import pytest\n{code}")
        return pytester.runpytest_inprocess("-pmodelsize", "-Wignore", *options)

    pytester.run_code = run_code
    return pytester


def test_an_estimator_is_held_as_joblib_writes_it(project, tmp_path):
    result = project.run_code(
        "import joblib\n"
        "@pytest.mark.max_model_size('1 MB', config='100 kB')\n"
        "def test_within(model): pass\n"
        "@pytest.mark.max_model_size('10 B')\n"
        "def test_over(model): pass\n"
        "def test_same(model, model_size, tmp_path):\n"
        "    joblib.dump(model, tmp_path / 'own')\n"
        "    assert model_size(model).total == (tmp_path / 'own').stat().st_size\n"
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["model.joblib * > 10 B*"])


def test_a_booster_is_held_as_its_package_writes_it(project):
    result = project.run_code(
        "@pytest.mark.max_model_size('1 MB')\n"
        "def test_whole(booster): pass\n"
        "@pytest.mark.max_model_size('10 B', format='json')\n"
        "def test_json(booster): pass\n",
        "-omodelsize_format=joblib",
        "--modelsize",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["booster.json * > 10 B*", "ok *booster.joblib *"])


@pytest.mark.parametrize("format", ["ubj", "json"])
def test_sections_of_a_booster_are_held_and_no_optimizer_is_promised(project, format):
    result = project.run_code(
        f"@pytest.mark.max_model_size('1 MB', weights='1 MB', config='10 B', format={format!r})\n"
        "def test_config(booster): pass\n"
        f"@pytest.mark.max_model_size('1 MB', weights='10 B', format={format!r})\n"
        "def test_weights(booster): pass\n"
        f"@pytest.mark.max_model_size('1 MB', include_optimizer=False, format={format!r})\n"
        "def test_lean(booster, model_size):\n"
        f"    assert model_size(booster, format={format!r}).weights > 1000\n"
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            f"booster.{format}: config * > 10 B*",
            f"booster.{format}: weights * > 10 B*",
        ]
    )


def test_a_training_in_flax_holds_what_its_optimizer_keeps_and_ships_without(project):
    needs("flax.training.train_state"), needs("optax")
    result = project.run_code(
        "import jax.numpy as jnp, optax\n"
        "from flax.training.train_state import TrainState\n"
        "@pytest.fixture\n"
        "def state():\n"
        "    params = {'dense': {'kernel': jnp.ones((9, 5)), 'bias': jnp.ones(5)}}\n"
        "    return TrainState.create(apply_fn=None, params=params, tx=optax.adam(1.0))\n"
        "@pytest.mark.max_model_size('1 kB', optimizer=0)\n"
        "def test_whole(state): pass\n"
        "@pytest.mark.max_model_size('1 kB', optimizer=0, include_optimizer=False)\n"
        "def test_lean(state): pass\n"
        "@pytest.mark.max_model_size('1 kB', weights='200 B', include_optimizer=False)\n"
        "def test_weights(state, model_size):\n"
        "    assert 200 < model_size(state, include_optimizer=False).weights < 300\n"
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["state.msgpack: optimizer * > 0 B", "*.msgpack: weights * > 200 B"]
    )


def test_a_small_estimator_does_not_hide_a_large_one_and_a_step_is_a_part(project):
    result = project.run_code(
        "import numpy, sklearn.neighbors\n"
        "@pytest.mark.max_model_size('20 kB')\n"
        "def test_two(model):\n"
        "    x = numpy.ones((4000, 2))\n"
        "    large = sklearn.neighbors.KNeighborsRegressor().fit(x, x[:, 0])\n"
        "@pytest.mark.max_model_size('20 kB')\n"
        "def test_step(model):\n"
        "    step = model[-1]\n",
        "--modelsize-report=r.json",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["large.joblib * > 20 kB*"])
    found = json.loads((project.path / "r.json").read_text())["artifacts"]
    shown = [one["artifact"] for one in found if one["test"].endswith("test_step")]
    assert shown == ["model.joblib"]


def test_a_file_of_no_known_format_is_named_with_what_to_write(project):
    result = project.run_code(
        "@pytest.mark.max_model_size('1 kB')\n"
        "def test_written(tmp_path): (tmp_path / 'm.ubj').write_bytes(b'{x')\n"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['budget not checked: no model * lie path="m.ubj"; write *'])


def test_what_is_not_saved_here_is_named_with_its_type_and_its_own_call(project):
    result = project.run_code(
        "@pytest.mark.max_model_size('1 MB', model='recommender')\ndef test_it(recommender): pass\n"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["budget not checked: model='recommender' is of type conftest.Recommender, *own save()*"]
    )

"""Public complaints about pickled estimators, rebuilt small; each cites its thread."""

import pytest

REASON = "scikit-learn is not installed: tox run -e estimators"
sklearn = pytest.importorskip("sklearn", reason=REASON)
joblib = pytest.importorskip("joblib", reason=REASON)
np = pytest.importorskip("numpy", reason=REASON)

ROWS, FEATURES = 400, 12


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, FEATURES))
    return x, (x[:, 0] > 0).astype(int)


@pytest.mark.parametrize("compress", [0, 3])
def test_scikit_learn_24171_neighbours_keep_their_training_data(causes, data, tmp_path, compress):
    from sklearn.neighbors import KNeighborsClassifier

    path = tmp_path / "model.joblib"
    joblib.dump(KNeighborsClassifier().fit(*data), path, compress=compress)
    cause = causes(path)["training data"]
    assert "_fit_X" in cause.text
    if not compress:
        # The data, the copy of it in the tree, and the labels.
        assert cause.size >= 2 * ROWS * FEATURES * 8 + ROWS * 8


@pytest.mark.parametrize(
    "kind", ["kernel_ridge.KernelRidge", "gaussian_process.GaussianProcessRegressor"]
)
def test_scikit_learn_6276_kernel_methods_keep_it_too(causes, data, tmp_path, kind):
    from importlib import import_module

    module, name = kind.split(".")
    estimator = getattr(import_module(f"sklearn.{module}"), name)()
    path = tmp_path / "model.joblib"
    joblib.dump(estimator.fit(*data), path)
    assert causes(path)["training data"].size >= ROWS * FEATURES * 8


def test_a_forest_keeps_none(causes, data, tmp_path):
    from sklearn.ensemble import RandomForestClassifier

    path = tmp_path / "model.joblib"
    joblib.dump(RandomForestClassifier(10).fit(*data), path)
    assert causes(path) == {}

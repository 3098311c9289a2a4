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


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("neighbors.KernelDensity", ROWS * FEATURES * 8),
        ("svm.SVC", 0),
        ("cluster.AffinityPropagation", ROWS * ROWS * 8),
        ("gaussian_process.GaussianProcessRegressor", ROWS * ROWS * 8),
    ],
)
def test_pyod_179_what_there_is_for_each_row_is_data_too(causes, data, tmp_path, kind, least):
    from importlib import import_module

    module, name = kind.split(".")
    path = tmp_path / "model.joblib"
    joblib.dump(getattr(import_module(f"sklearn.{module}"), name)().fit(*data), path)
    assert causes(path)["training data"].size > least


@pytest.mark.parametrize("names", [("X_train", "y_train"), ("train", "test"), ("data", "other")])
def test_econml_563_data_beside_the_model_in_a_dictionary(causes, data, tmp_path, names):
    from sklearn.linear_model import LogisticRegression

    path = tmp_path / "model.joblib"
    joblib.dump({"model": LogisticRegression().fit(*data), **dict(zip(names, data, strict=True))}, path)  # fmt: skip
    assert causes(path)["training data"].size >= data[0].nbytes


def test_a_sparse_matrix_of_weights_is_no_data(causes, data, tmp_path):
    from sklearn.linear_model import SGDClassifier

    path = tmp_path / "model.joblib"
    wide = np.random.default_rng(0).normal(size=(100, 2000))
    joblib.dump(SGDClassifier(penalty="l1").fit(wide, data[1][:100]).sparsify(), path)
    assert causes(path) == {}


def test_an_isolation_forest_has_no_average_of_its_weights(causes, data, tmp_path):
    """Its ``_average_path_length_per_tree`` repeats the shapes of ``_decision_path_lengths``."""
    from sklearn.ensemble import IsolationForest

    path = tmp_path / "model.joblib"
    joblib.dump(IsolationForest(n_estimators=10).fit(data[0]), path)
    assert causes(path) == {}


def test_scikit_learn_3844_a_vocabulary_of_a_vectorizer(causes, tmp_path):
    from sklearn.feature_extraction.text import CountVectorizer

    path = tmp_path / "model.joblib"
    words = [f"word{number}" for number in range(1000)]
    joblib.dump(CountVectorizer().fit([" ".join(words)]), path)
    cause = causes(path)["vocabulary in the configuration"]
    assert cause.size >= sum(map(len, words))

"""Estimators of scikit-learn, pickled in every way: the arrays are those that NumPy loads."""

import gzip
import io
import pickle
import warnings

import pytest

from pytest_modelsize import measure
from pytest_modelsize.sizes.measurement import Kind
from tests.needs import needs

sklearn = needs("sklearn")
joblib = needs("joblib")
np = needs("numpy")


def estimators():
    from sklearn import (
        cluster,
        decomposition,
        ensemble,
        gaussian_process,
        kernel_ridge,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
    )

    yield "forest", ensemble.RandomForestClassifier(10)
    yield "isolation", ensemble.IsolationForest(n_estimators=5)
    yield "histogram", ensemble.HistGradientBoostingClassifier(max_iter=5)
    yield "logistic", linear_model.LogisticRegression()
    yield "neighbours", neighbors.KNeighborsClassifier()
    yield "vectors", svm.SVC()
    yield "network", neural_network.MLPClassifier((30, 20), max_iter=5)
    yield "gaussian", gaussian_process.GaussianProcessClassifier()
    yield "ridge", kernel_ridge.KernelRidge(kernel="rbf")
    yield "clusters", cluster.KMeans(3, n_init=1)
    yield "bayes", naive_bayes.GaussianNB()
    yield (
        "pipeline",
        pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(4), svm.SVC()),
    )


class Counting(pickle.Pickler):
    """Gathers the arrays that pickling an object comes across."""

    def __init__(self):
        super().__init__(io.BytesIO(), 5)
        self.arrays = {}

    def persistent_id(self, value):
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            self.arrays[id(value)] = value


def array_bytes(estimator):
    counting = Counting()
    counting.dump(estimator)
    return sum(array.nbytes for array in counting.arrays.values())


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 8))
    y = (x[:, 0] > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: estimator.fit(x, y) for name, estimator in estimators()}


@pytest.mark.parametrize("name", [name for name, _ in estimators()])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_the_bytes_of_arrays_are_those_that_numpy_loads(tmp_path, fitted, name, protocol):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fitted[name], protocol))
    measured = measure(path)
    # What trained a network is pickled with it: Adam's two moments, and nothing else here.
    solver = getattr(fitted[name], "_optimizer", None)
    moments = [*getattr(solver, "ms", []), *getattr(solver, "vs", [])]
    state = sum(moment.nbytes for moment in moments)
    assert measured.section("optimizer").of_kind(Kind.DATA) == state
    assert measured.section("weights").of_kind(Kind.DATA) == array_bytes(fitted[name]) - state
    assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())


@pytest.mark.parametrize("name", [name for name, _ in estimators()])
def test_joblib_writes_the_same_arrays(tmp_path, fitted, name):
    path = tmp_path / "model.joblib"
    joblib.dump(fitted[name], path)
    measured = measure(path)
    # joblib writes an array again that is referred to twice, as pickle does not.
    arrays = sum(measured.section(part).of_kind(Kind.DATA) for part in ("weights", "optimizer"))
    assert arrays >= array_bytes(fitted[name])
    assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())
    packed = tmp_path / "model.pkl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert measure(packed).total == packed.stat().st_size


def test_training_data_that_an_estimator_keeps_has_its_name(tmp_path, fitted):
    path = tmp_path / "model.joblib"
    joblib.dump(fitted["neighbours"], path)
    kept = {p[1]: leaf.note for p, leaf in measure(path).leaves() if p[0] == "weights"}
    assert "_fit_X" in kept

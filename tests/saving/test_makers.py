"""Models of other packages that a helper makes and drops: the last that is known of them."""

import threading

import pytest

from pytest_modelsize.saving.watching.constructions import Constructions
from pytest_modelsize.saving.watching.patches import Patches
from tests.needs import needs

X = [[0.0, 1.0], [1.0, 0.0], [0.5, 0.1], [0.2, 0.9]] * 10
Y = [0, 1, 1, 0] * 10


def forest():
    return needs("sklearn.ensemble").RandomForestClassifier(3).fit(X, Y)


def pipeline():
    linear = needs("sklearn.linear_model").LogisticRegression()
    scaler = needs("sklearn.preprocessing").StandardScaler()
    return needs("sklearn.pipeline").make_pipeline(scaler, linear).fit(X, Y)


def search(jobs=None):
    linear = needs("sklearn.linear_model").LogisticRegression()
    selection = needs("sklearn.model_selection")
    with needs("joblib").parallel_config(backend="threading"):
        return selection.GridSearchCV(linear, {"C": [1, 2]}, cv=2, n_jobs=jobs).fit(X, Y)


def booster():
    xgboost = needs("xgboost")
    return xgboost.train({"verbosity": 0}, xgboost.DMatrix(X, Y), 2)


def classifier():
    return needs("xgboost").XGBClassifier(n_estimators=2).fit(X, Y)


def gradients():
    lightgbm = needs("lightgbm")
    return lightgbm.train({"verbosity": -1}, lightgbm.Dataset(needs("numpy").array(X), Y), 2)


def ranked():
    model = needs("lightgbm").LGBMClassifier(n_estimators=2, verbosity=-1)
    return model.fit(needs("numpy").array(X), Y)


def cat():
    made = needs("catboost").CatBoostClassifier(2, verbose=0, allow_writing_files=False)
    return made.fit(X, Y)


def layer():
    nnx = needs("flax.nnx")

    class Net(nnx.Module):
        def __init__(self):
            self.inner = nnx.Linear(2, 2, rngs=nnx.Rngs(0))

    return Net()


def parameters():
    linen, jax = needs("flax.linen"), needs("jax")
    return linen.Dense(2).init(jax.random.key(0), jax.numpy.ones((1, 2)))


def perceptron():
    equinox, jax = needs("equinox"), needs("jax")
    return equinox.nn.MLP(2, 2, 2, 1, key=jax.random.key(0))


def proto():
    helper = needs("onnx.helper")
    return helper.make_model(helper.make_graph([], "net", [], []))


@pytest.fixture
def made():
    """Return a function: the models that a call has made, and what it returns."""

    def made(build):
        build()  # what a package imports at its first call is its own
        constructions = Constructions(16)
        with Patches(constructions.patches()):
            built = build()
        return constructions.models(), built

    return made


BUILDERS = [
    forest, pipeline, search, lambda: search(2), booster, classifier, gradients, ranked, cat, layer,
    parameters, perceptron, proto,
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_a_model_is_noted_without_what_it_is_made_of(made, build):
    models, built = made(build)
    assert len(models) == 1
    assert models[0] is built


def test_a_model_that_is_loaded_is_noted(made, tmp_path):
    needs("sklearn")
    joblib = needs("joblib")
    joblib.dump(forest(), tmp_path / "forest.joblib")
    models, built = made(lambda: joblib.load(tmp_path / "forest.joblib"))
    assert models == [built]


def test_a_model_that_a_thread_fits_is_noted(made):
    needs("sklearn")

    def build():
        found = []
        thread = threading.Thread(target=lambda: found.append(forest()))
        thread.start()
        thread.join()
        return found[0]

    models, built = made(build)
    assert models == [built]


def test_what_cannot_be_fitted_is_not_noted(made):
    linear = needs("sklearn.linear_model")

    def build():
        with pytest.raises(ValueError, match="'C' parameter"):
            linear.LogisticRegression(C=-1).fit(X, Y)

    assert made(build) == ([], None)

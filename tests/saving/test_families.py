"""Models of other packages: saved by their own calls, and handed back as they were."""

import pickle
import sys
import types
import warnings

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.checks.roots import roots
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.saving import SaveError, default_format, framework_of, save
from pytest_modelsize.saving.composition import has_numbers
from tests.needs import needs

REASON = "{} is not installed: tox run -e estimators"


def imported(name):
    return pytest.importorskip(name, reason=REASON.format(name))


@pytest.fixture(scope="module")
def data():
    random = imported("numpy").random.default_rng(0)
    x = random.normal(size=(80, 5)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def sklearn_model(x, y):
    imported("sklearn")
    from sklearn import ensemble, pipeline, preprocessing

    forest = ensemble.RandomForestClassifier(3, random_state=0)
    return pipeline.make_pipeline(preprocessing.StandardScaler(), forest).fit(x, y)


def xgboost_estimator(x, y):
    return imported("xgboost").XGBClassifier(n_estimators=3, n_jobs=1).fit(x, y)


def xgboost_booster(x, y):
    return xgboost_estimator(x, y).get_booster()


def lightgbm_estimator(x, y):
    return imported("lightgbm").LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(x, y)


def lightgbm_booster(x, y):
    return lightgbm_estimator(x, y).booster_


def catboost_model(x, y):
    catboost = imported("catboost")
    model = catboost.CatBoostClassifier(3, verbose=0, thread_count=1, allow_writing_files=False)
    return model.fit(x, y)


def skorch_net(x, y):
    torch, skorch = imported("torch"), imported("skorch")
    torch.manual_seed(0)
    net = skorch.NeuralNetClassifier(
        torch.nn.Linear(5, 2), max_epochs=1, verbose=0, optimizer=torch.optim.Adam
    )
    return net.fit(x, y)


def build():
    keras = imported("keras")
    layers = [keras.Input((5,)), keras.layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential(layers)
    model.compile("adam", "binary_crossentropy")
    return model


def scikeras_model(x, y):
    wrappers = imported("scikeras.wrappers")

    return wrappers.KerasClassifier(build, epochs=1, verbose=0).fit(x, y)


MODELS = [
    sklearn_model, xgboost_estimator, xgboost_booster, lightgbm_estimator, lightgbm_booster,
    catboost_model, skorch_net, scikeras_model,
]  # fmt: skip


def predicted(model, x):
    if framework_of(model) == "xgboost" and not hasattr(model, "predict_proba"):
        x = sys.modules["xgboost"].DMatrix(x)
    predict = getattr(model, "predict_proba", model.predict)
    return predict(x).tolist()


def user_call(model, folder, format):
    """Save as the packages' manuals do; return the file."""
    path = folder / f"own.{format}"
    if format == "joblib":
        imported("joblib").dump(model, path)
    elif format == "pickle":
        path.write_bytes(pickle.dumps(model))
    elif format == "torch":
        model.save_params(f_params=path)
    elif format == "keras":
        model.model_.save(path)
    elif format == "txt":
        getattr(model, "booster_", model).save_model(path)
    elif format == "cbm" or (format == "json" and framework_of(model) == "catboost"):
        model.save_model(path, format=format)
    else:
        model.save_model(path)
    return path


USUAL = {"sklearn": "joblib", "xgboost": "ubj", "lightgbm": "txt", "catboost": "cbm",
         "skorch": "torch", "scikeras": "keras"}  # fmt: skip
MORE = {"sklearn": ["pickle"], "xgboost": ["json", "joblib"], "lightgbm": ["joblib"],
        "catboost": ["json", "pickle"], "skorch": ["pickle"], "scikeras": ["joblib"]}  # fmt: skip

OPENED = {("xgboost", "ubj"): "xgboost", ("xgboost", "json"): "xgboost",
          ("lightgbm", "txt"): "lightgbm", ("xgboost", "joblib"): "pickle",
          ("lightgbm", "joblib"): "pickle"}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MODELS)
def test_a_model_is_saved_as_its_users_save_it_and_handed_back_as_it_was(make, data, tmp_path):
    x, y = data
    model = make(x, y)
    framework = framework_of(model)
    assert framework == make.__name__.split("_")[0]
    assert (
        default_format(model, "keras" if framework != "scikeras" else "torch") == USUAL[framework]
    )
    before, pickled = predicted(model, x), pickle.dumps(model)
    attributes = {name: id(value) for name, value in getattr(model, "__dict__", {}).items()}
    for format in (USUAL[framework], *MORE[framework]):
        folder = tmp_path / format
        folder.mkdir()
        copy = save(model, folder, format=format, include_optimizer=True)
        own = user_call(model, folder, format)
        assert [path.name for path in sorted(folder.iterdir())] == [copy.path.name, own.name]
        # Some packages write the date or random names, which are as long each time.
        measured = measure(copy.path)
        assert measured.total == pytest.approx(own.stat().st_size, abs=16), format
        if (known := OPENED.get((framework, format))) is not None:
            assert measured.format == known
            assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())
            assert min(measured.weights, measured.config) > 300
    assert predicted(model, x) == before
    assert {n: id(v) for n, v in getattr(model, "__dict__", {}).items()} == attributes
    if framework != "scikeras":  # Keras writes the time into what is pickled
        assert pickle.dumps(model) == pickled


@pytest.mark.filterwarnings("ignore")
def test_options_are_passed_on_to_the_package_s_call(data, tmp_path):
    model = sklearn_model(*data)
    plain = save(model, tmp_path, format="joblib", include_optimizer=True).path.stat().st_size
    packed = save(model, tmp_path, format="joblib", include_optimizer=True, options={"compress": 3})
    joblib = imported("joblib")
    joblib.dump(model, tmp_path / "own", compress=3)
    assert packed.path.stat().st_size == (tmp_path / "own").stat().st_size < plain
    with pytest.raises(SaveError, match="compres"):
        save(model, tmp_path, format="joblib", include_optimizer=True, options={"compres": 3})


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_is_not_fitted_says_so_in_its_package_s_words(tmp_path):
    xgboost, skorch = imported("xgboost"), imported("skorch")
    wrappers = imported("scikeras.wrappers")
    torch = imported("torch")
    net = skorch.NeuralNetClassifier(torch.nn.Linear(2, 2))
    for model, said in (
        (xgboost.XGBRegressor(), "NotFittedError: need to call fit"),
        (imported("lightgbm").LGBMRegressor(), "No booster found"),
        (imported("catboost").CatBoostRegressor(), "There is no trained model"),
        (net, r"has built no module yet: call initialize\(\) or fit\(\) before"),
        (wrappers.KerasRegressor(lambda: None), r"has built no model yet: call fit\(\) or init"),
    ):
        with pytest.raises(SaveError, match=said):
            save(model, tmp_path, format=default_format(model, "keras"), include_optimizer=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore")
def test_a_format_of_others_is_refused_with_those_there_are(data, tmp_path):
    with pytest.raises(
        SaveError, match="is of LightGBM, which is not saved with format='ubj': there are txt,"
    ):
        save(lightgbm_booster(*data), tmp_path, format="ubj", include_optimizer=True)


@pytest.mark.filterwarnings("ignore")
def test_the_model_in_a_wrapper_ships_without_its_optimizer(data, tmp_path):
    torch = imported("torch")
    net = skorch_net(*data)
    copy = save(net, tmp_path, format="torch", include_optimizer=True)
    loaded = torch.load(copy.path, weights_only=True)
    assert {name: list(t.shape) for name, t in loaded.items()} == {"weight": [2, 5], "bias": [2]}
    wrapped = scikeras_model(*data)
    optimizer = wrapped.model_.optimizer
    sizes = {}
    for include in (True, False):
        copy = save(wrapped, tmp_path, format="keras", include_optimizer=include)
        sizes[include] = measure(copy.path).optimizer
    assert sizes[True] > 2 * 6 * 4  # two moments of six numbers
    assert sizes[False] == 0
    assert wrapped.model_.optimizer is optimizer


@pytest.mark.filterwarnings("ignore")
def test_optimizer_state_in_a_pickle_is_never_passed_over(data, tmp_path):
    imported("sklearn")
    from sklearn import neural_network, pipeline, preprocessing

    x, y = data
    mlp = neural_network.MLPClassifier((4,), max_iter=3).fit(x, y)
    nested = pipeline.make_pipeline(preprocessing.StandardScaler(), mlp)
    beside = pipeline.make_pipeline(preprocessing.StandardScaler(), scikeras_model(x, y))
    for model, where in (
        (mlp, "_optimizer"),
        (nested, "steps[1][1]._optimizer"),
        (skorch_net(x, y), "optimizer_"),
        (scikeras_model(x, y), "model_.optimizer"),
        (beside, "steps[1][1].model_.optimizer"),
    ):
        with pytest.raises(SaveError) as caught:
            save(model, tmp_path, format="joblib", include_optimizer=False)
        assert f"{where} has optimizer state, and a pickle holds all of it" in str(caught.value)
    del mlp._optimizer
    save(nested, tmp_path, format="joblib", include_optimizer=False)
    save(sklearn_model(x, y), tmp_path, format="joblib", include_optimizer=False)


def onnx_model():
    onnx = imported("onnx")
    numpy = imported("numpy")
    weight = onnx.numpy_helper.from_array(numpy.ones((300, 4), "float32"), "w")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "net",
        [onnx.helper.make_tensor_value_info("x", 1, [1, 300])],
        [onnx.helper.make_tensor_value_info("y", 1, [1, 4])],
        initializer=[weight],
    )
    return onnx.helper.make_model(graph)


@pytest.mark.parametrize("kind", ["message", "bytes", "bytearray"])
def test_an_onnx_model_is_saved_from_its_message_or_its_bytes(tmp_path, kind):
    message = onnx_model()
    content = message.SerializeToString()
    model = {"message": message, "bytes": content, "bytearray": bytearray(content)}[kind]
    assert framework_of(model) == "onnx"
    format = default_format(model, "keras")
    copy = save(model, tmp_path, format=format, include_optimizer=True)
    assert copy.path.read_bytes() == content
    assert measure(copy.path).weights >= 4 * 1200
    assert message.SerializeToString() == content


def test_tensors_that_go_to_files_beside_it_stay_in_the_onnx_message(tmp_path):
    message = onnx_model()
    content = message.SerializeToString()
    options = {"save_as_external_data": True, "size_threshold": 0, "location": "w.data"}
    copy = save(message, tmp_path, format="onnx", include_optimizer=True, options=options)
    files = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert files["w.data"] == 4800
    assert measure(copy.path).total == sum(files.values())
    assert message.SerializeToString() == content


def test_what_only_looks_like_bytes_of_a_model_is_none():
    for value in (b"", b"\x08\x07", b"hello", bytes(range(256)), bytes(10_000), b"\x08\x07" * 50):
        assert framework_of(value) is None


class Net:
    """What a test builds of Flax: an nnx module with streams of random numbers, and its state."""

    def __init__(self):
        nnx = imported("flax.nnx")

        class Module(nnx.Module):
            def __init__(self, rngs):
                self.dense = nnx.Linear(30, 4, rngs=rngs)
                self.drop = nnx.Dropout(0.5, rngs=rngs)
                self.norm = nnx.BatchNorm(4, rngs=rngs)

        self.module = Module(nnx.Rngs(0))


def arrays_in(tree):
    """The bytes of the arrays of a nested dictionary."""
    if isinstance(tree, dict):
        return sum(map(arrays_in, tree.values()))
    return tree.nbytes


@pytest.mark.filterwarnings("ignore")
def test_an_nnx_module_is_saved_by_flax_without_its_random_numbers(tmp_path):
    serialization = imported("flax.serialization")
    jax = imported("jax")
    module = Net().module
    before = [leaf.tobytes() for leaf in jax.tree.leaves(arrays_of(module))]
    assert (framework_of(module), default_format(module, "keras")) == ("flax", "msgpack")
    copy = save(module, tmp_path, format="msgpack", include_optimizer=True)
    restored = serialization.msgpack_restore(copy.path.read_bytes())
    assert sorted(restored) == ["dense", "norm"]
    assert arrays_in(restored) == 4 * (30 * 4 + 4 + 4 * 4)  # kernel, bias; scale, bias, mean, var
    assert restored["dense"]["kernel"].tobytes() == module.dense.kernel[...].tobytes()
    measured = measure(copy.path)
    assert measured.total == copy.path.stat().st_size
    assert measured.section("weights").of_kind(Kind.DATA) == arrays_in(restored)
    assert [leaf.tobytes() for leaf in jax.tree.leaves(arrays_of(module))] == before


def arrays_of(module):
    nnx = imported("flax.nnx")
    import numpy as np

    state = nnx.to_pure_dict(nnx.state(module, nnx.Not(nnx.RngState)))
    return imported("jax").tree.map(np.asarray, state)


@pytest.mark.filterwarnings("ignore")
def test_trees_of_parameters_and_states_of_a_training_are_saved_by_flax(tmp_path):
    serialization = imported("flax.serialization")
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import optax
    from flax.core import freeze
    from flax.training.train_state import TrainState

    layers = nn.Sequential([nn.Dense(7), nn.Dense(2)])
    variables = layers.init(jax.random.key(0), jnp.ones((1, 3)))
    params = variables["params"]
    state = TrainState.create(apply_fn=layers.apply, params=params, tx=optax.adam(1e-3))
    size = arrays_in(jax.tree.map(lambda leaf: leaf, params))
    assert size == 4 * (3 * 7 + 7 + 7 * 2 + 2)
    for tree in (variables, params, freeze(variables), state):
        assert framework_of(tree) == "flax"
        copy = save(tree, tmp_path, format="msgpack", include_optimizer=True)
        assert copy.path.read_bytes() == serialization.to_bytes(tree)
        measured = measure(copy.path)
        assert measured.format == "flax"
        assert measured.section("weights").of_kind(Kind.DATA) == size
        assert measured.section("optimizer").of_kind(Kind.DATA) == (2 * size + 4) * (tree is state)
    lean = save(state, tmp_path, format="msgpack", include_optimizer=False)
    restored = serialization.msgpack_restore(lean.path.read_bytes())
    assert list(restored) == ["params"]
    assert arrays_in(restored) == size
    measured = measure(lean.path)
    assert measured.optimizer == 0
    assert measured.section("weights").of_kind(Kind.DATA) == size
    for name in ("opt_state", "o"):
        beside = {"params": params, name: serialization.to_state_dict(state.opt_state)}
        before = serialization.to_bytes(beside)
        assert framework_of(beside) == "flax"
        copy = save(beside, tmp_path, format="msgpack", include_optimizer=False)
        assert copy.path.read_bytes() == serialization.to_bytes({"params": params})
        assert serialization.to_bytes(beside) == before
    # The optimizer's two moments are in the whole state.
    full = serialization.to_bytes(state)
    assert len(full) - lean.path.stat().st_size > 2 * size
    for other in (
        {"x": jnp.ones(3), "y": jnp.ones(2)},
        {},
        {"params": {}},
        {"a": {"b": 1}},
        layers,
    ):
        assert framework_of(other) is None
    with pytest.raises(SaveError, match=r"no weights of its own: name what its init\(\) returned"):
        save(layers, tmp_path, format="keras", include_optimizer=True)
    with pytest.raises(SaveError, match="takes no options"):
        save(params, tmp_path, format="msgpack", include_optimizer=True, options={"a": 1})


def test_an_object_of_no_known_package_is_told_by_its_own_call(tmp_path):
    class Recommender:
        def save(self, path): ...

        def __getattribute__(self, name):
            raise AssertionError("no code of the object may run")

    class Odd:
        pass

    with pytest.raises(SaveError, match=r"with its own save\(\), and name that, as in path="):
        save(Recommender(), tmp_path, format="keras", include_optimizer=True)
    with pytest.raises(SaveError, match="save it in the test and hold the budget on the artifact"):
        save(Odd(), tmp_path, format="keras", include_optimizer=True)


@pytest.mark.parametrize(
    ("module", "name", "framework"),
    [
        ("xgboost.core", "Booster", "xgboost"),
        ("lightgbm.basic", "Booster", "lightgbm"),
        ("catboost.core", "CatBoost", "catboost"),
        ("sklearn.base", "BaseEstimator", "sklearn"),
        ("skorch.net", "NeuralNet", "skorch"),
        ("scikeras.wrappers", "BaseWrapper", "scikeras"),
        ("onnx.onnx_ml_pb2", "ModelProto", "onnx"),
        ("flax.nnx.module", "Module", "flax"),
        ("equinox._module._module", "Module", "equinox"),
    ],
)
def test_a_package_is_told_by_the_names_of_classes_and_none_is_imported(module, name, framework):
    before = set(sys.modules)
    cls = types.new_class(name, exec_body=lambda body: body.update(__module__=module))
    assert framework_of(cls()) == framework
    assert framework_of(type("Users", (cls,), {})()) == framework
    assert set(sys.modules) == before


def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch):
    estimator = types.new_class(
        "BaseEstimator", exec_body=lambda b: b.update(__module__="sklearn.base")
    )
    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(SaveError, match="needs the package joblib, which is not installed here"):
        save(estimator(), tmp_path, format="joblib", include_optimizer=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(tmp_path.iterdir()) == []


def test_an_equinox_module_is_saved_by_its_own_call_and_has_arrays(tmp_path):
    eqx, jax = needs("equinox"), needs("jax")
    model = eqx.nn.MLP(4, 3, 8, 2, key=jax.random.PRNGKey(0))
    own = tmp_path / "own.eqx"
    eqx.tree_serialise_leaves(str(own), model)
    saved = save(model, tmp_path, format="eqx", include_optimizer=True)
    assert saved.path.read_bytes() == own.read_bytes()
    arrays = [leaf for leaf in jax.tree.leaves(model) if eqx.is_array(leaf)]
    held = measure(saved.path).section("weights").of_kind(Kind.OPAQUE)
    assert held == sum(array.nbytes for array in arrays)
    layers = [Subject(f"layer {n}", model=layer) for n, layer in enumerate(model.layers)]
    whole = Subject("model", model=model)
    assert roots([*layers, whole], []) == [whole]
    assert has_numbers(model)
    assert not has_numbers(eqx.nn.Dropout(0.1))

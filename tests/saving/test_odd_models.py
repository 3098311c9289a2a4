"""Models that hold their optimizers, or number their variables, in ways of their own."""

import os
import signal
import sys
import threading
import warnings

import pytest

from pytest_modelsize import measure
from pytest_modelsize.saving import SaveError, export_call, framework_of, save
from tests.needs import lacks, skip
from tests.saving.trained import datasets, trained


def named(h5py, copy):
    """Shape of each dataset by the name that its variable goes by."""
    with h5py.File(copy.path) as file:
        return {
            (path.rpartition("/vars/")[0], name): file[path].shape
            for path, name in copy.names.variables.items()
            if path in file
        }


def test_a_quantized_layer_s_kernel_is_not_called_bias(h5py, keras, tmp_path):
    layers = keras.layers
    model = keras.Sequential([keras.Input((6,)), layers.Dense(5)])
    if not hasattr(model.layers[0], "quantize"):
        skip("this Keras does not quantize", "py")
    model.layers[0].quantize("int8")
    copy = save(model, tmp_path, format="weights", include_optimizer=True)
    assert named(h5py, copy) == {
        ("/layers/dense", "kernel"): (6, 5),
        ("/layers/dense", "bias"): (5,),
        ("/layers/dense", "kernel_scale"): (5,),
    }


def test_a_kernel_with_its_lora_factors_merged_keeps_its_name(h5py, keras, tmp_path):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5)])
    model.layers[0].enable_lora(2)
    copy = save(model, tmp_path, format="weights", include_optimizer=True)
    assert named(h5py, copy) == {
        ("/layers/dense", "kernel"): (6, 5),
        ("/layers/dense", "bias"): (5,),
    }


def test_a_layer_that_numbers_its_variables_itself_is_believed(h5py, keras, tmp_path):
    class Own(keras.layers.Layer):
        def build(self, shape):
            self.alpha = self.add_weight(shape=(3,), name="alpha")
            self.beta = self.add_weight(shape=(2,), name="beta", trainable=False)

        def call(self, inputs):
            return inputs

        def save_own_variables(self, store):
            store["0"] = self.beta
            assert len(store) == 1
            assert store["0"].shape == (2,)
            store["second"] = self.alpha

    model = keras.Sequential([keras.Input((6,)), Own()])
    copy = save(model, tmp_path, format="weights", include_optimizer=True)
    assert named(h5py, copy) == {("/layers/own", "beta"): (2,), ("/layers/own", "alpha"): (3,)}


@pytest.mark.parametrize("format", ["keras", "h5", "weights"])
@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_model_without_weights_yet_is_no_small_model(keras, tmp_path, format):
    model = keras.Sequential([keras.layers.Dense(5), keras.layers.Dense(2)])
    with pytest.raises(SaveError, match="not built and has no weights yet: call it on data"):
        save(model, tmp_path, format=format, include_optimizer=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["adam", "loss_scale", "gan"])
@pytest.mark.parametrize("format", ["keras", "weights"])
def test_a_lean_save_tells_of_the_optimizers_what_the_full_one_tells(
    build, data, tmp_path, format, name
):
    model = trained(build, data, name)
    full = save(model, tmp_path, format=format, include_optimizer=True, stem="full")
    lean = save(model, tmp_path, format=format, include_optimizer=False, stem="lean")
    assert lean.optimizers == full.optimizers
    assert lean.names.optimizers == full.names.optimizers


@pytest.mark.parametrize("format", ["keras", "weights"])
@pytest.mark.parametrize("stray", ["held twice", "never built"])
def test_the_advice_covers_every_place_of_an_optimizer(
    build, data, tmp_path, monkeypatch, format, stray
):
    if stray == "held twice":
        model = trained(build, data, "adam")
        model.also = model.optimizer
    else:
        model = trained(build, data, "pair")
        model.compile("rmsprop", "mse")
    copy = save(model, tmp_path, format=format, include_optimizer=False, stem="lean")
    assert copy.flag_ignored is True
    monkeypatch.chdir(tmp_path)
    exec(export_call(format, copy.optimizers), {"model": model})
    written = tmp_path / copy.path.name.replace("lean", "model")
    assert written.stat().st_size == copy.path.stat().st_size


def test_what_an_optimizer_shares_with_the_model_stays_in_the_lean_file(
    h5py,
    keras,
    np,
    tmp_path,
):
    """An attribute that sorts before the layer's own lets the optimizer be walked first."""

    class Sharing(keras.Model):
        def __init__(self):
            super().__init__()
            self.z = [keras.layers.Dense(3)]

        @property
        def layers(self):
            return []

        def call(self, inputs):
            return self.z[0](inputs)

    model = Sharing()
    model(np.zeros((1, 6), "float32"))
    model.a_optimizer = keras.optimizers.Adam()
    model.a_optimizer.teacher = model.z[0]
    model.a_optimizer.build(model.z[0].trainable_variables)
    copy = save(model, tmp_path, format="weights", include_optimizer=False)
    assert sum(datasets(h5py, copy.path).values()) == (6 * 3 + 3) * 4
    assert measure(copy.path, names=copy.names).optimizer == 0


def test_an_unknown_shape_of_the_private_function_is_not_wrapped(
    h5py,
    build,
    data,
    tmp_path,
    monkeypatch,
):
    library = sys.modules["keras.src.saving.saving_lib"]
    known = library._save_state

    def walk(saveable, weights_store, assets_store, inner_path, *rest, **more):
        return known(saveable, weights_store, assets_store, inner_path, *rest, **more)

    monkeypatch.setattr(library, "_save_state", walk)
    model = trained(build, data, "adam")
    optimizer = model.optimizer
    copy = save(model, tmp_path, format="keras", include_optimizer=False)
    assert not [path for path in datasets(h5py, copy.path) if "optimizer" in path]
    assert copy.names.optimizers is None
    assert model.optimizer is optimizer
    assert library._save_state is walk


def test_a_full_save_as_hdf5_passes_no_argument_that_an_override_may_lack(keras, tmp_path):
    class Plain(keras.Sequential):
        def save(self, path):
            return super().save(path)

    model = Plain([keras.Input((6,)), keras.layers.Dense(2)])
    assert save(model, tmp_path, format="h5", include_optimizer=True).path.stat().st_size > 0


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason=lacks("limit on the size of files"))
@pytest.mark.parametrize("format", ["keras", "h5", "weights"])
def test_a_full_disk_is_an_error_that_leaves_no_file_and_none_open(keras, tmp_path, format):
    import resource

    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(2000)])
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(SaveError, match="File too large"):
            save(model, tmp_path, format=format, include_optimizer=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
    if os.path.isdir("/proc/self/fd"):
        held = []
        for number in os.listdir("/proc/self/fd"):
            try:
                held.append(os.readlink(f"/proc/self/fd/{number}"))
            except OSError:
                continue  # the listing's own
        assert not [path for path in held if path.startswith(str(tmp_path))]


def test_saves_of_two_threads_leave_the_warning_filters_as_they_were(keras, tmp_path):
    """They are the process's: put back in another order, one thread's would stay for good."""
    from pytest_modelsize.saving.keras.quiet import quiet

    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def first():
        with quiet():
            inside.set()
            leave.wait(600)

    def second():
        inside.wait(600)
        with quiet():
            pass

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    inside.wait(600)
    threads[1].join(0.2)  # it waits for the first, or else it is done by now
    assert threads[1].is_alive()
    leave.set()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == before


def test_no_code_of_a_class_runs_when_it_is_looked_at():
    class Meta(type):
        def __getattribute__(cls, name):
            raise AssertionError(name)

    class Guarded(metaclass=Meta):
        pass

    class Unhashable:
        pass

    Unhashable.__module__ = ["keras.src.models.model"]
    assert framework_of(Guarded()) is None
    assert framework_of(Unhashable()) is None


@pytest.mark.parametrize(
    ("dtype", "bytes_each"),
    [("float32", 4), ("bfloat16", 2), ("float8_e4m3fn", 1), ("int4", 1), ("bool", 1), ("int64", 8)],
)
def test_elements_have_the_size_of_their_type(dtype, bytes_each):
    from pytest_modelsize.saving.keras.optimizers import facts_of

    class Variable:
        path, shape = "adam/step", (10,)

    class Optimizer:
        built, name, variables = False, "adam", (Variable,)

    Variable.dtype = dtype
    optimizer = Optimizer()
    assert facts_of("/optimizer", optimizer, [optimizer], []).state_bytes == 10 * bytes_each

"""Optimizer state is found in every file that Keras writes of every optimizer, however it is held.

Each model is saved by its framework's own call with its optimizers, and once more before it had
any. What the second file lacks, as h5py and TensorFlow list it, is what the first must be said to
hold as optimizer state; and its weights must be those of the second. No name of the plugin's own is
known to the reader: the files are measured as they are found.
"""

import math
import shutil
import zipfile
from inspect import signature

import pytest

from pytest_modelsize import Kind, measure
from tests.keras_optimizers import Place, dense, holding, kinds_of_keras_3, rate
from tests.needs import needs, skip
from tests.saving.kinds import NOT_BY_THEMSELVES, OPTIMIZERS

RATES = ("float", "schedule", "callable")
HELD = ("compiled", "attribute", "list", "dict", "tuple", "two", "nested")


KERAS_3 = (
    *OPTIMIZERS, "momentum", "amsgrad", "centered", "average", "accumulation", "loss scale",
    "loss scale, bare", "of one's own",
)  # fmt: skip


def data_of(measured, section):
    return measured.section(section).of_kind(Kind.DATA)


def tensors_in_hdf5(h5py, path):
    """Bytes of all elements in an HDF5 file, or in the one of a ``.keras`` archive.

    Keras 2 writes its metrics, too, if the model is compiled; these are left aside.
    """
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            archive.extract("model.weights.h5", path.parent)
        path = path.parent / "model.weights.h5"
    sizes = []
    with h5py.File(path, "r") as file:
        file.visititems(
            lambda name, item: sizes.append(
                0 if name.startswith("metrics/") else getattr(item, "nbytes", 0)
            )
        )
    return sum(sizes)


def tensors_in_checkpoint(tf, prefix):
    sizes = {
        name: math.prod(shape) * tf.train.load_variable(str(prefix), name).dtype.itemsize
        for name, shape in tf.train.list_variables(str(prefix))
        if not name.startswith(("_CHECKPOINTABLE", "save_counter", "keras_api/metrics"))
    }
    return sum(sizes.values())


def tensors_in_shards(h5py, folder):
    return sum(tensors_in_hdf5(h5py, path) for path in folder.glob("*.weights.h5"))


def weights_of(measured):
    return sum(
        leaf.size
        for path, leaf in measured.leaves()
        if leaf.kind is Kind.DATA and path[0] == "weights" and path[1] != "metrics"
    )


class Compared:
    """Saves one model in every format, and compares what is found with what was saved."""

    def __init__(self, h5py, tf, folder, writers):
        self._h5py, self._tf, self._folder, self._writers = h5py, tf, folder, writers
        self._lean = {}
        self.states = 0

    def _saved(self, model, format, stem):
        path = self._folder / f"{stem}{format}"
        self._writers[format](model, path)
        if format == ".ckpt":
            return measure(path), tensors_in_checkpoint(self._tf, path)
        if format == ".shards":
            return measure(path), tensors_in_shards(self._h5py, path)
        if format == ".saved_model":
            bundle = path / "variables" / "variables"
            return measure(path), tensors_in_checkpoint(self._tf, bundle)
        return measure(path), tensors_in_hdf5(self._h5py, path)

    def lean(self, model, formats):
        """Save ``model``, which has no optimizer yet."""
        found = {format: self._saved(model, format, "lean") for format in formats}
        self._lean.update(found)
        for format, (measured, tensors) in found.items():
            assert weights_of(measured) == tensors > 0, format
            assert measured.optimizer == 0, format

    def full(self, model, what):
        """Save ``model`` with its optimizers."""
        for format, (lean, before) in self._lean.items():
            measured, tensors = self._saved(model, format, "full")
            said = f"{what}, {format}"
            assert weights_of(measured) == before, said
            assert data_of(measured, "optimizer") == tensors - before, said
            assert measured.optimizer >= tensors - before, said
            self.states += tensors > before
            if format in (".shards", ".saved_model"):
                continue  # more files, and other functions
            grown = measured.total - lean.total
            known = sum(
                measured.size_of(name) - lean.size_of(name)
                for name in ("optimizer", "config", "graph")
            )
            # The rest is how HDF5 packs what stays: gaps and the tails of heaps.
            assert abs(grown - known) <= 8192, said


def write_shards(model, path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    model.save_weights(path / "model.weights.json", max_shard_size=SMALL / 2**30)


SMALL = 130
"""Bytes of a shard: a kernel fits into one, and no two do."""
WRITERS_3 = {
    ".shards": write_shards,
    ".keras": lambda model, path: model.save(path),
    ".h5": lambda model, path: model.save(path),
    ".weights.h5": lambda model, path: model.save_weights(path),
}


@pytest.fixture
def compared(h5py, tf, tmp_path):
    def write(model, path):
        tf.train.Checkpoint(model=model).write(str(path))

    def write_saved_model(model, path):
        shutil.rmtree(path, ignore_errors=True)
        tf.saved_model.save(model, str(path))

    own = {".ckpt": write, ".saved_model": write_saved_model}
    return lambda writers: Compared(h5py, tf, tmp_path, {**writers, **own})


def test_the_matrix_has_every_optimizer(keras):
    classes = {
        name
        for name, cls in vars(keras.optimizers).items()
        if isinstance(cls, type) and issubclass(cls, keras.optimizers.Optimizer)
    }
    assert classes - NOT_BY_THEMSELVES <= set(KERAS_3)


@pytest.mark.parametrize("name", KERAS_3)
@pytest.mark.filterwarnings("ignore")
def test_every_optimizer_of_keras_3_is_found_in_every_format(keras, compared, name):
    kinds = kinds_of_keras_3(keras)
    if name not in kinds:
        skip(f"this Keras has no {name}", "py")
    check = compared(WRITERS_3)
    model = dense(keras)
    # Keras cannot write Adafactor's state as .h5 itself: it gives two of its variables one name.
    formats = (".keras", ".weights.h5", ".ckpt")
    check.lean(model, formats if name == "Adafactor" else (*formats, ".h5"))
    for kind in RATES:
        if kind == "callable" and name == "of one's own":
            continue
        optimizer = kinds[name](rate(keras, kind))
        model.compile(optimizer, "mse")
        optimizer.build(model.trainable_variables)
        check.full(model, f"{name}, {kind}")
    assert check.states


def shards_of(model):
    """Return the format of sharded weights, if this Keras has it."""
    return (".shards",) if "max_shard_size" in signature(model.save_weights).parameters else ()


@pytest.mark.parametrize("name", ["Adam", "Adafactor", "loss scale", "of one's own"])
@pytest.mark.filterwarnings("ignore")
def test_state_is_found_in_a_saved_model(keras, compared, name):
    check = compared(WRITERS_3)
    model = dense(keras)
    check.lean(model, (".saved_model",))
    optimizer = kinds_of_keras_3(keras)[name](rate(keras, "schedule"))
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    check.full(model, name)
    assert check.states


@pytest.mark.parametrize("how", HELD)
@pytest.mark.filterwarnings("ignore")
def test_optimizers_are_found_however_they_are_held(keras, compared, how):
    np = needs("numpy")
    kinds = kinds_of_keras_3(keras)
    for name in ("Adam", "SGD", "momentum", "of one's own"):
        for kind in ("float", "schedule"):
            check = compared(WRITERS_3)
            model = holding(keras, np)
            check.lean(model, (".weights.h5", ".ckpt", *shards_of(model)))
            for optimizer in Place(how)(model, lambda: kinds[name](rate(keras, kind))):  # noqa: B023
                optimizer.build(model.trainable_variables)
            check.full(model, f"{name}, {kind}, {how}")
            assert check.states


KERAS_2 = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam",
    "RMSprop", "SGD", "momentum", "amsgrad", "average", "loss scale",
    "legacy Adadelta", "legacy Adagrad", "legacy Adam", "legacy Adamax", "legacy Ftrl",
    "legacy Nadam", "legacy RMSprop", "legacy SGD", "legacy momentum", "legacy loss scale",
)  # fmt: skip


def kind_of_keras_2(keras, name, lr):
    old, new = keras.optimizers.legacy, keras.optimizers
    special = {
        "momentum": lambda: new.SGD(lr, momentum=0.9),
        "amsgrad": lambda: new.Adam(lr, amsgrad=True),
        "average": lambda: new.SGD(lr, use_ema=True),
        "loss scale": lambda: keras.mixed_precision.LossScaleOptimizer(new.Adam(lr)),
        "legacy momentum": lambda: old.SGD(lr, momentum=0.9),
        "legacy loss scale": lambda: keras.mixed_precision.LossScaleOptimizer(old.Adam(lr)),
    }
    if name in special:
        return special[name]()
    return getattr(old if name.startswith("legacy") else new, name.split()[-1])(lr)


@pytest.mark.parametrize("name", KERAS_2)
@pytest.mark.filterwarnings("ignore")
def test_every_optimizer_of_keras_2_is_found_in_every_format(keras_2, tf, compared, name):
    keras = keras_2
    check = compared(WRITERS_3)
    model = dense(keras)
    check.lean(model, (".h5", ".ckpt"))
    for kind in ("float", "schedule"):
        if kind == "schedule" and name == "legacy Nadam":
            continue  # it takes none
        optimizer = kind_of_keras_2(keras, name, rate(keras, kind))
        model.compile(optimizer, "mse", run_eagerly=True)
        if name.startswith("legacy"):
            zeros = [tf.zeros_like(v) for v in model.trainable_variables]
            optimizer.apply_gradients(zip(zeros, model.trainable_variables, strict=True))
        else:
            optimizer.build(model.trainable_variables)
            # Legacy optimizers are not in its native format.
            model.optimizer = None
            check.lean(model, (".weights.h5", ".keras"))
            model.optimizer = optimizer
        check.full(model, f"{name}, {kind}")
    assert check.states

"""Saves of wrappers, trainers and TensorFlow: each is noted with where it went, by its own call."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from pytest_modelsize.saving.composition import weights_of
from pytest_modelsize.saving.watching.constructions import Constructions
from pytest_modelsize.saving.watching.patches import Patches
from pytest_modelsize.saving.watching.saves import Saves
from tests.needs import needs


def build():
    keras = needs("keras")
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.fixture
def noted(tmp_path):
    """Return a function: where a call has saved a model to, with its weights."""
    keep = tmp_path / "keep"
    keep.mkdir()

    def noted(call, model):
        saves = Saves(16, lambda: keep)
        with Patches(saves.patches()):
            call()
        files = {file.path: file for file in saves.files() if file.way == "save"}
        assert all(path.is_file() or list(path.parent.glob(f"{path.name}*")) for path in files)
        assert all(file.link is not None for file in files.values())
        weights = weights_of(model).keys()
        assert weights
        found = {path for path, file in files.items() if weights <= file.tensors.keys()}
        saves.let_go()
        assert not list(keep.iterdir())
        return found, files.keys() - found

    return noted


def test_skorch(noted, tmp_path):
    skorch, torch = needs("skorch"), needs("torch")
    net = skorch.NeuralNetRegressor(torch.nn.Linear, module__in_features=2, module__out_features=1)
    net.initialize()
    params, optimizer = tmp_path / "params.pt", tmp_path / "optimizer.pt"
    saved = noted(lambda: net.save_params(f_params=params, f_optimizer=optimizer), net.module_)
    assert saved == ({params}, {optimizer})


def test_scikeras(noted, tmp_path):
    scikeras, joblib = needs("scikeras.wrappers"), needs("joblib")
    wrapper = scikeras.KerasRegressor(build, loss="mse", epochs=1, verbose=0)
    wrapper.fit(needs("numpy").zeros((4, 2)), needs("numpy").zeros(4))
    pickled, saved = tmp_path / "wrapper.joblib", tmp_path / "model.keras"
    assert noted(lambda: joblib.dump(wrapper, pickled), wrapper) == ({pickled}, set())
    assert noted(lambda: wrapper.model_.save(saved), wrapper.model_) == ({saved}, set())


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
def test_a_trainer_s_checkpoint_goes_through_its_own_call(noted, tmp_path, monkeypatch, package):
    """With a stand-in for Lightning, which has this class in this module, and writes by itself."""
    torch = needs("torch")
    module = ModuleType(f"{package}.trainer.trainer")

    class Trainer:
        def __init__(self, model):
            self.model = model

        def save_checkpoint(self, filepath, weights_only=False):
            Path(filepath).write_bytes(b"checkpoint")

    module.Trainer = Trainer
    monkeypatch.setitem(sys.modules, module.__name__, module)
    net, path = torch.nn.Linear(2, 2), tmp_path / "last.ckpt"
    trainer = Trainer(net)
    assert noted(lambda: trainer.save_checkpoint(str(path)), net) == ({path}, set())
    assert noted(lambda: trainer.save_checkpoint(filepath=path), net) == ({path}, set())


def test_tensorflow(noted, tmp_path):
    tf = needs("tensorflow")

    class Net(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable([[1.0, 2.0]])

    net = Net()
    checkpoint = tf.train.Checkpoint(net=net)
    saved, one, many = (str(tmp_path / name) for name in ("saved", "one", "many"))
    assert noted(lambda: tf.saved_model.save(net, saved), net) == ({Path(saved)}, set())
    assert noted(lambda: checkpoint.write(one), net) == ({Path(one)}, set())
    assert noted(lambda: checkpoint.save(many), net) == ({Path(f"{many}-1")}, set())


def test_what_a_converter_saves_for_itself_is_no_artifact(tmp_path):
    tf = needs("tensorflow")
    net = build()
    saves, made = Saves(16, lambda: tmp_path), Constructions(16)
    with Patches([*saves.patches(), *made.patches()]):
        content = tf.lite.TFLiteConverter.from_keras_model(net).convert()
        with tf.io.gfile.GFile(str(tmp_path / "net.npy"), "wb") as file:
            needs("numpy").save(file, needs("numpy").zeros(3))
    assert [file.path.name for file in saves.files()] == ["net.npy"]
    assert any(model is content for model in made.models())
    saves.let_go()

"""Folders as frameworks and the hub leave them, without optimizer state: the promise holds on each."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.trust import not_known
from pytest_modelsize.sizes.budget import Budget, Limit, judge
from tests.formats.safetensors_files import made, tensor
from tests.needs import needs

DATA = Path(__file__).parent.parent / "data"
PROMISE = Budget(
    (Limit.of(None, 10**8, "100MB"), Limit.of("optimizer", 0, "0 B")), include_optimizer=False
)


def holds(folder):
    measured = measure(folder)
    on_disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert (measured.total, measured.opaque) == (on_disk, 0)
    assert not_known(PROMISE, measured) == ""
    assert judge(PROMISE, measured) == ()
    return measured


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


WEIGHTS = made(
    {"encoder.layer.0.weight": tensor(0, 400), "encoder.layer.0.bias": tensor(400, 420)},
    b"\1" * 420,
)
TOKENIZER = {
    "tokenizer.json": json.dumps(
        {"model": {"type": "BPE", "vocab": {f"w{n}": n for n in range(3000)}}}
    ),
    "tokenizer_config.json": "{}",
    "special_tokens_map.json": '{"unk_token": "[UNK]"}',
    "vocab.txt": "[PAD]\n[UNK]\nüber\n中\n",
}
HUB = {
    "config.json": '{"model_type": "bert"}',
    "README.md": "# A model\n",
    ".gitattributes": "*.bin\n",
}
FOLDERS = {
    "BERT": {**HUB, **TOKENIZER, "model.safetensors": WEIGHTS},
    "T5": {**HUB, "spiece.model": DATA / "plain" / "tokenizer.model", "model.safetensors": WEIGHTS,
           "generation_config.json": "{}"},
    "Marian": {**HUB, "source.spm": DATA / "plain" / "tokenizer.model",
               "target.spm": DATA / "plain" / "tokenizer.model", "vocab.json": '{"</s>": 0}',
               "pytorch_model.bin": DATA / "torch" / "weights.pth"},
    "GPT-2, with its chat": {**HUB, "merges.txt": "#version: 0.2\nĠ t\n", "vocab.json": "{}",
                             "chat_template.jinja": "{% for m in messages %}", "model.safetensors": WEIGHTS,
                             "modeling_custom.py": "import torch\n"},
    "a sentence transformer": {**HUB, **TOKENIZER, "model.safetensors": WEIGHTS, "modules.json": "[]",
                               "sentence_bert_config.json": "{}", "1_Pooling/config.json": "{}",
                               "onnx/model.onnx": DATA / "dense.onnx"},
    "a pipeline of diffusers": {
        "model_index.json": "{}", "unet/config.json": "{}",
        "unet/diffusion_pytorch_model.safetensors": WEIGHTS, "vae/config.json": "{}",
        "vae/diffusion_pytorch_model.safetensors": WEIGHTS, "tokenizer/merges.txt": "a b\n",
        "tokenizer/vocab.json": "{}", "scheduler/scheduler_config.json": "{}",
        "sample.png": DATA / "plain" / "picture.png",
    },
    "a model card with pictures": {
        **HUB, "model.safetensors": WEIGHTS, "images/a.jpg": DATA / "plain" / "picture.jpg",
        "images/b.gif": DATA / "plain" / "picture.gif", "images/c.webp": DATA / "plain" / "picture.webp",
    },
    "an adapter": {"adapter_config.json": "{}", "adapter_model.safetensors": WEIGHTS, "README.md": "x"},
    "a folder of exports": {"m.tflite": DATA / "dense.tflite", "labels.txt": "cat\ndog\n",
                            "m.onnx": DATA / "dense.onnx", "scripted.pt": DATA / "torch" / "scripted.pt"},
    "shards with their index": {f"{p.name}": p for p in sorted((DATA / "hub").iterdir())},
    "the browser's": {f"{p.name}": p for p in sorted((DATA / "web").iterdir())},
    "ONNX with its data": {f"{p.name}": p for p in sorted((DATA / "external").iterdir())},
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_without_state_keeps_the_promise(name, tmp_path):
    holds(write(tmp_path / "m", FOLDERS[name]))


def test_so_does_the_same_with_a_trainer_s_state_break_it(tmp_path):
    folder = write(tmp_path / "m", FOLDERS["BERT"])
    shutil.copy(DATA / "torch" / "tutorial.pt", folder / "optimizer.pt")
    (excess, *_) = judge(PROMISE, measure(folder))
    assert excess.size == (folder / "optimizer.pt").stat().st_size


@pytest.fixture(scope="module")
def texts(keras):
    """A real model with a vocabulary, untrained."""
    words = keras.layers.TextVectorization(vocabulary=[f"word{n}" for n in range(200)])
    return keras.Sequential(
        [
            keras.Input((), dtype="string"),
            words,
            keras.layers.Embedding(202, 4),
            keras.layers.Flatten(),
        ]
    )


@pytest.fixture(scope="module")
def dense(keras):
    return keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(2)])


def test_saved_models_with_vocabularies_and_tables(texts, dense, tmp_path):
    tf = needs("tensorflow")
    texts.export(str(tmp_path / "exported"), verbose=False)
    tf.saved_model.save(dense, str(tmp_path / "saved"))

    class Lookup(tf.Module):
        def __init__(self, path):
            super().__init__()
            self.asset = tf.saved_model.Asset(str(path))
            start = tf.lookup.TextFileInitializer(
                self.asset, tf.string, 0, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            )
            self.table = tf.lookup.StaticHashTable(start, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, words):
            return self.table.lookup(words)

    (tmp_path / "words.txt").write_text("\n".join(f"word{n}" for n in range(500)))
    tf.saved_model.save(Lookup(tmp_path / "words.txt"), str(tmp_path / "lookup"))
    for name in ("exported", "saved", "lookup"):
        assert holds(tmp_path / name).format == "saved_model"
    assert measure(tmp_path / "lookup").assets == (tmp_path / "words.txt").stat().st_size


def test_checkpoints_and_files_of_keras(texts, dense, tmp_path):
    tf = needs("tensorflow")
    manager = tf.train.CheckpointManager(
        tf.train.Checkpoint(model=dense), str(tmp_path / "steps"), 3
    )
    for _ in range(3):
        manager.save()
    (tmp_path / "files").mkdir()
    dense.save_weights(tmp_path / "files" / "m.weights.h5")
    dense.save(tmp_path / "files" / "m.h5")
    texts.save(tmp_path / "files" / "m.keras")
    with zipfile.ZipFile(tmp_path / "files" / "m.keras") as archive:
        archive.extractall(tmp_path / "unzipped")
    assert holds(tmp_path / "steps").format == "checkpoint"
    assert holds(tmp_path / "unzipped").format == "keras"
    holds(tmp_path / "files")

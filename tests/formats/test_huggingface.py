"""Folders as `save_pretrained` writes them: configuration, weights and tokenizer side by side."""

import zipfile
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.hub_files import CONFIG, FILES
from tests.formats.safetensors_files import made, sharded, tensor


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "bert"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    header = {"embeddings.weight": tensor(0, 12), "encoder.layer.0.bias": tensor(12, 17)}
    (folder / "model.safetensors").write_bytes(made(header, b"\1" * 17))
    return folder


def bytes_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sizes(measurement, section):
    return {part.name: part.size for part in measurement.section(section).children}


def test_each_file_is_in_its_section_and_the_weights_are_layers(folder):
    result = measure(folder)
    assert (result.format, recognise(folder)) == ("huggingface", "huggingface")
    assert result.total == bytes_of(folder)
    assert result.section("weights").of_kind(Kind.DATA) == 17
    assert set(sizes(result, "weights")) == {"embeddings", "encoder"}
    assert result.config == len(FILES["config.json"]) + len(FILES["generation_config.json"])
    assert {*CONFIG, "generation_config.json"} <= set(sizes(result, "config"))
    others = {name: len(text) for name, text in FILES.items()}
    del others["config.json"], others["generation_config.json"]
    assert sizes(result, "assets") == others
    notes = {part.name: part.note for part in result.section("assets").children}
    assert notes["vocab.txt"] == notes["tokenizer_config.json"] == "of the tokenizer"
    assert notes["README.md"] == notes[".gitattributes"] == "documentation, which no code loads"


def test_shards_with_an_index_are_one_model(folder):
    (folder / "model.safetensors").unlink()
    index = sharded(folder)
    result = measure(folder)
    assert (result.format, result.total) == ("huggingface", bytes_of(folder))
    assert result.section("weights").of_kind(Kind.DATA) == 16
    assert set(sizes(result, "weights")) == {"a", "b", index.name}


def test_weights_that_are_there_twice_are_told_apart(folder):
    (folder / "model.fp16.safetensors").write_bytes(made({"x": tensor(0, 3)}, b"\1" * 3))
    result = measure(folder)
    assert result.total == bytes_of(folder)
    assert set(sizes(result, "weights")) == {"model.safetensors", "model.fp16.safetensors"}


def test_the_weights_of_an_older_save_are_read_by_their_content(folder):
    (folder / "model.safetensors").unlink()
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"\xff" * 30)
    result = measure(folder)
    assert (result.format, result.total) == ("huggingface", bytes_of(folder))
    inside = [path for path, _ in result.leaves() if "pytorch_model.bin" in path]
    assert len(inside) >= 2


def test_a_training_checkpoint_s_optimizer_is_optimizer_whatever_is_in_it(folder):
    (folder / "optimizer.pt").write_bytes(b"\1" * 1000)
    (folder / "scheduler.pt").write_bytes(b"\1" * 10)
    result = measure(folder)
    assert (result.optimizer, result.total) == (1000, bytes_of(folder))


def test_a_pipeline_s_models_are_each_read_as_what_they_are(folder):
    pipeline = folder.parent / "pipeline"
    pipeline.mkdir()
    (pipeline / "model_index.json").write_text("{}")
    for name in ("unet", "vae"):
        (pipeline / name).mkdir()
        (pipeline / name / "config.json").write_text('{"a": 1}')
        weights = made({"up.weight": tensor(0, 4)}, b"\1" * 4)
        (pipeline / name / "diffusion_pytorch_model.safetensors").write_bytes(weights)
    result = measure(pipeline)
    assert (result.format, result.total) == ("directory", bytes_of(pipeline))
    assert result.section("weights").of_kind(Kind.DATA) == 8
    assert set(sizes(result, "weights")) == {"unet", "vae"}
    assert result.config == 16


def test_a_folder_of_links_into_a_cache_is_refused_and_not_called_empty(folder, tmp_path):
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for path in folder.iterdir():
        (snapshot / path.name).symlink_to(path)
    assert recognise(snapshot) == "huggingface"
    with pytest.raises(ArtifactError, match="a symbolic link out of the folder"):
        measure(snapshot)


def test_a_configuration_without_weights_is_no_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert recognise(tmp_path) is None
    assert measure(tmp_path).format == "directory"


def test_broken_shards_break_the_folder(folder):
    (folder / "model.safetensors").write_bytes(b"rubbish, and enough of it")
    with pytest.raises(ArtifactError, match=r"model\.safetensors"):
        measure(folder)


DATA = Path(__file__).parent.parent / "data"
OTHERS = {
    "flax_model.msgpack": [DATA / "flax" / "params.msgpack"],
    "openvino_model.xml": [DATA / "openvino" / "dense.xml", DATA / "openvino" / "dense.bin"],
}


@pytest.mark.parametrize("name", OTHERS)
def test_weights_of_other_frameworks_make_such_a_folder_too(name, tmp_path):
    for file in OTHERS[name]:
        (tmp_path / name).with_suffix(file.suffix).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text('{"hidden_size": 3}')
    measured = measure(tmp_path)
    assert measured.format == "huggingface"
    assert measured.section("weights").of_kind(Kind.DATA) == 4 * (3 * 2 + 2)
    assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())

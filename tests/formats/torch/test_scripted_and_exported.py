"""TorchScript and `torch.export`, against `zipfile` and the live program."""

import zipfile

import pytest

from pytest_modelsize import ArtifactError, Kind, measure
from pytest_modelsize.formats import recognise
from pytest_modelsize.sizes.comparison import entries
from tests.formats.torch.handmade import archive

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def scripted(torch, tmp_path_factory):
    path = tmp_path_factory.mktemp("scripted") / "scripted.pt"
    nn = torch.nn
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 5))
    torch.jit.save(torch.jit.script(model), path, _extra_files={"labels.txt": "cat dog"})
    return path


@pytest.fixture(scope="module")
def exported(torch, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "exported.pt2"

    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(6, 6)
            self.second = torch.nn.Linear(6, 6, bias=False)
            self.second.weight = self.first.weight
            self.register_buffer("scale", torch.ones(6), persistent=False)

        def forward(self, x):
            return self.second(self.first(x)) * self.scale

    torch.export.save(torch.export.export(Tied(), (torch.zeros(1, 6),)), path)
    return path


def named(measured, section):
    return {entry.name: entry for entry in entries(measured.section(section))}


def test_torchscript_has_weights_code_and_extra_files(scripted):
    measured = measure(scripted)
    assert measured.total == scripted.stat().st_size
    assert (measured.format, recognise(scripted)) == ("torchscript", "torch")
    assert measured.section("weights").of_kind(Kind.DATA) == (5 * 6 + 6 + 6 * 5 + 5) * 4
    assert {"0.weight", "0.bias", "2.weight", "2.bias"} <= set(named(measured, "weights"))
    with zipfile.ZipFile(scripted) as file:
        code = sum(i.compress_size for i in file.infolist() if "/code/" in i.filename)
        constants = file.getinfo("scripted/constants.pkl").compress_size
    assert measured.section("graph").of_kind(Kind.DATA) == code + constants
    assert measured.section("assets").of_kind(Kind.DATA) == len("cat dog")


def test_constants_of_torchscript_are_weights(torch, tmp_path):
    path = tmp_path / "traced.pt"
    table = torch.arange(300.0)
    torch.jit.trace(lambda x: x + table, torch.zeros(300)).save(str(path))
    measured = measure(path)
    assert named(measured, "weights")["constants/0"].note == "float32 300"
    assert measured.section("weights").of_kind(Kind.DATA) == 300 * 4


def test_a_frozen_module_s_weights_are_weights(torch, tmp_path):
    path = tmp_path / "frozen.pt"
    nn = torch.nn
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 5, 3)).eval()
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    torch.jit.save(torch.jit.freeze(torch.jit.script(model)), path)
    measured = measure(path)
    assert measured.section("weights").of_kind(Kind.DATA) == size
    notes = {entry.note for entry in named(measured, "weights").values()}
    assert notes >= {"float32 8x3x3x3", "float32 8", "float32 5x8x3x3", "float32 5"}
    assert measured.format == "torchscript"


@pytest.mark.filterwarnings("ignore:TypedStorage")
def test_a_package_is_opened(torch, tmp_path):
    path = tmp_path / "package.pt"
    model, other = torch.nn.Linear(64, 64), torch.nn.Linear(8, 8)
    optimizer = torch.optim.Adam(other.parameters())
    other(torch.ones(1, 8)).sum().backward()
    optimizer.step()
    state = sum(t.nbytes for slots in optimizer.state.values() for t in slots.values())
    with torch.package.PackageExporter(path) as exporter:
        exporter.extern("torch.**")
        exporter.save_pickle("model", "model.pkl", model)
        exporter.save_pickle("more", "checkpoint.pkl", {"o": optimizer.state_dict()})
        exporter.save_source_string("mine.code", "LAYERS = 3")
        exporter.save_text("words", "labels.txt", "cat dog")
        exporter.save_binary("words", "raw.bin", bytes(100))
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert (measured.format, recognise(path)) == ("torch_package", "torch")
    assert measured.section("weights").of_kind(Kind.DATA) == (64 * 64 + 64) * 4
    assert measured.section("optimizer").of_kind(Kind.DATA) == state
    assert {"weight", "bias"} <= set(named(measured, "weights"))
    assert "mine/code.py" in named(measured, "graph")
    assets = named(measured, "assets")
    assert {"words/labels.txt", "words/raw.bin"} <= set(assets)
    assert measured.section("assets").of_kind(Kind.OPAQUE) == 100


def test_an_exported_program_has_weights_by_name_and_a_graph(exported):
    measured = measure(exported)
    assert measured.total == exported.stat().st_size
    assert (measured.format, recognise(exported)) == ("torch_export", "torch")
    with zipfile.ZipFile(exported) as file:
        sizes = {i.filename.partition("/")[2]: i.file_size for i in file.infolist()}
    found = named(measured, "weights")
    assert found["first.weight"].note == "float32 6x6, shared with second.weight"
    assert found["scale"].note == "float32 6"
    assert measured.section("weights").of_kind(Kind.DATA) == (6 * 6 + 6 + 6) * 4
    assert measured.section("graph").of_kind(Kind.DATA) == sizes["models/model.json"]


def test_exported_programs_of_old_have_an_archive_of_weights_inside(torch, tmp_path):
    """As torch/export/__init__.py of PyTorch 2.5 writes them."""
    torch.save({"conv.weight": torch.zeros(5, 5)}, tmp_path / "state.pt")
    path = tmp_path / "old.pt2"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("serialized_exported_program.json", "{}" * 50)
        file.writestr("serialized_state_dict.pt", (tmp_path / "state.pt").read_bytes())
        file.writestr("serialized_example_inputs.pt", bytes(30))
        file.writestr("version", "8.2")
    measured = measure(path)
    assert measured.total == path.stat().st_size
    assert measured.format == "torch_export"
    assert measured.section("weights").of_kind(Kind.DATA) == 100
    assert measured.section("graph").of_kind(Kind.DATA) == 100
    assert measured.section("assets").of_kind(Kind.DATA) == 30


@pytest.mark.parametrize("config", ["{", "[]", '{"config": {"w": 1}}', "[" * 100_000])
def test_a_list_of_weights_that_is_none_is_an_error(tmp_path, config):
    path = tmp_path / "broken.pt2"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/archive_format", "pt2")
        file.writestr("m/data/weights/model_weights_config.json", config)
    with pytest.raises(ArtifactError, match="is not a list of tensors"):
        measure(path)


def test_an_archive_named_like_an_exported_one_is_told_by_its_content(tmp_path):
    path = tmp_path / "weights.pt2"
    path.write_bytes(archive(b"\x80\x02}."))
    assert measure(path).format == "torch"

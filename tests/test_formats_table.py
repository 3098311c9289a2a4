"""The table of formats in docs/reference.md, held to the registry, the savers and what files show.

A format that is added without its row fails here, and says what the row must have.
"""

import gzip
import json
import re
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.causes import size_without_state
from pytest_modelsize.formats.registry import FORMATS
from pytest_modelsize.saving import FORMATS as SAVED
from tests.formats.flatbuffers import Writer
from tests.formats.numpy_files import archive, npy
from tests.formats.onnx.wire import field, model, tensor
from tests.needs import needs

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
REFERENCE, ACCOUNTING = ROOT / "docs" / "reference.md", ROOT / "docs" / "accounting.md"
HEADS = ["format", "files", "opened to", "saved from live", "optimizer state", "size without it",
         "oracle", "real files"]  # fmt: skip
NAMES = sorted({line.name for line in FORMATS if line.name})


def table(path, heading):
    """The rows of the first table below a heading, each by its heads."""
    text = path.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    heads, _, *rows = ([cell.strip() for cell in line] for line in lines)
    return [dict(zip(heads, row, strict=True)) for row in rows]


ROWS = {row["format"].strip("`"): row for row in table(REFERENCE, "Formats")}


def ticked(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_format_of_the_registry_has_a_row_and_no_other_has():
    assert sorted(ROWS) == NAMES, (
        "docs/reference.md, section Formats: a row for each name in formats/registry.py, with "
        f"{', '.join(HEADS)}; of what is not so, '-'"
    )
    assert all(list(row) == HEADS for row in ROWS.values())


@pytest.mark.parametrize("name", NAMES)
def test_its_row_has_every_suffix_under_which_nothing_else_is_read(name):
    claimed = {suffix for line in FORMATS if line.name == name for suffix in line.claims}
    missing = claimed - set(ticked(ROWS[name]["files"]))
    assert not missing, f"docs/reference.md, Formats, {name}: the column 'files' lacks {missing}"


def test_each_format_of_a_live_model_is_in_one_row():
    told = sorted(saved for row in ROWS.values() for saved in ticked(row["saved from live"]))
    assert told == sorted(SAVED), "docs/reference.md, Formats: the column 'saved from live'"


def copied(name):
    return lambda folder: DATA / name


def state_beside(folder):
    shutil.copytree(DATA / "hub", folder / "hub")
    shutil.copy(DATA / "torch" / "legacy.pth", folder / "hub" / "optimizer.pt")
    return folder / "hub"


def sharded(folder):
    shutil.copy(DATA / "dense.weights.h5", folder / "model_00000.weights.h5")
    path = folder / "model.weights.json"
    path.write_text(json.dumps({"weight_map": {"/layers/head/vars": "model_00000.weights.h5"}}))
    return path


def wrapped(folder):
    with zipfile.ZipFile(folder / "some.zip", "w") as whole:
        whole.write(DATA / "dense.keras", "dense.keras")
    return folder / "some.zip"


def tarred(folder):
    with tarfile.open(folder / "net.nemo", "w") as whole:
        whole.add(DATA / "dense.keras", "dense.keras")
    return folder / "net.nemo"


def packed(folder):
    path = folder / "dense.keras.gz"
    path.write_bytes(gzip.compress((DATA / "dense.keras").read_bytes()))
    return path


def safetensors(folder):
    names = ["fc.weight", "optimizer.state.0.exp_avg", "optimizer.state.0.exp_avg_sq"]
    header = {
        name: {"dtype": "F32", "shape": [3, 4], "data_offsets": [48 * n, 48 * n + 48]}
        for n, name in enumerate(names)
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # as the library writes it
    path = folder / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(144))
    return path


def web(folder):
    kernel = {"shape": [3], "dtype": "float32"}
    weights = [{"name": "k", **kernel}, {"name": "k/m", **kernel, "group": "optimizer"}]
    (folder / "shard.bin").write_bytes(bytes(24))
    manifest = [{"paths": ["shard.bin"], "weights": weights}]
    (folder / "net.json").write_text(json.dumps({"weightsManifest": manifest}))
    return folder / "net.json"


def trained(folder):
    path = folder / "net.onnx"
    state = field(1, field(5, tensor("momentum", bytes(90))))
    path.write_bytes(model(field(5, tensor("w", bytes(90))), rest=field(20, state)))
    return path


def arrays(folder):
    path = folder / "net.npz"
    path.write_bytes(archive(**{"w1.npy": npy(3, 4), "w1_adam_m.npy": npy(3, 4)}))
    return path


def checkpoint(folder):
    writer = Writer(b"ODTC")
    writer.table("model", {2: "groups"})
    writer.vector("groups", ["group"])
    writer.table("group", {0: "name", 3: "states"})
    writer.string("name", b"group0")
    writer.vector("states", ["state"])
    writer.table("state", {0: "of", 1: "momentums"})
    writer.string("of", b"fc.weight")
    writer.vector("momentums", ["tensor"])
    writer.table("tensor", {0: "called", 4: "bytes"})
    writer.string("called", b"momentum0")
    writer.string("bytes", b"x" * 40)
    (folder / "checkpoint").write_bytes(writer.written())
    return folder / "checkpoint"


def distributed(folder):
    torch = needs("torch")
    import torch.distributed.checkpoint as dcp

    tensors = {name: torch.ones(3, 4) for name in ("exp_avg", "exp_avg_sq")}
    state = {"state": {"fc.weight": tensors}, "param_groups": [{"lr": 0.1}]}
    whole = {"model": {"fc.weight": torch.ones(3, 4)}, "optimizer": state}
    dcp.save(whole, checkpoint_id=folder / "saved", no_dist=True)
    return folder / "saved"


def pickled(folder):
    import pickle

    np = needs("numpy")
    slots = {"exp_avg": np.ones((3, 4), "float32"), "step": np.ones(1, "float32")}
    state = {"state": {0: slots}, "param_groups": [{"params": [0], "lr": 0.1}]}
    path = folder / "net.pkl"
    path.write_bytes(pickle.dumps({"w": np.ones((3, 4), "float32"), "optimizer": state}))
    return path


STATE = {
    "checkpoint": copied("checkpoint/ckpt-1"),
    "compressed": packed,
    "directory": copied("torch"),
    "distributed checkpoint": distributed,
    "flax": copied("flax/state.msgpack"),
    "hdf5": copied("dense.h5"),
    "huggingface": state_beside,
    "keras": copied("dense.keras"),
    "npz": arrays,
    "onnx": trained,
    "ort": checkpoint,
    "pickle": pickled,
    "safetensors": safetensors,
    "saved_model": copied("saved"),
    "tar": tarred,
    "tfjs": web,
    "torch": copied("torch/tutorial.pt"),
    "weights": sharded,
    "zip": wrapped,
}
"""Of each format that tells optimizer state, a file that has some."""


def test_where_state_is_told_a_file_shows_it():
    told = {name for name, row in ROWS.items() if row["optimizer state"] != "-"}
    assert told == set(STATE), (
        "docs/reference.md, Formats, column 'optimizer state': what tells it has a file in STATE here"
    )


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", STATE)
def test_that_file_has_state_and_its_size_without_is_told_where_the_row_says_so(name, tmp_path):
    path = STATE[name](tmp_path)
    measured = measure(path)
    assert measured.optimizer > 0
    says = ROWS[name]["size without it"]
    if says == "rebuilt, by h5py":
        needs("h5py")
    (tmp_path / "scratch").mkdir()
    size = size_without_state(measured, path, tmp_path / "scratch")
    assert (size is not None) == (says != "-"), f"{name}: {size} bytes, and the row says {says!r}"


CARRIED = sorted(
    path for path in DATA.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
)


@pytest.mark.parametrize("path", CARRIED, ids=lambda path: path.relative_to(DATA).as_posix())
def test_no_other_format_ever_has_state(path):
    from pytest_modelsize.formats import recognise

    if path.name == "saved_model.pb":
        path = path.parent  # alone it is refused
    name = recognise(path)
    if name in ROWS and ROWS[name]["optimizer state"] == "-":
        assert measure(path).optimizer == 0


def test_each_oracle_is_used_by_a_test():
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("*.py")]
    for name, row in ROWS.items():
        for oracle in ticked(row["oracle"]):
            module = re.escape(oracle)
            used = re.compile(rf"(?:needs|importorskip|imported)\(\s*f?[\"']{module}|"
                              rf"(?:import|from) {module}\b|[\"']{module}[\"']")  # fmt: skip
            assert any(map(used.search, texts)), f"{name}: no test imports the oracle {oracle}"


def test_the_number_of_real_files_is_that_of_the_accounting():
    measured = {
        row["format"].strip("`"): row["files"]
        for row in table(ACCOUNTING, "Files that nobody here made")
    }
    told = {name: row["real files"] for name, row in ROWS.items() if row["real files"] != "-"}
    assert told == measured, "docs/reference.md, column 'real files', and docs/accounting.md"

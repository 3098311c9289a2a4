"""One table of readers: in its order, each file opened once, and nothing imported for others."""

import collections
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from pytest_modelsize import Kind, Reader, measure
from pytest_modelsize.formats import companions, files_of, is_whole, looks, recognise, registry
from pytest_modelsize.formats.registry import FORMATS, Format
from pytest_modelsize.formats.source import PAGE

DATA = Path(__file__).parent.parent / "data"
FILES = [
    path.relative_to(DATA).as_posix()
    for path in sorted(DATA.rglob("*"))
    if path.is_file() and path.suffix not in (".py", ".pyc")
]
ALONE = [name for name in FILES if "/" not in name or name.startswith("torch/")]


@pytest.mark.parametrize("line", FORMATS, ids=lambda line: line.module)
def test_every_reader_has_what_the_protocol_asks_for_under_the_table_s_name(line):
    assert isinstance(line.reader, Reader)
    assert line.reader.format == line.name


def test_each_suffix_is_claimed_by_one_format():
    claims = [suffix for line in FORMATS for suffix in line.claims]
    assert len(claims) == len(set(claims))


@pytest.fixture
def traffic(monkeypatch):
    """How often each file is opened, and every read as file and bytes."""
    opened, reads, names = collections.Counter(), [], {}
    open_, pread = os.open, os.pread

    def opening(path, *args, **kwargs):
        descriptor = open_(path, *args, **kwargs)
        opened[str(path)] += 1
        names[descriptor] = str(path)
        return descriptor

    def reading(descriptor, size, offset):
        reads.append((names.get(descriptor, "?"), size))
        return pread(descriptor, size, offset)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "pread", reading)
    return types.SimpleNamespace(opened=opened, reads=reads)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_by_two_pages_at_most(name, tmp_path, traffic):
    other = tmp_path / "unnamed"  # neither its name nor its folder says what it is
    other.write_bytes((DATA / name).read_bytes())
    for path in (DATA / name, other):
        traffic.reads.clear()
        recognise(path)
        # An archive's directory goes by its length, and may begin before the last page.
        archive = path.read_bytes()[:2] == b"PK"
        assert len(traffic.reads) <= 2 + archive
        # A graph of TensorFlow has no signature: its message is read.
        graph = path.suffix == ".pb"
        assert graph or all(size <= PAGE for _, size in traffic.reads)


@pytest.mark.parametrize("size", [0, 1, 7, 100, PAGE - 1, PAGE, PAGE + 1, 50_000])
@pytest.mark.parametrize("byte", [b"\0", b"\x08", b"P", b"{", b"\x80", b"\xff"])
def test_so_is_a_file_of_no_format(size, byte, tmp_path, traffic):
    (tmp_path / "some").write_bytes(byte * size)
    recognise(tmp_path / "some")
    assert len(traffic.reads) <= 2


@pytest.mark.parametrize("name", [*ALONE, "external/dense.onnx", "web/model.json", "torch", "hub"])
def test_each_file_is_opened_once(name, traffic):
    measured = measure(DATA / name)
    assert measured.total == sum(Path(path).stat().st_size for path in traffic.opened)
    assert set(traffic.opened.values()) == {1}


IMPORTS = {
    "dense.h5": "keras",
    "dense.tflite": "tflite",
    "dense.safetensors": "safetensors",
    "dense.onnx": "onnx",
    "torch/weights.pth": "torch",
    "checkpoint/ckpt-1": "tensorflow",
}


@pytest.mark.parametrize("name", IMPORTS)
def test_only_the_readers_that_a_file_needs_are_imported(name):
    code = (
        "import sys\nfrom pytest_modelsize import measure\n"
        f"measure({str(DATA / name)!r})\n"
        "print(*(m for m in sys.modules if m.startswith('pytest_modelsize.formats.')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = {name.removeprefix("pytest_modelsize.formats.") for name in run.stdout.split()}
    readers = {line.module for line in FORMATS} & loaded
    assert readers, run.stdout + run.stderr
    assert {module.partition(".")[0] for module in readers} == {IMPORTS[name]}


def test_a_format_is_one_module_and_one_line(monkeypatch, tmp_path):
    module = types.ModuleType("pytest_modelsize.formats.gguf")
    module.format = "gguf"
    module.recognises = lambda source: source.read(0, 4) == b"GGUF"

    def read(source, ledger):
        ledger.add(("weights", "all"), Kind.DATA, source.size)

    module.read = read
    monkeypatch.setitem(sys.modules, module.__name__, module)
    line = Format("gguf", "gguf", looks.begins(b"GGUF"))
    monkeypatch.setattr(registry, "FORMATS", (line, *FORMATS))
    (tmp_path / "some").write_bytes(b"GGUF, and more")
    assert recognise(tmp_path / "some") == "gguf"
    for path in (tmp_path / "some", tmp_path):
        assert measure(path).weights == 14


def test_companions_and_files_follow_from_the_table():
    assert companions(DATA / "web" / "model.json") == {DATA / "web" / "group1-shard1of1.bin"}
    assert companions(DATA / "external" / "dense.onnx") == {DATA / "external" / "dense.onnx.data"}
    prefix = DATA / "checkpoint" / "ckpt-1"
    shard = prefix.with_name("ckpt-1.data-00000-of-00001")
    assert companions(prefix.with_name("ckpt-1.index")) == {shard}
    assert files_of(prefix) == [shard, prefix.with_name("ckpt-1.index")]
    assert companions(DATA / "dense.h5") == frozenset()


def test_what_is_one_artifact_follows_from_it_too():
    assert [is_whole(DATA / name) for name in ("hub", "saved", "web", "checkpoint", "torch")] == [
        True, True, True, False, False,
    ]  # fmt: skip

"""What an artifact weighs when it is downloaded."""

import gzip
import io
import random
from pathlib import Path

import pytest

from pytest_modelsize import measure
from pytest_modelsize.checks.compression import METHODS, CompressionError, compressed, method
from pytest_modelsize.checks.take import measure_compressed
from pytest_modelsize.formats import files_of
from pytest_modelsize.formats.extents import Extent, noted
from pytest_modelsize.sizes.measurement import Kind
from tests.measurements import measured
from tests.needs import needs

NOISE = random.Random(0).randbytes(40_000)


@pytest.fixture
def artifact(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(NOISE + bytes(60_000))
    return path


def by_section(measurement):
    return {section.name: section.size for section in measurement.tree}


def weigh(path, extents, how="gzip", **sizes):
    return compressed(
        measured({f"{n}/x": s for n, s in sizes.items()}), [path], extents, method(how)
    )


def test_the_total_is_what_gzip_makes_of_the_file(artifact):
    content = artifact.read_bytes()
    text = io.BytesIO()
    with gzip.GzipFile(fileobj=text, mode="wb", compresslevel=6, mtime=0) as file:
        file.write(content)
    found = weigh(artifact, [], weights=100_000)
    assert found.bytes_on_disk == len(text.getvalue())
    assert by_section(found) == {"weights": found.bytes_on_disk}


def test_xz_is_refused_because_nothing_serves_it():
    assert "xz" not in METHODS


def test_zstd_needs_its_package_and_says_so(artifact, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "zstandard", None)
    with pytest.raises(CompressionError, match=r'pip install "pytest-modelsize\[zstd\]"'):
        method("zstd")


def test_the_total_is_what_zstd_makes_of_the_file(artifact):
    zstandard = needs("zstandard")
    found = weigh(artifact, [], "zstd", weights=100_000)
    frame = zstandard.ZstdCompressor(level=3).compressobj()
    content = artifact.read_bytes()
    assert found.bytes_on_disk == len(frame.compress(content)) + len(frame.flush())


def test_each_section_weighs_what_its_own_bytes_compress_to(artifact):
    runs = [
        Extent(artifact, 0, 40_000, ("weights",)),
        Extent(artifact, 40_000, 100_000, ("config",)),
    ]
    found = weigh(artifact, runs, weights=40_000, config=60_000)
    sizes = by_section(found)
    assert sum(sizes.values()) == found.bytes_on_disk
    assert sizes["weights"] == pytest.approx(len(gzip.compress(NOISE, 6)), rel=0.005)
    assert sizes["config"] == pytest.approx(len(gzip.compress(bytes(60_000), 6)), rel=0.6, abs=80)


def test_bytes_that_no_run_speaks_of_are_shared_by_the_sections_that_have_some_left(artifact):
    runs = [Extent(artifact, 0, 40_000, ("weights",))]
    found = weigh(artifact, runs, weights=40_000, config=30_000, overhead=30_000)
    sizes = by_section(found)
    assert abs(sizes["config"] - sizes["overhead"]) <= 2  # shared twice, each to the byte
    assert sizes["weights"] > 39_000


@pytest.mark.parametrize("name", ["dense.h5", "dense.keras", "dense.weights.h5", "dense.tflite", "saved", "checkpoint", "checkpoint/ckpt-1", "dense.safetensors", "dense.onnx", "hub", "web", "torch/tutorial.pt"])  # fmt: skip
def test_carried_artifacts_weigh_file_by_file_what_gzip_makes_of_them(name):
    path = Path(__file__).parent.parent / "data" / name
    found = measure_compressed(path, method("gzip"))
    raw = measure(path)
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    if not path.exists():
        files = list(path.parent.glob(f"{path.name}.*"))
    assert sum(file.stat().st_size for file in files) == raw.bytes_on_disk
    total = sum(len(gzip.compress(file.read_bytes(), 6, mtime=0)) for file in files)
    assert found.bytes_on_disk == total
    assert sum(by_section(found).values()) == total
    assert set(by_section(found)) <= set(by_section(raw))


@pytest.mark.parametrize("name", ["dense.keras", "saved", "checkpoint"])
def test_runs_that_readers_note_lie_in_the_files_and_hold_what_their_section_has(name):
    path = Path(__file__).parent.parent / "data" / name
    with noted() as runs:
        found = measure(path)
    assert {run.file for run in runs} <= set(files_of(path))
    for section in ("weights", "config") if name == "dense.keras" else ("weights", "optimizer"):
        size = sum(run.end - run.start for run in runs if run.section == section)
        data = found.section(section).of_kind(Kind.DATA)
        assert 0 < data <= size <= found.size_of(section)
    assert all(0 <= run.start < run.end <= found.bytes_on_disk for run in runs)
    with noted() as none:
        pass
    measure(path)
    assert none == []


def test_an_empty_file_weighs_what_an_empty_archive_weighs(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    found = compressed(measured({}), [path], [], method("gzip"))
    assert found.bytes_on_disk == len(gzip.compress(b"", 6, mtime=0))


def test_progress_goes_up_to_twice_the_artifact(artifact):
    seen = []
    compressed(measured({"weights/w": 100_000}), [artifact], [], method("gzip"), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 200_000


@pytest.mark.parametrize("name", ["external/dense.onnx", "hub", "saved", "web/model.json"])
def test_every_file_that_is_measured_is_compressed(name):
    """An ONNX model's tensors may lie in files beside it: they are downloaded, too."""
    path = Path(__file__).parent.parent / "data" / name
    files = files_of(path)
    assert sum(file.stat().st_size for file in files) == measure(path).total
    alone = [len(gzip.compress(file.read_bytes(), 6, mtime=0)) for file in files]
    assert measure_compressed(path, method("gzip")).total == sum(alone)

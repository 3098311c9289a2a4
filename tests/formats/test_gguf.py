"""GGUF, against the package that writes it."""

import struct

import pytest

from pytest_modelsize import ArtifactError, measure
from pytest_modelsize.checks.causes import find_causes
from pytest_modelsize.formats.gguf import TYPES
from pytest_modelsize.sizes.comparison import entries
from pytest_modelsize.sizes.measurement import Kind
from tests.needs import needs

REASON = "gguf is not installed: tox run -e formats"


@pytest.fixture(scope="module")
def gguf():
    return pytest.importorskip("gguf", reason=REASON)


@pytest.fixture
def written(gguf, tmp_path):
    import numpy as np

    path = tmp_path / "net.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_token_list([f"token{n}" for n in range(1000)])
    writer.add_token_scores([float(n) for n in range(1000)])
    random = np.random.default_rng(0)
    table = random.standard_normal((48, 256)).astype(np.float32)
    writer.add_tensor("token_embd.weight", table)
    writer.add_tensor("output_norm.weight", table[0])
    for kind in (gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0):
        data = gguf.quants.quantize(table, kind)
        writer.add_tensor(f"blk.{int(kind)}.ffn.weight", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_each_tensor_is_as_large_as_the_package_says(gguf, written):
    measured = measure(written)
    assert (measured.format, measured.total) == ("gguf", written.stat().st_size)
    told = {t.name: t for t in gguf.GGUFReader(written).tensors}
    found = {}
    for path, leaf in measured.leaves():
        if path[0] == "weights" and leaf.kind is Kind.DATA:
            found[".".join(path[1:]).removesuffix(".(data)")] = leaf.size
    assert found == {name: int(tensor.n_bytes) for name, tensor in told.items()}
    assert measured.config > sum(len(f"token{n}") + 8 for n in range(1000)) + 4000
    assert measured.overhead < 200


def test_the_table_of_types_is_that_of_the_package(gguf):
    sizes = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    assert {kind: TYPES[kind][1:] for kind in sizes if kind in TYPES} == {
        kind: tuple(size) for kind, size in sizes.items() if kind in TYPES
    }
    assert set(sizes) - set(TYPES) <= {kind for kind in sizes if kind > 41}


def file(tensors=(), keys=(), data=b""):
    """Return a file by hand: keys as bytes, tensors as (name, shape, type, offset)."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys)) + b"".join(keys)
    for name, shape, kind, offset in tensors:
        head += struct.pack("<Q", len(name)) + name + struct.pack("<I", len(shape))
        head += b"".join(struct.pack("<Q", n) for n in shape) + struct.pack("<IQ", kind, offset)
    return head + bytes(-len(head) % 32 if tensors else 0) + data


def key(name, kind, value):
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value


def test_without_any_package_every_byte_has_its_place(tmp_path):
    path = tmp_path / "hand.gguf"
    content = file(
        [(b"a.w", (4, 3), 0, 0), (b"b.w", (32,), 2, 64)],
        [key(b"general.name", 8, struct.pack("<Q", 3) + b"net")],
        bytes(64 + 18 + 100),
    )
    path.write_bytes(content)
    measured = measure(path)
    assert measured.total == len(content)
    assert measured.section("weights").of_kind(Kind.DATA) == 4 * 3 * 4 + 18
    assert measured.section("overhead").of_kind(Kind.SLACK) == 100
    notes = {path[1]: leaf.note for path, leaf in measured.leaves() if path[0] == "config"}
    assert "general" in notes


BROKEN = {
    "cut off in a name": (file([(b"a.w", (4,), 0, 0)], data=bytes(16))[:30], "expected"),
    "an unknown type": (file([(b"a", (4,), 99, 0)], data=bytes(16)), "unknown type 99"),
    "beyond the file": (file([(b"a", (4,), 0, 0)], data=bytes(8)), "claims bytes 0 to 16"),
    "overlapping": (
        file([(b"a", (8,), 0, 0), (b"b", (8,), 0, 16)], data=bytes(64)), "are taken",
    ),
    "half a block": (file([(b"a", (33,), 2, 0)], data=bytes(64)), "blocks"),
    "too many tensors": (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "more than are opened"),
    "a huge array": (
        file(keys=[key(b"k", 9, struct.pack("<IQ", 8, 2**60))]), "more than there are bytes",
    ),
    "a huge text": (file(keys=[key(b"k", 8, struct.pack("<Q", 2**62))]), "bytes expected"),
    "arrays in arrays": (
        file(keys=[key(b"k", 9, struct.pack("<IQ", 9, 1) * 9 + bytes(64))]), "unknown type 9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error_with_its_place(tmp_path, name):
    content, said = BROKEN[name]
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=said) as raised:
        measure(path)
    assert raised.value.offset is not None


def test_under_that_name_nothing_else_is_read(tmp_path):
    (tmp_path / "a.gguf").write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="no GGUF signature"):
        measure(tmp_path / "a.gguf")


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_file_of_either_order_of_bytes_is_read(gguf, tmp_path, order):
    numpy = needs("numpy", "formats")
    path = tmp_path / "model.gguf"
    endian = gguf.GGUFEndian.BIG if order == "big" else gguf.GGUFEndian.LITTLE
    writer = gguf.GGUFWriter(path, "llama", endianess=endian)
    writer.add_array("tokenizer.ggml.tokens", [f"word{number}" for number in range(100)])
    writer.add_tensor("output.weight", numpy.ones((64, 32), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (told,) = gguf.GGUFReader(path).tensors
    (entry,) = entries(measure(path).section("weights"))
    assert measure(path).total == path.stat().st_size
    assert (told.name, int(told.n_bytes)) == ("output.weight", 64 * 32 * 4)
    assert entry.note == "float32 64x32"
    assert entry.size >= 64 * 32 * 4


def test_matrices_that_were_left_in_float32_are_named(gguf, tmp_path):
    numpy = needs("numpy", "formats")
    path = tmp_path / "model.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    kind = gguf.GGMLQuantizationType.Q8_0
    blocks = numpy.ones((64, 8 * 34), numpy.uint8)
    writer.add_tensor("blk.0.weight", blocks, raw_dtype=kind)
    writer.add_tensor("output.weight", numpy.ones((64, 64), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = {cause.kind: cause for cause in find_causes(measure(path), path).causes}
    assert found["float weights in a quantized model"].entries == ("output/weight",)

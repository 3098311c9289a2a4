"""What nobody opened can break a promise, so a promise on it is not checked; what is known passes."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import wave
import zipfile
import zlib
from pathlib import Path

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.checks.compression import METHODS, compressed
from pytest_modelsize.checks.dtype_limits import dtype_limit
from pytest_modelsize.checks.trust import (
    growth_not_known,
    not_known,
    opaque_entries,
    opaque_patterns,
)
from pytest_modelsize.cli import main
from pytest_modelsize.formats import files_of
from pytest_modelsize.sizes.budget import Budget, Limit, judge
from pytest_modelsize.sizes.growth import GrowthLimit, grown
from tests.formats.hub_files import FILES
from tests.formats.safetensors_files import made, tensor

DATA = Path(__file__).parent.parent / "data"
PARAMETERS = 3 * 2 + 2
STATE = 2 * PARAMETERS * 4 + 8 + 4  # two moments, the int64 counter, the rate
PROMISE = Budget((Limit.of(None, 10**6, "1MB"),), include_optimizer=False)
NOISE = bytes((n * 197 + 89) % 251 for n in range(600)) + b"\xff\0"


def zipped(files, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(name, content):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


KERAS = (DATA / "dense.keras").read_bytes()
"""With 76 bytes of state in it."""
H5 = (DATA / "dense.weights.h5").read_bytes()
TUTORIAL = (DATA / "torch" / "tutorial.pt").read_bytes()


def npy():
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (64, 64), }".ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(64 * 64 * 4)


def encrypted(content):
    """An archive whose member says that it is encrypted: bit 0 of its flags."""
    data = bytearray(zipped({"m.bin": content}))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def of_method(content, number):
    """An archive whose member is compressed in another way."""
    data = bytearray(zipped({"m.bin": content}))
    struct.pack_into("<H", data, 8, number)
    struct.pack_into("<H", data, data.index(b"PK\1\2") + 10, number)
    return bytes(data)


OPAQUE = {
    "an unknown file": ("m.bin", NOISE),
    "msgpack": ("flax_model.msgpack", b"\x82\xa6params\xc7\xff\0" + NOISE),
    "arrays of NumPy": ("m.npz", zipped({"adam_m.npy": npy(), "w.npy": npy()})),
    "one of them": ("m.npy", npy()),
    "arrays that no name calls weights": ("m.npz", zipped({"arr_0.npy": npy(), "arr_1.npy": npy()})),
    "a plan of TensorRT": ("m.engine", b"ftrt" + NOISE),
    "a member of no known format": ("a.zip", zipped({"notes.txt": "x", "state": NOISE})),
    "an encrypted member": ("a.zip", encrypted(NOISE)),
    "a member of method 93": ("a.zip", of_method(NOISE, 93)),
    "a member in LZMA": ("a.zip", of_method(NOISE, 14)),
    "a tar file of what is unknown": ("m.tar", tarred("m.bin", NOISE)),
    "a broken model in a tar file": ("m.nemo", tarred("m.keras", KERAS[:900])),
    "a broken model in an archive": ("a.zip", zipped({"m.keras": KERAS[:900]})),
    "what is unpacked to too much": ("a.zip", zipped({"m": bytes(10**6)}, zipfile.ZIP_DEFLATED)),
    "gzip that breaks off": ("notes.gz", gzip.compress(NOISE)[:-30]),
    "text behind a picture": ("a.png", b"\x89PNG\r\n\x1a\n" + NOISE),
    "bytes as letters": ("vocab.txt", b"A" * 100_000),
    "a pickle within bytes": ("m.bin", NOISE + pickle.dumps([1, 2, 3])),
    "an archive in too many archives": (
        "a.zip", zipped({"a": zipped({"b": zipped({"c": zipped({"d": zipped({"e": KERAS})})})})}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OPAQUE)
@pytest.mark.parametrize("where", ["alone", "in a folder", "in a model's folder", "in an archive"])
def test_a_promise_about_what_nobody_opened_is_not_checked(tmp_path, case, where):
    name, content = OPAQUE[case]
    path = tmp_path / "m" / name
    path.parent.mkdir()
    if where == "in an archive":
        path = path.with_name("outer.zip")
        content = zipped({f"deep/{name}": content})
    if where == "in a folder":
        (path.parent / "README.md").write_text("# A model")
    if where == "in a model's folder":
        for other, text in FILES.items():
            (path.parent / other).write_text(text)
        (path.parent / "model.safetensors").write_bytes(made({"a": tensor(0, 8)}, bytes(8)))
    path.write_bytes(content)
    measured = measure(path if where in ("alone", "in an archive") else path.parent)
    assert 0 < measured.opaque <= len(content)
    problem = not_known(PROMISE, measured)
    assert "include_optimizer=False cannot be held against what is inside" in problem
    assert "allow_opaque=" in problem
    assert not_known(Budget((Limit.of(None, 10**6, "1MB"),)), measured) == ""
    total = len(content) + 10**5
    for limits, checked in (
        ((Limit("optimizer", 0, "0 B"),), False),
        ((Limit("config", total, "x"),), True),  # it would hold whatever the bytes are
        ((Limit("graph", measured.opaque - 1, "x"),), False),
    ):
        assert (not_known(Budget(limits), measured) == "") is checked


def test_a_section_s_growth_is_not_checked_where_opaque_bytes_could_hold_it(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, more in ((old, 0), (new, 1000)):
        folder.mkdir()
        (folder / "m.keras").write_bytes(KERAS)
        (folder / "m.bin").write_bytes(NOISE + NOISE[:more])
    growth = grown(measure(old), measure(new))
    hidden = growth.new.opaque

    def problem(section, room, allowed=()):
        return growth_not_known([GrowthLimit(section, room, None, "x")], growth, allowed)

    assert "optimizer= cannot be held against what is inside" in problem("optimizer", 0)
    assert problem("optimizer", hidden - 1)
    assert problem("optimizer", hidden) == ""  # it would hold whatever the bytes are
    assert problem("optimizer", 0, ["*.bin"]) == ""
    assert problem(None, 1000) == ""
    assert growth_not_known([GrowthLimit("optimizer", 0, None, "x")], None, ()) == ""


def test_what_is_over_its_limit_without_them_is_over_it(tmp_path):
    (tmp_path / "m.keras").write_bytes(KERAS)
    (tmp_path / "m.bin").write_bytes(NOISE)
    measured = measure(tmp_path)
    assert not_known(PROMISE, measured) == ""
    (excess,) = judge(PROMISE, measured)
    assert excess.size == measured.optimizer


OPENED = {
    ".keras in an archive": ("a.zip", zipped({"m.keras": KERAS})),
    ".keras, deflated": ("a.zip", zipped({"x/m.keras": KERAS}, zipfile.ZIP_DEFLATED)),
    ".weights.h5": ("a.zip", zipped({"m.weights.h5": H5})),
    ".pt": ("a.zip", zipped({"m.pt": TUTORIAL})),
    "an archive in an archive": ("a.zip", zipped({"a.zip": zipped({"m.keras": KERAS})})),
    "gzip": ("m.keras.gz", gzip.compress(KERAS)),
    "a tar file": ("m.tar", tarred("m.keras", KERAS)),
    "a tar file in gzip": ("m.tar.gz", gzip.compress(tarred("m.keras", KERAS))),
    "gzip in an archive": ("a.zip", zipped({"m.weights.h5.gz": gzip.compress(H5)})),
    "an asset of a .keras": ("m.keras", None),
}


@pytest.mark.parametrize("case", OPENED)
def test_a_model_in_a_container_is_opened_and_its_state_found(tmp_path, case):
    name, content = OPENED[case]
    if content is None:
        with zipfile.ZipFile(io.BytesIO(KERAS)) as whole:
            files = {member: whole.read(member) for member in whole.namelist()}
        del files["model.weights.h5"]
        content = zipped({**files, "assets/table.zip": zipped({"m.keras": KERAS})})
    (tmp_path / name).write_bytes(content)
    for path in (tmp_path / name, tmp_path):
        measured = measure(path)
        assert measured.total == len(content)
        assert judge(PROMISE, measured)
        if "gz" not in case and "deflated" not in case:
            assert measured.section("optimizer").of_kind(Kind.DATA) >= STATE - 4
        assert measured.opaque == 0


def png(data=b""):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"") + data
    )  # fmt: skip


def bmp():
    return b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4)  # fmt: skip


def sound():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(300))
    return buffer.getvalue()


def sentencepiece(pieces=300):
    """As sentencepiece_model.proto says: pieces with score and type, the trainer, the normalizer."""
    data = b""
    for number in range(pieces):
        text = f"\u2581w{number}".encode()
        piece = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", -number)
        if number < 3:
            piece += b"\x18\x02"
        data += b"\x0a" + bytes([len(piece)]) + piece
    return data + b"\x12\x03\x1a\x01x" + b"\x1a\x04\x0a\x02id"


PLAIN = {
    "vocab.txt": "[PAD]\n[UNK]\n##ing\nüñ\n中文\n".encode(),
    "merges.txt": "#version: 0.2\nĠ t\n".encode(),
    "tokenizer.json": json.dumps({"model": {"vocab": {f"w{n}": n for n in range(9000)}}}).encode(),
    "vocab.json": json.dumps({"<s>": 0, "中": 1}, ensure_ascii=False).encode(),
    "tokenizer.model": sentencepiece(),
    "spiece.model": sentencepiece(2000),
    "sentencepiece.bpe.model": sentencepiece(50),
    "source.spm": sentencepiece(7),
    "cl100k_base.tiktoken": b"IQ== 0\nIg== 1\n",
    "plot.png": png(),
    "photo.jpg": b"\xff\xd8\xff\xe0" + NOISE + b"\xff\xd9",
    "moving.gif": b"GIF89a" + NOISE + b";",
    "picture.webp": b"RIFF" + struct.pack("<I", 4 + len(NOISE)) + b"WEBP" + NOISE,
    "old.bmp": bmp(),
    "sample.wav": sound(),
    "sample.flac": b"fLaC" + NOISE,
    "LICENSE": b"Apache License\r\n\x0c Version 2.0",
    "modeling_x.py": b"import torch\n",
    "empty.txt": b"",
    "labels.csv": b"id,name\n0,cat\n",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "config.json.gz": gzip.compress(b'{"a": 1}'),
    "bundle.zip": zipped({"vocab.txt": "a\nb\n", "plot.png": png()}, zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_goes_with_a_model_is_opened_as_what_it_is(tmp_path, name):
    (tmp_path / name).write_bytes(PLAIN[name])
    (tmp_path / "other.txt").write_text("x")
    measured = measure(tmp_path)
    assert (measured.opaque, measured.total) == (0, len(PLAIN[name]) + 1)
    assert measured.assets == measured.total - measured.section("overhead").size
    assert not_known(PROMISE, measured) == ""


@pytest.mark.parametrize(
    "name", ["plot.png", "old.bmp", "sample.wav", "picture.webp", "tokenizer.model"]
)
def test_what_is_hung_on_behind_them_is_not(tmp_path, name):
    (tmp_path / name).write_bytes(PLAIN[name] + NOISE)
    measured = measure(tmp_path)
    assert measured.opaque == measured.total


def test_many_random_files_are_never_taken_for_text_or_vocabularies(tmp_path):
    import random

    chance = random.Random(0)
    for size in (64, 300, 5000):
        for _ in range(50):
            (tmp_path / "m.bin").write_bytes(chance.randbytes(size))
            assert measure(tmp_path / "m.bin").opaque == size


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [("*.spm", True), ("sub/*", True), ("x.spm", True), ("sub", True), ("sub/x.spm", True),
     ("*.bin", False), ("y.spm", False), ("sub/y*", False)],
)  # fmt: skip
def test_what_may_stay_unopened_is_said_by_name(tmp_path, pattern, holds, monkeypatch):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.spm").write_bytes(NOISE)
    (tmp_path / "m.safetensors").write_bytes(made({"a": tensor(0, 8)}, bytes(8)))
    budget = Budget((), include_optimizer=False, allow_opaque=(pattern,))
    assert (not_known(budget, measure(tmp_path)) == "") is holds
    arguments = ["check", str(tmp_path), "--max", "1 MB", "--optimizer", "0"]
    assert main(arguments) == 2
    assert main([*arguments, "--allow-opaque", pattern]) == (0 if holds else 2)


@pytest.mark.parametrize("value", ["*.spm", 3, None, [3], [""], {"a": 1}])
def test_patterns_are_a_list_of_texts(value):
    with pytest.raises(ValueError, match=r'a list of names, such as \["\*.spm"\]'):
        opaque_patterns(value)


def test_the_message_lists_the_largest_with_their_bytes(tmp_path):
    for number in range(5):
        (tmp_path / f"part-{number}.x").write_bytes(NOISE * (number + 1))
    problem = not_known(PROMISE, measure(tmp_path))
    assert f"part-4.x ({5 * len(NOISE):,d} B, of no format known here)" in problem
    assert "and 2 more" in problem
    assert 'allow_opaque=["*.x"]' in problem
    entries = opaque_entries(measure(tmp_path))
    assert [entry.size for entry in entries] == [len(NOISE) * n for n in (5, 4, 3, 2, 1)]


def test_compressed_it_is_as_unknown(tmp_path):
    (tmp_path / "m.bin").write_bytes(NOISE)
    (tmp_path / "m.safetensors").write_bytes(made({"a": tensor(0, 800)}, bytes(800)))
    found = compressed(measure(tmp_path), files_of(tmp_path), [], METHODS["gzip"]())
    assert 0 < found.opaque < found.total
    assert "include_optimizer=False cannot be held" in not_known(PROMISE, found)
    assert not_known(Budget((), False, allow_opaque=("m.bin",)), found) == ""


def test_the_tree_says_what_is_opaque(tmp_path, capsys):
    (tmp_path / "m.bin").write_bytes(NOISE)
    (tmp_path / "notes.txt").write_text("x" * 398)
    assert main(["show", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("m.bin" in line and "opaque: of no format known here" in line for line in lines)
    assert any("of it opaque" in line and "602" in line and "60.2 %" in line for line in lines)
    assert main(["show", "--json", str(tmp_path)]) == 0
    shown = json.loads(capsys.readouterr().out)
    kinds = {part["name"]: part["kind"] for part in shown["sections"][0]["children"]}
    assert kinds == {"m.bin": "opaque", "notes.txt": "data"}


@pytest.mark.parametrize(("limit", "known"), [("5 %", False), ("399 B", False), ("1 kB", True)])
def test_a_limit_on_a_data_type_is_not_held_on_what_may_be_of_it(tmp_path, limit, known):
    (tmp_path / "x.enc").write_bytes(NOISE[:400])
    budget = Budget((dtype_limit("float32", limit),))
    assert (not_known(budget, measure(tmp_path / "x.enc")) == "") is known
    allowed = Budget(budget.limits, allow_opaque=("*.enc",))
    assert not_known(allowed, measure(tmp_path / "x.enc")) == ""

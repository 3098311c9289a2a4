from hashlib import blake2b

from pytest_modelsize.checks.stripping.change import GONE, Change
from tests.checks.causes.artifacts import evidence, of_file, ramp, safetensors

TENSORS = {"b": ([2, 3], ramp(6)), "a": ([4], ramp(4, 9.0))}


def test_notes_tell_which_entries_are_tensors_with_types_and_shapes():
    entries = {
        "weights/a/kernel": (400, "float32 10x10"),
        "weights/a/scale": (4, "float32 scalar"),
        "weights/a/list": (99, "3 tensors"),
        "optimizer/m": (200, "float16 100"),
    }
    tensors = evidence(entries).tensors
    assert [(t.name, t.dtype, t.shape, t.size) for t in tensors] == [
        ("a/kernel", "float32", (10, 10), 400),
        ("m", "float16", (100,), 200),
        ("a/scale", "float32", (), 4),
    ]
    assert [t.name for t in evidence(entries).weights] == ["a/kernel", "a/scale"]


def test_a_tensor_is_read_as_it_lies_and_within_what_may_be_read(tmp_path):
    path = safetensors(tmp_path / "m.safetensors", TENSORS)
    known = of_file(path, left=24 + 15)
    b, a = known.weights
    content = path.read_bytes()
    assert known.read(b) == content[-24:]  # sorted by name, b lies last
    assert known.read(a) is None  # 16 bytes, of which 15 are left
    assert known.stored(b.path) == 24


def test_equal_tensors_have_one_digest_and_it_is_read_once(tmp_path):
    path = safetensors(tmp_path / "m.safetensors", {"a": ([4], ramp(4)), "b": ([4], ramp(4))})
    known = of_file(path, left=32)
    a, b = known.weights
    assert known.digest(a) == known.digest(b) == known.digest(a)
    assert known.left == 0


def test_a_sample_is_the_first_values(tmp_path):
    known = of_file(safetensors(tmp_path / "m.safetensors", TENSORS))
    assert list(known.sample(known.weights[0])) == ramp(6)


def test_a_file_has_a_digest_as_far_as_it_may_be_read(tmp_path):
    path = safetensors(tmp_path / "m.safetensors", TENSORS)
    size = path.stat().st_size
    assert (
        of_file(path, left=size).digest_of_all()
        == blake2b(path.read_bytes(), digest_size=20).digest()
    )
    assert of_file(path, left=size - 1).digest_of_all() is None


def test_a_folder_is_its_files_and_a_file_that_is_left_out_takes_its_bytes_away(tmp_path):
    safetensors(tmp_path / "one.safetensors", TENSORS)
    (tmp_path / "notes.txt").write_bytes(b"x" * 100)
    known = of_file(tmp_path)
    assert set(known.files) == {"one.safetensors", "notes.txt"}
    assert known.size_with([("notes.txt", GONE)]) == (tmp_path / "one.safetensors").stat().st_size
    assert [t.file for t in known.tensors] == ["one.safetensors"] * 2


def test_what_cannot_be_written_anew_has_no_size(tmp_path):
    (tmp_path / "notes.bin").write_bytes(b"x" * 100)
    known = of_file(tmp_path / "notes.bin")
    assert known.size_with([("", Change(tight=True))]) is None

import pytest

from pytest_modelsize.checks.causes.twin_files import find_files
from tests.checks.causes.artifacts import of_file, ramp, safetensors

NET = {"fc.weight": ([8, 8], ramp(64)), "fc.bias": ([16], ramp(16, 3.0))}
MOVED = {name: (shape, [x + 0.01 * (-1) ** n for n, x in enumerate(values)]) for name, (shape, values) in NET.items()}  # fmt: skip
OTHER = {"fc.weight": ([8, 8], [float(n * 37 % 64) for n in range(64)]), "fc.bias": ([16], [float(n * 5 % 16) for n in range(16)])}  # fmt: skip


def kinds(tmp_path, files):
    """The kind of each cause, and what it says that can go."""
    for name, (tensors, dtype) in files.items():
        safetensors(tmp_path / name, tensors, dtype)
    found = list(find_files(of_file(tmp_path), ()))
    for cause in found:
        assert cause.size == sum((tmp_path / name).stat().st_size for name, _ in cause.changes)
    return [(cause.kind, [name for name, _ in cause.changes]) for cause in found]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"b.safetensors": (NET, "F32"), "a.safetensors": (NET, "F32")}, [("weights in several files", ["b.safetensors"])]),
        ({"model.safetensors": (NET, "F32"), "model.fp16.safetensors": (NET, "F16")}, [("weights in several types", ["model.fp16.safetensors"])]),
        ({"net.safetensors": (NET, "F32"), "net_ema.safetensors": (OTHER, "F32")}, [("moving average", ["net_ema.safetensors"])]),
        ({"best.safetensors": (NET, "F32"), "last.safetensors": (MOVED, "F32")}, [("another state of the weights", ["last.safetensors"])]),
        ({"best.safetensors": (NET, "F32"), "last.safetensors": (OTHER, "F32")}, []),
        ({"left.safetensors": (NET, "F32"), "right.safetensors": (MOVED, "F32")}, []),
    ],
    ids=["copy", "type", "average", "state", "trained apart", "models of their own"],
)  # fmt: skip
def test_what_two_files_of_the_same_shapes_are_to_each_other(tmp_path, files, expected):
    assert kinds(tmp_path, files) == expected


def test_files_without_weights_are_compared_byte_for_byte(tmp_path):
    for name in ("a.txt", "sub/b.txt", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"word\n" * 400)
    (tmp_path / "c.txt").write_bytes(b"wort\n" * 400)
    (cause,) = find_files(of_file(tmp_path), ())
    assert (cause.kind, cause.size, cause.entries) == ("equal files", 2000, ("sub/b.txt",))

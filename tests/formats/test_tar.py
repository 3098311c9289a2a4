"""Tars are opened, member by member, as Python's `tarfile` writes them."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, measure

DATA = Path(__file__).parent.parent / "data"
KERAS = (DATA / "dense.keras").read_bytes()
TUTORIAL = (DATA / "torch" / "tutorial.pt").read_bytes()
LONG = f"{'deep/' * 60}model.keras"
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a2146" * 8 + b"\nsize 1\n"
)


def tarred(files, **settings):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", **settings) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def sections(content, path):
    path.write_bytes(content)
    measured = measure(path)
    assert sum(s.size for s in measured.tree) == measured.total == len(content)
    return measured


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["m.keras", f"{'a' * 90}/{'b' * 60}/m.keras", LONG, "Gewicht-ä"])
def test_a_model_in_a_tar_is_that_model(tmp_path, kind, name):
    (tmp_path / "alone.keras").write_bytes(KERAS)
    alone = measure(tmp_path / "alone.keras")
    if name == LONG and kind == tarfile.USTAR_FORMAT:
        name = name[120:]  # which has no place for longer ones
    content = tarred({"config.yaml": b"a: 1\n", name: KERAS}, format=kind)
    measured = sections(content, tmp_path / "m.nemo")
    assert measured.format == "tar"
    assert measured.optimizer == alone.optimizer > 0
    assert measured.weights == alone.weights
    assert measured.opaque == 0
    assert name in {path[1] for path, _ in measured.leaves()}
    packed = sections(gzip.compress(content), tmp_path / "m.tar.gz")
    assert packed.optimizer > 0
    assert packed.opaque == 0


def test_folders_and_links_count_their_headers_and_devices_are_opaque(tmp_path):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "m.pt"
            archive.addfile(member)
        member = tarfile.TarInfo("m.pt")
        member.size = len(TUTORIAL)
        archive.addfile(member, io.BytesIO(TUTORIAL))
    measured = sections(made.getvalue(), tmp_path / "m.tar")
    assert measured.optimizer > 0
    assert {p[1]: n.size for p, n in measured.leaves() if p[:1] == ("assets",)}.items() >= {
        "d": 512, "l": 512, "h": 512,
    }.items()  # fmt: skip
    changed = bytearray(tarred({"x": b"\1" * 700}))
    changed[156] = ord("Z")
    changed[148:156] = b"%06o\0 " % (sum(changed[:148]) + 256 + sum(changed[156:512]))
    assert sections(bytes(changed), tmp_path / "z.tar").opaque == 700


def test_a_tar_that_breaks_off_is_an_error_wherever(tmp_path):
    whole = tarred({"a.txt": b"text\n", "m.keras": KERAS})
    end = 512 + 512 + 512 + len(KERAS) + -len(KERAS) % 512
    for size in [*range(600, end, 1777), end, end + 100]:
        (tmp_path / "m.nemo").write_bytes(whole[:size])
        with pytest.raises(ArtifactError):
            measure(tmp_path / "m.nemo")


def test_so_are_one_without_members_and_one_of_a_pointer(tmp_path):
    for name, content, match in (
        ("a.nemo", tarred({"sub/model_weights.ckpt": POINTER}), "a Git LFS pointer"),
        ("b.tar.gz", gzip.compress(tarred({"model.pt": POINTER})), "a Git LFS pointer"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ArtifactError, match=match):
            measure(tmp_path / name)


def test_the_end_and_the_padding_are_nobody_s_data(tmp_path):
    measured = sections(tarred({"a.txt": b"x\n" * 5}), tmp_path / "m.tar")
    kinds = {k: sum(n.of_kind(k) for n in measured.tree) for k in Kind}
    assert kinds[Kind.DATA] == 10
    assert kinds[Kind.STRUCTURE] == 512

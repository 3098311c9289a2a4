"""Every byte of a ZIP archive, against `zipfile` as writer and as oracle."""

import io
import shutil
import struct
import subprocess
import warnings
import zipfile

import pytest

from pytest_modelsize import ArtifactError
from pytest_modelsize.formats.containers.zip import read_zip, unpack
from pytest_modelsize.formats.source import Source
from tests.formats.mutants import Frugal, count, mutants, outcome_of
from tests.needs import lacks

MEMBERS = {
    "config.json": b'{"a": 1}' * 50,
    "empty.txt": b"",
    "dir/größe.bin": bytes(range(256)) * 20,
    "../outside": b"x" * 10,
    "/absolute": b"y" * 11,
}


def source(data):
    return Source.of_bytes("a.zip", bytes(data))


def archive(method=zipfile.ZIP_STORED, comment=b"", members=MEMBERS, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, **options) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, method)
        file.comment = comment
    return buffer.getvalue()


class Unseekable(io.RawIOBase):
    """Where the writer cannot go back, it puts sizes into descriptors after the content."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def streamed(force_zip64=False):
    target = Unseekable()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in MEMBERS.items():
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=force_zip64) as member:
                member.write(content)
    return bytes(target.data)


def forced_zip64():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in MEMBERS.items():
            with file.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(content)
    return buffer.getvalue()


def duplicate():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.writestr("twice.txt", b"first")
        file.writestr("twice.txt", b"second")
    return buffer.getvalue()


WHOLE = {
    "stored": archive(),
    "deflated": archive(zipfile.ZIP_DEFLATED),
    "bzip2": archive(zipfile.ZIP_BZIP2),
    "comment": archive(comment=b"a remark"),
    "comment with the end's signature": archive(comment=b"PK\x05\x06" + b"\0" * 30),
    "streamed": streamed(),
    "streamed in ZIP64": streamed(force_zip64=True),
    "forced ZIP64": forced_zip64(),
    "after a prefix": b"#!/bin/sh\n" * 9 + archive(),
    "no members": archive(members={}),
}


def as_zipfile_sees_it(data):
    """`zipfile` takes the last signature for the end, also inside a comment: it gets none."""
    at = data.index(b"PK\x05\x06")
    return data[: at + 20] + b"\0\0" if data.count(b"PK\x05\x06") > 1 else data


def total_of(found):
    return sum(m.stored + m.structure + m.padding for m in found.members) + sum(
        size for *_, size in found.loose
    )


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_members_are_those_of_zipfile_and_every_byte_has_an_owner(data):
    found = read_zip(source(data))
    assert total_of(found) == len(data)
    with zipfile.ZipFile(io.BytesIO(as_zipfile_sees_it(data))) as file:
        expected = [
            (i.filename, i.compress_size, i.file_size, i.compress_type, i.CRC)
            for i in file.infolist()
        ]
        assert [(m.name, m.stored, m.unpacked, m.method, m.crc) for m in found.members] == expected
        for member in found.members:
            if member.method in (0, 8):
                assert unpack(source(data), member, 10**6) == file.read(member.name)


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_the_structure_of_a_member_is_what_appnote_says(data):
    """30 bytes and the name before the content, 46 and the name in the directory, plus extras."""
    with zipfile.ZipFile(io.BytesIO(as_zipfile_sees_it(data))) as file:
        infos = file.infolist()
    for member, info in zip(read_zip(source(data)).members, infos, strict=True):
        name = len(info.filename.encode())
        # zipfile shifts what it tells by what stands before the archive.
        local = struct.unpack_from("<HH", data, info.header_offset + 26)
        descriptor = 0
        if info.flag_bits & 8:
            zip64 = local[1] == 20  # the ZIP64 field, which the writer was made to write
            descriptor = 24 if zip64 else 16
        extra = len(info.extra)
        assert local[0] == name
        assert member.structure == 30 + name + local[1] + 46 + name + extra + descriptor
        assert member.padding == 0


def test_what_serves_no_member_is_named(tmp_path):
    loose = {name: size for name, _, size in read_zip(source(WHOLE["comment"])).loose}
    assert loose == {"end of central directory": 22, "comment": 8}
    loose = {name: size for name, _, size in read_zip(source(WHOLE["after a prefix"])).loose}
    assert loose == {"before the archive": 90, "end of central directory": 22}
    trailing = read_zip(source(archive() + b"junk")).loose
    assert ("after the archive", 4) in {(name, size) for name, _, size in trailing}


def test_seventy_thousand_members_take_the_zip64_records():
    data = archive(members={f"{n:05d}": b"" for n in range(70_000)})
    found = read_zip(source(data))
    assert len(found.members) == 70_000
    assert total_of(found) == len(data)
    loose = {name: size for name, _, size in found.loose}
    assert loose == {
        "end of central directory": 22,
        "ZIP64 locator": 20,
        "ZIP64 end of central directory": 56,
    }


def test_two_members_of_one_name_are_two_members():
    found = read_zip(source(duplicate()))
    assert [(m.name, m.stored) for m in found.members] == [("twice.txt", 5), ("twice.txt", 6)]


def test_padding_that_aligns_content_is_told_from_structure():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        info = zipfile.ZipInfo("data.bin")
        info.extra = struct.pack("<HH", 0xD935, 20) + bytes(20)
        file.writestr(info, b"z" * 10)
    (member,) = read_zip(source(buffer.getvalue())).members
    assert member.padding == 24
    # The same extra field stands in the directory, where it aligns nothing.
    assert member.structure == 30 + 8 + 46 + 8 + 24


@pytest.mark.skipif(shutil.which("zipinfo") is None, reason=lacks("zipinfo (unzip)"))
def test_sizes_are_those_of_zipinfo(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(WHOLE["deflated"])
    run = subprocess.run(["zipinfo", "-l", path], capture_output=True, text=True, check=True)
    told = [line.split()[5] for line in run.stdout.splitlines() if " defN " in line]
    members = [m for m in read_zip(source(WHOLE["deflated"])).members if m.method == 8]
    assert [int(size) for size in told] == [m.stored for m in members]


def test_an_archive_cut_off_at_any_byte_is_an_error():
    data = archive()
    for length in range(len(data)):
        with pytest.raises(ArtifactError, match=r"a\.zip"):
            read_zip(source(data[:length]))


def test_a_bomb_is_not_inflated():
    data = archive(zipfile.ZIP_DEFLATED, members={"bomb": bytes(200 * 2**20)})
    (member,) = read_zip(source(data)).members
    with Frugal(), pytest.raises(ArtifactError, match="more than the 1,000,000"):
        unpack(source(data), member, 10**6)


def test_a_member_that_lies_about_its_size_is_an_error_and_is_not_inflated_further():
    data = bytearray(archive(zipfile.ZIP_DEFLATED, members={"liar": bytes(50 * 2**20)}))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1000)
    struct.pack_into("<I", data, 22, 1000)  # its local header tells the same lie
    (member,) = read_zip(source(data)).members
    with Frugal(), pytest.raises(ArtifactError, match="not the 1,000 bytes that are declared"):
        unpack(source(data), member, 10**6)


def test_members_that_overlap_are_refused():
    data = bytearray(archive(members={"a": b"x" * 50, "b": b"y" * 50}))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    struct.pack_into("<I", data, second + 42, 10)
    with pytest.raises(ArtifactError, match=r"overlap|leaves its place"):
        read_zip(source(data))
    data = bytearray(archive(members={"a": b"x" * 50, "b": b"y" * 50}))
    struct.pack_into("<II", data, first + 20, 90, 90)
    with pytest.raises(ArtifactError, match="overlaps"):
        read_zip(source(data))


def test_mutants_give_an_error_or_a_whole_answer():
    outcomes = {"ok": 0, "error": 0}
    for seed, data in enumerate(WHOLE.values()):
        for mutant in mutants(data, count(60), seed):

            def attempt(mutant=mutant):
                found = read_zip(source(mutant))
                assert total_of(found) == len(mutant)
                for member in found.members:
                    if member.method == 8:
                        unpack(source(mutant), member, 10**6)

            outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 20

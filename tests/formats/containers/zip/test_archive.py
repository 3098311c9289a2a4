"""ZIP archives that `zipfile` cannot write, and those that do not tell the truth."""

from __future__ import annotations

import io
import itertools
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError
from pytest_modelsize.formats.containers.zip import (
    ZipArchive,
    archive,
    read_zip,
    unpack,
)
from pytest_modelsize.formats.source import Source
from tests.formats.mutants import Frugal, count, mutants, outcome_of
from tests.needs import lacks


def source(data: bytes) -> Source:
    return Source.of_bytes("a.zip", bytes(data))


def checked(data: bytes) -> ZipArchive:
    """Read an archive; check the law, and that no member's bytes are another's."""
    archive = read_zip(source(data))
    total = sum(m.stored + m.structure + m.padding for m in archive.members)
    assert total + sum(size for _, _, size in archive.loose) == len(data)
    for before, after in itertools.pairwise(archive.members):
        assert before.offset + before.stored <= after.offset
    return archive


def loose(archive: ZipArchive) -> dict[str, int]:
    return {name: size for name, _, size in archive.loose}


def sample(method: int = zipfile.ZIP_STORED, comment: bytes = b"", **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in (members or {"first": b"x" * 50, "second": b"y" * 70}).items():
            file.writestr(zipfile.ZipInfo(name), content, method)
        file.comment = comment
    return buffer.getvalue()


def by_hand(
    content: bytes = b"content",
    *,
    name: bytes = b"name",
    flags: int = 0,
    method: int = 0,
    unpacked: int | None = None,
    local_sizes: tuple[int, int] | None = None,
    local_name: bytes | None = None,
    local_extra: bytes = b"",
    extra: bytes = b"",
    sizes: tuple[int, int] | None = None,
    descriptor: bytes = b"",
    entries: int = 1,
    disk: int = 0,
    after_directory: bytes = b"",
    counted_after: int = 0,
) -> bytes:
    """Write an archive of one member field by field, after APPNOTE.TXT 4.3."""
    crc = zlib.crc32(content)
    unpacked = len(content) if unpacked is None else unpacked
    stored, whole = local_sizes or (len(content), unpacked)
    local_name = name if local_name is None else local_name
    head = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 0, crc, stored, whole, len(local_name),
        len(local_extra),
    )  # fmt: skip
    body = head + local_name + local_extra + content + descriptor
    stored, whole = sizes or (len(content), unpacked)
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, flags, method, 0, 0, crc, stored, whole, len(name),
        len(extra), 0, 0, 0, 0, 0,
    )  # fmt: skip
    directory = entry + name + extra
    size = len(directory) + counted_after
    end = struct.pack("<4s4H2IH", b"PK\5\6", disk, disk, entries, entries, size, len(body), 0)
    return body + directory + after_directory + end


# What zipfile cannot write


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("content", [b"content", b""])
def test_a_data_descriptor_of_any_form_belongs_to_its_member(
    signed: bool, wide: bool, announced: bool, content: bytes
) -> None:
    size = len(content)
    descriptor = struct.pack("<IQQ" if wide else "<III", zlib.crc32(content), size, size)
    descriptor = (b"PK\7\x08" if signed else b"") + descriptor
    field = struct.pack("<HHQQ", 1, 16, 0, 0) if wide and announced else b""
    escaped = (0xFFFFFFFF, 0xFFFFFFFF) if field else (0, 0)
    data = by_hand(
        content, flags=8, local_sizes=escaped, local_extra=field, descriptor=descriptor
    )  # fmt: skip
    archive = checked(data)
    (member,) = archive.members
    assert member.structure == 30 + 4 + len(field) + len(descriptor) + 46 + 4
    assert loose(archive) == {"end of central directory": 22}


def test_sizes_in_zip64_fields_are_read_where_they_are_escaped() -> None:
    escaped = (0xFFFFFFFF, 0xFFFFFFFF)
    field = struct.pack("<HHQQ", 1, 16, 7, 7)
    other = struct.pack("<HH4s", 0x5455, 4, b"time")
    data = by_hand(
        local_sizes=escaped, local_extra=other + field, sizes=escaped, extra=other + field
    )
    (member,) = checked(data).members
    assert (member.stored, member.unpacked) == (7, 7)
    assert member.structure == 30 + 4 + 28 + 46 + 4 + 28


def test_a_digital_signature_of_the_directory_has_a_name() -> None:
    signature = struct.pack("<4sH", b"PK\5\5", 9) + b"signature"
    archive = checked(by_hand(after_directory=signature, counted_after=len(signature)))
    assert loose(archive)["digital signature"] == len(signature)


def test_what_lies_between_the_directory_and_its_end_record_is_a_gap() -> None:
    archive = checked(by_hand(after_directory=b"something else"))
    assert loose(archive) == {"end of central directory": 22, "gap": 14}


def test_what_lies_between_members_is_a_gap() -> None:
    data = bytearray(sample())
    directory = data.index(b"PK\1\2")
    second = data.index(b"PK\3\4", 4)
    entry = data.index(b"PK\1\2", directory + 4)
    struct.pack_into("<I", data, entry + 42, second + 9)
    struct.pack_into("<I", data, len(data) - 22 + 16, directory + 9)
    data[second:second] = b"nine more"
    assert loose(checked(data))["gap"] == 9


def test_members_are_in_the_order_of_the_file_whatever_that_of_the_directory() -> None:
    data = sample(first=b"x" * 50, other=b"y" * 70)
    start = data.index(b"PK\1\2")
    middle, end = data.index(b"PK\1\2", start + 4), len(data) - 22
    archive = checked(data[:start] + data[middle:end] + data[start:middle] + data[end:])
    assert [m.name for m in archive.members] == ["first", "other"]


def test_padding_is_told_from_structure_whoever_wrote_it() -> None:
    torch = struct.pack("<HH", 0x4246, 20) + b"Z" * 20
    android = struct.pack("<HHH", 0xD935, 6, 4) + bytes(4)
    zeros = bytes(11)
    timestamp = struct.pack("<HH5s", 0x5455, 5, b"\3....")
    padded = {torch: 24, android: 10, zeros: 11, timestamp: 0, timestamp + torch: 24, b"": 0}
    for extra, padding in padded.items():
        (member,) = checked(by_hand(local_extra=extra)).members
        assert member.padding == padding, extra
        assert member.structure == 30 + 4 + len(extra) - padding + 46 + 4


def test_encrypted_and_unknown_members_are_listed_and_not_opened() -> None:
    encrypted = by_hand(b"12 bytes more" + b"content", flags=1, unpacked=7)
    unknown = by_hand(b"zstd", method=93, unpacked=700)
    for data, problem in ((encrypted, "encrypted"), (unknown, "method 93")):
        (member,) = checked(data).members
        with pytest.raises(ArtifactError, match=problem):
            unpack(source(data), member, 10**6)


def test_names_are_names_whatever_they_say() -> None:
    for raw, flags, name in [
        (b"../../etc/passwd", 0, "../../etc/passwd"),
        (b"C:\\x\0y", 0, "C:\\x\0y"),
        ("größe/模型".encode(), 1 << 11, "größe/模型"),
        (b"\x81ber", 0, "über"),  # code page 437
        (b"\xff\xfe", 1 << 11, "\\xff\\xfe"),
        (b"", 0, ""),
    ]:
        (member,) = checked(by_hand(name=raw, flags=flags)).members
        assert member.name == name


@pytest.mark.parametrize("front", [b"", b"#!/bin/sh\n", b"PK\5\6" * 20, bytes(70_000)])
@pytest.mark.parametrize("behind", [b"", b"junk", b"PK\5\6", bytes(60_000)])
def test_what_was_put_before_and_behind_an_archive_is_counted(front: bytes, behind: bytes) -> None:
    whole = sample()
    archive = checked(front + whole + behind)
    assert [m.offset - len(front) for m in archive.members] == [
        m.offset for m in checked(whole).members
    ]
    outside = {"before the archive": len(front), "after the archive": len(behind)}
    outside = {name: size for name, size in outside.items() if size}
    assert loose(archive) == {"end of central directory": 22, **outside}


def test_offsets_that_count_what_was_put_in_front_are_understood() -> None:
    buffer = io.BytesIO(b"#!/bin/sh\n")
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("first", b"x" * 50)
    archive = checked(buffer.getvalue())
    assert archive.members[0].offset == 10 + 30 + len("first")
    assert loose(archive)["before the archive"] == 10


_EMPTY_END = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    "comment",
    [b"PK\5\6", b"PK\5\6" * 5_000, b"a" + _EMPTY_END, _EMPTY_END + b"b", _EMPTY_END * 2, b"x" * 65_535],
)  # fmt: skip
def test_a_comment_that_looks_like_the_end_is_a_comment(comment: bytes) -> None:
    whole = sample()
    data = whole[:-2] + struct.pack("<H", len(comment)) + comment
    archive = checked(data)
    assert [m.name for m in archive.members] == ["first", "second"]
    assert loose(archive) == {"end of central directory": 22, "comment": len(comment)}


def test_a_zip64_archive_after_a_prefix_is_read() -> None:
    wide = _zip64()
    archive = checked(b"prefix" + wide)
    assert loose(archive) == {
        "before the archive": 6,
        "end of central directory": 22,
        "ZIP64 end of central directory": 56,
        "ZIP64 locator": 20,
    }
    assert [m.name for m in archive.members] == ["name"]


def _zip64(count: int = 1, narrow_count: int = 0xFFFF, narrow_size: int = 0xFFFFFFFF) -> bytes:
    """Return an archive of one member whose end record leaves all to the ZIP64 one (4.3.14)."""
    plain = by_hand()
    at = plain.index(b"PK\1\2")
    size = len(plain) - 22 - at
    end64 = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, at
    ) + struct.pack("<4sIQI", b"PK\6\7", 0, len(plain) - 22, 1)
    end = struct.pack(
        "<4s4H2IH", b"PK\5\6", 0, 0, narrow_count, narrow_count, narrow_size, 0xFFFFFFFF, 0
    )
    return plain[:-22] + end64 + end


# Archives that do not tell the truth

_LIES = {
    "fewer entries than there are": lambda: _with_count(sample(), 1),
    "more entries than there are": lambda: _with_count(sample(), 3),
    "no entries though there are": lambda: _with_count(sample(), 0),
    "65,535 entries": lambda: _with_count(sample(), 65_535),
    "another number in ZIP64": lambda: _zip64(narrow_count=2),
    "more entries in ZIP64": lambda: _zip64(count=2**60),
    "another size of the directory in ZIP64": lambda: _zip64(narrow_size=51),
    "another disk": lambda: by_hand(disk=1),
    "a stored size that is not the unpacked one": lambda: by_hand(unpacked=8),
    "a local header of other sizes": lambda: by_hand(local_sizes=(3, 3)),
    "a local header of another name": lambda: by_hand(local_name=b"evil"),
    "a local header of a longer name": lambda: by_hand(local_name=b"longer"),
    "a ZIP64 field that is too short": lambda: by_hand(
        sizes=(0xFFFFFFFF, 0xFFFFFFFF), extra=struct.pack("<HHQ", 1, 8, 7)
    ),
    "a descriptor that says otherwise": lambda: by_hand(
        flags=8, local_sizes=(0, 0), descriptor=struct.pack("<4s3I", b"PK\7\x08", 1, 7, 7)
    ),
    "a descriptor that is not there": lambda: by_hand(flags=8, local_sizes=(0, 0)),
    "data beyond the directory": lambda: by_hand(sizes=(10**6, 10**6), local_sizes=(10**6, 10**6)),
    "bytes after the entries": lambda: by_hand(after_directory=b"junk", counted_after=4),
    "nothing but an end of a directory elsewhere": lambda: sample()[-22:],
}


def _with_count(data: bytes, entries: int) -> bytes:
    return data[:-14] + struct.pack("<2H", entries, entries) + data[-10:]


@pytest.mark.parametrize("lie", _LIES.values(), ids=_LIES)
def test_a_lie_is_an_error_with_its_place(lie: object) -> None:
    assert callable(lie)
    with pytest.raises(ArtifactError) as caught:
        read_zip(source(lie()))
    assert caught.value.offset is not None


def test_two_entries_of_one_member_overlap() -> None:
    data = bytearray(sample())
    entry = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    struct.pack_into("<I", data, entry + 42, 0)
    with pytest.raises(ArtifactError, match="overlap"):
        read_zip(source(data))


def test_an_archive_cut_off_inside_an_archive_that_it_holds_is_an_error() -> None:
    """The inner end record must not be taken for that of the whole."""
    outer = sample(inner=sample(), last=b"z" * 500)
    for length in range(1, len(outer)):
        with pytest.raises(ArtifactError):
            read_zip(source(outer[:length]))


def test_two_archives_in_a_row_are_not_taken_for_the_second() -> None:
    with pytest.raises(ArtifactError, match="does not list"):
        read_zip(source(sample() + sample()))


# What members hold


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_member_is_unpacked_and_checked(method: int) -> None:
    content = random.Random(1).randbytes(5_000) + b"same " * 40_000
    data = bytearray(sample(method, member=content))
    (member,) = checked(data).members
    assert unpack(source(data), member, len(content)) == content
    with pytest.raises(ArtifactError, match="more than"):
        unpack(source(data), member, len(content) - 1)
    data[member.offset + 100] ^= 1
    with pytest.raises(ArtifactError):
        unpack(source(data), member, len(content))


@pytest.mark.parametrize("declared", [0, 999, 1_001, 10**6])
def test_a_deflated_member_that_lies_about_its_size_is_refused(declared: int) -> None:
    deflated = zlib.compress(bytes(1_000), 9)[2:-4]
    for content in (deflated, deflated + b"junk", deflated[:-1]):
        data = by_hand(content, method=8, unpacked=declared)
        (member,) = checked(data).members
        with pytest.raises(ArtifactError):
            unpack(source(data), member, 10**6)


def test_a_deflated_member_that_goes_on_or_stops_short_of_its_end_is_refused() -> None:
    deflated = zlib.compress(bytes(1_000), 9)[2:-4]
    for content in (deflated + b"junk", deflated[:-1]):
        data = by_hand(content, method=8, unpacked=1_000)
        (member,) = checked(data).members
        with pytest.raises(ArtifactError, match="declared"):
            unpack(source(data), member, 10**6)


def test_a_bomb_that_hides_its_size_is_refused_when_it_goes_off() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflater.compress(bytes(2**20)) for _ in range(300)) + deflater.flush()
    data = by_hand(bomb, method=8, unpacked=1_000)
    (member,) = checked(data).members
    taken = []

    def read(offset: int, size: int) -> bytes:
        taken.append(size)
        return data[offset : offset + size]

    with Frugal(), pytest.raises(ArtifactError, match="declared"):
        unpack(Source("a.zip", read, 0, len(data)), member, 10**6)
    assert len(taken) == 1, f"{len(taken)} pieces of the bomb were read, where one is allowed"
    assert sum(taken) <= 2**16 < len(bomb), f"{sum(taken):,} bytes, where {2**16:,} are allowed"


# What else is there


@pytest.mark.skipif(shutil.which("zipinfo") is None, reason=lacks("zipinfo (unzip)"))
@pytest.mark.parametrize("front", [b"", b"seventeen bytes.."])
def test_zipinfo_tells_the_same_of_an_archive_with_and_without_a_prefix(
    front: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    data = front + sample(zipfile.ZIP_DEFLATED, b"remark")
    path.write_bytes(data)
    run = subprocess.run(["zipinfo", "-v", path], capture_output=True, text=True)
    told = run.stdout
    archive = checked(data)
    before = loose(archive).get("before the archive", 0)
    assert (f"{before} extra bytes at beginning" in run.stderr) is bool(front)
    sizes = [int(line.split()[2]) for line in told.splitlines() if "compressed size:" in line]
    expected = [size for m in archive.members for size in (m.stored, m.unpacked)]
    assert [int(size) for size in sizes] == expected


def test_hostile_archives_take_neither_long_nor_much() -> None:
    fields = b"\x34\x12\0\0" * 16_000
    many_fields = by_hand(local_extra=fields, extra=fields)
    many_ends = b"PK\5\6" * 16_000 + bytes(30)
    large_directory = by_hand(extra=bytes(65_000)) + bytes(2**20)
    for data in (many_fields, many_ends, large_directory):
        with Frugal():
            assert outcome_of(lambda data=data: read_zip(source(data))) in ("ok", "error")


def test_a_directory_too_large_to_hold_is_refused() -> None:
    size = 20 * 2**20
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0)
    with Frugal(), pytest.raises(ArtifactError, match="at most"):
        read_zip(source(b"PK\1\2" + bytes(size - 4) + end))


def test_mutants_of_hand_made_archives_give_an_error_or_a_whole_answer() -> None:
    descriptor = struct.pack("<3I", zlib.crc32(b"content"), 7, 7)
    whole = [
        by_hand(flags=8, local_sizes=(0, 0), descriptor=descriptor),
        by_hand(local_extra=struct.pack("<HH", 0x4246, 20) + b"Z" * 20),
        _zip64(),
        b"prefix" + sample(zipfile.ZIP_DEFLATED, b"remark") + b"trailing",
    ]
    outcomes = {"ok": 0, "error": 0}
    for seed, data in enumerate(whole):
        for mutant in mutants(data, count(150), seed):

            def attempt(mutant: bytes = mutant) -> None:
                for member in checked(mutant).members:
                    if member.method in (0, 8) and not member.encrypted:
                        unpack(source(mutant), member, 10**6)

            outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 20


def test_the_directory_of_one_source_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks that say which format it is, and the reading of it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as writer:
        for name in ("b", "a"):
            writer.writestr(name, name)
    one, read = source(stream.getvalue()), archive.read_entries
    reads = []
    monkeypatch.setattr(archive, "read_entries", lambda *of: reads.append(of) or read(*of))
    assert [member.name for member in archive.list_zip(one).members] == ["b", "a"]
    assert [member.name for member in archive.list_zip(one).members] == ["b", "a"]
    assert [member.name for member in read_zip(one).members] == ["b", "a"]
    assert len(reads) == 1

"""What a ZIP archive consists of, with its bytes: the result of reading one."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_modelsize.sections import Kind

__all__ = ["STORED", "ZipArchive", "ZipMember"]

STORED, DEFLATED = 0, 8
"""Compression methods (APPNOTE.TXT 4.4.5)."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member and every byte that serves it.

    Attributes:
        name: as stored; never used as a path.
        offset: of its content, within the source.
        stored: bytes of its content, as stored.
        unpacked: bytes that it says it unpacks to.
        method: compression method.
        crc: checksum of the unpacked content, as declared.
        structure: bytes of its local header, extra fields, data descriptor and directory entry.
        padding: bytes of extra fields that only align the content.
        encrypted: the content is encrypted.
    """

    name: str
    offset: int
    stored: int
    unpacked: int
    method: int
    crc: int
    structure: int
    padding: int
    encrypted: bool


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """Every byte of an archive: those of its members, in the order of their content, and others.

    Attributes:
        members: in the order in which they lie in the file.
        loose: bytes that serve no member, as name, kind and number.
    """

    members: tuple[ZipMember, ...]
    loose: tuple[tuple[str, Kind, int], ...]

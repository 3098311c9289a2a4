"""The fixed parts of a ZIP archive's records: signatures and fields (APPNOTE.TXT 4.3 and 4.4)."""

from __future__ import annotations

import struct

from pytest_modelsize.sizes.records import NamedTuple, dataclass

__all__ = [
    "CENTRAL_ENTRY",
    "CENTRAL_SIGNATURE",
    "DEFLATED",
    "DESCRIPTOR_SIGNATURE",
    "DIGITAL_SIGNATURE",
    "DIGITAL_SIGNATURE_HEADER",
    "ENCRYPTED",
    "END",
    "END_SIGNATURE",
    "FOLLOWED_BY_DESCRIPTOR",
    "LOCAL_HEADER",
    "LOCAL_SIGNATURE",
    "MASKED",
    "STORED",
    "UNKNOWN_16",
    "UNKNOWN_32",
    "UTF8",
    "ZIP64_END",
    "ZIP64_END_SIGNATURE",
    "ZIP64_LOCATOR",
    "ZIP64_LOCATOR_SIGNATURE",
    "CentralEntry",
    "End",
    "LocalHeader",
    "Zip64End",
]

LOCAL_SIGNATURE = b"PK\x03\x04"  # 4.3.7
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"  # 4.3.9.3; writers may leave it out
CENTRAL_SIGNATURE = b"PK\x01\x02"  # 4.3.12
DIGITAL_SIGNATURE = b"PK\x05\x05"  # 4.3.13
ZIP64_END_SIGNATURE = b"PK\x06\x06"  # 4.3.14
ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"  # 4.3.15
END_SIGNATURE = b"PK\x05\x06"  # 4.3.16

LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # 4.3.7: 30 bytes, then the name and extra fields
CENTRAL_ENTRY = struct.Struct("<4s6H3I5H2I")  # 4.3.12: 46 bytes, then name, extra fields, comment
DIGITAL_SIGNATURE_HEADER = struct.Struct("<4sH")  # 4.3.13: 6 bytes, then the signature's data
ZIP64_END = struct.Struct("<4sQ2H2I4Q")  # 4.3.14: 56 bytes, then an extensible data sector
ZIP64_LOCATOR = struct.Struct("<4sIQI")  # 4.3.15: 20 bytes
END = struct.Struct("<4s4H2IH")  # 4.3.16: 22 bytes, then the comment

# General purpose bits, 4.4.4
ENCRYPTED = 1 << 0
FOLLOWED_BY_DESCRIPTOR = 1 << 3
UTF8 = 1 << 11
MASKED = 1 << 13  # the central directory is encrypted, and local headers hide their fields

# Compression methods, 4.4.5
STORED = 0
DEFLATED = 8

UNKNOWN_16 = 0xFFFF  # 4.4.1.4: the value is in a ZIP64 record or extra field
UNKNOWN_32 = 0xFFFFFFFF


class LocalHeader(NamedTuple):
    """A local file header (4.3.7)."""

    signature: bytes
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    stored: int
    unpacked: int
    name_length: int
    extra_length: int


class CentralEntry(NamedTuple):
    """A central directory's file header (4.3.12)."""

    signature: bytes
    made_by: int
    version: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    stored: int
    unpacked: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal_attributes: int
    external_attributes: int
    header_offset: int


@dataclass(frozen=True, slots=True)
class Zip64End:
    """A ZIP64 end of central directory record (4.3.14). ``size`` leaves out its first 12 bytes."""

    signature: bytes
    size: int
    made_by: int
    version: int
    disk: int
    directory_disk: int
    entries_here: int
    entries: int
    directory_size: int
    directory_offset: int


@dataclass(frozen=True, slots=True)
class End:
    """An end of central directory record (4.3.16)."""

    signature: bytes
    disk: int
    directory_disk: int
    entries_here: int
    entries: int
    directory_size: int
    directory_offset: int
    comment_length: int

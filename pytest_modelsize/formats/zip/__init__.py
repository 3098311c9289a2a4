"""ZIP, exact to the byte. Written to APPNOTE.TXT 6.3; section numbers are those of that document.

`directory` finds the end and the central directory, `members` the members with all that serves
them, `inflate` unpacks within bounds.
"""

from pytest_modelsize.formats.zip.inflate import unpack
from pytest_modelsize.formats.zip.members import read_zip
from pytest_modelsize.formats.zip.model import STORED, ZipArchive, ZipMember

__all__ = ["STORED", "ZipArchive", "ZipMember", "read_zip", "unpack"]

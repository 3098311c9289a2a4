"""A ZIP archive into which a sparse file is copied without its holes.

Headers, their ZIP64 fields and the central directory are those of the standard library, which
chooses them by the sizes of the members: nothing of that is reckoned here. Only the bytes in a hole
are passed over, in the archive as in the member, and are missing in its checksum.
"""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_modelsize.saving.keras.sparse.hdf5 import Content, SparseSave

__all__ = ["SparseZip"]

_PIECE = 2**20


class SparseZip(zipfile.ZipFile):
    """Such an archive; a class of its own for each save, with that save's holes."""

    save: SparseSave

    def writestr(self, zinfo_or_arcname: Any, data: Any, *args: Any, **kwargs: Any) -> None:
        """Store ``data`` (keras/src/saving/saving_lib.py, H5IOStore.close)."""
        if not hasattr(data, "holes"):
            super().writestr(zinfo_or_arcname, data, *args, **kwargs)
            return
        info = zipfile.ZipInfo(zinfo_or_arcname, time.localtime()[:6])
        info.file_size = len(data)
        self._store(info, data)

    def write(self, filename: Any, arcname: Any = None, *args: Any, **kwargs: Any) -> None:
        """Store a file (keras/src/saving/saving_lib.py, _save_model_to_fileobj)."""
        from pytest_modelsize.saving.keras.sparse.hdf5 import Content

        holes = self.save.holes.get(os.path.abspath(filename))
        if not holes:
            super().write(filename, arcname, *args, **kwargs)
            return
        info = zipfile.ZipInfo.from_file(filename, arcname)
        with Path(filename).open("rb") as file:
            self._store(info, Content(file, info.file_size, holes))

    def _store(self, info: zipfile.ZipInfo, content: Content) -> None:
        member: Any
        with self.open(info, "w") as member:
            at = 0
            for offset, size in [*sorted(content.holes), (content.size, 0)]:
                content.file.seek(at)
                while at < offset:
                    piece = content.file.read(min(_PIECE, offset - at))
                    if not piece:
                        raise ValueError("the file is shorter than its holes")
                    member.write(piece)
                    at += len(piece)
                # zipfile has no call for this: the member grows, and nothing is written.
                member._file_size += size
                archive: Any = self.fp
                archive.seek(size, os.SEEK_CUR)
                at += size

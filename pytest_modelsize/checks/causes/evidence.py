"""What the search for causes looks at: an artifact's tensors, their types and their bytes.

Types and shapes come from the notes on a measurement's entries; on request, readers also note which
bytes of a file hold an entry. Bytes are read in pieces, within a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from pytest_modelsize.checks.causes.tensor import Tensor
from pytest_modelsize.checks.stripping.change import Change
from pytest_modelsize.formats import ArtifactError, companions, files_of, is_whole, measure
from pytest_modelsize.formats.extents import Extent, Noted, noted
from pytest_modelsize.formats.source import open_source
from pytest_modelsize.sizes.comparison import Entry, entries
from pytest_modelsize.sizes.data_types import TENSOR_NOTE
from pytest_modelsize.sizes.measurement import Measurement, SectionPath
from pytest_modelsize.sizes.records import dataclass, replace

__all__ = ["MOST_READ", "Evidence"]

MOST_READ = 512 * 2**20
"""Bytes that are read of one artifact, unless less is asked for."""
_PIECE = 2**20
_SAMPLE = 1024
"""Values of a tensor that are compared with those of another."""
_MOST_FILES = 1000
_WHOLE = ("saved_model", "checkpoint", "distributed checkpoint", "keras", "tfjs", "coreml")
"""Formats of folders whose files mean nothing alone."""


@dataclass
class Evidence:
    """An artifact, and what is known of it.

    Attributes:
        measurement: of the artifact.
        path: where it lies; None where its bytes are not there to be read.
        left: bytes of tensors that may still be read.
        scratch: a folder in which the artifact may be written anew, to try a fix; or None.
        noted: its files, and which bytes hold which entry, where they were noted as it was
            measured; else it is measured again when they are needed.
    """

    measurement: Measurement
    path: Path | None = None
    left: int = MOST_READ
    scratch: Path | None = None
    noted: Noted | None = None

    @cached_property
    def _digests(self) -> dict[SectionPath, bytes | None]:
        return {}

    @cached_property
    def files(self) -> dict[str, Evidence]:
        """The files of a folder that is not an artifact of its own, by relative path; else nothing.

        A file that names others stands for these, too, and a folder in it that is one artifact, as
        a SavedModel is, for all that is in it.
        """
        if self.path is None or self.measurement.format in _WHOLE or not self.path.is_dir():
            return {}
        found, named = {}, set()
        read = self.noted.files if self.noted is not None else None
        for path in self._parts(self.path, files_of(self.path) if read is None else read):
            with suppress(ArtifactError), noted() as runs:
                name = path.relative_to(self.path).as_posix()
                found[name] = Evidence(
                    measurement=measure(path),
                    path=path,
                    left=self.left,
                    scratch=self.scratch,
                    noted=runs,
                )
                named |= {file.relative_to(self.path).as_posix() for file in companions(path)}
        return {name: part for name, part in found.items() if name not in named}

    @staticmethod
    def _parts(folder: Path, files: Iterable[Path]) -> list[Path]:
        """Return the files of a folder, and the artifacts that are folders in it."""
        whole: dict[Path, bool] = {folder: False}
        parts: dict[Path, None] = {}
        for file in sorted(files):
            above = [place for place in file.parents if place.is_relative_to(folder)]
            for place in reversed(above):  # the outermost first
                if place not in whole:
                    whole[place] = is_whole(place)
                if whole[place]:
                    parts[place] = None
                    break
            else:
                parts[file] = None
            if len(parts) >= _MOST_FILES:
                break
        return list(parts)

    def size_with(self, changes: Iterable[tuple[str, Change]]) -> int | None:
        """Return the bytes of the artifact with what is to be changed in each of its files.

        Args:
            changes: by file, several of one file at once.
        """
        merged: dict[str, Change] = {}
        for file, change in changes:
            merged[file] = merged.get(file, Change()) | change
        total = self.measurement.bytes_on_disk
        for file, change in merged.items():
            part = self.files[file] if file else self
            size = part._rewritten(change)
            if size is None:
                return None
            total += size - part.measurement.bytes_on_disk
        return total

    def gzipped(self) -> int | None:
        """Return the bytes of the file, and of those it names, as ``compression="gzip"`` has them.

        None where it is not a file, or larger than what may be read.
        """
        if self.path is None or not self.path.is_file():
            return None
        files = {self.path, *companions(self.path)}
        if sum(file.stat().st_size for file in files) != self.measurement.bytes_on_disk:
            return None
        if not self._spend(self.measurement.bytes_on_disk):
            return None
        from pytest_modelsize.checks.compression import compressed_size, method

        return sum(compressed_size(file, method("gzip")) for file in files)

    def _rewritten(self, change: Change) -> int | None:
        if change.gone:
            return 0
        if self.path is None:
            return None
        with suppress(ArtifactError):
            return self._sizes(change)
        return None

    @cached_property
    def _sizes(self) -> Callable[[Change], int | None]:
        from pytest_modelsize.checks.stripping.replay import sizes_of

        assert self.path is not None
        measurement = self.measurement
        return sizes_of(self.path, measurement.format, measurement.bytes_on_disk, self.scratch)

    @cached_property
    def tensors(self) -> list[Tensor]:
        """All entries that are tensors, largest first."""
        found = [
            replace(tensor, file=name)
            for name, evidence in self.files.items()
            for tensor in evidence.tensors
        ]
        runs = {} if self.files else self._placed
        for section in () if self.files else self.measurement.tree:
            for entry in self.entries(section.name):
                if match := TENSOR_NOTE.match(entry.note):
                    shape = match["shape"]
                    sizes = () if shape == "scalar" else tuple(map(int, shape.split("x")))
                    placed = runs.get(entry.path, ())
                    found.append(
                        Tensor(
                            path=entry.path,
                            dtype=match["dtype"],
                            shape=sizes,
                            size=entry.size,
                            note=entry.note,
                            runs=placed,
                        )
                    )
        found.sort(key=lambda tensor: (-tensor.size, tensor.file, tensor.path))
        return found

    def entries(self, section: str) -> list[Entry]:
        """Return the entries of a top-level section, largest first, which many kinds look at."""
        if section not in self._entries:
            self._entries[section] = entries(self.measurement.section(section))
        return self._entries[section]

    @cached_property
    def _entries(self) -> dict[str, list[Entry]]:
        return {}

    @cached_property
    def weights(self) -> list[Tensor]:
        """The tensors that are weights."""
        return [tensor for tensor in self.tensors if tensor.path[0] == "weights"]

    def stored(self, path: SectionPath) -> int:
        """Return the bytes of an entry that are content, and do not describe it."""
        return sum(run.end - run.start for run in self._placed.get(path, ()))

    def read(self, tensor: Tensor) -> bytes | None:
        """Return a tensor's bytes; None where they are not known, or more than may be read."""
        if not tensor.runs or not self._spend(tensor.stored):
            return None
        try:
            return b"".join(piece for run in tensor.runs for piece in _pieces(run))
        except ArtifactError:
            return None

    def pieces(self, tensor: Tensor) -> Iterator[bytes]:
        """Yield a tensor's bytes; nothing where they are not known, or more than may be read."""
        if tensor.runs and self._spend(tensor.stored):
            for run in tensor.runs:
                yield from _pieces(run)

    def alike(self, some: Sequence[Tensor], others: Sequence[Tensor]) -> float:
        """Return how far two groups of tensors, of the same shapes, have the same values.

        1 means the same values, 0 no relation, or not known.
        """
        from pytest_modelsize.checks.causes.likeness import alike  # which few artifacts need

        return alike(self.sample, some, others)

    def sample(self, tensor: Tensor) -> Sequence[float]:
        """Return a tensor's first values; none where they are not known, or may not be read."""
        run = tensor.runs[0] if tensor.runs and tensor.plain else None
        if run is None:
            return ()
        size = min(run.end - run.start, _SAMPLE * 8)
        if not self._spend(size):
            return ()
        from pytest_modelsize.checks.causes.values import floats

        with suppress(ArtifactError), open_source(run.file) as source:
            return floats(source.read(run.start, size), tensor.dtype)[:_SAMPLE]
        return ()

    def digest(self, tensor: Tensor) -> bytes | None:
        """Return a digest of a tensor's bytes, equal for equal ones; None if it may not be read."""
        if tensor.path not in self._digests:
            self._digests[tensor.path] = self._digest(tensor)
        return self._digests[tensor.path]

    def digest_of_all(self) -> bytes | None:
        """Return a digest of a file's bytes; None where these are more than may be read."""
        path, size = self.path, self.measurement.bytes_on_disk
        if path is None or not path.is_file() or not self._spend(size):
            return None
        from hashlib import blake2b

        found = blake2b(digest_size=20)
        try:
            with open_source(path) as source:
                for at in range(0, source.size, _PIECE):
                    found.update(source.read(at, min(_PIECE, source.size - at)))
        except ArtifactError:
            return None
        return found.digest()

    def _digest(self, tensor: Tensor) -> bytes | None:
        from hashlib import blake2b

        found, seen = blake2b(digest_size=20), False
        try:
            for piece in self.pieces(tensor):
                found.update(piece)
                seen = True
        except ArtifactError:
            return None
        return found.digest() if seen else None

    def _spend(self, size: int) -> bool:
        if size > self.left:
            return False
        self.left -= size
        return True

    @cached_property
    def _placed(self) -> dict[SectionPath, tuple[Extent, ...]]:
        found: dict[SectionPath, list[Extent]] = {}
        runs: Sequence[Extent] = ()
        if self.path is not None and self.noted is not None:
            runs = self.noted
        elif self.path is not None:
            with suppress(ArtifactError), noted() as noting:
                measure(self.path)
                runs = noting
        for run in runs:
            if run.content:
                found.setdefault(run.path, []).append(run)
        return {path: tuple(runs) for path, runs in found.items()}


def _pieces(run: Extent) -> Iterator[bytes]:
    with open_source(run.file) as source:
        for at in range(run.start, run.end, _PIECE):
            yield source.read(at, min(_PIECE, run.end - at))

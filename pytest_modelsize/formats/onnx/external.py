"""An ONNX model with the files beside it that hold bytes of its tensors (docs/ExternalData.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import inside
from pytest_modelsize.formats.onnx.reader import Model
from pytest_modelsize.formats.onnx.settle import settle
from pytest_modelsize.formats.onnx.tensors import External, Tensor
from pytest_modelsize.formats.source import ArtifactError, Source, open_source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath

__all__ = ["read_onnx_file", "read_onnx_files"]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A run of an external file, and the tensor of one of the models that claims it."""

    start: int
    end: int
    model: int
    tensor: Tensor
    home: SectionPath


def read_onnx_file(path: Path, ledger: Ledger, *, follow: bool = True) -> dict[Path, int]:
    """Give every byte of the model at ``path``, and of its external data, to ``ledger``.

    A model ships with the files that it names, so they are measured with it. These lie in its
    folder or below, and are no symbolic links: nothing is read outside.

    Args:
        path: the ``.onnx`` file.
        ledger: takes the bytes.
        follow: read what ``path`` itself points to; else a link is an error.

    Returns:
        Each file that was read, with its bytes.

    Raises:
        ArtifactError: where a file is broken, missing, or not inside the folder; or where tensors
            claim bytes that are not there, or overlap.
    """
    return read_onnx_files({path: ledger}, follow=follow)[path]


def read_onnx_files(
    ledgers: Mapping[Path, Ledger], *, follow: bool = True
) -> dict[Path, dict[Path, int]]:
    """Give every byte of several models, which may share external data, to a ledger for each.

    What two models share, as an encoder and a decoder do with their embedding, counts for the first
    of them; what no model claims, for the first that names the file.

    Args:
        ledgers: by the models' paths.
        follow: read what these point to; else a link is an error.

    Returns:
        For each model the files that count for it, with their bytes.

    Raises:
        ArtifactError: as for one model.
    """
    models = list(ledgers)
    read: dict[Path, dict[Path, int]] = {}
    claimed: dict[Path, list[tuple[int, External, Tensor, SectionPath]]] = {}
    for number, path in enumerate(models):
        with open_source(path, follow=follow) as source:
            model = Model(source, ledgers[path])
            model.read()
            read[path] = {path: source.size}
            for tensor, home in settle(source, model.found, ledgers[path]):
                if tensor.external is not None:
                    file = path.parent / inside(source, path.parent, tensor.external.location)
                    claimed.setdefault(file, []).append((number, tensor.external, tensor, home))
    for file, claims in sorted(claimed.items()):
        first = models[claims[0][0]]
        if file in ledgers:
            raise ArtifactError(str(first), None, "the model names itself as its external data")
        with open_source(file, follow=False) as data:
            _settle_file(data, file, models, claims, ledgers)
            read[first][file] = data.size
    for path, files in read.items():
        beside = sum(files.values()) - files[path]
        if beside:
            others = sorted(
                file.relative_to(path.parent).as_posix() for file in files if file != path
            )
            where = others[0] if len(others) == 1 else f"{len(others):,d} files"
            note = f"{beside:,d} B of the whole are beside the model, in {where}"
            ledgers[path].note(("weights",), note)
    return read


def _settle_file(
    data: Source,
    file: Path,
    models: Sequence[Path],
    claimed: Sequence[tuple[int, External, Tensor, SectionPath]],
    ledgers: Mapping[Path, Ledger],
) -> None:
    """Give every byte of one external file to the tensors that claim it, or to the gaps between."""
    claims = [
        _Claim(external.offset, _end(data, external), number, tensor, home)
        for number, external, tensor, home in claimed
    ]
    for claim in claims:
        if not claim.start <= claim.end <= data.size:
            size = claim.end - claim.start
            problem = f"{claim.tensor.name!r:.80} claims {size:,d} bytes from here"
            raise data.error(claim.start, problem)
    names = {number: file.relative_to(models[number].parent).as_posix() for number, *_ in claimed}
    first = claimed[0][0]
    loose: SectionPath = ("overhead", names[first])
    position = 0
    last: _Claim | None = None
    for claim in sorted(claims, key=lambda claim: (claim.start, claim.end)):
        ledger, location = ledgers[models[claim.model]], names[claim.model]
        note = f"{claim.tensor.note}, in {location}"
        if last is not None and last.start < last.end and claim.start < position:
            owner = ".".join(last.home[1:])
            if (claim.start, claim.end) == (last.start, last.end):
                whose = f"{models[last.model].name}'s " if claim.model != last.model else ""
                ledger.note(claim.home, f"{note}, shared with {whose}{owner}")
                continue
            if claim.start < claim.end:
                raise data.error(
                    claim.start, f"{claim.tensor.name!r:.80} overlaps another tensor here"
                )
        if claim.start == claim.end:
            continue
        if claim.start > position:
            ledgers[models[first]].add((*loose, "padding"), Kind.RESERVED, claim.start - position)
        ledger.add(claim.home, Kind.DATA, claim.end - claim.start)
        extents.note(data, claim.start, claim.end - claim.start, claim.home)
        ledger.note(claim.home, note)
        position, last = claim.end, claim
    if position < data.size:
        ledgers[models[first]].add((*loose, "unused"), Kind.SLACK, data.size - position)


def _end(data: Source, external: External) -> int:
    return data.size if external.length is None else external.offset + external.length

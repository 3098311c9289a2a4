"""An ONNX model with the files beside it that hold bytes of its tensors (docs/ExternalData.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_modelsize.formats import extents
from pytest_modelsize.formats.companion_paths import beside, open_beside
from pytest_modelsize.formats.onnx.model import looks_like_onnx, read_model
from pytest_modelsize.formats.onnx.settle import settle
from pytest_modelsize.formats.onnx.tensors import External, Tensor
from pytest_modelsize.formats.source import ArtifactError, Source
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, SectionPath
from pytest_modelsize.sizes.records import dataclass

__all__ = ["companions", "format", "read", "read_together", "recognises"]

format = "onnx"
_Named = tuple[int, External, Tensor, SectionPath]
"""A model's number, where it says that a tensor is, the tensor and its entry."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A run of an external file, and the tensor of one of the models that claims it."""

    start: int
    end: int
    model: int
    tensor: Tensor
    home: SectionPath


def recognises(source: Source) -> bool:
    """Return whether the file is a model."""
    return looks_like_onnx(source)


def read(source: Source, ledger: Ledger) -> None:
    """Give every byte of a model, and of its external data, to ``ledger``.

    A model ships with the files that it names, so they are measured with it. These lie in its
    folder or below: nothing is read outside.

    Raises:
        ArtifactError: where a file is broken, missing, or not inside the folder; or where tensors
            claim bytes that are not there, or overlap.
    """
    read_together({source: ledger})


def read_together(ledgers: Mapping[Source, Ledger]) -> None:
    """Give every byte of several models, which may share external data, to a ledger for each.

    What two models share, as an encoder and a decoder do with their embedding, counts for the first
    of them; what no model claims, for the first that names the file.

    Raises:
        ArtifactError: as for one model.
    """
    models = list(ledgers)
    claimed: dict[Path, list[_Named]] = {}
    for number, source in enumerate(models):
        walk = read_model(source, ledgers[source])
        for tensor, home in settle(source, walk.found, ledgers[source], walk.used):
            if tensor.external is not None:
                file = beside(source, tensor.external.location)
                claimed.setdefault(file, []).append((number, tensor.external, tensor, home))
    leading = {source.file for source in models}
    for file, claims in sorted(claimed.items()):
        first = models[claims[0][0]]
        if file in leading:
            raise first.error(None, "the model names itself as its external data")
        with open_beside(first, claims[0][1].location) as data:
            _settle_file(data, file, models, claims, ledgers)
    for source, ledger in ledgers.items():
        if size := sum(source.beside.values()):
            names = sorted(_below(source, file) for file in source.beside)
            where = names[0] if len(names) == 1 else f"{len(names):,d} files"
            ledger.note(("weights",), f"{size:,d} B of the whole are beside the model, in {where}")


def companions(source: Source) -> frozenset[Path]:
    """Return the files that a model names; none where it is broken."""
    try:
        read(source, Ledger())
    except ArtifactError:
        return frozenset()
    return frozenset(source.beside)


def _below(source: Source, file: Path) -> str:
    return file.relative_to(source.folder.path).as_posix() if source.folder else file.as_posix()


def _settle_file(
    data: Source,
    file: Path,
    models: Sequence[Source],
    claimed: Sequence[_Named],
    ledgers: Mapping[Source, Ledger],
) -> None:
    """Give every byte of one external file to the tensors that claim it, or to the gaps between."""
    claims = [
        _Claim(
            start=external.offset, end=_end(data, external), model=number, tensor=tensor, home=home
        )
        for number, external, tensor, home in claimed
    ]
    for claim in claims:
        if not claim.start <= claim.end <= data.size:
            size = claim.end - claim.start
            problem = f"{claim.tensor.name!r:.80} claims {size:,d} bytes from here"
            raise data.error(claim.start, problem)
    names = {number: _below(models[number], file) for number, *_ in claimed}
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
                whose = f"{models[last.model].title}'s " if claim.model != last.model else ""
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

"""Known kinds of bloat, each in a module of its own: what it looks for, its words, and its fix.

A module has a function ``find``, which takes the `Evidence` of a file, or of a folder that is one
model, and yields each `Cause` that it finds. Some have ``find_files`` as well, which does so for a
folder of files. A new kind is one module, and one line here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from pytest_modelsize.checks.causes import (
    averages,
    ballast,
    copies,
    emptiness,
    optimizer_state,
    precision,
    text,
    training_data,
)
from pytest_modelsize.checks.causes.cause import NAMED, REBUILT, REPLAYED, Cause, Findings
from pytest_modelsize.checks.causes.evidence import MOST_READ, Evidence
from pytest_modelsize.formats.extents import Noted
from pytest_modelsize.sizes.measurement import Measurement
from pytest_modelsize.sizes.records import replace

__all__ = ["Cause", "Findings", "find_causes", "size_without_state"]

_Kind = Callable[[Evidence], Iterator[Cause]]
_OfFiles = Callable[[Evidence, Collection[str]], Iterator[Cause]]
_KINDS: Sequence[_Kind] = tuple(
    kind.find
    for kind in (
        optimizer_state,
        averages,
        copies,
        precision,
        emptiness,
        text,
        training_data,
        ballast,
    )
)
_SMALLEST_SHARE = 100
"""One part in so many of the artifact is worth a word."""
_ADDED_UP = ("safetensors", "onnx")
"""Formats whose files follow from their parts to the byte."""


def find_causes(
    measurement: Measurement,
    path: Path | None = None,
    *,
    most_read: int = MOST_READ,
    scratch: Path | None = None,
    noted: Noted | None = None,
) -> Findings:
    """Return the known kinds of bloat in an artifact, and what their fixes give.

    Args:
        measurement: of the artifact.
        path: where it lies, with all its bytes; None where they are not there to be read.
        most_read: bytes of tensors that are read to compare them.
        scratch: a folder in which the artifact may be written anew, without its tensors' bytes, to
            try a fix; None where that would take too long.
        noted: what `formats.extents.noted` gathered as it was measured; None where nothing did.
    """
    evidence = Evidence(
        measurement=measurement, path=path, left=most_read, scratch=scratch, noted=noted
    )
    total = measurement.bytes_on_disk
    found = [c for c in _found(evidence, _KINDS) if c.size * _SMALLEST_SHARE >= total]
    causes = sorted((_tried(cause, evidence) for cause in found), key=lambda cause: -cause.size)
    tried = [cause for cause in causes if cause.changes and cause.given is not None]
    together = None
    if len(tried) > 1:
        together = evidence.size_with(change for cause in tried for change in cause.changes)
    return Findings(tuple(causes), together)


def size_without_state(measurement: Measurement, path: Path, scratch: Path) -> int | None:
    """Return what an artifact would weigh without optimizer state, from its files alone.

    Args:
        measurement: of the artifact.
        path: where it lies.
        scratch: a folder in which its files may be written anew, without their tensors' bytes.

    Returns:
        Bytes, as a real save has them; None where there is no such state, or that is not known.
    """
    evidence = Evidence(measurement=measurement, path=path, left=0, scratch=scratch)
    causes = list(_found(evidence, [optimizer_state.find], [optimizer_state.find_files]))
    return _tried(causes[0], evidence).given if causes else None


def _found(
    evidence: Evidence, kinds: Sequence[_Kind], of_files: Sequence[_OfFiles] = ()
) -> Iterator[Cause]:
    if not evidence.files:
        for find in kinds:
            yield from find(evidence)
        return
    gone: set[str] = set()
    merged: dict[str, list[Cause]] = {}
    for find_files in of_files or _of_files():
        for cause in find_files(evidence, gone):
            gone |= {name for name, _ in cause.changes}
            merged.setdefault(cause.kind, []).append(cause)
    for name, part in evidence.files.items():
        for find in kinds if name not in gone else ():
            for cause in find(part):
                changes = tuple((name, change) for _, change in cause.changes)
                given = cause.given
                if given is not None:  # of the file, and wanted of the folder
                    given += evidence.measurement.bytes_on_disk - part.measurement.bytes_on_disk
                text = f"{name}: {cause.text}"
                told = replace(cause, text=text, given=given, changes=changes)
                merged.setdefault(cause.kind, []).append(told)
    total = evidence.measurement.bytes_on_disk
    yield from (_merged(causes, total) for causes in merged.values())


def _of_files() -> Sequence[_OfFiles]:
    """Return the searches through folders, in their order.

    A file that one of them leaves out, the next ones skip.
    """
    from pytest_modelsize.checks.causes import tokenizers, twin_files

    return (
        ballast.find_files,
        optimizer_state.find_files,
        twin_files.find_files,
        tokenizers.find_files,
    )


def _merged(causes: list[Cause], total: int) -> Cause:
    """Return one cause for those of a kind, which several files have."""
    first, *others = sorted(causes, key=lambda cause: -cause.size)
    if not others:
        return first
    fixes = dict.fromkeys(cause.fix for cause in (first, *others))
    known = [cause.given for cause in causes if cause.given is not None]
    return replace(
        first,
        text=f"{first.text}, and the like in {len(others)} more",
        given=total - sum(total - given for given in known) if known else None,
        size=sum(cause.size for cause in causes),
        fix="; ".join(list(fixes)[:2]),
        # A fix that not every file has is not that of the whole.
        changes=tuple(c for cause in causes for c in cause.changes)
        if all(cause.changes for cause in causes)
        else (),
    )


def _tried(cause: Cause, evidence: Evidence) -> Cause:
    """Return the cause with what its fix gives."""
    if cause.given is not None or not cause.changes:
        return cause
    given = evidence.size_with(cause.changes)
    if given is None or given >= evidence.measurement.bytes_on_disk:
        return replace(cause, changes=(), given=None, how=NAMED)
    exact = all(
        change.gone or evidence.files.get(name, evidence).measurement.format in _ADDED_UP
        for name, change in cause.changes
    )
    return replace(cause, given=given, how=REBUILT if exact else REPLAYED)

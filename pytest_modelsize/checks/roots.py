"""Of all that a test has, what could ship: not what is part of something, or was saved already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.formats import companions
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.composition import (
    has_optimizer_of_its_own,
    holds_only_states,
    parts_of,
    tensors_in,
    weights_of,
)
from pytest_modelsize.saving.watching.saves import SavedFile
from pytest_modelsize.sizes.records import dataclass

__all__ = ["roots"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    subject: Subject
    parts: frozenset[int]
    weights: frozenset[object]

    def is_part_of(self, other: _Candidate, *, later: bool) -> bool:
        """Return whether it is saved with ``other``, which comes before it if it is ``later``."""
        if id(self.subject.model) in other.parts:
            return later or id(other.subject.model) not in self.parts
        if id(other.subject.model) in self.parts:
            return False
        first = later or holds_only_states(other.subject.model)
        shared = self.weights < other.weights or (first and self.weights == other.weights)
        return (
            bool(self.weights)
            and shared
            and not has_optimizer_of_its_own(self.subject.model, other.subject.model)
        )

    def is_in(self, written: frozenset[object]) -> bool:
        """Return whether a file holds it, or what was read from it again: states of these sizes."""
        if not holds_only_states(self.subject.model):
            return self.weights <= written
        held = tensors_in(self.subject.model).keys()
        return held <= written or (
            (sizes := _sizes(held)).total() == len(held) and not sizes - _sizes(written)
        )


def _sizes(tensors: Iterable[object]) -> Counter[int]:
    """Return how many tensors there are of each number of bytes; those without memory left out."""
    return Counter(tensor[1] for tensor in tensors if type(tensor) is tuple)


def roots(subjects: Sequence[Subject], saved: Sequence[SavedFile]) -> list[Subject]:
    """Return the subjects that are not part of another one.

    A part is a submodel, a module in a dictionary of modules or of their states, a model all of
    whose weights another one has, a file in a folder that is an artifact itself, and a model whose
    weights are in a file that was saved: of the two, the file ships. What has no weights at all is
    left out where others have some.

    Args:
        subjects: the candidates, the best known first; no two are the same.
        saved: what was written to those that are files, as far as that is known.
    """
    if len(subjects) <= 1:
        return list(subjects)
    # What keeps a tensor's memory must live until all are compared.
    weights = {id(s.model): weights_of(s.model) for s in subjects if _has_parts(s)}
    candidates = [
        _Candidate(
            subject,
            frozenset(id(part) for part in parts_of(subject.model)),
            frozenset(weights[id(subject.model)]),
        )
        for subject in subjects
        if _has_parts(subject)
    ]
    paths = {subject.path.resolve() for subject in subjects if subject.path is not None}
    written = [
        frozenset(file.tensors)
        for file in saved
        if file.path.resolve() in paths or (file.link is not None and file.link.resolve() in paths)
    ]
    left_out = {
        id(one.subject.model)
        for index, one in enumerate(candidates)
        if (one.weights and any(one.is_in(tensors) for tensors in written))
        or any(
            one.is_part_of(other, later=position < index)
            for position, other in enumerate(candidates)
            if position != index
        )
    }
    empty = {id(c.subject.model) for c in candidates if not c.weights}
    found = [s for s in subjects if s.path is not None or id(s.model) not in left_out]
    found = [s for s in found if not _is_written(s, subjects)]
    found = [s for s in found if s.path is None or paths.isdisjoint(s.path.resolve().parents)]
    led = {part.resolve() for path in paths for part in companions(path)}
    found = [s for s in found if s.path is None or s.path.resolve() not in led]
    full = [s for s in found if s.path is not None or id(s.model) not in empty]
    return full or found


def _has_parts(subject: Subject) -> bool:
    return subject.path is None and framework_of(subject.model) != "tflite"


def _is_written(subject: Subject, others: Sequence[Subject]) -> bool:
    """Return whether these bytes of a model are the content of a file beside them."""
    content = subject.model
    if not isinstance(content, (bytes, bytearray)):
        return False
    for path in (other.path for other in others):
        try:
            if path is None or not path.is_file() or path.stat().st_size != len(content):
                continue
            if path.read_bytes() == content:
                return True
        except OSError:
            continue
    return False

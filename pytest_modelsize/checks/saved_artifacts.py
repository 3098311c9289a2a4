"""What a test's body saved: where it lies, or where it is kept, and each once."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_modelsize.checks.artifact_search import path_inside
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.formats import companions, is_whole, recognise
from pytest_modelsize.saving.watching.saves import SavedFile

__all__ = ["saved_subjects", "without_copies"]


def saved_subjects(saved: Sequence[SavedFile], folder: Path | None) -> Iterator[Subject]:
    """Yield what the body saved, in its folder or elsewhere, also if it is gone by now.

    Args:
        saved: what was noted.
        folder: the test's ``tmp_path``, or None.
    """
    opened = {file.path for file in saved if file.way == "open" and file.path.is_file()}
    parts = {part for path in opened for part in companions(path)}
    wholes = {path.parent for path in opened if is_whole(path.parent)}
    for file in saved:
        path = file.path
        if file.way == "open" and path in opened:
            # In the test's folder it is found with what lies beside it.
            part = path in parts or path.parent in wholes or _is_inside(path, folder)
            if not part and recognise(path) is not None:
                yield _at(path, folder)
        elif file.way == "stream":
            yield Subject(path.name, path=path)
        elif recognise(path) is not None or path.is_file():
            yield _at(path, folder)
        elif file.link is not None and recognise(file.link) is not None:
            yield Subject(_at(path, folder).name, path=file.link)
    yield from (_at(path, folder) for path in sorted(wholes) if not _is_inside(path, folder))


def _is_inside(path: Path, folder: Path | None) -> bool:
    return folder is not None and path.is_relative_to(folder)


def _at(path: Path, folder: Path | None) -> Subject:
    if folder is not None and _is_inside(path, folder):
        name = path_inside(path, folder)
        argument = 'path="."' if path == folder else f'path="{name}"'
        return Subject(name, path=path, argument=argument)
    return Subject(path.name, path=path, argument=f'path="{path}"')


def without_copies(subjects: Sequence[Subject], saved: Sequence[SavedFile]) -> list[Subject]:
    """Leave out what is kept elsewhere and is the same file, or has the same bytes, as another."""
    kept = {file.link for file in saved if file.link is not None}
    found: list[Subject] = []
    for subject in sorted(subjects, key=lambda subject: subject.path in kept):
        if subject.path not in kept or not any(
            _is_same(subject.path, other.path) for other in found if other.path is not None
        ):
            found.append(subject)
    order = {id(subject): position for position, subject in enumerate(subjects)}
    return sorted(found, key=lambda subject: order[id(subject)])


def _is_same(one: Path | None, other: Path) -> bool:
    try:
        return (
            one is not None
            and one.is_file()
            and other.is_file()
            and (one.samefile(other) or filecmp.cmp(one, other, shallow=False))
        )
    except OSError:
        return False

"""What an artifact is called: the same in every run, whatever else ran, and on every machine.

pytest numbers its temporary folders (``test_saved0``, ``export1``) by how many there were before,
and `tempfile` draws their names. An artifact that is such a folder is called after what it is.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.sizes.records import replace

__all__ = ["lasting_name", "with_lasting_name"]

_DRAWN = re.compile(r"tmp[a-z0-9_]{8}(?=$|\.)")
"""A name that `tempfile` draws (``tempfile._RandomNameSequence``)."""
_DIGITS = re.compile(r"[0-9]+\Z")


def with_lasting_name(item: pytest.Item, subject: Subject) -> Subject:
    """Return ``subject`` under a name that the next run gives it as well."""
    if subject.path is None:
        return subject
    fixtures = getattr(item, "funcargs", None) or {}
    tmp_path = fixtures.get("tmp_path")
    factory: pytest.TempPathFactory | None = getattr(item.config, "_tmp_path_factory", None)
    name = lasting_name(
        subject.name,
        subject.path,
        tmp_path=tmp_path if isinstance(tmp_path, Path) else None,
        numbered=None if factory is None else factory.getbasetemp(),
    )
    return replace(subject, name=name)


def lasting_name(name: str, path: Path, *, tmp_path: Path | None, numbered: Path | None) -> str:
    """Return ``name`` without what differs from run to run.

    Args:
        name: of the artifact: its own, or a path relative to where it was found, or absolute.
        path: the artifact.
        tmp_path: the test's own temporary folder; None if it has none.
        numbered: the folder whose folders pytest numbers; None if there is none.
    """
    given, real = Path(name), Path(os.path.realpath(path))
    if tmp_path is not None and real == Path(os.path.realpath(tmp_path)):
        return "tmp_path"
    if numbered is not None:
        numbered = Path(os.path.realpath(numbered))
        if real != numbered and real.is_relative_to(numbered):
            first, *rest = real.relative_to(numbered).parts
            if given.is_absolute() or first in given.parts:
                own = tmp_path is not None and tmp_path.name == first
                return "/".join(["tmp_path" if own else _unnumbered(first, numbered), *rest])
            return name
    drawn = Path(os.path.realpath(tempfile.gettempdir()))
    if real != drawn and real.is_relative_to(drawn):
        first, *rest = real.relative_to(drawn).parts
        if given.is_absolute() or first in given.parts:
            return "/".join([_DRAWN.sub("tmp", first), *rest])
    return given.name if given.is_absolute() else name


def _unnumbered(name: str, folder: Path) -> str:
    """Return a numbered folder's name without its number.

    The name may end in digits of its own: ``resnet500`` is the first ``resnet50`` unless there is
    a ``resnet0`` beside it (`TempPathFactory.mktemp` counts from 0).
    """
    digits = _DIGITS.search(name)
    if digits is None:
        return name
    for start in range(digits.start(), len(name)):
        stem, number = name[:start], name[start:]
        if number[0] != "0" and stem and (folder / f"{stem}0").exists():
            return stem
    if name.endswith("0"):
        return name[:-1] or name
    return name[: digits.start()] or name

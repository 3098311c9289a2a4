"""What is measured, and how a marker says which."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_modelsize.formats import recognise
from pytest_modelsize.saving import framework_of
from pytest_modelsize.saving.own_state import ancestors, class_attributes
from pytest_modelsize.saving.per_class import per_class
from pytest_modelsize.saving.training_state import fields_of, framework_of_arrays
from pytest_modelsize.sizes.escaping import escaped
from pytest_modelsize.sizes.records import dataclass

__all__ = ["NoModelError", "Subject", "Target", "TargetError", "as_path", "as_subject"]


class TargetError(LookupError):
    """The artifact that a marker means is missing; the message says what there is instead."""

    def __init__(self, problem: str) -> None:
        # It names files, and what is called so may have come out of an archive.
        super().__init__(escaped(problem))


class NoModelError(TargetError):
    """The test neither has, nor made, nor saved a model."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the marker says that the artifact is; both None leaves it to the rules.

    Attributes:
        model: what names a value of the test's.
        path: a glob.
        format: as which a live model is saved, which is then meant and not what was saved; or None.
    """

    model: str | None = None
    path: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured: a live model, which is saved first, or an artifact that exists.

    Attributes:
        name: how the test calls it, or a path relative to where it was found.
        model: the live model, or None.
        path: the artifact, or None.
        argument: what picks this one on a marker, ``model="local:net"``; empty if nothing does.
    """

    name: str
    model: object | None = None
    path: Path | None = None
    argument: str = ""

    @property
    def identity(self) -> object:
        """What two subjects have in common when they are the same artifact."""
        return id(self.model) if self.path is None else self.path.resolve()


def as_subject(value: object, name: str) -> Subject | None:
    """Return ``value`` as something to measure, or None when it is neither model nor artifact.

    A path (text or ``os.PathLike``) counts when an artifact of a known format lies there.
    """
    argument = f'model="{name}"'
    if framework_of(value) is not None:
        return Subject(name, model=value, argument=argument)
    fields = fields_of(value)
    if fields is not None and framework_of_arrays(fields) is not None:
        return Subject(name, model=fields, argument=argument)
    path = as_path(value)
    if path is not None and recognise(path) is not None:
        return Subject(path.name, path=path, argument=argument)
    return None


def as_path(value: object) -> Path | None:
    """Return the path that ``value`` is or spells; None where it cannot be one."""
    if not _is_path(type(value)):
        return None
    text = os.fspath(value)  # type: ignore[call-overload]
    if not isinstance(text, str) or not text or "\0" in text or "\n" in text or len(text) > 4096:
        return None
    return Path(text)


@per_class
def _is_path(cls: type) -> bool:
    """Return whether a class is text, or has itself what `os.PathLike` asks for."""
    return issubclass(cls, str) or any("__fspath__" in class_attributes(c) for c in ancestors(cls))

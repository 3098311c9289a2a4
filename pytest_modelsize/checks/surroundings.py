"""Everything in a test where the artifact that a marker means is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

from pytest_modelsize.checks.callables import kept_by
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.saving.own_state import ancestors, attributes_of, class_attributes
from pytest_modelsize.saving.watching.saves import SavedFile
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["Body", "Surroundings"]


@dataclass(frozen=True, slots=True)
class Body:
    """What a test's body had, made and saved while it ran.

    Attributes:
        locals: by name, as they were when it returned.
        attributes: of its instance, at that time; empty where that is not known.
        globals: those of its module that it names.
        earlier: what calls of it before the last one had, by name.
        made: models that were built, copied or loaded, and that no other one holds.
        lost: models that were made or saved and let go of, because there were more than the bound.
        saved: artifacts that a framework wrote, and files that the test opened to write.
        unseen: kinds of streams to which was saved what cannot be read again.
        bound: models that are looked at, at most.
    """

    locals: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, object] = field(default_factory=dict)
    globals: Mapping[str, object] = field(default_factory=dict)
    earlier: Sequence[tuple[str, object]] = ()
    made: Sequence[object] = ()
    lost: int = 0
    saved: Sequence[SavedFile] = ()
    unseen: Sequence[str] = ()
    bound: int = 16


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything in a test where the artifact that a marker means is looked for.

    Attributes:
        fixtures: values by fixture name, those of parameters too.
        instance: the test class's instance, or None.
        handed: what was given to the ``model_size`` fixture, in order.
        tmp_path: the test's temporary folder, or None when it has none.
        rootdir: the project's root.
        own: names of the fixtures that are tools, as pytest's own are.
        body: what ran.
    """

    fixtures: Mapping[str, object]
    instance: object | None
    handed: Sequence[Subject]
    tmp_path: Path | None
    rootdir: Path
    own: frozenset[str] = frozenset()
    body: Body = field(default_factory=Body)

    def is_tool(self, name: str, value: object) -> bool:
        """Return whether ``value`` came from a tool's fixture, and not from a like-named local."""
        return name in self.own and value is self.fixtures.get(name)

    def attributes(self) -> dict[str, object]:
        """Return what the instance has, and its class, without running a property.

        Where the body has left it and ``tearDown`` has changed it, it is what the body left.
        """
        if self.instance is None:
            return {}
        defined: dict[str, object] = {}
        for cls in reversed(ancestors(type(self.instance))):
            defined.update(class_attributes(cls))
        found = {name: value for name, value in defined.items() if not _is_method(value)}
        found.update(attributes_of(self.instance))
        found.update(self.body.attributes)
        return {name: value for name, value in found.items() if not name.startswith("__")}


def _is_method(value: object) -> bool:
    """Return whether it is a method, which may close over what is another test's, or a class.

    What a class's ``setUp`` has put there may be a static method that closes over a model.
    """
    if type(value) in (staticmethod, classmethod):
        return not any(
            getattr(function, "__closure__", None) for _, function in kept_by(value) or ()
        )
    return issubclass(type(value), (FunctionType, BuiltinFunctionType, type))

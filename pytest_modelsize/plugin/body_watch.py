"""Watch one test's body: what it has when it returns, and what it made and saved meanwhile."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import CodeType

import pytest

from pytest_modelsize.checks.holdings import held_in
from pytest_modelsize.checks.surroundings import Body
from pytest_modelsize.plugin.body_frames import (
    BodyFrames,
    Snapshot,
    body_functions,
    core_of,
    snapshot,
)
from pytest_modelsize.plugin.outcomes import ModelSizeFailure
from pytest_modelsize.plugin.state import folders_of
from pytest_modelsize.plugin.used_globals import used_globals
from pytest_modelsize.saving import SaveError
from pytest_modelsize.saving.own_state import attributes_of
from pytest_modelsize.saving.watching.constructions import Constructions
from pytest_modelsize.saving.watching.patches import Patch, Patches
from pytest_modelsize.saving.watching.saves import Saves

__all__ = ["BOUND", "BodyWatch", "body_of"]

BOUND = "modelsize_max_models"
"""The ini option for how many models of one test are looked at."""
_WATCH = pytest.StashKey["BodyWatch"]()


class BodyWatch:
    """Watches while the ``with`` block runs; `let_go` drops all that was seen.

    Args:
        item: the test.
    """

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._functions = body_functions(getattr(item, "obj", None), str(item.path))
        self._codes = [function.__code__ for function in self._functions]
        self._bound = _bound(item.config)
        self._returned: dict[CodeType, Snapshot] = {}
        self._earlier: dict[int, tuple[str, object]] = {}
        self._attributes: dict[str, object] = {}
        self._constructions = Constructions(self._bound, frozenset(self._codes))
        self._saves = Saves(self._bound, self._folder)
        self._stack = ExitStack()

    def __enter__(self) -> BodyWatch:
        self._item.stash[_WATCH] = self
        patches = [
            *self._constructions.patches(),
            *self._saves.patches(),
            # Not public, but the one moment between a test method and its tearDown; where it is
            # replaced some day, Python has long had an event for the method's return.
            Patch("unittest.case", "TestCase._callTearDown", self._before_tear_down),
            Patch(
                "unittest.async_case",
                "IsolatedAsyncioTestCase._callTearDown",
                self._before_tear_down,
            ),
        ]
        namespaces = [function.__globals__ for function in self._functions]
        self._stack.enter_context(Patches(patches, namespaces))
        # A unittest's setUp may do a lot before the body.
        direct = not isinstance(getattr(self._item, "instance", None), unittest.TestCase)
        core = core_of(getattr(self._item, "obj", None)) if direct else None
        self._stack.enter_context(BodyFrames(frozenset(self._codes), self._on_return, core=core))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def let_go(self) -> None:
        """Drop every reference to what the test had."""
        self._item.stash[_WATCH] = self
        del self._item.stash[_WATCH]
        self._returned.clear()
        self._earlier.clear()
        self._attributes.clear()
        self._constructions.let_go()
        self._saves.let_go()

    def body(self) -> Body:
        """Return what was seen."""
        for code, frame in self._constructions.frames.items():
            if code not in self._returned:
                self._returned[code] = snapshot(frame)
        snapshots = [self._returned[code] for code in self._codes if code in self._returned]
        found: dict[str, object] = {}
        attributes = dict(self._attributes)
        for seen in snapshots:
            # What the body is wrapped in comes first, and the body itself has the last word.
            found.update(seen.locals)
            attributes.update(seen.attributes)
        made = tuple(self._constructions.models())
        lost = self._constructions.lost + max(0, len(self._earlier) - self._bound)
        lost += self._saves.lost
        return Body(
            locals=found,
            attributes=attributes,
            globals=dict(used_globals(self._functions, found)),
            earlier=tuple(self._earlier.values()),
            made=made,
            lost=lost,
            saved=tuple(self._saves.files()),
            unseen=tuple(self._saves.unseen),
            bound=self._bound,
        )

    def _on_return(self, code: CodeType, seen: Snapshot) -> None:
        before = self._returned.get(code)
        self._returned[code] = seen
        # A body that is called more than once, as hypothesis does, had other models before.
        for name, value in before.locals.items() if before is not None else ():
            for subject in held_in(value, name):
                held = subject.model if subject.path is None else subject.path
                if len(self._earlier) <= self._bound:
                    self._earlier.setdefault(id(held), (subject.name, held))

    def _before_tear_down(self, original: Callable[[object], object]) -> Callable[[object], object]:
        def tear_down(instance: object) -> object:
            self._attributes = self._attributes or attributes_of(instance)
            return original(instance)

        return tear_down

    def _folder(self) -> Path | None:
        try:
            return folders_of(self._item.config).base
        except SaveError:
            return None


def body_of(item: pytest.Item) -> Body:
    """Return what the test's body had, made and saved; nothing where it was not watched."""
    watch = item.stash.get(_WATCH, None)
    return Body() if watch is None else watch.body()


def _bound(config: pytest.Config) -> int:
    written = str(config.getini(BOUND)).strip()
    if not written.isdecimal() or not int(written):
        text = f"ini option {BOUND}: {written!r} is not a number above 0"
        raise ModelSizeFailure(text, pytrace=False)
    return int(written)

"""Calls of the frameworks that are wrapped for a while, and are as they were afterwards.

A framework that is imported in the meantime is wrapped at once: its modules import others when the
class in question is there, and each import is looked at. A function of a module is wrapped in all
modules that have it, by whatever name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any, NamedTuple

from pytest_modelsize.saving.watching.standins import StandIn, StandIns

__all__ = ["Patch", "Patches"]

_STAND_INS = StandIns()


class Patch(NamedTuple):
    """One call to wrap. A test has a hundred, so they are made in no time.

    Attributes:
        module: where it is defined.
        name: its name there, dotted for a method: ``Module.__init__``.
        wrap: takes the original, and returns what is called instead of it meanwhile; nobody else
            sees that one, so it need not look like the original.
    """

    module: str
    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]


class Patches:
    """Keep calls wrapped while the ``with`` block runs.

    Args:
        patches: what is wrapped, as soon as the module is there.
        namespaces: globals, of no module perhaps, in which the same functions may stand.
    """

    def __init__(self, patches: Sequence[Patch], namespaces: Sequence[dict[str, Any]] = ()) -> None:
        self._pending = list(patches)
        self._namespaces = namespaces
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> Patches:
        self._apply()
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self]
        while self._undo:
            self._undo.pop()()

    def find_spec(self, *_: object) -> ModuleSpec | None:
        """Find nothing: an import is only the time to look again."""
        self._apply()
        return None

    def _apply(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        functions = self._wrap_all(pending)
        for namespace, name in _STAND_INS.holders(functions):
            self._put_into(namespace, name, functions[namespace[name]])
        by_id = {id(function): stand_in for function, stand_in in functions.items()}
        for namespace in self._namespaces:
            for name, value in list(namespace.items()):
                if id(value) in by_id:
                    self._put_into(namespace, name, by_id[id(value)])

    def _wrap_all(self, patches: Sequence[Patch]) -> dict[Callable[..., Any], StandIn]:
        """Wrap what is there, keep the rest, and return the functions of modules among it."""
        functions = {}
        for patch in patches:
            module = sys.modules.get(patch.module)
            if module is None:
                self._pending.append(patch)
                continue
            owner_name, _, name = patch.name.rpartition(".")
            owner: Any = vars(module).get(owner_name) if owner_name else module
            if owner is None or name not in vars(owner):
                self._pending.append(patch)
                continue
            held = vars(owner)[name]
            static = isinstance(held, staticmethod)
            stand_in = _STAND_INS.of(held.__func__ if static else held)
            self._watch(stand_in, patch)
            self._put(owner, name, held, staticmethod(stand_in.call) if static else stand_in.call)
            if not owner_name:
                functions[stand_in.original] = stand_in
        return functions

    def _watch(self, stand_in: StandIn, patch: Patch) -> None:
        # Where somebody watches already, as the run around this one, both are told.
        inner = stand_in.watchers[-1] if stand_in.watchers else stand_in.original
        watcher = patch.wrap(inner)
        stand_in.watchers.append(watcher)
        self._undo.append(lambda: stand_in.watchers.remove(watcher))

    def _put(self, owner: Any, name: str, held: object, replacement: object) -> None:
        setattr(owner, name, replacement)

        def undo() -> None:
            # Unless others have wrapped it meanwhile, and would be undone with it.
            if vars(owner).get(name) is replacement:
                setattr(owner, name, held)

        self._undo.append(undo)

    def _put_into(self, namespace: dict[str, Any], name: str, stand_in: StandIn) -> None:
        held, namespace[name] = namespace[name], stand_in.call

        def undo() -> None:
            if namespace.get(name) is stand_in.call:
                namespace[name] = held

        self._undo.append(undo)

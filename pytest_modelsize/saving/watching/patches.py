"""Calls of the frameworks that are wrapped for a while, and are as they were afterwards.

A framework that is imported in the meantime is wrapped at once: its modules import others when the
class in question is there, and each import is looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from typing import Any

__all__ = ["Patch", "Patches"]


@dataclass(frozen=True, slots=True)
class Patch:
    """One call to wrap.

    Attributes:
        module: where it is defined.
        name: its name there, dotted for a method: ``Module.__init__``.
        wrap: takes the original, and returns what stands in for it meanwhile.
        also: other modules that have the same function under its name.
    """

    module: str
    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]] = field(compare=False)
    also: tuple[str, ...] = ()


class Patches:
    """Keep calls wrapped while the ``with`` block runs.

    Args:
        patches: what is wrapped, as soon as the module is there.
        namespaces: globals in which the same functions may stand by other names, as after
            ``from torch import save``.
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
        if self._pending:
            self._pending = [patch for patch in self._pending if not self._wrap(patch)]

    def _wrap(self, patch: Patch) -> bool:
        module = sys.modules.get(patch.module)
        owner_name, _, name = patch.name.rpartition(".")
        owner: Any = vars(module).get(owner_name) if module and owner_name else module
        if owner is None or name not in vars(owner):
            return False
        held = vars(owner)[name]
        static = isinstance(held, staticmethod)
        original = held.__func__ if static else held
        wrapped = patch.wrap(original)
        replacement = staticmethod(wrapped) if static else wrapped
        self._put(owner, name, held, replacement)
        for other in patch.also:
            there = sys.modules.get(other)
            if there is not None and vars(there).get(name) is original:
                self._put(there, name, original, wrapped)
        for namespace in self._namespaces:
            for alias, value in list(namespace.items()):
                if value is original:
                    self._put_into(namespace, alias, original, wrapped)
        return True

    def _put(self, owner: Any, name: str, held: object, replacement: object) -> None:
        setattr(owner, name, replacement)

        def undo() -> None:
            # Unless others have wrapped it meanwhile, and would be undone with it.
            if vars(owner).get(name) is replacement:
                setattr(owner, name, held)

        self._undo.append(undo)

    def _put_into(
        self, namespace: dict[str, Any], name: str, held: object, replacement: object
    ) -> None:
        namespace[name] = replacement

        def undo() -> None:
            if namespace.get(name) is replacement:
                namespace[name] = held

        self._undo.append(undo)

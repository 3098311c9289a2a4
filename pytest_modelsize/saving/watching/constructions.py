"""Models that are made while a test's body runs: built, copied, loaded or unpickled.

Each is noted by the call of its framework that all of them pass through. What a model makes in its
constructor is a part of it and not noted, nor what a framework makes while it is used; what its
other methods make may be a model of its own. The frame of the body is kept when it is met on the
way up: a frame that is referenced keeps its locals when it is left.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any

from pytest_modelsize.saving.composition import has_weights, parts_of
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.own_state import ancestors, attributes_of, class_attributes
from pytest_modelsize.saving.per_class import per_class
from pytest_modelsize.saving.watching.makers import FRAMEWORKS, GIVEN, RETURNED
from pytest_modelsize.saving.watching.patches import Patch

__all__ = ["Constructions"]

_SLACK = 64
"""Models more than twice those of the last look that are kept before the next one."""
_DEEPEST = 1000
"""Frames that are walked up at most."""


class Constructions:
    """Notes the models that are made.

    Attributes:
        frames: of the body, by code; the last that was met of each.
        lost: models with weights that were let go of because there were more than the bound.

    Args:
        bound: roots that are kept alive.
        bodies: codes of the test's body.
    """

    def __init__(self, bound: int, bodies: frozenset[CodeType] = frozenset()) -> None:
        self.frames: dict[CodeType, FrameType] = {}
        self.lost = 0
        self._bound = bound
        # By id here and below: to hash a code goes through all of it.
        self._bodies = {id(code): code for code in bodies}
        self._kept: dict[int, object] = {}
        self._weak: dict[int, tuple[weakref.ref[object], bool]] = {}
        self._next_look = _SLACK
        self._outer = _frames_now()
        self._constructor: FrameType | None = None
        self._owners: dict[int, tuple[CodeType, str]] = {}
        self._lock = threading.RLock()

    def patches(self) -> list[Patch]:
        """Return the calls to wrap, those of all the frameworks that are known."""
        return [
            *(Patch(module, name, self._made_as_instance) for module, name in GIVEN),
            *(Patch(module, name, self._made_as_result) for module, name in RETURNED),
            # A copy, and what was unpickled, is never initialized.
            Patch("torch.nn.modules.module", "Module.__setstate__", self._made_of_parts),
            Patch("torch.nn.modules.module", "Module.add_module", self._given_a_part),
        ]

    def models(self) -> list[object]:
        """Return the models that were made and are alive, in order; those in others left out."""
        with self._lock:
            self._look()
            return [*self._alive(), *self._kept.values()]

    def let_go(self) -> None:
        """Drop all references."""
        self.frames.clear()
        self._kept.clear()
        self._weak.clear()
        self._outer.clear()
        self._owners.clear()
        self._constructor = None

    def _made_as_instance(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(model: object, /, *args: Any, **kwargs: Any) -> Any:
            result = original(model, *args, **kwargs)
            self._note(model)
            return result

        return call

    def _made_as_result(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            model = original(*args, **kwargs)
            self._note(model)
            return model

        return call

    def _made_of_parts(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def set_state(model: object, /, *args: Any, **kwargs: Any) -> Any:
            self._note(model)
            result = original(model, *args, **kwargs)
            parts = attributes_of(model).get("_modules")
            for part in parts.values() if isinstance(parts, dict) else ():
                self._is_part(model, part)
            return result

        return set_state

    def _given_a_part(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def add_module(model: object, /, *args: Any, **kwargs: Any) -> Any:
            result = original(model, *args, **kwargs)
            self._is_part(model, args[1] if len(args) > 1 else kwargs.get("module"))
            return result

        return add_module

    def _note(self, model: object) -> None:
        if framework_of(model) is None or self._is_made_by_another(model):
            return
        with self._lock:
            self._kept[id(model)] = model
            if len(self._kept) >= self._next_look:
                self._look()

    def _is_part(self, whole: object, part: object) -> None:
        """Forget the part of a model that was noted: it is one for good, even if it is replaced."""
        with self._lock:
            if id(whole) in self._kept or self._is_weak(whole):
                self._kept.pop(id(part), None)
                if self._is_weak(part):
                    del self._weak[id(part)]

    def _is_weak(self, model: object) -> bool:
        known = self._weak.get(id(model))
        return known is not None and known[0]() is model

    def _is_made_by_another(self, model: object) -> bool:
        """Walk up to the body; return whether another model makes this one for itself."""
        frame: FrameType | None = sys._getframe(4)
        outer, bodies, constructor = self._outer, self._bodies, self._constructor
        own = _constructors(type(model))
        creator: FrameType | None = None
        met: list[int] = []
        constructed = used = False
        for _ in range(_DEEPEST):
            if frame is None or id(frame) in outer:
                break
            if frame is constructor:
                return True
            code = frame.f_code
            here = id(code)
            if here in bodies:
                self.frames[code] = frame
                creator = creator or frame
                break
            if creator is None and here in own and here not in met:
                met.append(here)  # one that is met again is of another instance
            elif not constructed:
                owner = self._owner(frame, code, here)
                if owner is not model:
                    creator = creator or frame
                    if owner is not None and framework_of(owner) is not None:
                        used = True
                        if code.co_name == "__init__":
                            self._constructor, constructed = frame, True
                            if self.frames or not bodies:
                                return True  # the body was met on behalf of the other one
            frame = frame.f_back
        if frame is None and creator is not None and _is_worker(creator):
            return True
        return constructed or (used and _package(creator) in FRAMEWORKS)

    def _owner(self, frame: FrameType, code: CodeType, key: int) -> object:
        """Return the object whose method a frame runs; None where it runs none."""
        known = self._owners.get(key)
        if known is None:
            # Python makes the names anew for each who asks.
            first = code.co_varnames[0] if code.co_argcount else ""
            name = first if first == "self" or code.co_name == "__init__" else ""
            known = self._owners[key] = (code, name)
        return frame.f_locals.get(known[1]) if known[1] else None

    def _look(self) -> None:
        """Let go of parts, and of the smallest models where there are more than the bound."""
        inner, parts = self._parts()
        self._kept = {key: model for key, model in self._kept.items() if key not in inner}
        self._alive()
        self._weak = {key: known for key, known in self._weak.items() if key not in inner}
        # Of those that have as many parts, the oldest.
        smallest = sorted(self._kept, key=lambda key: parts.get(key, 1))
        for key in smallest[: -self._bound]:
            model = self._kept.pop(key)
            try:
                self._weak[key] = (weakref.ref(model), has_weights(model))
            except TypeError:  # bytes, or a dictionary
                self.lost += 1
        self._next_look = 2 * len(self._kept) + _SLACK

    def _alive(self) -> list[object]:
        """Return the models that are alive although they are not kept; count the others."""
        found = []
        for key, (reference, counts) in list(self._weak.items()):
            model = reference()
            if model is None:
                del self._weak[key]
                self.lost += counts
            else:
                found.append(model)
        return found

    def _parts(self) -> tuple[set[int], dict[int, int]]:
        """Return the ids of what is part of a model that was made, and how many each has."""
        inner: set[int] = set()
        numbers: dict[int, int] = {}
        models = [*self._alive(), *self._kept.values()]
        # What was made last holds the most: the others are seldom looked into.
        for model in reversed(models) if len(models) > 1 else ():
            if id(model) not in inner:
                parts = [id(part) for part in parts_of(model)]
                numbers[id(model)] = len(parts)
                inner.update(part for part in parts if part != id(model))
        return inner, numbers


@per_class
def _constructors(cls: type) -> dict[int, CodeType]:
    """Return the codes of a class's constructors, and of those that it inherits, by id."""
    defined = (class_attributes(base).get("__init__") for base in ancestors(cls))
    return {id(init.__code__): init.__code__ for init in defined if type(init) is FunctionType}


def _is_worker(frame: FrameType | None) -> bool:
    """Return whether joblib runs this in a thread: whom it works for is not on the way up."""
    while frame is not None and _package(frame) != "joblib":
        frame = frame.f_back
    return frame is not None


def _package(frame: FrameType | None) -> str:
    name = frame.f_globals.get("__name__") if frame is not None else None
    return name.partition(".")[0] if isinstance(name, str) else ""


def _frames_now() -> dict[int, FrameType]:
    """Return the frames that run already, by id; kept, so that no other one gets the id."""
    found = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found[id(frame)] = frame
        frame = frame.f_back
    return found

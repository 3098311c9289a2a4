"""Models that are made while a test's body runs: built, copied, loaded or unpickled.

Each is noted by the call of its framework that all of them pass through. What a model makes for
itself, in a method of its own, is a part of that model and not noted. The frame of the body is
kept when it is met on the way up: a frame that is referenced keeps its locals when it is left.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from pytest_modelsize.saving.composition import parts_of
from pytest_modelsize.saving.framework import framework_of
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
        lost: models that were let go of because there were more than the bound.

    Args:
        bound: roots that are kept alive.
        bodies: codes of the test's body.
    """

    def __init__(self, bound: int, bodies: frozenset[CodeType] = frozenset()) -> None:
        self.frames: dict[CodeType, FrameType] = {}
        self.lost = 0
        self._bound, self._bodies = bound, bodies
        self._kept: dict[int, object] = {}
        self._weak: list[weakref.ref[object]] = []
        self._next_look = _SLACK
        self._outer = _frames_now()
        self._lock = threading.RLock()

    def patches(self) -> list[Patch]:
        """Return the calls to wrap, those of all the frameworks that are known."""
        return [
            Patch("keras.src.ops.operation", "Operation.__new__", self._made_by_new),
            Patch("tf_keras.src.engine.base_layer", "Layer.__new__", self._made_by_new),
            Patch("keras.src.engine.base_layer", "Layer.__new__", self._made_by_new),
            Patch("tensorflow.python.module.module", "Module.__init__", self._made_by_init),
            Patch("torch.nn.modules.module", "Module.__init__", self._made_by_init),
            # A copy, and what was unpickled, is never initialized.
            Patch("torch.nn.modules.module", "Module.__setstate__", self._made_by_init),
        ]

    def models(self) -> list[object]:
        """Return the models that were made and are alive, in order; those in others left out."""
        with self._lock:
            self._look()
            weak = [model for reference in self._weak if (model := reference()) is not None]
            return [*weak, *self._kept.values()]

    def let_go(self) -> None:
        """Drop all references."""
        self.frames.clear()
        self._kept.clear()
        self._weak.clear()

    def _made_by_init(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def initialize(model: object, /, *args: Any, **kwargs: Any) -> Any:
            self._note(model)
            return original(model, *args, **kwargs)

        return initialize

    def _made_by_new(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def create(cls: type, /, *args: Any, **kwargs: Any) -> Any:
            model = original(cls, *args, **kwargs)
            self._note(model)
            return model

        return create

    def _note(self, model: object) -> None:
        if framework_of(model) is None or self._is_made_by_another(model):
            return
        with self._lock:
            self._kept[id(model)] = model
            if len(self._kept) >= self._next_look:
                self._look()

    def _is_made_by_another(self, model: object) -> bool:
        """Walk up to the body; return whether a method of another model is on the way."""
        frame: FrameType | None = sys._getframe(4)
        inside = False
        for _ in range(_DEEPEST):
            if frame is None or id(frame) in self._outer:
                break
            code = frame.f_code
            if code in self._bodies:
                self.frames[code] = frame
                break
            if not inside and code.co_varnames[:1] == ("self",) and code.co_argcount:
                maker = frame.f_locals.get("self")
                inside = maker is not model and framework_of(maker) is not None
            frame = frame.f_back
        return inside

    def _look(self) -> None:
        """Let go of parts, and of all but the last models where there are more than the bound."""
        inner = self._parts()
        self._kept = {key: model for key, model in self._kept.items() if key not in inner}
        for key in list(self._kept)[: -self._bound]:
            self._weak.append(weakref.ref(self._kept.pop(key)))
        known = len(self._weak)
        self._weak = [reference for reference in self._weak if reference() is not None]
        self.lost += known - len(self._weak)
        self._weak = [reference for reference in self._weak if id(reference()) not in inner]
        self._next_look = 2 * len(self._kept) + _SLACK

    def _parts(self) -> set[int]:
        """Return the ids of what is part of a model that was made."""
        inner: set[int] = set()
        older = [model for reference in self._weak if (model := reference()) is not None]
        # What was made last holds the most: the others are seldom looked into.
        for model in reversed([*older, *self._kept.values()]):
            if id(model) not in inner:
                inner.update(id(part) for part in parts_of(model) if part is not model)
        return inner


def _frames_now() -> frozenset[int]:
    """Return the ids of the frames that run already, and will when the body is left."""
    found = set()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found.add(id(frame))
        frame = frame.f_back
    return frozenset(found)

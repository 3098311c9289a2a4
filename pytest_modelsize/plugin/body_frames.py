"""The locals of a test's body, as they are when it returns.

On Python 3.12 and later by an event on the body's own code alone (``sys.monitoring``), which costs
nothing elsewhere. Before that, or where other tools hold all the identifiers that are not meant
for debuggers, coverage and profilers, by the frame: one that is referenced keeps its locals when it
is left. It is met on the way up from a model that is made, or at the body's first call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FrameType, FunctionType
from typing import Any

from pytest_modelsize.saving.own_state import attributes_of
from pytest_modelsize.sizes.records import dataclass

__all__ = ["BodyFrames", "Snapshot", "body_functions", "core_of", "snapshot"]

_TOOLS = (3, 4)
"""Identifiers that no kind of tool claims (docs.python.org/3/library/sys.monitoring.html)."""
_NAME = "pytest-modelsize"
_EVENTS = 200
"""Events after that call in which what it secretly wraps is awaited."""
_MOST = 32
"""Functions that one body is made of at most: itself, and what it is wrapped in."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one call of the body had when it returned.

    Attributes:
        locals: by name, with the arguments and what it closes over.
        attributes: what its instance held then.
    """

    locals: Mapping[str, object]
    attributes: Mapping[str, object]


def snapshot(frame: FrameType) -> Snapshot:
    """Return what a frame has."""
    found = dict(frame.f_locals)
    method = frame.f_code.co_varnames[:1] == ("self",)
    return Snapshot(found, attributes_of(found.get("self")) if method else {})


def body_functions(function: object, file: str) -> list[FunctionType]:
    """Return the functions that a test's body is made of, what is wrapped after what wraps it.

    Decorators, patches and hypothesis wrap it. Those of the test's own file are its body; where
    none is, because it is inherited, the innermost one.

    Args:
        function: what pytest calls.
        file: the test's.
    """
    found: list[FunctionType] = []
    pending = [function]
    while pending and len(found) < _MOST:
        value = pending.pop(0)
        value = getattr(value, "__func__", value) if hasattr(type(value), "__func__") else value
        if type(value) is not FunctionType or value in found:
            continue
        found.append(value)
        pending += _wrapped(value)
    return [f for f in found if f.__code__.co_filename == file] or found[-1:]


def core_of(function: object) -> CodeType | None:
    """Return the code at the end of what a test's function openly wraps."""
    code = None
    for _ in range(_MOST):
        function = getattr(function, "__func__", function)
        if type(function) is not FunctionType:
            break
        code = function.__code__
        function = next((inner for inner in _openly(function) if inner is not None), None)
    return code


def _openly(function: FunctionType) -> Iterator[object]:
    held = vars(function)
    given = held.get("hypothesis")
    yield vars(given).get("inner_test") if hasattr(given, "__dict__") else None
    yield held.get("__wrapped__")


def _wrapped(function: FunctionType) -> Iterator[object]:
    yield from _openly(function)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # a name that is not assigned yet


class BodyFrames:
    """Calls ``on_return`` with a code and a snapshot when it returns, in the ``with`` block.

    Args:
        codes: of the body.
        on_return: told of each return, or else, at the end, of the first call.
        core: the code that is called for sure, where next to nothing runs before it. Where there
            is no event, its first call is then looked out for by a profile function, which is off
            again when it is met, and which is not used where there is one already.
    """

    def __init__(
        self,
        codes: frozenset[CodeType],
        on_return: Callable[[CodeType, Snapshot], None],
        *,
        core: CodeType | None = None,
    ) -> None:
        self._codes, self._on_return = codes, on_return
        self._core = core
        self._tool: int | None = None
        self._frames: dict[CodeType, FrameType] = {}
        self._left = _EVENTS
        self._profile = self._called

    def __enter__(self) -> BodyFrames:
        self._take_a_tool()
        if self._tool is None and self._core is not None and sys.getprofile() is None:
            sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        if sys.getprofile() is self._profile:
            sys.setprofile(None)
        while self._frames:
            code, frame = self._frames.popitem()
            self._on_return(code, snapshot(frame))

    def _take_a_tool(self) -> None:
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            for tool in _TOOLS:
                try:
                    monitoring.use_tool_id(tool, _NAME)
                except ValueError:
                    continue
                self._tool = tool
                monitoring.register_callback(tool, monitoring.events.PY_RETURN, self._returned)
                for code in self._codes:
                    monitoring.set_local_events(tool, code, monitoring.events.PY_RETURN)
                return

    def _give_back(self) -> None:
        if sys.version_info >= (3, 12) and self._tool is not None:
            monitoring, tool, self._tool = sys.monitoring, self._tool, None
            for code in self._codes:
                monitoring.set_local_events(tool, code, monitoring.events.NO_EVENTS)
            monitoring.register_callback(tool, monitoring.events.PY_RETURN, None)
            monitoring.free_tool_id(tool)

    def _returned(self, code: CodeType, offset: int, value: Any) -> None:
        frame = sys._getframe(1)
        if frame.f_code is code:
            self._on_return(code, snapshot(frame))

    def _called(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in self._codes:
            self._frames[frame.f_code] = frame
        if self._frames and (self._core in self._frames or self._core not in self._codes):
            self._left -= 1
            if len(self._frames) == len(self._codes) or self._left <= 0:
                sys.setprofile(None)

"""What ``model="..."`` on a marker names: a value of the test's, or something inside one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from pytest_modelsize.checks.description import listed, type_of
from pytest_modelsize.checks.subject import TargetError
from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.sizes.patterns import late

__all__ = ["LARGEST", "made_by_class", "value_of"]

LARGEST = "largest"
"""As a name: of all that could be meant, the one with the most bytes."""
_SCOPES = ("fixture", "attribute", "local", "global", "made")
_FIRST = late(r"(?:(?P<scope>[a-z]+):)?(?P<name>[^.\[\]:]+)")
_STEP = late(
    r"\.(?P<attribute>[^.\[\]]+)|\[(?:(?P<index>-?\d+)|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")\]"
)


def value_of(expression: str, around: Surroundings) -> object:
    """Return what ``expression`` names.

    It is a name, with its scope before it or without, and steps that lead inside: ``net``,
    ``local:net``, ``trainer.module_``, ``pair[0]``, ``nets['a b']``. A name without a scope is a
    fixture's, an attribute's of the instance, a local's of the body, or a global's that it uses, in
    this order.

    Raises:
        TargetError: where there is no such name, or nothing of the kind inside.
    """
    first = _FIRST.match(expression)
    if first is None:
        raise TargetError(
            f"model={expression!r} is not a name, such as net, trainer.model or pair[0]"
        )
    value = _named(expression, first["scope"], first["name"], around)
    position = first.end()
    while position < len(expression):
        step = _STEP.match(expression, position)
        if step is None:
            rest = expression[position:]
            raise TargetError(f"model={expression!r}: {rest!r} is neither .attribute nor [index]")
        value = _inside(value, step, expression, expression[:position])
        position = step.end()
    return value[0] if isinstance(value, _OfClass) else value


class _OfClass(list[object]):
    """The models of one class that were made: without an index, the first is meant."""


def _named(expression: str, scope: str | None, name: str, around: Surroundings) -> object:
    if scope is not None and scope not in _SCOPES:
        raise TargetError(f"model={expression!r}: {scope!r} is not one of {', '.join(_SCOPES)}")
    for where, held in _scopes(around):
        if scope in (None, where) and name in held and (where != "made" or scope):
            return held[name]
    known = {
        name: None
        for where, held in _scopes(around)
        for name in held
        if scope in (None, where) and (where != "made" or scope) and name not in around.own
    }
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ""
    what = scope or "fixture, attribute or local"
    raise TargetError(
        f"model={expression!r}: the test has no {what} {name!r}{hint}; it has {listed(names)}"
    )


def _scopes(around: Surroundings) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "fixture", around.fixtures
    yield "attribute", around.attributes()
    yield "local", {name: v for name, v in around.body.locals.items() if _is_written(name)}
    yield "global", around.body.globals
    yield "made", made_by_class(around.body.made)


def _is_written(name: str) -> bool:
    """Return whether it is a name that a test can write; pytest's own assertions add others."""
    return name.isidentifier() and name != "self"


def made_by_class(made: Sequence[object]) -> dict[str, object]:
    """Return the models that were made, in order, by the names of their classes."""
    found: dict[str, object] = {}
    for model in made:
        of_class = found.setdefault(type(model).__name__, _OfClass())
        if isinstance(of_class, _OfClass):
            of_class.append(model)
    return found


def _inside(value: object, step: re.Match[str], expression: str, reached: str) -> object:
    name = step["attribute"]
    key = step["single"] if step["double"] is None else step["double"]
    found: object | None
    try:
        if name is not None:
            found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        else:
            found = value[int(step["index"]) if key is None else key]  # type: ignore[index]
    except (LookupError, TypeError):
        found = None
    if found is None:
        wanted = repr(name) if name is not None else step[0]
        raise TargetError(f"model={expression!r}: {reached} ({type_of(value)}) has no {wanted}")
    return found

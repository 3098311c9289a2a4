"""In which file and line does a marker stand? pytest does not keep that, the source does."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

__all__ = ["marker_line", "written_marker"]


def marker_line(
    source: Path, first_line: int, name: str, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> int:
    """Return the line of the call ``name(*args, **kwargs)`` that applies at ``first_line``.

    Of several equal calls the nearest above (or at) ``first_line`` is meant, else the first in the
    file. Returns ``first_line`` where there is none to be found, as when the marker is added by
    code.

    Args:
        source: the test's file.
        first_line: line of the test function or of its first decorator, counted from 1.
        name: the marker's name.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """
    try:
        status = source.stat()
        calls, ends = _uses(source, (status.st_mtime_ns, status.st_size), name)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return first_line
    same = [line for line, text in calls if text == _written(args, kwargs)]
    # Arguments that are not literals (a constant of the module) can be told by position alone.
    lines = same or [line for line, text in calls if text is None]
    end = next((end for first, end in ends if first <= first_line <= end), first_line)
    above = [line for line in lines if line <= end]
    return max(above) if above else min(lines, default=first_line)


def written_marker(name: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """Return the marker as it would be written: ``@pytest.mark.max_model_size("2MB")``."""
    shown = [_literal(value) for value in args]
    shown += [f"{key}={_literal(value)}" for key, value in kwargs.items()]
    return f"@pytest.mark.{name}({', '.join(shown)})"


def _literal(value: object) -> str:
    if isinstance(value, str) and '"' not in value and value.isprintable():
        text = value.replace("\\", "\\\\")
        return f'"{text}"'
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _written(args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    return repr((args, sorted(kwargs.items(), key=lambda pair: pair[0])))


@lru_cache(maxsize=16)
def _uses(
    source: Path, version: tuple[int, int], name: str
) -> tuple[list[tuple[int, str | None]], list[tuple[int, int]]]:
    """Return the uses of a marker in a file, and where functions and their decorators are.

    A file has many tests: it is parsed once for all of them, unless its ``version`` changes.
    """
    with tokenize.open(source) as file:
        tree = ast.parse(file.read())
    return list(_calls(tree, name)), list(_decorated(tree))


def _calls(tree: ast.AST, name: str) -> Iterator[tuple[int, str | None]]:
    """Yield the line and the literal arguments (None where they are not literals) of each use."""
    called = set()
    for node in ast.walk(tree):  # a call comes before the attribute that is called
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == name:
            called.add(node.func)
            try:
                args = tuple(ast.literal_eval(arg) for arg in node.args)
                kwargs = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords}
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                yield node.lineno, None
            else:
                yield node.lineno, _written(args, kwargs)
        elif isinstance(node, ast.Attribute) and node.attr == name and node not in called:
            yield node.lineno, _written((), {})


def _decorated(tree: ast.AST) -> Iterator[tuple[int, int]]:
    """Yield the line of each ``def``, behind that of its first decorator."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min((d.lineno for d in node.decorator_list), default=node.lineno)
            yield first, node.lineno

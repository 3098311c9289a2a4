"""The parts of a JSON text, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_modelsize.formats.containers.json_scanner import NotOpened, Scanner, TooLarge
from pytest_modelsize.formats.containers.json_tally import Tally
from pytest_modelsize.formats.containers.part import DEEPEST, Part, PartPath, TooManyParts
from pytest_modelsize.formats.source import Source
from pytest_modelsize.sizes.patterns import late

__all__ = ["json_parts"]

_SIGNS = late(r"[0-9eE+\-., \t\r\n]*")


class _Frame:
    """A container that is open: `number` counts a list's elements, and is -1 in an object."""

    __slots__ = ("closing", "number", "path")

    def __init__(self, path: PartPath, closing: str) -> None:
        self.path, self.closing = path, closing
        self.number = -1 if closing == "}" else 0


def json_parts(source: Source) -> Iterator[Part]:
    """Yield the parts of the JSON text that ``source`` is; the caller bounds its size.

    Objects are opened, and lists that begin with an object or a list.

    Raises:
        ArtifactError: where it is not JSON.
        TooManyParts: where there are too many.
    """
    scan = Scanner(source.read(0, source.size).decode("latin-1"))
    walk = _parts(scan, source)
    try:
        yield from walk
    except TooLarge as error:
        raise TooManyParts(str(error)) from error
    except (NotOpened, ValueError) as error:
        raise source.error(0, str(error)) from error


def _parts(scan: Scanner, source: Source) -> Iterator[Part]:
    text, frames = scan.text, list[_Frame]()
    path: PartPath = ()
    start, at = 0, scan.blanks(0)
    while True:
        closing = _opens(scan, at) if len(frames) < DEEPEST else ""
        inner = scan.blanks(at + 1) if closing else at
        if closing and text[inner : inner + 1] != closing:
            yield Part(path, inner - start, at, 0, container=True)
            frames.append(_Frame(path, closing))
            start = inner
        else:
            part, end = _whole(scan, path, at)
            past, more = end, False
            while frames and not more:
                frame = frames[-1]
                past, more = scan.separator(end, frame.closing)
                yield part._replace(size=past - start)
                if not more:
                    frames.pop()
                    start, end = past, past + 1
                    part = Part(frame.path, 0, past, 0, container=True)
            if not frames:
                end = scan.blanks(end)
                yield part._replace(size=end - start)
                if end != source.size:
                    raise source.error(end, "something behind the end of the JSON text")
                return
            start = past
        frame = frames[-1]
        if frame.number < 0:
            key, at, _ = scan.field(start)
        else:
            key, at = str(frame.number), start
            frame.number += 1
        path = (*frame.path, key)


def _opens(scan: Scanner, at: int) -> str:
    """Return the bracket that closes the container at ``at``, if it is one to open."""
    mark = scan.text[at : at + 1]
    if mark == "{":
        return "}"
    if mark != "[":
        return ""
    inner = scan.blanks(at + 1)
    return "]" if scan.text[inner : inner + 1] in ("{", "[") else ""


def _numbers(text: str, at: int) -> int:
    """Return where the list at ``at`` ends if there are but signs of numbers in it, else 0.

    Most of a model in JSON is such lists. Whether each is a number is not asked: that takes twenty
    times as long, and no byte goes elsewhere for it.
    """
    if text[at : at + 1] != "[":
        return 0
    end = _SIGNS.match(text, at + 1).end()  # type: ignore[union-attr]  # matches always
    return end + 1 if text[end : end + 1] == "]" else 0


def _whole(scan: Scanner, path: PartPath, at: int) -> tuple[Part, int]:
    """Return the value at ``at`` as one part, but for its size, and where it ends."""
    if (end := _numbers(scan.text, at)) > 0:
        length = scan.text.count(",", at, end) + 1 if scan.blanks(at + 1) < end - 1 else 0
        return Part(path, 0, at + 1, end - at - 2, length, "numbers"), end
    tally = Tally()
    end = scan.value(at, tally)
    mark = scan.text[at : at + 1]
    if mark == "[":
        # What was counted lies at any depth, and words such as null were not: only a list of plain
        # numbers, or of plain texts, is called one.
        text, count, dtype = scan.text, tally.strings + tally.numbers, ""
        if text.find("[", at + 1, end) < 0 and text.find("{", at + 1, end) < 0:
            if count == 0:
                dtype = "numbers" if scan.blanks(at + 1) == end - 1 else ""
            elif tally.strings == 0 and count == text.count(",", at, end) + 1:
                dtype = "numbers"
            elif tally.numbers == 0:
                dtype = "text"
        return Part(path, 0, at + 1, end - at - 2, count, dtype), end
    quotes = mark == '"'
    return Part(path, 0, at + quotes, end - at - 2 * quotes), end

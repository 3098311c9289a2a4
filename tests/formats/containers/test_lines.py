"""Lines of a text, each with its place, however long they are and wherever blocks end."""

import random

import pytest

from pytest_modelsize import Source
from pytest_modelsize.formats.containers import lines as module
from pytest_modelsize.formats.containers.lines import lines
from pytest_modelsize.formats.containers.part import TooManyParts


def text(chance):
    pieces = [b"\n", b"\r\n", b" ", b"  ", b"a", b"key=1.5", b"x" * 40, "ß".encode(), b"\r"]
    return b"".join(chance.choice(pieces) for _ in range(chance.randrange(60)))


@pytest.mark.parametrize("block", [1, 2, 7, 64, 1000])
def test_lines_are_those_that_python_splits(block, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", block)
    monkeypatch.setattr(module, "BEGINNING", 16)
    chance = random.Random(block)
    for _ in range(200):
        whole = text(chance)
        found = list(lines(Source.of_bytes("m", whole)))
        expected = whole.split(b"\n")
        if not expected[-1]:
            expected.pop()
        assert b"".join(whole[f.start : f.start + f.size] for f in found) == whole
        assert len(found) == len(expected)
        for line, told in zip(found, expected, strict=True):
            plain = told.removesuffix(b"\r") if line.past == 2 else told
            assert line.begin[:16] == plain[:16]
            assert line.words == len(told.split())
            ended = whole[line.start : line.start + line.size]
            assert line.past == len(ended) - len(plain)


def test_more_lines_than_are_opened_are_told(monkeypatch):
    monkeypatch.setattr(module, "_MOST_LINES", 5)
    with pytest.raises(TooManyParts, match="more than 5 lines"):
        list(lines(Source.of_bytes("m", b"\n" * 6)))

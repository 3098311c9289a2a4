"""What rules a pattern out before it is compiled never rules out what the pattern matches."""

import random
import re
from importlib import import_module
from pathlib import Path

import pytest

import pytest_modelsize
from pytest_modelsize.sizes import patterns

try:
    from re import _parser as parser  # Python 3.11 and newer
except ImportError:
    import sre_parse as parser

PACKAGE = Path(pytest_modelsize.__file__).parent


def guarded():
    """Find each pattern of the package that says what a match holds, by its module and name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if "holds=" not in path.read_text("utf-8") or path.name == "patterns.py":
            continue
        dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for name, value in vars(import_module(dotted)).items():
            lines = value if isinstance(value, tuple) else [value]
            flat = [one for line in lines for one in (line if isinstance(line, tuple) else [line])]
            for number, one in enumerate(flat):
                if isinstance(one, patterns._Late) and one._holds:
                    found[f"{dotted}:{name}:{number}"] = one
    return found


GUARDED = guarded()


def test_the_package_has_such_patterns():
    assert len(GUARDED) > 20


@pytest.mark.parametrize("name", GUARDED)
def test_what_matches_holds_what_is_said_of_it(name):
    late = GUARDED[name]
    pattern = re.compile(late.pattern, late.flags)
    tree, draw = parser.parse(late.pattern, late.flags), random.Random(7)
    matched = 0
    for _ in range(300):
        text = written(tree, draw)
        text = text if isinstance(late.pattern, str) else text.encode("latin-1")
        for one in (text, text.upper(), text.title()):
            if pattern.search(one):
                matched += 1
                assert late._may_match(one), one
    assert matched > 100


def written(tree, draw):
    """Return a text that a pattern matches, but for what it looks ahead or behind for."""
    return "".join(one_of(str(op), value, draw) for op, value in tree)


def one_of(op, value, draw):
    if op == "LITERAL":
        return chr(value)
    if op in ("NOT_LITERAL", "ANY"):
        return "." if op == "ANY" or chr(value) != "." else ","
    if op == "IN":
        return member_of(value, draw)
    if op == "BRANCH":
        return written(draw.choice(value[1]), draw)
    if op == "SUBPATTERN":
        return written(value[-1], draw)
    if op in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, inner = value
        times = draw.randint(least, min(most, least + 2))
        return "".join(written(inner, draw) for _ in range(times))
    assert op in ("AT", "ASSERT", "ASSERT_NOT"), op
    return ""


def member_of(options, draw):
    """Return one sign of a set: ``[a-z]``, ``[^/]``, ``\\d``."""
    negated = str(options[0][0]) == "NEGATE"
    allowed = []
    for op, value in options[negated:]:
        if str(op) == "LITERAL":
            allowed.append(chr(value))
        elif str(op) == "RANGE":
            allowed += map(chr, range(value[0], value[1] + 1))
        else:
            allowed += {"DIGIT": "059", "SPACE": " ", "WORD": "az_9"}[str(value).split("_")[-1]]
    if negated:
        allowed = [sign for sign in map(chr, range(32, 127)) if sign not in allowed]
    return draw.choice(allowed)


def test_a_text_that_cannot_match_does_not_have_the_pattern_compiled(monkeypatch):
    late = patterns.late("scales?$", holds=("scale",))
    monkeypatch.setattr(patterns.re, "compile", lambda *_: pytest.fail("compiled"))
    assert late.search("conv/kernel") is None
    assert late.match("") is None
    assert late.fullmatch("kernel") is None


def test_a_letter_that_matches_another_whatever_the_case_is_left_to_the_pattern():
    late = patterns.late("(?i:scale)", holds=("scale",))
    assert late.search("\u017fcale") is not None  # a long s


def test_a_pattern_has_all_methods_of_a_compiled_one():
    late = patterns.late(r"(\d)", holds=("1",))
    assert late.sub("x", "a1") == "ax"
    assert [match[0] for match in late.finditer("1 1")] == ["1", "1"]

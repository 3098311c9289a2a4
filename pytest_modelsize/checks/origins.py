"""Where a test has its model, in words."""

from __future__ import annotations

import re

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.sizes.patterns import late

__all__ = ["origin"]

_MODEL = late(r"model=([\"'])(?P<expression>.*)\1", re.DOTALL)
_ROOT = late(r"\w+")


def origin(subject: Subject, around: Surroundings) -> str:
    """Return where ``subject`` is: ``local `net```, ``fixture `model```, ```self.net```."""
    match = _MODEL.fullmatch(subject.argument)
    if match is None:
        kind = "saved" if subject.path is not None else "made"
        return f"{kind} `{subject.name}`"
    expression = match["expression"]
    scope, colon, rest = expression.partition(":")
    if colon and scope in ("local", "made"):
        return f"{scope} `{rest}`"
    root = _ROOT.match(expression)
    name = root[0] if root else expression
    if name in around.fixtures:
        return f"fixture `{expression}`"
    if name in around.attributes():
        return f"`self.{expression}`"
    return f"{'local' if name in around.body.locals else 'global'} `{expression}`"

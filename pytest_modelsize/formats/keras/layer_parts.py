"""A layer, or a model, of a configuration, with the bytes that are its own and its keys'."""

from __future__ import annotations

from pytest_modelsize.formats.containers.json_tally import Tally
from pytest_modelsize.sizes.measurement import SectionPath
from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["DEEPEST", "LayerPart"]

DEEPEST = 32
"""Layers within layers that are entered. One that lies deeper is a value like any other."""


@dataclass(slots=True)
class LayerPart:
    """An object that was entered: a model or a layer, or one that may turn out to be neither.

    Attributes:
        name: its own name; ``""`` until one was seen.
        own: bytes that belong to none of its keys and parts: brackets, and what leads to a part.
        keys: bytes and note of each key, of its ``config`` too.
        parts: the layers inside, in the order of the text.
        tally: what all of its values hold.
        class_name: the value of its ``class_name``, or None.
        has_config, named, trainable, layered: whether that was seen (the last three in ``config``).
    """

    name: str = ""
    own: int = 0
    keys: dict[str, tuple[int, str]] = field(default_factory=dict)
    parts: list[LayerPart] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    class_name: str | None = None
    has_config: bool = False
    named: bool = False
    trainable: bool = False
    layered: bool = False

    def is_layer(self, expected: bool) -> bool:
        """Return whether this is a layer or a model; ``expected`` where layers are listed."""
        if self.class_name is None or not self.has_config:
            return False
        return expected or (self.named and (self.trainable or self.layered))

    def enter(self, entries: dict[SectionPath, tuple[int, str]], path: SectionPath = ()) -> None:
        """Enter bytes and note of all that is at and below ``path``, as deep as layers were."""
        _add(entries, path, (self.own, ""))
        for key, said in self.keys.items():
            here = (*path, key)
            if entries.setdefault(here, said) is not said:
                _add(entries, here, said)
        for part in self.parts:
            part.enter(entries, (*path, part.name or part.class_name or "(unnamed)"))


def _add(
    entries: dict[SectionPath, tuple[int, str]], path: SectionPath, said: tuple[int, str]
) -> None:
    known = entries.setdefault(path, said)
    if known is not said:
        entries[path] = known[0] + said[0], said[1] or known[1]

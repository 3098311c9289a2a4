"""A model that a test has without a budget, in values that cross from a worker."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_modelsize.sizes.records import dataclass, field

__all__ = ["FoundModel", "model_from_json"]


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model, where the test has it, and what it weighs.

    Attributes:
        where: in words: ``local `net```, ``fixture `model```, ``saved `x.keras```.
        argument: what picks it on a marker, ``model="local:net"``; empty where nothing does.
        artifact: what it is saved as, such as ``net.keras``.
        total: bytes of that; 0 where it could not be measured.
        sections: bytes by section.
        lean: bytes without optimizer state, where it has some and is saved without; else None.
        waste: bytes by known kind of bloat, the most first.
        problem: why it could not be measured; or empty.
    """

    where: str
    argument: str = ""
    artifact: str = ""
    total: int = 0
    sections: Mapping[str, int] = field(default_factory=dict)
    lean: int | None = None
    waste: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it in built-in types; `model_from_json` reads it back."""
        return {
            "where": self.where,
            "argument": self.argument,
            "artifact": self.artifact,
            "total": self.total,
            "sections": dict(self.sections),
            "without_optimizer": self.lean,
            "waste": dict(self.waste),
            "problem": self.problem,
        }


def model_from_json(value: Mapping[str, object]) -> FoundModel:
    """Return what `FoundModel.as_json` made ``value`` of; it comes from our own worker."""
    fields = dict(value)
    fields["lean"] = fields.pop("without_optimizer")
    return FoundModel(**fields)  # type: ignore[arg-type]

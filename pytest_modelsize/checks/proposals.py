"""Which markers would hold a test's models? Lines to paste, which pass as they are."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_modelsize.sizes.bytesize import human
from pytest_modelsize.sizes.headroom import enough_for
from pytest_modelsize.sizes.records import dataclass
from pytest_modelsize.storage.found_model import FoundModel

__all__ = ["Proposal", "proposed"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for one test function.

    Attributes:
        test: its node id, without parameters.
        file: relative to the root directory.
        line: of the function, counted from 1.
        cases: what each of its cases has; most functions have one case.
    """

    test: str
    file: str
    line: int
    cases: Sequence[Sequence[FoundModel]]

    @property
    def models(self) -> list[FoundModel]:
        """What is worth a line: of what stands in the same place in several cases, the largest."""
        largest: dict[tuple[str, str], FoundModel] = {}
        for model in (model for case in self.cases for model in case):
            key = (model.where, model.problem)
            if key not in largest or largest[key].total < model.total:
                largest[key] = model
        return list(largest.values())

    @property
    def markers(self) -> list[str]:
        """The markers to paste above the function; none where no marker would pass."""
        return proposed(self.cases)


def proposed(cases: Sequence[Sequence[FoundModel]]) -> list[str]:
    """Return the markers that hold the models of all ``cases`` of a function.

    One marker is for each model that a test has. Where something of it could not be measured, or
    where there are several, each is named, as far as it has a name in all cases.
    """
    models = [model for case in cases for model in case]
    sound = not any(model.problem for model in models)
    if sound and all(len(case) == 1 for case in cases):
        return [_marker(models)]
    arguments = dict.fromkeys(model.argument for model in models if not model.problem)
    named = {
        argument: [model for model in models if model.argument == argument]
        for argument in arguments
        if argument and all(any(m.argument == argument for m in case) for case in cases)
    }
    named = {name: held for name, held in named.items() if not any(m.problem for m in held)}
    if sound and sum(map(len, named.values())) < len(models):
        return [_marker(models)]
    return [_marker(held, argument) for argument, held in named.items()]


def _marker(models: Sequence[FoundModel], argument: str = "") -> str:
    # What can be saved without state ships without; of a file that has some, nothing is promised.
    lean = any(model.lean is not None for model in models) and not any(
        model.lean is None
        and (model.sections.get("optimizer") or model.argument.startswith("path="))
        for model in models
    )
    sizes = [model.lean if lean and model.lean is not None else model.total for model in models]
    words = [f'"{human(enough_for(max(sizes)))}"', argument]
    words.append("include_optimizer=False" if lean else "")
    return f"@pytest.mark.max_model_size({', '.join(filter(None, words))})"

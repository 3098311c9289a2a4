"""Models that are made while a body runs: parts are told from wholes, whenever they were made."""

import pytest

from pytest_modelsize.saving.watching.constructions import Constructions
from pytest_modelsize.saving.watching.patches import Patches
from tests.needs import needs


@pytest.fixture(scope="module")
def nn():
    return needs("torch").nn


def made(bound, build):
    """Return what was built, what was noted, and how many were lost."""
    constructions = Constructions(bound)
    with Patches(constructions.patches()):
        built = build()
    return built, constructions.models(), constructions.lost


def test_parts_that_were_made_long_before_their_whole_are_not_among_the_models(nn):
    blocks = 200
    built, models, lost = made(
        16, lambda: nn.Sequential(*(nn.Sequential(nn.Linear(1, 1)) for _ in range(blocks)))
    )
    assert models == [built]
    assert lost == 0


def test_models_above_the_bound_are_counted_and_those_alive_are_kept(nn):
    built, models, lost = made(3, lambda: [nn.Linear(1, 1) for _ in range(100)])
    assert (models, lost) == (built, 0)
    _, models, lost = made(3, lambda: [None for _ in range(100) if nn.Linear(1, 1) is None])
    assert (len(models), lost) == (3, 97)


@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated:DeprecationWarning")
def test_the_parts_of_torchscript_are_no_models(nn):
    torch = needs("torch")

    def build():
        return nn.Sequential(*(nn.Linear(2, 2) for _ in range(40))).eval()

    makers = [
        lambda: torch.jit.script(build()),
        lambda: torch.jit.freeze(torch.jit.script(build())),
    ]
    for maker in makers:
        built, models, lost = made(16, maker)
        # The network that it was made of stands beside it.
        assert any(model is built for model in models)
        assert (len(models) <= 3, lost) == (True, 0)


def test_what_observes_a_network_to_quantize_it_is_no_model(nn):
    observer = needs("torch").ao.quantization.observer
    _, models, lost = made(16, lambda: [observer.MinMaxObserver() for _ in range(40)])
    assert (models, lost) == ([], 0)

"""Models that are made while a body runs: parts are told from wholes, whenever they were made."""

import copy
import pickle
import warnings

import pytest

from pytest_modelsize.saving.watching.constructions import Constructions
from pytest_modelsize.saving.watching.patches import Patches
from tests.needs import needs


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


def test_what_another_model_s_method_makes_is_noted_and_what_its_constructor_makes_is_not(nn):
    class Maker(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = self.layer()
            self.thrown_away = self.layer()
            self.thrown_away = None

        def layer(self):
            return nn.Linear(1, 1)

        def teacher(self):
            return nn.Sequential(nn.Linear(9, 9))

        def forward(self, x):
            return nn.Linear(9, 9)(x)

    def build():
        maker = Maker()
        maker.teacher()
        maker(needs("torch").zeros(1, 9))
        return maker

    built, models, lost = made(16, build)
    assert [type(model).__name__ for model in models] == ["Maker", "Sequential", "Linear"]
    assert (models[0] is built, lost) == (True, 0)


def test_a_tree_of_one_class_is_one_model(nn):
    class Node(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.nodes = nn.ModuleList(Node(depth - 1) for _ in range(2 if depth else 0))
            self.leaf = nn.Linear(1, 1)

    built, models, lost = made(2, lambda: Node(6))
    assert (models, lost) == ([built], 0)


def test_layers_of_a_copy_that_are_replaced_are_not_lost(nn):
    torch = needs("torch")

    def many():
        return nn.Sequential(*(nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(100)))

    def replaced(net):
        for block in net:
            block[0] = nn.Linear(2, 2)
        return net

    copies = [
        lambda: copy.deepcopy(many()),
        lambda: pickle.loads(pickle.dumps(many())),
        many,
    ]
    for build in copies:
        built, models, lost = made(16, lambda build=build: replaced(build()))
        assert lost == 0
        assert models[-1] is built
        assert len(models) <= 16 + 1  # replacements were assigned when the whole was there
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        built, models, lost = made(
            16, lambda: torch.ao.quantization.quantize_dynamic(many(), {nn.Linear})
        )
    assert (built in models, lost) == (True, 0)


def test_modules_without_weights_are_not_lost(nn):
    x = needs("torch").zeros(1, 1)
    _, models, lost = made(3, lambda: [None for _ in range(200) if nn.Softmax(dim=1)(x) is None])
    assert (len(models), lost) == (3, 0)


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

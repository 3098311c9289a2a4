"""What trains is saved wherever a dictionary has it, or the save is refused."""

import collections
import dataclasses
import types

import pytest

from pytest_modelsize.saving import SaveError, framework_of, save
from tests.needs import needs


@dataclasses.dataclass
class Pair:
    """A network and what trains it."""

    net: object
    how: object


class Trainer:
    """An object that holds a network, and has no state_dict."""

    def __init__(self, net):
        self.inner = [{"net": net}]


class Descent:
    """An optimizer of one's own."""

    def __init__(self, kept):
        self.kept = kept

    def state_dict(self):
        return {"velocity": self.kept}


@pytest.fixture
def build(torch):
    def build():
        torch.manual_seed(0)
        model = torch.nn.Linear(50, 50)
        optimizer = torch.optim.Adam(model.parameters())
        model(torch.ones(1, 50)).sum().backward()
        optimizer.step()
        return model, optimizer

    return build


def bytes_of(torch, value, seen):
    """Bytes of all storages in a loaded object, each once."""
    if torch.is_tensor(value):
        storage = value.untyped_storage()
        new = storage.data_ptr() not in seen
        seen.add(storage.data_ptr())
        return storage.nbytes() if new else 0
    if isinstance(value, dict):
        return sum(bytes_of(torch, held, seen) for held in value.values())
    if isinstance(value, (list, tuple)):
        return sum(bytes_of(torch, held, seen) for held in value)
    return 0


WEIGHTS = (50 * 50 + 50) * 4
STATE = 2 * WEIGHTS + 2 * 4
FORMS = {
    "a list": lambda m, o, n: {"members": [m, n], "how": [o], "epoch": 3},
    "a tuple": lambda m, o, n: {"members": (m, n), "how": (o, 5)},
    "a dictionary": lambda m, o, n: {"gan": {"g": m, "d": n, "o": {"g": o}}},
    "an ordered one": lambda m, o, n: collections.OrderedDict(model=m, other=n, optimizer=o),
    "one with a default": lambda m, o, n: collections.defaultdict(list, a=[m, n], b=[o]),
    "a subclass": lambda m, o, n: type("Mine", (dict,), {})(a=m, b=n, c=o),
    "a wrapper": lambda m, o, n: collections.UserDict({"a": m, "b": n, "c": o}),
    "a proxy": lambda m, o, n: types.MappingProxyType({"a": m, "b": n, "c": o}),
    "keys that are numbers": lambda m, o, n: {0: m, 1: n, 2: o},
    "a dataclass": lambda m, o, n: {"pair": Pair(m, o), "more": Pair(n, None)},
    "a named tuple": lambda m, o, n: {"p": collections.namedtuple("P", "net how")(m, o), "n": n},
    "deep": lambda m, o, n: {"a": [{"b": ({"c": [m]}, [o])}], "n": n},
    "a queue": lambda m, o, n: {"q": collections.deque([m, n]), "o": o},
}


@pytest.mark.parametrize("form", FORMS)
def test_all_that_trains_is_saved(torch, build, tmp_path, form):
    (model, optimizer), (other, _) = build(), build()
    subject = FORMS[form](model, optimizer, other)
    assert framework_of(subject) == "torch"
    for full, expected in ((True, 2 * WEIGHTS + STATE), (False, 2 * WEIGHTS)):
        saved = save(subject, tmp_path, format="torch", include_optimizer=full)
        loaded = torch.load(saved.path, weights_only=True)
        assert bytes_of(torch, loaded, set()) == expected
    assert [facts.state_bytes for facts in saved.optimizers] == [STATE]


@pytest.mark.parametrize("include_optimizer", [True, False])
def test_what_would_be_left_out_is_refused_by_name(build, tmp_path, include_optimizer):
    model, _ = build()
    other, optimizer = build()
    for hidden in (Trainer(other), Trainer(optimizer)):
        with pytest.raises(SaveError, match=r"trainer holds a (Linear|Adam), which would be left"):
            save(
                {"model": model, "trainer": hidden},
                tmp_path,
                format="torch",
                include_optimizer=include_optimizer,
            )


def test_an_object_that_holds_the_same_network_hinders_nothing(torch, build, tmp_path):
    model, _ = build()
    subject = {"model": model, "trainer": Trainer(model), "loader": [1, 2]}
    saved = save(subject, tmp_path, format="torch", include_optimizer=True)
    assert list(torch.load(saved.path, weights_only=True)) == list(model.state_dict())


def test_parameters_and_states_of_no_network_here_are_saved(torch, build, tmp_path):
    model, _ = build()
    other, _ = build()
    alone = torch.nn.Parameter(torch.ones(30, 50))
    for more, extra in (
        ({"scales": [alone]}, 30 * 50 * 4),
        ({"best": other.state_dict()}, WEIGHTS),
        ({"deep": [{"a": (other.state_dict(), alone)}]}, WEIGHTS + 30 * 50 * 4),
        ({"shared": list(model.parameters()), "batch": torch.ones(500)}, 0),
    ):
        for full in (True, False):
            subject = {"model": model, "epoch": 3, **more}
            saved = save(subject, tmp_path, format="torch", include_optimizer=full)
            loaded = torch.load(saved.path, weights_only=True)
            assert bytes_of(torch, loaded, set()) == WEIGHTS + extra


STATES = {
    "both": lambda m, o: {"model": m.state_dict(), "optimizer": o.state_dict(), "epoch": 3},
    "nested": lambda m, o: {"nets": {"g": m.state_dict()}, "how": [o.state_dict()]},
    "a live network": lambda m, o: {"model": m, "optimizer": o.state_dict()},
    "an ordered one": lambda m, o: {"m": m, "o": collections.OrderedDict(o.state_dict())},
    "several": lambda m, o: {"m": m, "o": [{"a": o.state_dict()}]},
    "a live optimizer": lambda m, o: {"model": m.state_dict(), "optimizer": o},
}


@pytest.mark.parametrize("form", STATES)
def test_states_are_saved_as_what_they_are_the_states_of(torch, build, tmp_path, form):
    model, optimizer = build()
    subject = STATES[form](model, optimizer)
    assert framework_of(subject) == "torch"
    for full, expected in ((True, WEIGHTS + STATE), (False, WEIGHTS)):
        saved = save(subject, tmp_path, format="torch", include_optimizer=full)
        loaded = torch.load(saved.path, weights_only=True)
        assert bytes_of(torch, loaded, set()) == expected
    assert list(loaded) == ["weight", "bias"]


def test_a_dictionary_of_states_is_saved_as_it_is(torch, build, tmp_path):
    model, optimizer = build()
    subject = {"m": model.state_dict(), "o": optimizer.state_dict(), "best": torch.ones(500)}
    saved = save(subject, tmp_path, format="torch", include_optimizer=True)
    own = tmp_path / "own" / saved.path.name  # an archive's folder is called as the file
    own.parent.mkdir()
    torch.save(subject, own)
    assert saved.path.stat().st_size == own.stat().st_size
    lean = save(subject, tmp_path, format="torch", include_optimizer=False)
    assert lean.call == 'torch.save(checkpoint["m"], "model.pt")'
    with pytest.raises(SaveError, match="the dictionary has only states: name the module"):
        save(subject, tmp_path, format="safetensors", include_optimizer=False)


def test_a_network_that_only_a_closure_holds_is_refused(build, tmp_path):
    model, other = build()[0], build()[0]
    enclosed = [other]
    subject = {"model": model, "call": lambda x: enclosed[0](x), "own": lambda x: model(x)}
    with pytest.raises(SaveError, match="call holds a Linear, which would be left out"):
        save(subject, tmp_path, format="torch", include_optimizer=True)
    del subject["call"]
    save(subject, tmp_path, format="torch", include_optimizer=True)


def test_an_optimizer_of_ones_own_is_saved_by_its_state_dict(torch, build, tmp_path):
    model, _ = build()
    subject = {"model": model, "how": Descent(torch.ones(50))}
    saved = save(subject, tmp_path, format="torch", include_optimizer=True)
    assert set(torch.load(saved.path, weights_only=True)) == {"model_state_dict", "how_state_dict"}
    saved = save(subject, tmp_path, format="torch", include_optimizer=False)
    assert set(torch.load(saved.path, weights_only=True)) == {"weight", "bias"}


def test_two_networks_in_a_list_are_no_single_file_of_weights(build, tmp_path):
    needs("safetensors", "pytorch")
    subject = {"members": [build()[0], build()[0]]}
    with pytest.raises(SaveError, match=r"there are members\[0\], members\[1\]"):
        save(subject, tmp_path, format="safetensors", include_optimizer=True)


def test_a_dictionary_without_networks_is_no_model(torch, build):
    model, optimizer = build()
    state = model.state_dict()
    for value in (
        {"a": [1, 2]},
        {"o": optimizer},
        {"x": {"y": torch.zeros(3)}},
        {"before": state, "after": state},
        {"state": {"a": 1}, "param_groups": 3, "model": state},
        state,
        optimizer.state_dict(),
    ):
        assert framework_of(value) is None

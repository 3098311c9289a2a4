"""What a model keeps beside what its framework saves of it is a model of its own."""

import functools
import types

import pytest

from pytest_modelsize.checks.holdings import held_in
from pytest_modelsize.checks.roots import roots
from tests.needs import needs
from tests.work import assert_few_calls, cost_of


def found(model):
    """Return the names of the roots that a model brings with it."""
    return [subject.name for subject in roots(list(held_in(model, "net")), [])]


def teacher(nn):
    return nn.Linear(7, 7)


HIDDEN = {
    "past PyTorch's own setattr": (lambda net, t: object.__setattr__(net, "t", t), "net.t"),
    "__dict__": (lambda net, t: net.__dict__.update(t=t), "net.t"),
    "a list": (lambda net, t: setattr(net, "t", [t]), "net.t[0]"),
    # A dictionary of modules is saved as one.
    "a list in a dictionary": (lambda net, t: setattr(net, "t", {"a": [t]}), "net.t"),
    "a tuple in a list": (lambda net, t: setattr(net, "t", [(0, t)]), "net.t[0][1]"),
    "another object": (
        lambda net, t: setattr(net, "t", Holder(inner=t)),
        "net.t.inner",
    ),
    "a closure": (
        lambda net, t: setattr(net, "t", lambda: t),
        "net.t.__closure__[0].cell_contents",
    ),
    "a partial": (lambda net, t: setattr(net, "t", functools.partial(print, t)), "net.t.args[0]"),
    "a method": (lambda net, t: setattr(net, "t", t.forward), "net.t.__self__"),
    "a part": (lambda net, t: net[1][0].__dict__.update(t=t), "net.1.0.t"),
    "a list of many": (lambda net, t: setattr(net, "t", [*range(500), t]), "net.t[500]"),
}


class Holder(types.SimpleNamespace):
    pass


@pytest.mark.parametrize("how", HIDDEN)
def test_a_model_that_is_hidden_in_another_is_a_root(nn, how):
    net = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(2, 2)))
    hide, name = HIDDEN[how]
    hide(net, teacher(nn))
    assert "t" not in dict(net.named_modules())
    assert found(net) == ["net", name]


def test_a_hidden_one_may_hide_another(nn):
    net, inner = nn.Linear(2, 2), nn.Linear(3, 3)
    net.__dict__["t"] = inner
    inner.__dict__["t"] = teacher(nn)
    inner.__dict__["back"] = [net]
    assert found(net) == ["net", "net.t", "net.t.t"]


def test_parts_by_other_names_are_no_roots(nn):
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net.__dict__["first"] = net[0]
    net.order = [net[1], net[0]]
    net.run = net[1].forward
    assert found(net) == ["net"]


def test_a_keras_model_s_teacher_past_its_own_setattr_is_a_root():
    keras = needs("keras")

    class Student(keras.Sequential):
        pass

    net = Student([keras.Input((3,)), keras.layers.Dense(2)])
    net.__dict__["teacher"] = keras.Sequential([keras.Input((3,)), keras.layers.Dense(9)])
    net.layers[0].__dict__["other"] = keras.Sequential([keras.Input((3,)), keras.layers.Dense(9)])
    assert found(net) == ["net", "net.teacher", "net._layers[1].other"]


def test_a_part_takes_few_calls_and_what_is_empty_none(nn):
    """A module has some 25 attributes, most of them flags and empty dictionaries of hooks.

    For each, its class is told: two calls. As many again for what is not empty makes 80.
    """
    net = nn.Sequential(*(nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()) for _ in range(40)))
    parts = len(list(net.modules()))
    assert parts == 121
    list(held_in(net, "net"))  # what is worked out once for each class
    assert_few_calls(cost_of(lambda: list(held_in(net, "net"))), 80 * parts)

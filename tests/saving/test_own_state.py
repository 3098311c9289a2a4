"""What an object holds is seen, and none of its code runs."""

from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from types import MappingProxyType

import pytest

from pytest_modelsize.saving.containers import elements_of, is_mapping, members_of
from pytest_modelsize.saving.framework import framework_of
from pytest_modelsize.saving.own_state import attributes_of


class Trap:
    """Fails the test when any of its code runs."""

    def __init__(self):
        object.__setattr__(self, "inner", 7)

    def __getattribute__(self, name):
        raise AssertionError(f"{name} was asked for")

    def __getattr__(self, name):
        raise AssertionError(f"{name} was asked for")

    def __iter__(self):
        raise AssertionError("it was iterated over")

    def __eq__(self, other):
        raise AssertionError("it was compared")

    def __bool__(self):
        raise AssertionError("its truth was asked for")

    __hash__ = None

    @property
    def model(self):
        raise AssertionError("a property ran")


class Fake:
    """Claims to have no attributes but those that its property makes up."""

    @property
    def __dict__(self):
        raise AssertionError("a property ran")


class TrapList(list):
    def __iter__(self):
        raise AssertionError("it was iterated over")


class TrapDict(dict):
    def items(self):
        raise AssertionError("it was iterated over")

    __iter__ = values = keys = items


@dataclass
class Plain:
    model: object


@dataclass
class Slotted:
    __slots__ = ("model", "unset")
    model: object


class Below(Slotted):
    def __init__(self, model):
        self.model, self.other = model, 8


def test_attributes_are_those_that_the_instance_holds_in_its_dictionary_and_its_slots():
    assert attributes_of(Plain(1)) == {"model": 1}
    assert attributes_of(Slotted(2)) == {"model": 2}
    assert attributes_of(Below(3)) == {"model": 3, "other": 8}
    assert attributes_of(5) == attributes_of(None) == attributes_of([1]) == {}


def test_no_code_of_an_object_runs_when_its_attributes_are_looked_at():
    assert attributes_of(Trap()) == {"inner": 7}
    assert attributes_of(Fake()) == {}
    assert framework_of(Trap()) is None
    assert elements_of(Trap()) is None


@pytest.mark.parametrize(
    ("container", "elements"),
    [
        ([1, 2], [(0, 1), (1, 2)]),
        ((1, 2), [(0, 1), (1, 2)]),
        (deque([5]), [(0, 5)]),
        ({"a": 1}, [("a", 1)]),
        (OrderedDict(b=2, a=1), [("b", 2), ("a", 1)]),
        (TrapList([3]), [(0, 3)]),
        (TrapDict(a=4), [("a", 4)]),
        ({6}, [(0, 6)]),
        ("text", None),
        (b"bytes", None),
        (UserDict(a=1), [("a", 1)]),
        (MappingProxyType({"a": 1}), [("a", 1)]),
        (MappingProxyType(UserDict(a=1)), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_elements_of_a_container_come_by_python_s_own_code(container, elements):
    found = elements_of(container)
    assert found == elements
    assert is_mapping(container) == isinstance(container, (dict, UserDict)) or found == [("a", 1)]


def test_the_fields_of_a_dataclass_are_members_and_no_elements():
    for value in (Plain(1), Slotted(1)):
        assert elements_of(value) is None
        assert members_of(value) == [("model", 1)]
    assert members_of([5]) == [(0, 5)]
    assert members_of(Below(3)) == [("model", 3), ("other", 8)]
    assert members_of(Trap()) is None


def test_of_a_long_container_the_first_thousand_are_looked_at():
    assert len(list(elements_of(range(5)) or ())) == 0
    assert len(list(elements_of(list(range(10**6))))) == 1000

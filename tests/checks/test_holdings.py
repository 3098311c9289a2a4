"""Where in a test's values models and artifacts are found. Bytes of a TFLite model are a model, too."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from pytest_modelsize.checks.holdings import held_in

NET, OTHER = b"\x1c\0\0\0TFL3" + b"\0" * 8, b"\x20\0\0\0TFL3" + b"\0" * 8


class Wrapper:
    def __init__(self, model):
        self.model_ = model

    @property
    def hidden(self):
        raise AssertionError("a property ran")


@dataclass
class Trainer:
    nets: list = field(default_factory=list)


Pair = namedtuple("Pair", "net data")


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (NET, ["it"]),
        ((NET, 3), ["it[0]"]),
        ([OTHER, NET], ["it[0]", "it[1]"]),
        ({"a": NET, "b c": OTHER, 3: b""}, ["it.a", "it['b c']"]),
        (OrderedDict(a=[NET]), ["it.a[0]"]),
        (Pair(NET, OTHER), ["it[0]", "it[1]"]),
        (Wrapper(NET), ["it.model_"]),
        (Wrapper(Wrapper(Wrapper(NET))), ["it.model_.model_.model_"]),
        (Wrapper(Wrapper(Wrapper(Wrapper(NET)))), []),
        (Trainer([NET, OTHER]), ["it.nets[0]", "it.nets[1]"]),
        (SimpleNamespace(x=SimpleNamespace(y={"z": NET})), ["it.x.y.z"]),
        ([Wrapper(NET), Wrapper(NET)], ["it[0].model_"]),
        (None, []),
        (lambda: NET, []),
        (Wrapper, []),
        (pytest, []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_s_models_come_by_the_names_that_reach_them(value, names):
    assert [subject.name for subject in held_in(value, "it")] == names


def test_paths_in_a_list_are_found_where_artifacts_lie(tmp_path):
    for name in ("a.tflite", "b.tflite"):
        (tmp_path / name).write_bytes(NET)
    value = [tmp_path / "a.tflite", str(tmp_path / "b.tflite"), tmp_path / "none.tflite", "text"]
    assert [subject.name for subject in held_in(value, "it")] == ["a.tflite", "b.tflite"]
    assert [subject.argument for subject in held_in(value, "it")] == [
        'model="it[0]"',
        'model="it[1]"',
    ]


def test_a_circle_and_a_great_many_values_come_to_an_end():
    circle = Wrapper([])
    circle.model_.append(circle)
    circle.model_.append(NET)
    assert [subject.name for subject in held_in(circle, "it")] == ["it.model_[1]"]
    wide = [[i, [i]] for i in range(1000)]
    assert list(held_in([wide] * 1000, "it")) == []

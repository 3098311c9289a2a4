"""Where in a test's values models and artifacts are found. Bytes of a TFLite model are a model, too."""

import functools
from collections import OrderedDict, namedtuple
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_modelsize.checks.holdings import held_in
from pytest_modelsize.checks.model_expression import value_of
from pytest_modelsize.checks.roots import roots
from pytest_modelsize.checks.subject import Subject, Target
from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.checks.targets import find_subjects

NET, OTHER = b"\x1c\0\0\0TFL3" + b"\0" * 8, b"\x20\0\0\0TFL3" + b"\0" * 8


class Wrapper:
    def __init__(self, model):
        self.model_ = model

    @property
    def hidden(self):
        raise AssertionError("a property ran")

    def method(self):
        raise AssertionError("a method ran")


class Registry:
    held = (NET,)


def closing(model):
    def inner():
        return model

    return inner


def wrapped(function):
    @functools.wraps(function)
    def inner():
        return function()

    return inner


def generate(model):
    while True:
        yield model


def started(model):
    generator = generate(model)
    next(generator)
    return generator


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
        (functools.reduce(lambda inner, _: Wrapper(inner), range(8), NET), ["it" + 8 * ".model_"]),
        (functools.reduce(lambda inner, _: Wrapper(inner), range(9), NET), []),
        (closing(NET), ["it.__closure__[0].cell_contents"]),
        (wrapped(closing(NET)), ["it.__closure__[0].cell_contents.__closure__[0].cell_contents"]),
        (Wrapper(NET).method, ["it.__self__.model_"]),
        (functools.partial(print, NET, sep=OTHER), ["it.args[0]", "it.keywords.sep"]),
        (started(NET), ["it.gi_frame.f_locals.model"]),
        (Registry, ["it.held[0]"]),
        (Registry(), ["it.held[0]"]),
        ({"call": staticmethod(closing(NET))}, ["it.call.__func__.__closure__[0].cell_contents"]),
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


@pytest.mark.parametrize("cache", [functools.lru_cache, functools.cache])
def test_what_a_cache_keeps_is_found_and_has_no_name_to_write(cache):
    @cache
    def build():
        return Wrapper(NET)

    assert list(held_in(build, "it")) == []
    build()
    assert [(s.name, s.model, s.argument) for s in held_in(build, "it")] == [
        ("it().model_", NET, "")
    ]


def test_the_names_that_reach_what_functions_keep_can_be_written_on_a_marker():
    values = {"a": closing(NET), "b": Wrapper(NET).method, "c": started(NET), "d": Registry}
    around = Surroundings(values, None, [], None, Path())
    for name, value in values.items():
        for subject in held_in(value, name):
            written = subject.argument.removeprefix('model="').removesuffix('"')
            assert value_of(written, around) is NET


def test_a_model_of_an_instance_that_can_be_called_is_found():
    class Case:
        tool = staticmethod(closing(NET))
        plain = staticmethod(len)

        def test(self):
            pass

    class Pipeline(Wrapper):
        def __call__(self):
            raise AssertionError("it was called")

    case = Case()
    case.pipeline = Pipeline(OTHER)
    around = Surroundings({}, case, [], None, Path())
    assert [subject.name for subject in find_subjects(Target(), around)] == [
        "tool.__func__.__closure__[0].cell_contents",
        "pipeline.model_",
    ]
    assert set(around.attributes()) == {"tool", "pipeline"}


def test_a_file_in_a_folder_that_is_an_artifact_is_no_root(tmp_path):
    folder = tmp_path / "net"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "inner.tflite").write_bytes(NET)
    whole, part = Subject("net", path=folder), Subject("inner", path=folder / "inner.tflite")
    assert roots([part, whole], []) == [whole]
    assert roots([part], []) == [part]


def test_files_that_another_one_leads_are_no_roots():
    folder = Path(__file__).parent.parent / "data" / "hub"
    files = sorted(folder.glob("model*"))
    subjects = [Subject(file.name, path=file) for file in files]
    assert [file.suffix for file in files] == [".safetensors", ".safetensors", ".json"]
    assert [subject.name for subject in roots(subjects, [])] == ["model.safetensors.index.json"]

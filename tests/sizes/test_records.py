"""Our data classes do what the standard library's do, of which each case here is made twice."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_modelsize
from pytest_modelsize import Measurement, Section
from pytest_modelsize.sizes import records

MADE = {"ours": records, "standard": dataclasses}


def made(module):
    @module.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        tags: dict[str, int] = module.field(default_factory=dict)
        hidden: int = module.field(default=3, repr=False)
        own: list[int] = module.field(default_factory=list, init=False)

        @property
        def sum(self):
            return self.x + self.y

    @module.dataclass(slots=True)
    class Base:
        data: int = 0

    @module.dataclass(slots=True)
    class Derived(Base):
        more: str = ""

    @module.dataclass(frozen=True, eq=False)
    class Checked:
        size: int

        def __post_init__(self):
            if self.size < 0:
                raise ValueError(self.size)

    return Point, Base, Derived, Checked


def told(module):
    """What an onlooker sees of the classes' behaviour."""
    Point, Base, Derived, Checked = made(module)
    a, b = Point(1), Point(x=1, y=2)
    yield a == b, a != Point(2), a == (1, 2), a.sum, repr(a).rpartition("Point")[2]
    yield (
        a.tags is b.tags,
        a.own is b.own,
        a.own,
        hasattr(a, "__dict__"),
        Point.__slots__,
        Point.__match_args__,
    )
    for change in (lambda: setattr(a, "x", 5), lambda: delattr(a, "x"), lambda: Point()):
        with pytest.raises((AttributeError, TypeError)) as raised:
            change()
        yield issubclass(raised.type, AttributeError)
    yield module.replace(a, y=7).y, module.replace(a, y=7).x
    yield copy.copy(a) == a, copy.deepcopy(a) == a
    derived = Derived(1, more="b")
    derived.data += 4
    yield derived.data, derived == Derived(5, "b"), derived == Base(5), Derived.__hash__
    with pytest.raises(ValueError, match="-1"):
        Checked(-1)
    yield Checked(1) == Checked(1), hash(Checked(2)) == hash(Checked(2))
    for one in (a, derived, Checked(3)):
        yield [(f.name, f.repr) for f in dataclasses.fields(one)], dataclasses.asdict(one)
    yield dataclasses.replace(a, y=9).y, dataclasses.is_dataclass(Point)


def test_they_do_what_the_standard_librarys_do():
    assert list(told(records)) == list(told(dataclasses))


CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, 5), {}),
    ((1,), {"y": 5, "hidden": 4}),
    ((), {"y": 5, "x": 4}),
    ((1,), {"x": 2}),
    ((1,), {"z": 2}),
    ((1,), {"own": []}),
    ((1, 2, {}, 4, 5), {}),
    ((1, 2, {"a": 1}, 4), {}),
]


@pytest.mark.parametrize(("values", "named"), CALLS)
def test_the_first_object_and_the_hundredth_are_made_of_the_same_arguments(values, named):
    def after(module, calls):
        Point = made(module)[0]
        for number in range(calls):
            Point(number)
        try:
            return repr(Point(*values, **named))
        except TypeError as error:
            return str(error).rpartition("__init__()")[2]

    expected = after(dataclasses, 0)
    assert after(records, 0) == after(records, 100) == expected


def test_an_object_of_a_class_below_a_frozen_one_stays_what_it_is():
    @records.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 0

    class Named(Point):
        pass

    for _ in range(100):  # the later ones are made in another way
        point, named = Point(1), Named(2, y=3)
        assert (type(point), point.x, point.y) == (Point, 1, 0)
        assert (type(named), named.x, named.y) == (Named, 2, 3)
        for made in (point, named):
            with pytest.raises(AttributeError):
                made.x = 5


def test_a_frozen_one_is_hashed_by_its_values():
    @records.dataclass(frozen=True, slots=True)
    class Pair:
        one: int
        other: str

    assert {Pair(1, "a"), Pair(1, "a"), Pair(1, "b")} == {Pair(1, "a"), Pair(1, "b")}


def test_a_measurement_is_pickled_and_changed_as_a_data_class():
    measurement = Measurement("m.h5", "h5", 5, (Section("weights", 5),))
    again = pickle.loads(pickle.dumps(measurement))
    assert again == measurement
    assert again.tree[0] == Section("weights", 5)
    assert dataclasses.replace(measurement, name="n.h5").name == "n.h5"


def test_to_define_one_imports_no_dataclasses():
    # Without `site`, by way of which coverage would import them.
    code = (
        f"import sys; sys.path[:0] = [{str(Path(pytest_modelsize.__file__).parent.parent)!r}]\n"
        "from pytest_modelsize.sizes.records import dataclass\n"
        "@dataclass(frozen=True, slots=True)\n"
        "class A:\n    x: int\n"
        "A(1); print('dataclasses' in sys.modules, 'inspect' in sys.modules)"
    )
    assert (
        subprocess.check_output([sys.executable, "-S", "-c", code], text=True).split()
        == ["False"] * 2
    )

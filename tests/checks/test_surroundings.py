from pathlib import Path

from pytest_modelsize.checks.surroundings import Body, Surroundings


class Base:
    inherited = "from the base"


class Case(Base):
    shared = "of the class"

    @property
    def costly(self):
        raise AssertionError("a property ran")

    def method(self):
        return self

    def __init__(self):
        self.own = "of the instance"


def around(instance, **body):
    return Surroundings({}, instance, (), None, Path(), body=Body(**body))


def test_attributes_are_those_of_the_instance_its_class_and_what_that_inherits():
    found = around(Case()).attributes()
    assert {name: found[name] for name in ("own", "shared", "inherited")} == {
        "own": "of the instance", "shared": "of the class", "inherited": "from the base"
    }  # fmt: skip
    assert "method" not in found


def test_what_the_body_left_counts_and_not_what_a_tear_down_made_of_it():
    case = Case()
    case.own = None
    assert around(case, attributes={"own": "left"}).attributes()["own"] == "left"


def test_without_an_instance_there_are_none():
    assert around(None).attributes() == {}

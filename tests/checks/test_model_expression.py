"""What a marker's ``model=`` names, and what is said where it names nothing."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_modelsize.checks.model_expression import value_of
from pytest_modelsize.checks.subject import TargetError
from pytest_modelsize.checks.surroundings import Body, Surroundings


class Instance:
    net = "of the class"

    def __init__(self):
        self.own = SimpleNamespace(module_=[10, 11], **{"a-b": 12})


class Net:
    pass


FIRST, SECOND = Net(), Net()
AROUND = Surroundings(
    fixtures={"model": {"inner": 1, "a b": 2}, "shared": "fixture's", "tmp_path": Path("/x")},
    instance=Instance(),
    handed=(),
    tmp_path=None,
    rootdir=Path("/"),
    own=frozenset({"tmp_path"}),
    body=Body(
        locals={"shared": "local's", "pair": (3, 4), "@py_assert1": 5, "self": 6},
        globals={"NET": 7, "shared": "global's"},
        made=(FIRST, SECOND),
    ),
)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("shared", "fixture's"),
        ("local:shared", "local's"),
        ("global:shared", "global's"),
        ("pair[0]", 3),
        ("pair[-1]", 4),
        ("local:pair[1]", 4),
        ("NET", 7),
        ("model.inner", 1),
        ("model['inner']", 1),
        ('model["a b"]', 2),
        ("own.module_[1]", 11),
        ("own.a-b", 12),
        ("attribute:net", "of the class"),
        ("made:Net", FIRST),
        ("made:Net[1]", SECOND),
    ],
)
def test_a_name_leads_to_its_value(expression, value):
    assert value_of(expression, AROUND) == value


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("modle", "local 'modle', did you mean 'model'?; it has NET, model, net, own, pair"),
        ("tmp_pth", "it has NET, model, net, own, pair, shared"),
        ("local:model", "the test has no local 'model'"),
        ("Net", "local 'Net'"),
        ("lokal:net", "'lokal' is not one of fixture, attribute, local, global, made"),
        ("pair[2]", "pair (of type builtins.tuple) has no [2]"),
        ("pair.first", "pair (of type builtins.tuple) has no 'first'"),
        ("model.inner.deeper", "model.inner (of type builtins.int) has no 'deeper'"),
        ("pair[x]", "'[x]' is neither .attribute nor [index]"),
        (".net", "is not a name, such as net, trainer.model or pair[0]"),
        ("@py_assert1", "local '@py_assert1'"),
    ],
)
def test_a_name_that_leads_nowhere_is_an_error_that_says_what_there_is(expression, said):
    with pytest.raises(TargetError) as error:
        value_of(expression, AROUND)
    assert said in str(error.value)

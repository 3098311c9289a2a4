"""Where a test has its model, in the words that a proposal uses."""

from pathlib import Path

import pytest

from pytest_modelsize.checks.origins import origin
from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.surroundings import Body, Surroundings


class Case:
    def __init__(self):
        self.net = object()


AROUND = Surroundings(
    fixtures={"model": object()},
    instance=Case(),
    handed=(),
    tmp_path=None,
    rootdir=Path(),
    body=Body(locals={"pair": [1, 2]}),
)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ('model="model"', "fixture `model`"),
        ("model='model.inner[0]'", "fixture `model.inner[0]`"),
        ('model="net"', "`self.net`"),
        ('model="pair[1]"', "local `pair[1]`"),
        ('model="NET"', "global `NET`"),
        ('model="local:model"', "local `model`"),
        ('model="made:Net[1]"', "made `Net[1]`"),
        ("", "made `Net`"),
    ],
)
def test_a_model_is_where_its_argument_leads(argument, said):
    assert origin(Subject("Net", model=object(), argument=argument), AROUND) == said


def test_a_file_was_saved():
    subject = Subject("x.keras", path=Path("x.keras"), argument='path="x.keras"')
    assert origin(subject, AROUND) == "saved `x.keras`"

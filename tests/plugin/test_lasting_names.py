"""Names of artifacts that the next run gives, too."""

import tempfile
from pathlib import Path

import pytest

from pytest_modelsize.plugin.lasting_names import lasting_name


@pytest.fixture
def base(tmp_path):
    for name in ("test_it0", "export0", "export1", "resnet500", "v210", "v20", "v21", "v22"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("given", "where", "expected"),
    [
        ("test_it0", "test_it0", "tmp_path"),
        ("model.keras", "test_it0/model.keras", "model.keras"),
        ("base/test_it0/m.keras", "test_it0/m.keras", "tmp_path/m.keras"),
        ("export1", "export1", "export"),
        ("m.keras", "export1/m.keras", "m.keras"),
        ("resnet500", "resnet500", "resnet50"),
        ("v22", "v22", "v"),  # after v0 or v20: the shorter name, or a number of v2
        ("plain", "plain", "plain"),
    ],
)
def test_pytest_s_numbers_are_left_out(base, given, where, expected):
    if given == "v22":
        (base / "v0").mkdir()
    path = base / where
    assert lasting_name(given, path, tmp_path=base / "test_it0", numbered=base) == expected
    absolute = lasting_name(str(path), path, tmp_path=base / "test_it0", numbered=base)
    assert not Path(absolute).is_absolute()
    assert absolute.rpartition("/")[2] == expected.rpartition("/")[2]


def test_names_that_tempfile_draws_are_left_out():
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        names = {
            lasting_name(Path(folder).name, Path(folder), tmp_path=None, numbered=None)
            for folder in (one, two)
        }
    assert names == {"tmp"}
    with tempfile.NamedTemporaryFile(suffix=".weights.h5") as file:
        path = Path(file.name)
        assert lasting_name(path.name, path, tmp_path=None, numbered=None) == "tmp.weights.h5"


@pytest.mark.parametrize("name", ["model.keras", "exports/v2/model.keras", "run10"])
def test_other_names_stay(tmp_path, name):
    path = Path("/somewhere/else") / name
    assert lasting_name(name, path, tmp_path=tmp_path, numbered=tmp_path.parent) == name
    assert lasting_name(str(path), path, tmp_path=None, numbered=None) == path.name

"""Which artifacts a marker means, among files that lie where tests have theirs."""

import json
import struct
from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import NoModelError, Subject, Target, TargetError
from pytest_modelsize.checks.surroundings import Body, Surroundings
from pytest_modelsize.checks.targets import find_subjects, means_largest
from pytest_modelsize.saving.watching.saves import SavedFile
from tests.needs import needs


def model(path: Path, number: int = 1) -> Path:
    """Write a safetensors file with a tensor of ``number`` floats: a length, JSON, the bytes."""
    header = {"a": {"dtype": "F32", "shape": [number], "data_offsets": [0, 4 * number]}}
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4 * number))
    return path


def around(folder: Path, **parts) -> Surroundings:
    given = {"fixtures": {}, "instance": None, "handed": (), "tmp_path": folder, "rootdir": folder}
    return Surroundings(**{**given, **parts})


def names(target: Target, here: Surroundings) -> list[str]:
    return [subject.name for subject in find_subjects(target, here)]


def test_what_was_handed_over_is_meant_and_nothing_else(tmp_path):
    handed = Subject("net", path=model(tmp_path / "other" / "net.safetensors"))
    model(tmp_path / "a.safetensors")
    assert find_subjects(Target(), around(tmp_path, handed=(handed, handed))) == (handed,)


def test_each_artifact_of_the_test_s_is_meant_once(tmp_path):
    one, two = model(tmp_path / "a.safetensors"), model(tmp_path / "sub" / "b.safetensors")
    here = around(tmp_path, fixtures={"first": one}, body=Body(locals={"again": str(one)}))
    assert sorted(Path(name).name for name in names(Target(), here)) == [one.name, two.name]


def test_what_the_body_saved_elsewhere_is_meant_too(tmp_path):
    (tmp_path / "own").mkdir()
    elsewhere = model(tmp_path / "elsewhere" / "out.safetensors")
    body = Body(saved=(SavedFile(elsewhere),))
    (found,) = find_subjects(Target(), around(tmp_path / "own", body=body))
    assert (found.path, found.argument) == (elsewhere, f'path="{elsewhere}"')


def test_more_than_the_bound_is_not_looked_at(tmp_path):
    for number in range(3):
        model(tmp_path / f"{number}.safetensors", number + 1)
    with pytest.raises(TargetError, match="3 models could be meant, and at most 2 are looked at"):
        find_subjects(Target(), around(tmp_path, body=Body(bound=2)))
    with pytest.raises(TargetError, match=r"more than 16 models .*: name one, as in path=.*, or"):
        find_subjects(Target(), around(tmp_path, body=Body(lost=1)))
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(TargetError, match=r"\(ini option modelsize_max_models\): raise the bound"):
        find_subjects(Target(), around(folder, body=Body(lost=1)))


def test_arrays_alone_are_said_to_be_data(tmp_path):
    np = needs("numpy")
    body = Body(locals={"rows": [np.ones(3)], "table": np.ones(3), "size": 3, "@py_assert1": [3]})
    with pytest.raises(NoModelError) as raised:
        find_subjects(Target(), around(tmp_path, body=body))
    said = "arrays alone (rows: a list of 1 numpy.ndarray, table: of type numpy.ndarray) are data"
    assert said in str(raised.value)


def test_without_any_the_message_says_where_was_looked_and_what_lies_there(tmp_path):
    (tmp_path / "m.ubj").write_bytes(b"nothing known")
    here = around(
        tmp_path, fixtures={"rate": 0.1, "tmp_path": tmp_path}, own=frozenset({"tmp_path"})
    )
    with pytest.raises(NoModelError) as raised:
        find_subjects(Target(), here)
    text = str(raised.value)
    assert 'path="m.ubj"' in text
    assert "rate: " in text
    assert "tmp_path: " not in text


def test_a_glob_is_looked_for_in_the_test_s_folder_and_then_in_the_project(tmp_path):
    own, project = tmp_path / "own", tmp_path / "project"
    mine, theirs = model(own / "a.safetensors"), model(project / "b.safetensors")
    here = around(own, rootdir=project)
    assert find_subjects(Target(path="*.safetensors"), here)[0].path == mine
    assert find_subjects(Target(path="b.*"), here)[0].path == theirs
    assert find_subjects(Target(path=str(theirs)), here)[0].path == theirs
    with pytest.raises(TargetError, match=r'matches nothing in .*; there is path="a.safetensors"'):
        find_subjects(Target(path="c.*"), here)
    model(own / "a2.safetensors")
    with pytest.raises(TargetError, match=r"matches 2 artifacts in .*: a.safetensors, a2"):
        find_subjects(Target(path="a*"), here)


def test_a_name_is_a_model_a_path_or_a_mistake_that_says_what_it_is(tmp_path):
    there = model(tmp_path / "a.safetensors")
    here = around(
        tmp_path,
        fixtures={
            "there": there, "gone": tmp_path / "gone.keras", "pair": [1, there], "rate": 0.1
        },
    )  # fmt: skip
    assert find_subjects(Target(model="there"), here)[0].path == there
    assert find_subjects(Target(model="pair[1]"), here)[0].path == there
    with pytest.raises(TargetError, match=r"model='gone' is the path .*, and nothing is there"):
        find_subjects(Target(model="gone"), here)
    with pytest.raises(TargetError, match=r"model='rate' is .*, which is neither a model"):
        find_subjects(Target(model="rate"), here)


def test_largest_is_a_word_unless_the_test_has_a_value_of_that_name(tmp_path):
    here = around(tmp_path)
    assert means_largest("largest", here)
    assert not means_largest("large", here)
    assert not means_largest("largest", around(tmp_path, fixtures={"largest": 1}))
    assert not means_largest("largest", around(tmp_path, body=Body(locals={"largest": 1})))
    model(tmp_path / "a.safetensors"), model(tmp_path / "b.safetensors", 9)
    assert len(find_subjects(Target(model="largest"), here)) == 2

"""NumPy's archives of arrays, against NumPy."""

import zipfile

import pytest

from pytest_modelsize import Kind, measure
from pytest_modelsize.formats import recognise
from tests.formats.mutants import Frugal, assert_hostile_is_cheap, count, mutants, outcome_of
from tests.formats.numpy_files import archive, npy
from tests.needs import needs


def saved(path, *args, **members):
    path.write_bytes(
        archive(*args, **{f"{name}.npy": content for name, content in members.items()})
    )
    return measure(path)


def kinds(measured):
    """Section, kind and bytes of each array's elements."""
    found = {}
    for path, leaf in measured.leaves():
        if leaf.kind in (Kind.DATA, Kind.OPAQUE):
            name = "/".join(part for part in path[1:] if not part.startswith("("))
            found[name] = (path[0], leaf.kind, leaf.size)
    return found


@pytest.mark.parametrize("packed", [False, True])
def test_each_array_has_the_bytes_that_numpy_counts(tmp_path, packed):
    np = needs("numpy")
    random = np.random.default_rng(0)
    arrays = {
        "params/Dense_0/kernel": random.standard_normal((30, 40)).astype("float32"),
        "params/Dense_0/bias": np.ones(40, "float16"),
        "steps": np.array(7),
        "names": np.array(["ab", "c"]),
    }
    path = tmp_path / "net.npz"
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    measured = measure(path)
    assert (measured.format, measured.total) == ("npz", path.stat().st_size)
    with zipfile.ZipFile(path) as opened:
        stored = {info.filename[:-4]: info.compress_size for info in opened.infolist()}
    expected = stored if packed else {name: array.nbytes for name, array in arrays.items()}
    found = kinds(measured)
    assert {name: size for name, (_, _, size) in found.items()} == expected
    assert {entry[:2] for entry in found.values()} == {("weights", Kind.DATA)}
    notes = {path[-2]: leaf for path, leaf in measured.section("weights").leaves()}
    assert {"kernel", "bias"} <= set(notes)


@pytest.mark.parametrize("names", [["arr_0", "arr_1"], ["x", "y"], ["features", "labels"]])
def test_what_no_name_calls_a_parameter_may_be_data(tmp_path, names):
    measured = saved(tmp_path / "some.npz", **{name: npy(3, 4) for name in names})
    assert kinds(measured) == dict.fromkeys(names, ("assets", Kind.OPAQUE, 48))
    notes = [part.note for part in measured.section("assets").children]
    assert all(note.startswith("opaque: float32 3x4, ") for note in notes)


SLOTS = ["w1_adam_m", "opt/mu/w1", "w1/momentum"]


@pytest.mark.parametrize("slot", SLOTS)
def test_what_repeats_name_and_shape_of_a_parameter_is_the_optimizer_s(tmp_path, slot):
    arrays = {"w1": npy(3, 4), "b1": npy(4), slot: npy(3, 4), slot.replace("w1", "b1"): npy(4)}
    found = kinds(saved(tmp_path / "net.npz", **arrays))
    assert found["w1"] == ("weights", Kind.DATA, 48)
    assert found[slot] == ("optimizer", Kind.DATA, 48)


def test_what_only_has_a_slot_s_name_is_not_known(tmp_path):
    found = kinds(saved(tmp_path / "net.npz", w1=npy(3, 4), adam_m=npy(3, 4)))
    assert found == {
        "w1": ("weights", Kind.DATA, 48),
        "adam_m": ("weights", Kind.OPAQUE, 48),
    }


def test_objects_and_broken_members_stay_opaque(tmp_path):
    content = {
        "w": npy(3, 4),
        "pickled": npy(2, dtype="|O", size=1),
        "short": npy(3, 4)[:-1],
        "none": b"something else",
    }
    found = kinds(saved(tmp_path / "net.npz", **content))
    assert found["w"] == ("weights", Kind.DATA, 48)
    assert {found[name][1] for name in ("pickled", "short", "none")} == {Kind.OPAQUE}


def test_with_other_members_it_is_an_archive_like_any(tmp_path):
    path = tmp_path / "some"
    path.write_bytes(archive(**{"w.npy": npy(3, 4), "notes.txt": b"text"}))
    assert (measure(path).format, recognise(path)) == ("zip", None)


def test_what_many_arrays_cost_grows_evenly_and_a_bomb_nothing(tmp_path):
    def at(number):
        path = tmp_path / f"{number}.npz"
        saved(path, **{f"layer/{i}/w": npy(2, 3) for i in range(number)})
        return lambda: measure(path)

    assert_hostile_is_cheap(at, 600)
    path = tmp_path / "bomb.npz"
    path.write_bytes(archive(zipfile.ZIP_DEFLATED, **{"w.npy": npy(100_000_000, size=1)}))
    with Frugal():
        assert measure(path).total < 200_000


def test_mutants_give_an_error_or_a_whole_answer(tmp_path):
    path = tmp_path / "mutant.npz"
    whole = archive(**{"fc/kernel.npy": npy(3, 4), "fc/bias.npy": npy(4)})
    outcomes = {"ok": 0, "error": 0}
    for data in mutants(whole, count(300), 17):
        path.write_bytes(data)

        def attempt():
            assert measure(path).total == path.stat().st_size

        outcomes[outcome_of(attempt)] += 1
    assert min(outcomes.values()) > 20

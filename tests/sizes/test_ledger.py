"""A tree of sections is never deeper than any walk over it can bear."""

import json
import pickle

from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, Measurement


def deep(levels, leaves=1):
    ledger = Ledger()
    for leaf in range(leaves):
        path = ("weights", *["g"] * levels, f"leaf {leaf}")
        ledger.add(path, Kind.DATA, 4)
        ledger.add(path[: levels // 2 + 1], Kind.STRUCTURE, 1)
    return Measurement("m", "hdf5", 5 * leaves, ledger.sections())


def test_what_is_nested_without_end_is_entered_under_the_rest_of_its_path():
    measured = deep(20_000)
    depths = {len(path) for path, _ in measured.leaves()}
    assert max(depths) < 60
    (leaf,) = (leaf for _, leaf in measured.leaves() if leaf.name.endswith("leaf 0"))
    assert leaf.name.startswith("g/g/g/")
    assert leaf.size == 4


def test_every_walk_over_a_deep_tree_ends():
    """Comparing, copying to another process, and grafting into a folder's entries."""
    one, other = deep(900, 3), deep(900, 3)
    assert one == other
    assert pickle.loads(pickle.dumps(one)) == one
    folder = Ledger()
    folder.graft(("weights", "file.h5"), one.tree[0])
    assert folder.sections()[0].size == 15
    assert json.dumps([len(path) for path, _ in one.leaves()])


def test_what_is_not_that_deep_keeps_its_path():
    ledger = Ledger()
    path = ("weights", *(f"layer {number}" for number in range(40)))
    ledger.add(path, Kind.DATA, 1)
    ((found, _),) = ledger.sections()[0].leaves()
    assert found == path


def test_a_ledger_adds_up_what_is_given_to_one_entry_and_keeps_kinds_apart():
    ledger = Ledger()
    ledger.add(("weights", "dense", "kernel"), Kind.DATA, 100)
    ledger.add(("weights", "dense", "kernel"), Kind.DATA, 20)
    ledger.add(("weights", "dense", "kernel"), Kind.STRUCTURE, 8)
    ledger.add(("weights", "dense"), Kind.RESERVED, 5)
    ledger.add(("overhead", "superblock"), Kind.STRUCTURE, 96)
    weights, overhead = ledger.sections()
    assert (weights.name, weights.size, weights.kind) == ("weights", 133, None)
    assert (overhead.size, overhead.kind) == (96, Kind.STRUCTURE)
    assert {"/".join(path): (leaf.size, leaf.kind) for path, leaf in weights.leaves()} == {
        "weights/dense/kernel/(data)": (120, Kind.DATA),
        "weights/dense/kernel/(structure)": (8, Kind.STRUCTURE),
        "weights/dense/(reserved)": (5, Kind.RESERVED),
    }
    assert [weights.of_kind(kind) for kind in Kind] == [120, 8, 5, 0, 0]


def test_the_largest_part_of_a_section_comes_first():
    ledger = Ledger()
    for name, size in (("small", 1), ("large", 9), ("middle", 5)):
        ledger.add(("weights", name), Kind.DATA, size)
    assert [part.name for part in ledger.sections()[0].children] == ["large", "middle", "small"]


def test_a_grafted_section_keeps_its_bytes_kinds_and_notes_under_the_new_path():
    inner = Ledger()
    inner.add(("weights", "dense"), Kind.DATA, 10)
    inner.add(("weights", "dense"), Kind.STRUCTURE, 3)
    inner.note(("weights", "dense"), "float32 10")
    outer = Ledger()
    outer.graft(("weights", "a.h5"), inner.sections()[0])
    assert {"/".join(path): leaf.size for path, leaf in outer.sections()[0].leaves()} == {
        "weights/a.h5/dense/(data)": 10,
        "weights/a.h5/dense/(structure)": 3,
    }
    (file,) = outer.sections()[0].children
    assert [part.note for part in file.children] == ["float32 10"]

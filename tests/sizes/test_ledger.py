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

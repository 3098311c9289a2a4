"""What changed inside a section, entry by entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_modelsize.sizes.entry_changes import changes
from pytest_modelsize.sizes.top_entries import condense
from tests.measurements import measured


def weights(**sizes):
    return measured({f"weights/{name}": size for name, size in sizes.items()}).section("weights")


def told(found):
    return [(row.tag, row.name, row.change) for row in found.rows]


def test_entries_are_tagged_new_gone_or_changed_and_sorted_by_how_much():
    found = changes(weights(a=100, b=700, c=5), weights(a=160, c=5, d=1000))
    assert told(found) == [("new", "d", 1000), ("gone", "b", -700), ("changed", "a", 60)]
    assert not found.same_entries


def test_the_same_section_has_no_changes():
    found = changes(weights(a=100, b=7), weights(a=100, b=7))
    assert (found.rows, found.same_entries) == ((), True)


def test_automatic_counters_are_aligned():
    old = measured({"weights/dense_3/kernel": 400, "weights/dense_4/kernel": 80})
    new = measured({"weights/dense_11/kernel": 400, "weights/dense_12/kernel": 96})
    found = changes(old.section("weights"), new.section("weights"))
    assert told(found) == [("changed", "dense_12/kernel", 16)]
    assert found.same_entries


def test_the_first_layer_of_a_kind_is_the_same_one_with_a_counter():
    old = measured({"weights/dense/kernel": 400})
    new = measured({"weights/dense_7/kernel": 480})
    found = changes(old.section("weights"), new.section("weights"))
    assert told(found) == [("changed", "dense_7/kernel", 80)]


def test_the_first_layer_of_a_kind_stands_beside_the_numbered_ones():
    old = measured({"weights/dense/kernel": 400, "weights/dense_1/kernel": 80})
    new = measured({"weights/dense/kernel": 480, "weights/dense_1/kernel": 96})
    found = changes(old.section("weights"), new.section("weights"))
    assert told(found) == [("changed", "dense/kernel", 80), ("changed", "dense_1/kernel", 16)]


def test_counters_that_overlap_are_aligned_by_what_the_entries_weigh():
    old = measured({f"weights/conv_{n}/kernel": 100 + n for n in range(1, 8)})
    new = measured({f"weights/conv_{n + 3}/kernel": 100 + n for n in range(1, 8)})
    assert changes(old.section("weights"), new.section("weights")).rows == ()


def test_an_entry_with_another_name_and_the_same_bytes_has_not_changed():
    old = measured({"weights/dense/0": 400, "weights/dense/1": 80})
    new = measured({"weights/dense/kernel": 400, "weights/dense/bias": 80}, format="h5")
    found = changes(old.section("weights"), new.section("weights"))
    assert (found.rows, found.same_entries) == ((), True)


def test_a_layer_that_was_added_among_numbered_ones_is_the_only_new_one():
    sizes = {f"weights/dense_{n}/kernel": 1000 * n for n in range(1, 9)}
    new = {**sizes, "weights/dense_9/kernel": 123}
    found = changes(measured(sizes).section("weights"), measured(new).section("weights"))
    assert told(found) == [("new", "dense_9/kernel", 123)]


def test_what_a_condensed_side_does_not_name_is_compared_as_one():
    sizes = {f"weights/layer{chr(97 + n)}": 10_000 - n for n in range(26)}
    old = condense(measured(sizes))
    assert [part.name for part in old.section("weights").children][-1] == "(6 smaller)"
    grown = measured({**sizes, "weights/layera": 12_000, "weights/layerz": 9_976})
    found = changes(old.section("weights"), grown.section("weights"))
    assert told(found) == [("changed", "layera", 2_000), ("changed", "(6 smaller)", 1)]


def test_an_entry_larger_than_any_that_is_not_named_is_new():
    sizes = {f"weights/layer{chr(97 + n)}": 10_000 for n in range(26)}
    old = condense(measured(sizes))
    found = changes(
        old.section("weights"), measured({**sizes, "weights/wide": 50_000}).section("weights")
    )
    assert told(found)[0] == ("new", "wide", 50_000)
    assert sum(row.change for row in found.rows) == 50_000


names = st.sampled_from([f"{stem}{n}" for stem in ("dense", "conv_", "x") for n in range(12)])
sections = st.dictionaries(names, st.integers(1, 5000), min_size=1, max_size=30)


@given(sections, sections, st.booleans(), st.booleans())
def test_the_changes_add_up_whatever_is_condensed(before, after, thin_old, thin_new):
    old, new = (measured({f"weights/{n}": s for n, s in side.items()}) for side in (before, after))
    old = condense(old) if thin_old else old
    new = condense(new) if thin_new else new
    found = changes(old.section("weights"), new.section("weights"))
    assert sum(row.change for row in found.rows) == new.bytes_on_disk - old.bytes_on_disk
    assert all(row.change for row in found.rows)


@pytest.mark.parametrize("count", [1, 19, 20, 21, 400])
def test_a_condensed_section_adds_up_and_counts_what_it_leaves_out(count):
    sizes = {f"weights/v{n:03d}": 1000 + n for n in range(count)}
    whole = measured(sizes)
    thin = condense(whole)
    parts = thin.section("weights").children
    assert sum(part.size for part in parts) == whole.bytes_on_disk
    named = [part for part in parts if "smaller" not in part.name]
    assert len(named) == min(count, 20)
    assert {part.size for part in named} == set(sorted(sizes.values())[-20:])
    if count > 20:
        assert parts[-1].name == f"({count - 20} smaller)"
    assert condense(thin) == thin

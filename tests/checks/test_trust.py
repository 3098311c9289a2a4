from pathlib import Path

import pytest

from pytest_modelsize.checks.subject import Subject
from pytest_modelsize.checks.take import Settings, Taken
from pytest_modelsize.checks.trust import (
    growth_not_known,
    not_known,
    opaque_entries,
    opaque_patterns,
    promise_broken,
)
from pytest_modelsize.sizes.budget import Budget, Limit
from pytest_modelsize.sizes.growth import grown, parse_growth
from pytest_modelsize.sizes.measurement import Kind
from tests.measurements import measured

OPAQUE = {"assets/words.spm": Kind.OPAQUE}


def artifact(weights=100, opaque=50):
    return measured({"weights/w": weights, "assets/words.spm": opaque}, kinds=OPAQUE)


@pytest.mark.parametrize(
    ("limit", "known"),
    [
        (99, True),  # over whatever the unopened bytes are
        (100, False),
        (149, False),
        (150, True),  # within with all of them counted in
    ],
)
def test_a_section_is_held_only_where_unopened_bytes_cannot_matter(limit, known):
    budget = Budget((Limit.of("weights", limit, f"{limit} B"),))
    assert (not_known(budget, artifact()) == "") is known


def test_a_limit_on_the_whole_needs_nothing_opened():
    assert not_known(Budget((Limit.of(None, 120, "120 B"),)), artifact()) == ""


def test_without_the_optimizer_no_byte_may_be_unopened_but_what_is_allowed():
    limits = (Limit.of(None, 10**6, "1 MB"),)
    told = not_known(Budget(limits, include_optimizer=False), artifact())
    assert "words.spm (50 B)" in told
    assert 'allow_opaque=["*.spm"]' in told
    allowed = Budget(limits, include_optimizer=False, allow_opaque=("*.spm",))
    assert not_known(allowed, artifact()) == ""


def test_a_limit_on_a_type_needs_the_types_of_all_weights():
    notes = {"weights/w": "float32 25"}
    known = measured({"weights/w": 100}, notes=notes)
    partly = measured({"weights/w": 100, "weights/list": 60}, notes=notes)
    limit = Limit("weights", 120, "120 B", dtype="float32")
    assert not_known(Budget((limit,)), known) == ""
    assert "of 60 bytes of the weights" in not_known(Budget((limit,)), partly)


@pytest.mark.parametrize(("room", "known"), [("29 B", True), ("30 B", False), ("79 B", False), ("80 B", True)])  # fmt: skip
def test_growth_of_a_section_is_held_only_where_unopened_bytes_cannot_matter(room, known):
    growth = grown(measured({"weights/w": 100_000}), measured({"weights/w": 100_030, "assets/words.spm": 50}, kinds=OPAQUE))  # fmt: skip
    counted = growth.counted["weights"]
    limit = parse_growth("weights", room)
    if counted == 30:  # beyond what is taken for noise
        assert (growth_not_known([limit], growth, ()) == "") is known
    else:
        assert counted == 0


def test_a_copy_that_holds_state_although_it_was_saved_without_is_no_pass():
    holds = measured({"weights/w": 10, "optimizer/m": 7})
    live = Taken(Subject("net", model=object()), Settings("keras", include_optimizer=False), holds)
    assert "holds 7 bytes of it" in promise_broken(live)
    with_state = Taken(live.subject, Settings("keras", include_optimizer=True), holds)
    on_disk = Taken(Subject("a.h5", path=Path("a.h5")), live.settings, holds)
    assert promise_broken(with_state) == promise_broken(on_disk) == ""


def test_unopened_entries_are_named_largest_first():
    sizes = {"assets/a": 5, "assets/b": 9, "weights/w": 3}
    kinds = dict.fromkeys(sizes, Kind.OPAQUE)
    found = opaque_entries(measured(sizes, kinds=kinds))
    assert [(e.section, e.name, e.size) for e in found] == [
        ("assets", "b", 9), ("assets", "a", 5), ("weights", "w", 3)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [("*.bin", True), ("sub", True), ("sub/a.bin", True), ("a.bin", True), ("b*", False), ("ub", False)],
)  # fmt: skip
def test_a_pattern_fits_a_name_in_the_path_or_the_paths_start(pattern, allowed):
    entry = measured({"assets/sub/a.bin": 5}, kinds={"assets/sub/a.bin": Kind.OPAQUE})
    assert (opaque_entries(entry, [pattern]) == ()) is allowed


@pytest.mark.parametrize("value", ["*.spm", ["*.spm", 3], [""], 5, None])
def test_patterns_are_a_list_of_names(value):
    with pytest.raises(ValueError, match="takes a list of names"):
        opaque_patterns(value)
    assert opaque_patterns(["*.spm"]) == ("*.spm",)

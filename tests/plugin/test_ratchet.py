"""What shrank: the larger size stays accepted until somebody accepts the smaller one."""

import pytest


def save(suite, size):
    (suite.path / "model.bin").write_bytes(bytes(size))


@pytest.fixture
def accepted(suite):
    """A project that accepted 100 kB, and lets them grow by 5 %."""
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_growth("5%", path="model.bin")
        def test_net(): pass
        """
    )
    save(suite, 100_000)
    suite.start("--modelsize-update").assert_outcomes(passed=1)
    return suite


def test_what_shrank_by_more_than_it_may_grow_is_noted_with_the_command(accepted):
    save(accepted, 60_000)
    result = accepted.start()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "smaller than what is accepted; accept the smaller sizes with",
            "  pytest --modelsize-update",
            "  model.bin is 60 kB, 40 kB (-40.0 %) smaller than its baseline of 100 kB (test_it.py::test_net)",
        ]
    )


@pytest.mark.parametrize("size", [95_000, 99_999, 100_000, 105_000])
def test_within_the_tolerance_nothing_is_said(accepted, size):
    save(accepted, size)
    accepted.makeini("[pytest]\nmodelsize_ratchet = true\n")
    result = accepted.start()
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*smaller*")


def test_the_ratchet_fails_it_until_the_smaller_size_is_accepted(accepted):
    accepted.makeini("[pytest]\nmodelsize_ratchet = true\n")
    save(accepted, 60_000)
    result = accepted.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "model.bin is 60 kB, 40 kB (-40.0 %) smaller than its baseline of 100 kB: accept the smaller size",
            "  why: as long as the larger one is accepted, it may grow by 45 kB unnoticed, and not by 5%",
            "  budget: test_it.py:2: @pytest.mark.max_model_growth(*",
            "  accept: pytest test_it.py::test_net --modelsize-update",
        ]
    )
    accepted.start("--modelsize-update=new").assert_outcomes(failed=1)
    accepted.start("--modelsize-update").assert_outcomes(passed=1)
    accepted.start().assert_outcomes(passed=1)
    save(accepted, 64_000)  # 6.7 % more than what is accepted now
    accepted.start().assert_outcomes(failed=1)


def test_without_the_ratchet_it_may_grow_back_which_the_note_is_about(accepted):
    for size, outcome in ((60_000, "passed"), (104_000, "passed"), (105_001, "failed")):
        save(accepted, size)
        accepted.start().assert_outcomes(**{outcome: 1})


def test_creep_below_the_tolerance_adds_up_whatever_the_updates_of_others(accepted):
    outcomes = []
    for step in range(1, 8):
        save(accepted, 100_000 + step * 1_000)
        result = accepted.start("--modelsize-update=new")
        outcomes.append(result.parseoutcomes().get("passed", 0))
    assert outcomes == [1, 1, 1, 1, 1, 0, 0]


def test_noise_that_an_update_leaves_alone_adds_up_too(accepted):
    """An update keeps an entry that differs by noise: the next growth is held against the old one."""
    for step in range(1, 4):
        save(accepted, 100_000 + step * 900)
        accepted.start("--modelsize-update").assert_outcomes(passed=1)
    # 900 B are noise, 1,800 B are not, and then it is 900 B again.
    (entry,) = accepted.baseline().values()
    assert entry["model.bin"]["total"] == 101_800


def test_a_section_that_shrank_is_named(suite):
    suite.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_growth(assets="1 kB", path="model.bin")
        def test_net(): pass
        """
    )
    save(suite, 100_000)
    suite.start("--modelsize-update")
    save(suite, 60_000)
    suite.start().stdout.fnmatch_lines(
        [
            "  assets of model.bin are 60 kB, 40 kB (-40.0 %) smaller than their baseline of 100 kB (*",
        ]
    )


def test_what_is_too_large_for_another_budget_fails_for_that_alone(accepted):
    accepted.makepyfile(
        test_it="""
        import pytest
        @pytest.mark.max_model_size("50 kB", path="model.bin")
        @pytest.mark.max_model_growth("5%", path="model.bin")
        def test_net(): pass
        """
    )
    save(accepted, 60_000)
    result = accepted.start()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["model.bin 60 kB > 50 kB*"])
    result.stdout.no_fnmatch_line("*smaller than*")

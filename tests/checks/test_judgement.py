"""One artifact against one marker: which limits are exceeded, and what counts against each."""

from pytest_modelsize.checks.judgement import judge_artifact
from pytest_modelsize.sizes.budget import Budget, Limit
from pytest_modelsize.sizes.growth import grown, parse_growth
from tests.measurements import measured


def a_model(weights, config):
    sizes = {"weights/kernel": weights, "config/net": config}
    return measured(sizes, notes={"weights/kernel": f"float32 {weights // 4}"})


def test_exactly_the_limit_is_allowed_and_a_byte_more_is_not():
    model = a_model(4_000, 1_000)
    budget = Budget((Limit.of(None, 5_000, "5 kB"), Limit.of("config", 999, "999 B")))
    judged = judge_artifact(model, budget, (), None)
    assert [excess.limit.section for excess in judged.over_size] == ["config"]
    assert [(one.section, one.used, one.allowed, one.held) for one in judged.limits] == [
        (None, 5_000, 5_000, True),
        ("config", 1_000, 999, False),
    ]


def test_growth_is_held_against_the_baseline_and_sizes_come_first():
    old, new = a_model(4_000, 1_000), a_model(8_000, 1_000)
    budget = Budget((Limit.of(None, 6_000, "6 kB"),))
    judged = judge_artifact(new, budget, (parse_growth(None, "10 %"),), grown(old, new))
    assert [(one.kind, one.used, one.allowed) for one in judged.limits] == [
        ("size", 9_000, 6_000),
        ("growth", 4_000, 500),
    ]
    assert judged.excesses == (*judged.over_size, *judged.over_growth)
    assert len(judged.excesses) == 2


def test_growth_that_this_run_accepts_is_reported_and_not_too_much():
    old, new = a_model(4_000, 1_000), a_model(8_000, 1_000)
    judged = judge_artifact(
        new, Budget(()), (parse_growth(None, "10 %"),), grown(old, new), growth_accepted=True
    )
    assert judged.excesses == ()
    assert [one.held for one in judged.limits] == [False]


def test_without_a_baseline_growth_is_no_limit():
    judged = judge_artifact(a_model(4, 1), Budget(()), (parse_growth(None, "10 %"),), None)
    assert (judged.excesses, judged.limits) == ((), ())


def test_a_share_of_the_weights_becomes_bytes_of_its_data_type():
    half = Limit(None, 0, "50 %", "decimal", dtype="float32", share=0.5)
    judged = judge_artifact(a_model(4_000, 1_000), Budget((half,)), (), None)
    assert [(one.written, one.used, one.allowed) for one in judged.limits] == [
        ("float32 50 %", 4_000, 2_000)
    ]
    assert len(judged.over_size) == 1

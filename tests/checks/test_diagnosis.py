"""Why an artifact is over its limits, and which of the fixes that were tried help."""

import pytest

from pytest_modelsize.checks.causes.cause import MEASURED, Cause, Findings
from pytest_modelsize.checks.diagnosis import Lean, diagnose
from pytest_modelsize.saving import OptimizerFacts
from pytest_modelsize.sizes.budget import Budget, Limit, judge
from tests.measurements import of_sections


def over(measurement, section=None, size=100):
    return judge(Budget((Limit.of(section, size, f"{size} B"),)), measurement)


def test_the_largest_section_is_at_fault_where_nothing_is_known_but_the_artifact():
    model = of_sections(weights=300, config=500)
    found = diagnose(model, over(model))
    assert (found.culprit, found.comparison, found.against) == ("config", None, "")
    assert [(entry.name, entry.size) for entry in found.entries] == [("entry", 500)]
    assert found.fixes == ()


def test_the_section_that_grew_most_is_at_fault_where_there_is_a_baseline():
    model, old = of_sections(weights=500, config=300), of_sections(weights=490, config=100)
    found = diagnose(model, over(model), baseline=old)
    assert (found.culprit, found.against) == ("config", "baseline")
    assert [(row.old, row.new) for row in found.changed] == [(100, 300)]


def test_a_baseline_that_was_as_large_explains_nothing():
    model = of_sections(weights=500, optimizer=900)
    lean = Lean(of_sections(weights=500), "save()")
    found = diagnose(model, over(model), baseline=model, lean=lean)
    assert (found.culprit, found.against) == ("optimizer", "lean")


def test_a_limit_on_a_section_is_about_that_section():
    model = of_sections(weights=200, config=900)
    assert diagnose(model, over(model, "weights")).culprit == "weights"


def test_a_leaner_save_is_a_fix_only_where_it_helps():
    model = of_sections(weights=500, optimizer=900)
    lean = Lean(of_sections(weights=500), "save()")
    (fix,) = diagnose(model, over(model), lean=lean).fixes
    assert (fix.size, fix.judged, fix.state, fix.how) == (500, 500, 900, "measured")
    assert diagnose(model, over(model, "weights"), lean=lean).fixes == ()
    assert diagnose(model, over(model), lean=Lean(model, "save()")).fixes == ()


def test_the_fix_that_leaves_least_comes_first():
    model = of_sections(weights=900)
    half, quarter = (Lean(of_sections(weights=n), "", f"to {n}") for n in (450, 225))
    found = diagnose(model, over(model), lighter=[half, quarter])
    assert [fix.what for fix in found.fixes] == ["to 225", "to 450"]


@pytest.mark.parametrize(
    ("section", "judged"), [(None, [500]), ("optimizer", [0]), ("weights", [])]
)
def test_a_replay_stands_in_for_a_save_where_the_limit_is_about_state(section, judged):
    model = of_sections(weights=500, optimizer=900)
    found = diagnose(model, over(model, section), replayed=500)
    assert [fix.judged for fix in found.fixes] == judged
    assert all((fix.size, fix.state, fix.how) == (500, 900, "replayed") for fix in found.fixes)


def test_a_replay_is_not_asked_where_a_save_was_made():
    model = of_sections(weights=500, optimizer=900)
    lean = Lean(of_sections(weights=510), "save()")
    (fix,) = diagnose(model, over(model), lean=lean, replayed=500).fixes
    assert fix.how == "measured"


def test_state_is_told_only_where_it_is_at_fault():
    facts = OptimizerFacts("/optimizer", "adam", 2, 1_000, "float32", 8_000)
    idle = OptimizerFacts("/optimizer", "sgd", 0, 0, "", 8)
    nested = OptimizerFacts("/generator/optimizer", "adam", 1, 10, "float16", 20)
    model = of_sections(weights=500, optimizer=900)
    found = diagnose(model, over(model), optimizers=[facts, idle, nested])
    assert found.state == (
        "adam, 2 slots x 1,000 parameters, float32",
        "generator.optimizer (adam), 1 slot x 10 parameters, float16",
    )
    assert diagnose(model, over(model, "weights"), optimizers=[facts]).state == ()


def test_a_graph_has_a_share_worth_a_look_from_a_tenth_on():
    for graph, shown in ((100, True), (99, False)):
        model = of_sections(weights=900 + 100 - graph, graph=graph)
        assert bool(diagnose(model, over(model)).graph) is shown
    model = of_sections(weights=100, graph=900)
    assert diagnose(model, over(model)).graph == ()  # it is the section at fault


def test_the_cause_that_a_tried_fix_is_for_is_not_told_twice():
    state = Cause(
        kind="optimizer state", text="", size=900, fix="leave it out", given=500, how=MEASURED
    )
    copies = Cause(kind="copies", text="", size=50, fix="store one", given=1_350, how=MEASURED)
    findings = Findings((state, copies), 450)
    model = of_sections(weights=500, optimizer=900)
    lean = Lean(of_sections(weights=500), "save()")
    found = diagnose(model, over(model), lean=lean, findings=findings)
    assert (found.causes, found.together) == ((copies,), 450)
    assert diagnose(model, over(model), findings=findings).causes == (state, copies)

"""Causes and fixes as the reports have them, from explanations made by hand."""

from pytest_modelsize.checks.cause_results import cause_results
from pytest_modelsize.checks.causes import Cause
from pytest_modelsize.checks.causes.cause import Findings
from pytest_modelsize.checks.diagnosis import Lean, diagnose
from pytest_modelsize.sizes.budget import Excess, Limit
from pytest_modelsize.storage.check_result import CauseResult
from tests.measurements import measured

FULL = measured({"weights/w": 400, "optimizer/m": 400, "optimizer/v": 400})
OVER = Excess(Limit(None, 500, "500 B"), 1_200)


def test_a_fix_that_leaves_the_state_out_is_told_with_its_bytes_and_stands_first():
    lean = Lean(measured({"weights/w": 400}), "model.optimizer = None\nmodel.save(path)")
    copies = Cause("copies", "w twice", 100, "tie them", 1_100, "replayed", "weights")
    assert cause_results(diagnose(FULL, [OVER], lean=lean, findings=Findings([copies]))) == (
        CauseResult(
            kind="optimizer state",
            text="",
            size=800,
            fix="save without the optimizer's state\nmodel.optimizer = None\nmodel.save(path)",
            given=400,
            how="measured",
        ),
        CauseResult("copies", "w twice", 100, "tie them", 1_100, "replayed"),
    )


def test_what_was_replayed_without_the_state_is_told_as_such():
    (cause,) = cause_results(diagnose(FULL, [OVER], replayed=400))
    assert (cause.kind, cause.size, cause.given, cause.how) == (
        "optimizer state", 800, 400, "replayed"
    )  # fmt: skip


def test_a_fix_for_no_known_cause_stands_alone_and_last():
    half = Lean(measured({"weights/w": 200, "optimizer/m": 800}), "", "float16 weights")
    ballast = Cause("ballast", "a cache", 50, "leave it out")
    kinds = [cause.kind for cause in cause_results(diagnose(FULL, [OVER], lighter=[half], findings=Findings([ballast])))]  # fmt: skip
    assert kinds == ["ballast", ""]


def test_what_all_fixes_give_together_is_told_last():
    two = [Cause("copies", "", 100, "tie", 1_100, "replayed"), Cause("gaps", "", 50, "repack", 1_150, "replayed")]  # fmt: skip
    told = cause_results(diagnose(FULL, [OVER], findings=Findings(two, together=1_050)))
    assert [(cause.kind, cause.given) for cause in told] == [
        ("copies", 1_100), ("gaps", 1_150), ("", 1_050)
    ]  # fmt: skip

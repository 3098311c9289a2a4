"""The text of a failure, against what a person would expect to read."""

from textwrap import dedent

from pytest_modelsize.checks.diagnosis import Lean, diagnose
from pytest_modelsize.report.failure import Circumstances, failure, headline
from pytest_modelsize.saving import OptimizerFacts
from pytest_modelsize.sizes.budget import PROMISE, Budget, Limit, judge
from tests.measurements import measured

ADAM = OptimizerFacts("/optimizer", "adam", 2, 371_415, "float32", 2_971_332)


def a_model(optimizer=0, config=42_000):
    return measured(
        {
            "weights/conv2d/kernel": 1_500_000,
            "weights/conv2d/bias": 256,
            ("optimizer", "adam", "conv2d/kernel momentum"): optimizer,
            "config/conv2d": config,
            "overhead/superblock": 96,
        }
    )


def over(model, *limits, include_optimizer=True):
    return judge(Budget(limits, include_optimizer), model)


def text_of(model, excesses, lean=None, circumstances=None, optimizers=(ADAM,)):
    explanation = diagnose(model, excesses, optimizers=optimizers, lean=lean)
    return failure(model, excesses, explanation, circumstances or Circumstances())


def test_a_budget_that_optimizer_state_broke():
    full, lean = a_model(3_000_000, 42_500), a_model()
    excesses = over(full, Limit.of(None, 2_000_000, "2MB"))
    text = text_of(
        full,
        excesses,
        Lean(lean, 'model.optimizer = None\nmodel.save("model.keras")'),
        Circumstances("test_a.py:3: @pytest.mark...", "phones", "/tmp/x/model.keras"),
    )
    assert text == dedent(
        """\
        model.keras 4.54 MB > 2 MB: optimizer 3 MB (adam)

          section         lean      saved      change
          optimizer          0  3,000,000  +3,000,000  ####################
          config        42,000     42,500        +500
          weights    1,500,256  1,500,256           =
          overhead          96         96           =
          total      1,542,352  4,542,852  +3,000,500  budget 2,000,000

          optimizer: adam, 2 slots x 371,415 parameters, float32

          largest in optimizer:
            adam/conv2d/kernel momentum  3,000,000

          fix: save without the optimizer's state: 1.54 MB, 77 % of the budget (measured)
               model.optimizer = None
               model.save("model.keras")
          reason: phones
          budget: test_a.py:3: @pytest.mark...
          kept: /tmp/x/model.keras"""
    )
    assert max(len(line) for line in text.splitlines()) <= 82


def test_without_a_comparison_the_breakdown_is_shown_largest_first():
    lean = a_model()
    text = text_of(lean, over(lean, Limit.of("config", 10_000, "10 kB")))
    assert text == dedent(
        """\
        model.keras: config 42 kB > 10 kB

          section       bytes  share
          weights   1,500,256   97 %  ####################
          config       42,000    3 %  budget 10,000
          overhead         96    0 %
          total     1,542,352

          largest in config:
            conv2d  42,000"""
    )


def test_a_fix_that_is_not_enough_says_so():
    full, lean = a_model(3_000_000), a_model()
    excesses = over(full, Limit.of(None, 1_000_000, "1MB"))
    assert "1.54 MB, still 542 kB over the budget (measured)" in text_of(
        full, excesses, Lean(lean, "call()")
    )


def test_a_fix_is_only_offered_where_it_helps_the_limit_that_is_exceeded():
    full, lean = a_model(3_000_000), a_model()
    excesses = over(full, Limit.of("weights", 1000, "1 kB"))
    text = text_of(full, excesses, Lean(lean, "call()"))
    assert "fix:" not in text
    assert "largest in weights:" in text


def test_sizes_that_round_alike_are_in_bytes():
    model = a_model()
    (excess,) = over(model, Limit.of(None, 1_542_351, 1_542_351))
    assert headline(model, excess) == ("model.keras 1,542,352 B > 1,542,351 B")


def test_the_headline_is_in_the_unit_family_of_the_budget():
    model = a_model()
    (excess,) = over(model, Limit.of(None, 2**20, "1 MiB"))
    assert headline(model, excess) == "model.keras 1.47 MiB > 1 MiB"


def test_a_broken_promise_has_a_headline_of_its_own():
    model = a_model(3_000_000)
    excesses = over(model, Limit.of(None, 10**9, "1GB"), include_optimizer=False)
    assert headline(model, excesses[0]) == (f"model.keras: optimizer 3 MB > 0 B ({PROMISE})")
    assert "largest in optimizer" in text_of(model, excesses)


def test_many_entries_are_folded_and_add_up():
    model = measured({f"weights/layer_{size}": size for size in range(1, 101)})
    text = text_of(model, over(model, Limit.of(None, 1, "1 B")))
    assert "and 95 smaller  4,560" in text  # 1 + 2 + ... + 95

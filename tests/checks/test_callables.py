import functools

import pytest

from pytest_modelsize.checks.callables import UNNAMED, kept_by

HELD = object()


class Trainer:
    def step(self):
        return self


def closing():
    held = HELD

    def inner():
        return held

    return inner


def defaulting(one=HELD, *, two=HELD):
    return one, two


def generating():
    held = HELD
    yield held


def begun():
    generator = generating()
    next(generator)
    return generator


@functools.lru_cache
def cached():
    return HELD


@pytest.mark.parametrize(
    ("value", "steps"),
    [
        (closing(), {".__closure__[0].cell_contents"}),
        (defaulting, {".__defaults__[0]", ".__kwdefaults__.two"}),
        (functools.partial(print, HELD), set()),
        (begun(), {".gi_frame.f_locals.held"}),
        (staticmethod(closing()), set()),
    ],
    ids=["closure", "defaults", "partial", "generator", "static"],
)
def test_the_step_to_what_is_held_can_be_written(value, steps):
    found = dict(kept_by(value))
    assert {step for step, held in found.items() if held is HELD} == steps


def test_a_partial_and_a_method_hold_what_they_call_with():
    trainer = Trainer()
    assert dict(kept_by(trainer.step))[".__self__"] is trainer
    assert dict(kept_by(functools.partial(print, HELD)))[".args"] == (HELD,)


def test_a_cache_holds_what_earlier_calls_returned_and_nothing_reaches_it():
    cached()
    assert (UNNAMED, HELD) in [(step, held) for step, held in kept_by(cached) if held is HELD]


@pytest.mark.parametrize("value", [5, "text", [1], object()])
def test_anything_else_is_none(value):
    assert kept_by(value) is None

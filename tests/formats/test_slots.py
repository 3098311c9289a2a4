import pytest

from pytest_modelsize.formats.slots import state_keys

NET = {"dense/kernel": (8, 4), "dense/bias": (4,)}


@pytest.mark.parametrize(
    "form",
    ["{}/Adam", "{}/Adam_1", "Adam/m/{}", "Adam/{}/v"],
)
def test_slots_have_the_shape_and_the_name_of_what_they_serve(form):
    slots = {form.format(name): shape for name, shape in NET.items()}
    assert state_keys({**NET, **slots}) == slots.keys()


@pytest.mark.parametrize(
    "more",
    [
        {"teacher/dense/kernel": (8, 4), "teacher/dense/bias": (4,)},
        {"dense/kernel/Adam": (9, 9)},  # of another shape
        {"dense/kernel/mask": (8, 4)},
        {"momentum/kernel": (8, 4)},  # of no variable here
    ],
    ids=["a copy", "another shape", "a mask", "a layer"],
)
def test_what_only_looks_like_a_slot_is_none(more):
    assert state_keys({**NET, **more}) == frozenset()


def test_counters_go_with_slots_and_not_without():
    slots = {f"{name}/Adam": shape for name, shape in NET.items()}
    assert "beta1_power" in state_keys({**NET, **slots, "beta1_power": ()})
    assert state_keys({**NET, "beta1_power": ()}) == frozenset()


def test_a_row_and_a_column_stand_for_a_matrix():
    more = {"dense/kernel_slot_vr": (8,), "dense/kernel_slot_vc": (4,)}
    assert state_keys({**NET, **more}) == more.keys()

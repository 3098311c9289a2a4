import pytest

from pytest_modelsize.formats.slot_names import is_slot_name, made_from


@pytest.mark.parametrize("name", ["Adam", "Adam_1", "m", "momentums", "my_momentum", "velocity"])
def test_names_of_slots(name):
    assert is_slot_name(name)


@pytest.mark.parametrize("name", ["kernel", "dense", "teacher", "weights"])
def test_names_of_other_things(name):
    assert not is_slot_name(name)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("dense/kernel/Adam_1", True),
        ("Adam/m/dense/kernel", True),
        ("adam/dense_kernel_momentum", True),
        ("teacher/dense/kernel", False),
        ("dense/kernel_2", False),  # a name counted up
        ("dense/kernel", False),
    ],
)
def test_a_slots_name_is_made_from_its_variables(name, made):
    assert made_from(name, ["dense/kernel", "out/bias"]) is made

from math import isclose

from pytest_modelsize.checks.causes.likeness import alike
from pytest_modelsize.checks.causes.tensor import Tensor
from tests.checks.causes.artifacts import ramp


def group(name, *shapes):
    return [
        Tensor(("weights", name, f"p{n}"), "float32", shape, 4 * shape[0], "")
        for n, shape in enumerate(shapes)
    ]


def likeness(one, other, shapes=((32,),)):
    """How alike two groups are, each of whose tensors has these values."""
    values = {"one": one, "other": other}
    return alike(lambda t: values[t.path[1]], group("one", *shapes), group("other", *shapes))


def test_the_very_same_values_are_wholly_alike_and_no_others_are():
    assert likeness(ramp(32), ramp(32)) == 1.0
    assert likeness(ramp(32), ramp(32, 7.0)) < 1.0  # moved: the correlation is 1


def test_what_goes_against_it_is_not_alike():
    assert isclose(likeness(ramp(32), ramp(32)[::-1]), -1.0)


def test_nothing_is_known_of_constants_of_few_values_or_of_what_cannot_be_read():
    assert likeness([1.0] * 32, ramp(32)) == 0.0
    assert likeness([], []) == 0.0
    assert likeness(ramp(15), ramp(15), shapes=((15,),)) == 0.0


def test_half_of_the_bytes_decide_and_not_half_of_the_tensors():
    def sample(tensor):
        large = tensor.shape == (1000,)
        turned = tensor.path[1] == "other" and not large
        return ramp(32)[::-1] if turned else ramp(32, 1.0 if tensor.path[1] == "one" else 2.0)

    shapes = ((1000,), (20,), (20,))
    assert alike(sample, group("one", *shapes), group("other", *shapes)) > 0.99

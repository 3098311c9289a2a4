from fractions import Fraction

import pytest

from pytest_modelsize.checks.dtype_limits import dtype_limit
from pytest_modelsize.sizes.bytesize import SizeError


def test_a_share_and_a_size():
    share = dtype_limit("float32", "5 %")
    assert (share.section, share.dtype, share.share) == ("weights", "float32", Fraction(1, 20))
    assert dtype_limit("int8", "50 kB").size == 50_000


@pytest.mark.parametrize(
    ("written", "meant"),
    [("fp32", "float32"), ("torch.float16", "float16"), ("half", "float16"), ("bf16", "bfloat16"), ("u8", "uint8"), (float, "float32")],
)  # fmt: skip
def test_another_name_of_a_type_is_an_error_that_says_how_it_is_called(written, meant):
    with pytest.raises(SizeError, match=f"did you mean '{meant}'"):
        dtype_limit(written, "5 %")

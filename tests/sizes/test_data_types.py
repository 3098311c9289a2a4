import re
from fractions import Fraction

import pytest

from pytest_modelsize.checks.dtype_limits import dtype_limit
from pytest_modelsize.sizes.budget import Budget, judge
from pytest_modelsize.sizes.bytesize import SizeError
from pytest_modelsize.sizes.data_types import bytes_by_dtype
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.sizes.measurement import Kind, Measurement


def measured(*tensors):
    ledger = Ledger()
    for name, note, size in tensors:
        ledger.add(("weights", name), Kind.DATA, size)
        ledger.add(("weights", name), Kind.STRUCTURE, 7)
        ledger.note(("weights", name), note)
    sections = ledger.sections()
    return Measurement("m", "safetensors", sum(s.size for s in sections), sections)


MIXED = measured(
    ("a", "int8 30x30", 900), ("b", "float32 5x5, shared with x", 100), ("c", "3 tensors", 50)
)


def test_content_counts_by_type_and_what_is_not_known_under_no_name():
    assert bytes_by_dtype(MIXED) == {"int8": 900, "float32": 100, "": 50}


@pytest.mark.parametrize(
    ("value", "over"), [("10 %", []), ("9 %", [100]), ("100 B", []), (99, [100]), ("0 B", [100])]
)
def test_a_limit_is_a_share_of_all_weights_or_a_size(value, over):
    found = judge(Budget((dtype_limit("float32", value),)), MIXED)
    assert [excess.size for excess in found] == over


def test_a_share_becomes_bytes_of_the_content_of_all_weights():
    limit = dtype_limit("float32", "9.5 %")
    assert limit.share == Fraction(95, 1000)
    assert limit.resolved(MIXED).size == 99  # of 1,050, rounded down


@pytest.mark.parametrize(
    ("dtype", "value", "said"),
    [
        ("flota32", "5 %", "did you mean 'float32'?"),
        ("fp32", "5 %", "did you mean 'float32'?"),
        ("torch.float16", "5 %", "did you mean 'float16'?"),
        ("bf16", "5 %", "did you mean 'bfloat16'?"),
        ("half", "5 %", "did you mean 'float16'?"),
        ("float32", "5 MBs", 'or a share of all weights, such as "5%"; did you mean "5MB"?'),
        (32, "5 %", "has no data type 32"),
        ("float32", "5 parsecs", "5 parsecs"),
        ("float32", -1, "-1"),
    ],
)
def test_a_mistake_says_what_to_write(dtype, value, said):
    with pytest.raises(SizeError, match=re.escape(said)):
        dtype_limit(dtype, value)

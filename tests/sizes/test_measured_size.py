import json

import pytest

from pytest_modelsize.sizes.bytesize import SizeError
from tests.measurements import of_sections


def test_sizes_are_ints_that_also_compare_with_text():
    sizes = of_sections(weights=1_500_000, optimizer=500_000)
    assert sizes.total == 2_000_000 == int(sizes.total)
    assert sizes.total <= "2MB"
    assert sizes.total >= "2MB"
    assert not sizes.total < "2MB"
    assert sizes.total > "1.9 MB"
    assert sizes.total < "2.1 MB"
    assert sizes.total == "2MB"
    assert sizes.total != "2 MiB"
    assert sizes.optimizer == sizes.sections["optimizer"] == "500 kB"
    assert sizes.assets == 0
    assert json.dumps(sizes.total) == "2000000"


def test_comparing_with_a_text_that_is_no_size_is_an_error_and_never_false():
    sizes = of_sections(weights=10)
    for compare in (
        lambda: sizes.total <= "1e3",
        lambda: sizes.total == "10",
        lambda: sizes < "ten",
    ):
        with pytest.raises(SizeError, match="is not a size"):
            compare()

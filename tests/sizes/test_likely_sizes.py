"""What is suggested for a size is a size itself, and the one that was meant."""

from decimal import Decimal
from pathlib import Path

import pytest

from pytest_modelsize.sizes.bytesize import SizeError, parse_size
from pytest_modelsize.sizes.growth import parse_growth
from pytest_modelsize.sizes.likely_sizes import likely_share, likely_size

MB = 1_000_000
MEANT = {
    "2mb": 2 * MB,
    "2 Mb": 2 * MB,
    "2MiB ": 2 * 2**20,
    "2MB\n": 2 * MB,
    "-5 MB": 5 * MB,
    "\u22125 MB": 5 * MB,
    "+ 2 MB": 2 * MB,
    ".5 MB": MB // 2,
    "2. MB": 2 * MB,
    "2 MB.": 2 * MB,
    "2MB,": 2 * MB,
    "'2MB'": 2 * MB,
    '"2 MB"': 2 * MB,
    "\u201c2 MB\u201d": 2 * MB,
    "~2MB": 2 * MB,
    "\u2248 2 MB": 2 * MB,
    "max 2MB": 2 * MB,
    "at most 2 MB": 2 * MB,
    "2MB or less": 2 * MB,
    "MB 2": 2 * MB,
    "2_MB": 2 * MB,
    "2-MB": 2 * MB,
    "2 \u041cB": 2 * MB,
    "2 \u041c\u0411": 2 * MB,
    "2 Mo": 2 * MB,
    "2 megaoctets": 2 * MB,
    "2 PB": 2 * 10**15,
    "1/2 GB": 500 * MB,
    "1.234,5 MB": 1_234_500_000,
    "1.234.567": 1_234_567,
    "1.500.000 B": 1_500_000,
    "1,234,567.5 kB": 1_234_567_500,
    "1_5 MB": 15 * MB,
    "2 000 000": 2 * MB,
    "2*1024*1024": 2**21,
    "2 * 10**6": 2 * MB,
    "2 << 20": 2**21,
    "0x200000": 2**21,
    "1E6": MB,
    "0": 0,
    "0.0": 0,
    1_500_000.5: 1_500_000,
    0.5: MB // 2,
    Decimal("2E+6"): 2 * MB,
    ("2mb",): 2 * MB,
    b"2 mb": 2 * MB,
}
"""What was written, and the bytes that it means, by hand."""
NOT_PLAIN = (
    "",
    "MB",
    "2-3 MB",
    "2 Gbit",
    "2..5 MB",
    "2 MB/s",
    "1e400 MB",
    "9" * 30,
    "9" * 30 + "GB",
)
NOT_PLAIN += ("2**99", "99<<99", "two MB", "1.5 B", True, None, -1, float("nan"), float("inf"))
NOT_PLAIN += (Path("2MB"), ["1MB", "2MB"], {"limit": "2MB"}, int, object(), 2 + 3j)


@pytest.mark.parametrize("written", MEANT)
def test_what_is_suggested_can_be_pasted_and_means_the_same(written):
    assert parse_size(likely_size(written)) == MEANT[written]
    with pytest.raises(SizeError, match=f"did you mean .*{likely_size(written)}.*[?]"):
        parse_size(written)


@pytest.mark.parametrize("written", NOT_PLAIN)
def test_nothing_is_suggested_where_it_is_not_plain(written):
    assert likely_size(written) is None


@pytest.mark.parametrize(
    "written", ["5 per cent", "5pct", "-5%", "5 %%", "\uff15\uff05", "<= 5%", "+5 %", 0.05]
)
def test_a_share_is_suggested_as_one(written):
    assert parse_growth(None, likely_share(written)).allowed(1000) == 50


@pytest.mark.parametrize("written", ["5 per cent", "5%", "-5 %", "\uff15\uff05"])
def test_a_share_as_a_size_is_sent_to_the_marker_of_growth(written):
    with pytest.raises(SizeError, match=r'a share limits growth: max_model_growth\("5%"\)'):
        parse_size(written)

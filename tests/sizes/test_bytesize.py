import re

import pytest

from pytest_modelsize.sizes.bytesize import (
    SizeError,
    exact,
    family_of,
    human,
    human_pair,
    parse_size,
)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0 B", 0),
        ("512 B", 512),
        ("900 kB", 900_000),
        ("2MB", 2_000_000),
        ("1.5 GB", 1_500_000_000),
        ("3TB", 3 * 10**12),
        ("1 KiB", 1024),
        ("2 MiB", 2 * 1024 * 1024),
        ("0.5GiB", 2**29),
        (0, 0),
        (4096, 4096),
    ],
)
def test_a_size_is_read_as_its_unit_says(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize(
    "written",
    ["2MBs", "-1 MB", "1e3", "", "MB", "2", "2 M", "1 KBfoo", " 2MB", "2MB\n", "2  MB", "2,000 kB",
     "0x10 B", "٢MB", "nan MB", "1.MB", ".5MB", "1.0000001 B", "1" * 40 + "MB", "KB", "2 Mb"],
)  # fmt: skip
def test_text_that_is_no_size_is_refused_and_named(written):
    with pytest.raises(SizeError) as caught:
        parse_size(written)
    assert repr(written)[:50] in str(caught.value)


@pytest.mark.parametrize("value", [True, False, 2.0, None, -1, b"2MB", ["2MB"], 10**6 + 0.5])
def test_a_value_of_another_type_is_refused(value):
    with pytest.raises(SizeError, match="is not a size"):
        parse_size(value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2MBs", "2MB"), ("1 KB", "1kB"), ("2mb", "2MB"), ("5 M", "5MB"), ("1.5 Gib", "1.5GiB")],
)
def test_a_plain_mistake_comes_with_the_right_spelling(written, meant):
    with pytest.raises(SizeError, match=f'did you mean "{meant}"'):
        parse_size(written)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2000000", 'did you mean 2000000 without quotes, or "2000000 B"?'),
        ("2_000_000", 'did you mean 2_000_000 without quotes, or "2000000 B"?'),
        ("1,5 MB", 'did you mean "1.5MB"?'),
        (2e6, "did you mean 2000000?"),
        ("2e6", "did you mean 2000000?"),
        ("2.5", 'did you mean "2.5 MB"?'),
        (2.5, 'did you mean "2.5 MB"?'),
        ("5%", 'max_model_growth("5%")'),
        ("2 megs", 'did you mean "2MB"?'),
        ("3 gibibytes", 'did you mean "3GiB"?'),
        ("512 bytes", 'did you mean "512B"?'),
        ("1.5e3 kB", 'did you mean "1500kB"?'),
        ("1,000,000", "did you mean 1000000 without quotes"),
        ("1 000 kB", 'did you mean "1000kB"?'),
        ("\uff12MB", 'did you mean "2MB"?'),
        ("<= 2 MB", 'did you mean "2MB"?'),
        (b"2MB", 'did you mean "2MB"?'),
        ("-5 MB", "because it is negative"),
    ],
)
def test_a_number_in_another_form_comes_with_what_to_write(written, said):
    with pytest.raises(SizeError, match=re.escape(said)):
        parse_size(written)


@pytest.mark.parametrize("written", ["2 Mbit", "1.5.2MB", "2MB/s", "some MB", "1e400B", "nan", "-"])
def test_nothing_is_guessed_where_the_mistake_is_not_plain(written):
    with pytest.raises(SizeError) as caught:
        parse_size(written)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "family", "text"),
    [
        (0, "decimal", "0 B"),
        (999, "decimal", "999 B"),
        (1000, "decimal", "1 kB"),
        (1001, "decimal", "1 kB"),
        (4_663_774, "decimal", "4.66 MB"),
        (4_663_774, "binary", "4.45 MiB"),
        (999_600, "decimal", "1 MB"),
        (999_400, "decimal", "999 kB"),
        (12_345, "decimal", "12.3 kB"),
        (1023, "binary", "1023 B"),
        (1024, "binary", "1 KiB"),
        (1023 * 1024, "binary", "1023 KiB"),
        (553_467_096, "decimal", "553 MB"),
        (10**16, "decimal", "10000 TB"),
        (-2_500, "decimal", "-2.5 kB"),
    ],
)
def test_a_size_is_shown_with_three_digits_in_its_family(size, family, text):
    assert human(size, family) == text


def test_two_sizes_that_round_alike_are_shown_in_bytes():
    assert human_pair(286_003, 286_001) == ("286,003 B", "286,001 B")
    assert human_pair(286_003, 286_003) == ("286 kB", "286 kB")
    assert human_pair(4_663_774, 2_000_000) == ("4.66 MB", "2 MB")


def test_the_family_is_that_of_the_unit_as_written():
    assert family_of("2 MiB") == "binary"
    assert family_of("2MB") == family_of(2_000_000) == family_of("12 B") == "decimal"


def test_exact_bytes_have_commas():
    assert exact(4_663_774) == "4,663,774"

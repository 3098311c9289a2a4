import pytest

from pytest_modelsize.formats.containers.signatures import HDF5, find_hdf5, is_zip
from pytest_modelsize.formats.source import Source


@pytest.mark.parametrize(("before", "found"), [(0, 0), (512, 512), (1024, 1024), (2048, 2048), (100, None), (1536, None)])  # fmt: skip
def test_hdf5_begins_at_a_power_of_two_behind_a_user_block(before, found):
    assert find_hdf5(Source.of_bytes("a", bytes(before) + HDF5 + bytes(100))) == found


def test_a_signature_is_looked_for_up_to_the_end_alone():
    source = Source.of_bytes("a", bytes(512) + HDF5)
    assert find_hdf5(source, end=519) is None
    assert find_hdf5(source, end=520) == 512


def test_an_archive_begins_with_a_member_or_with_its_end():
    assert is_zip(Source.of_bytes("a", b"PK\x03\x04..."))
    assert is_zip(Source.of_bytes("a", b"PK\x05\x06" + bytes(18)))
    assert not is_zip(Source.of_bytes("a", b"PK\x01\x02"))

"""Inputs that once broke a reader, as the fuzzers found them."""

import pytest

from tests.fuzz.readers import READERS, attempt, seed
from tests.fuzz.seeds import seeds

FOUND = {
    "a message that ends between a field's tag and its number": seed("object_graph", b"\0"),
    "the same in a saved_model.pb": seed("saved_model", b"\x08"),
}


@pytest.mark.parametrize("data", FOUND.values(), ids=FOUND)
def test_what_broke_a_reader_once_is_an_error_now(data):
    assert attempt(data) == "error"


def test_the_fuzzers_start_from_whole_artifacts_of_every_reader():
    """A seed that is refused would lead the fuzzer nowhere."""
    read = dict.fromkeys(READERS, 0)
    for name, data in seeds():
        assert attempt(data) == "ok", name
        read[list(READERS)[data[0]]] += 1
    assert min(read.values()) > 0

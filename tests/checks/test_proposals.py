"""Which markers are proposed for what the cases of a test have."""

import pytest

from pytest_modelsize.checks.proposals import Proposal, proposed
from pytest_modelsize.sizes.bytesize import human, parse_size
from pytest_modelsize.sizes.headroom import enough_for
from pytest_modelsize.storage.found_model import FoundModel, model_from_json


def model(total, argument='model="net"', *, lean=None, problem="", where="local `net`"):
    sections = {"weights": total if lean is None else lean}
    if lean is not None:
        sections["optimizer"] = total - lean
    return FoundModel(where, argument, "net.pt", total, sections, lean, {}, problem)


@pytest.mark.parametrize("size", [1, 9, 10, 99, 123, 1000, 4567, 999_999, 123_456_789, 10**12 + 1])
def test_a_proposed_limit_leaves_room_for_a_change_and_is_read_back_exactly(size):
    enough = enough_for(size)
    assert size * 11 <= enough * 10 <= size * 13 or size < 20
    assert enough > size
    assert parse_size(human(enough)) == enough


def test_one_model_needs_no_name_and_its_largest_case_is_held():
    assert proposed([[model(1000)]]) == ['@pytest.mark.max_model_size("1.1 kB")']
    assert proposed([[model(1000)], [model(5000)]]) == ['@pytest.mark.max_model_size("5.5 kB")']


def test_what_is_saved_without_optimizer_state_ships_without():
    lean = model(3000, lean=1000)
    line = '@pytest.mark.max_model_size("1.1 kB", include_optimizer=False)'
    assert proposed([[lean]]) == [line]
    # A case without state is held by the same promise.
    assert proposed([[lean], [model(900)]]) == [line]
    # A file is not saved again: of one, nothing is promised.
    file = model(900, 'path="a.pt"')
    assert proposed([[lean], [file]]) == ['@pytest.mark.max_model_size("3.3 kB")']


def test_several_models_are_named_one_by_one():
    both = [model(1000), model(2000, 'model="local:b"')]
    assert proposed([both]) == [
        '@pytest.mark.max_model_size("1.1 kB", model="net")',
        '@pytest.mark.max_model_size("2.2 kB", model="local:b")',
    ]
    larger = [model(4000), model(1000, 'model="local:b"')]
    assert proposed([both, larger]) == [
        '@pytest.mark.max_model_size("4.4 kB", model="net")',
        '@pytest.mark.max_model_size("2.2 kB", model="local:b")',
    ]


def test_one_marker_holds_what_has_no_name_in_all_cases():
    assert proposed([[model(1000), model(2000, "")]]) == ['@pytest.mark.max_model_size("2.2 kB")']
    cases = [[model(1000), model(2000, 'model="other"')], [model(3000)]]
    assert proposed(cases) == ['@pytest.mark.max_model_size("3.3 kB")']


def test_beside_what_cannot_be_measured_only_a_name_helps():
    broken = model(0, 'model="other"', problem="it is not built")
    assert proposed([[broken]]) == []
    assert proposed([[model(1000), broken]]) == [
        '@pytest.mark.max_model_size("1.1 kB", model="net")'
    ]
    assert proposed([[model(1000, ""), broken]]) == []
    # In one case it is broken, and a marker is for all cases.
    assert proposed([[model(1000)], [model(0, problem="it is not built")]]) == []


def test_of_many_cases_the_largest_is_shown_with_what_could_not_be_measured():
    cases = [[model(1000)], [model(3000)], [model(0, problem="not built")], [model(2000)]]
    shown = Proposal("test_a.py::test_it", "test_a.py", 3, cases).models
    assert [(one.total, one.problem) for one in shown] == [(3000, ""), (0, "not built")]


def test_a_model_crosses_from_a_worker_as_it_is():
    found = model(3000, lean=1000)
    assert model_from_json(found.as_json()) == found

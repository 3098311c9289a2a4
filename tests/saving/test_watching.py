"""Functions that are watched: in whichever modules they are, and as they were afterwards."""

import sys
from types import ModuleType

import pytest

from pytest_modelsize.saving.watching.patches import Patch, Patches


@pytest.fixture
def library(monkeypatch):
    """Return a module that defines a function."""
    module = ModuleType("watched_library")
    module.save = lambda value: value
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.fixture
def user(library, monkeypatch):
    """Return a module that has it by another name."""
    module = ModuleType("watched_user")
    module.write = library.save
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def noting(notes):
    def wrap(original):
        def save(value):
            notes.append(value)
            return original(value)

        return save

    return [Patch("watched_library", "save", wrap)]


def test_a_function_is_watched_in_every_module_that_has_it(library, user):
    notes, own = [], {"mine": library.save}
    before = library.save
    with Patches(noting(notes), [own]):
        assert [library.save(1), user.write(2), own["mine"](3)] == [1, 2, 3]
    assert notes == [1, 2, 3]
    assert library.save is user.write is own["mine"] is before


def test_a_module_that_is_imported_meanwhile_is_watched_again_and_not_afterwards(
    library, user, monkeypatch
):
    first, second = [], []
    late = ModuleType("watched_late")
    with Patches(noting(first)):
        late.save = library.save  # as "from watched_library import save" does
        monkeypatch.setitem(sys.modules, "watched_late", late)
    assert late.save(1) == 1
    with Patches(noting(second)):
        assert late.save(2) == 2
    assert (first, second) == ([], [2])


def test_one_that_watches_inside_another_is_told_too(library):
    outer, inner = [], []
    with Patches(noting(outer)):
        with Patches(noting(inner)):
            library.save(1)
        library.save(2)
    assert (outer, inner) == ([1, 2], [1])


def test_what_others_put_in_its_place_meanwhile_stays(library):
    def theirs(value):
        return -value

    with Patches(noting([])):
        library.save = theirs
    assert library.save is theirs

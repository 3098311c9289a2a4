"""The globals of a body and of its helpers, by names that reach them."""

import functools
from pathlib import Path
from types import ModuleType

from pytest_modelsize.plugin.used_globals import used_globals
from tests import measurements

HELD, OTHER = {}, {}


def inner():
    return HELD


@functools.cache
def helper():
    return inner()


def body():
    helper()
    return measurements.__doc__


def test_what_helpers_use_is_found_by_the_way_to_it():
    found = dict(used_globals([body]))
    assert found["helper.__globals__.inner.__globals__.HELD"] is HELD
    assert not any(value is OTHER for value in found.values())
    assert found["measurements"] is measurements


def test_what_a_body_closes_over_is_found():
    held = object()

    def closing():
        return held

    assert dict(used_globals([closing])) == {"held": held}


def test_a_helper_and_a_module_that_the_body_imports_are_read():
    beside, held = {}, {"CACHE": HELD}
    exec(compile("def helper(): return CACHE", str(Path(__file__).with_name("x.py")), "exec"), held)
    exec(compile("def body(): helper; module.OTHER; module", __file__, "exec"), beside)
    module = ModuleType("module")
    module.OTHER, module.UNUSED = OTHER, HELD
    found = dict(
        used_globals([beside["body"]], {"helper": held["helper"], "module": module, "x": 1})
    )
    assert found["helper.__globals__.CACHE"] is HELD
    assert found["module.OTHER"] is OTHER
    assert found.keys().isdisjoint({"module.UNUSED", "x"})


def test_functions_of_installed_packages_are_not_read():
    def calling():
        return functools.wraps

    names = list(dict(used_globals([calling])))
    assert names == ["functools", "functools.wraps"]

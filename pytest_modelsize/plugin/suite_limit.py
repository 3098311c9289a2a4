"""``modelsize_max``: one limit for every model that a test of the suite ends with.

It is a marker on the session, so a test's own marker takes precedence.
"""

from __future__ import annotations

import pytest

from pytest_modelsize.plugin.items import set_place
from pytest_modelsize.plugin.markers import MARKER
from pytest_modelsize.sizes.bytesize import SizeError, parse_size

__all__ = ["limit_suite"]

_OPTION = "modelsize_max"


def limit_suite(session: pytest.Session, written: str) -> None:
    """Mark all tests of the session with the limit that the ini-file sets.

    Raises:
        UsageError: where it is not a size.
    """
    limit: int | str = int(written) if written.isascii() and written.isdigit() else written
    try:
        parse_size(limit)
    except SizeError:
        from pytest_modelsize.sizes.likely_sizes import likely_size

        meant = likely_size(written)
        hint = "" if meant is None else f"; did you mean {meant}?"
        raise pytest.UsageError(
            f"ini option {_OPTION}: {written!r} is not a size: write a number and a unit, such as "
            f"50 MB, 900 kB or 1.5 GiB, or a number of bytes{hint}"
        ) from None
    marker = getattr(pytest.mark, MARKER)(limit)
    session.add_marker(marker)
    file = session.config.inipath
    where = f"{file.name}: " if file is not None else ""
    set_place(session, marker.mark, f"{where}{_OPTION} = {written}")

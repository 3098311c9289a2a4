"""What a test means to the plugin: its markers parsed, where they stand, and what it holds."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_modelsize.checks.surroundings import Surroundings
from pytest_modelsize.plugin.body_watch import body_of
from pytest_modelsize.plugin.marker import MarkerError, MarkerRequest, check_format, parse_marker
from pytest_modelsize.plugin.marker_source import marker_line, written_marker
from pytest_modelsize.plugin.markers import GROWTH_MARKER, MARKERS
from pytest_modelsize.plugin.outcomes import ModelSizeFailure
from pytest_modelsize.plugin.state import handed_of
from pytest_modelsize.saving import FORMATS
from pytest_modelsize.sizes.records import dataclass

__all__ = [
    "ParsedMarker",
    "format_of",
    "line_of",
    "markers_of",
    "parse_markers",
    "place_of",
    "places_above",
    "saves_sparsely",
    "set_place",
    "spot_of",
    "surroundings_of",
]

_DEFAULT_FORMAT = "modelsize_format"
_SAVE = "modelsize_save"
_WAYS = ("auto", "real")

_PLACES = pytest.StashKey[dict[int, str]]()
_TOLD = pytest.StashKey[dict[int, tuple[pytest.Mark, str]]]()
_TOOLS = frozenset(
    {
        "_pytest", "anyio", "pytest_asyncio", "pytest_benchmark", "pytest_freezegun",
        "pytest_freezer", "pytest_mock", "pytest_modelsize", "pytest_subtests", "xdist",
    }
)  # fmt: skip
"""Packages whose fixtures are tools: no model comes of one."""
_TOOL_NAMES = frozenset(
    {
        "cache", "capfd", "capfdbinary", "caplog", "capsys", "capsysbinary", "capteesys",
        "doctest_namespace", "model_size", "monkeypatch", "pytestconfig", "pytester",
        "record_property", "record_testsuite_property", "record_xml_attribute", "recwarn",
        "subtests", "testdir", "tmp_path", "tmp_path_factory", "tmpdir", "tmpdir_factory",
        # Of plugins that many have: asyncio, anyio, benchmark, mock, xdist, freezegun.
        "anyio_backend", "anyio_backend_name", "anyio_backend_options", "benchmark",
        "benchmark_weave", "class_mocker", "event_loop", "event_loop_policy", "free_tcp_port",
        "free_tcp_port_factory", "free_udp_port", "free_udp_port_factory", "freezer", "mocker",
        "module_mocker", "package_mocker", "session_mocker", "testrun_uid", "unused_tcp_port",
        "unused_tcp_port_factory", "unused_udp_port", "unused_udp_port_factory", "worker_id",
    }
)  # fmt: skip
"""What they call these. Some put a function of theirs around a suite's own fixtures, so that the
package alone does not say whose one is."""
_REQUESTS = pytest.StashKey[dict[int, tuple[pytest.Mark, MarkerRequest]]]()


@dataclass(frozen=True, slots=True)
class ParsedMarker:
    """A marker that applies to a test.

    Attributes:
        node: what it is on: the test itself, its class, or its module.
        mark: as pytest has it.
        request: what it asks for.
    """

    node: object
    mark: pytest.Mark
    request: MarkerRequest


def parse_markers(item: pytest.Item) -> None:
    """Parse the markers of a test that is about to run; end it with an error if one is wrong."""
    item.stash[_REQUESTS] = {}
    if any(marker.request.format is None for marker in markers_of(item)):
        format_of(item)


def markers_of(item: pytest.Item) -> Iterator[ParsedMarker]:
    """Yield the markers of a test: of each kind, the nearest one to the test first.

    Each is parsed once. One that a fixture added after setup is parsed here.
    """
    known = item.stash.setdefault(_REQUESTS, {})
    for name in MARKERS:
        for node, mark in item.iter_markers_with_node(name):
            if id(mark) not in known:
                known[id(mark)] = (mark, _parsed(item, mark))
            yield ParsedMarker(node=node, mark=mark, request=known[id(mark)][1])


def _parsed(item: pytest.Item, mark: pytest.Mark) -> MarkerRequest:
    try:
        growth = mark.name == GROWTH_MARKER
        return parse_marker(mark.args, mark.kwargs, FORMATS, growth=growth)
    except MarkerError as error:
        text = f"{mark.name} {error}\n\n  at: {place_of(item, mark)}"
        raise ModelSizeFailure(text, pytrace=False) from None


def place_of(item: pytest.Item, mark: pytest.Mark) -> str:
    """Return where a marker stands and how it is written: ``test_a.py:3: @pytest.mark...``."""
    for node in (item, item.session):
        if place := node.stash.get(_PLACES, {}).get(id(mark)):
            return place
    # Told once for a check and again for the report of it.
    known = item.stash.setdefault(_TOLD, {})
    if id(mark) not in known:
        shown = item.path
        if shown.is_relative_to(item.config.rootpath):
            shown = shown.relative_to(item.config.rootpath)
        written = written_marker(mark.name, mark.args, mark.kwargs)
        known[id(mark)] = mark, f"{shown.as_posix()}:{line_of(item, mark)}: {written}"
    return known[id(mark)][1]


def set_place(node: pytest.Item | pytest.Session, mark: pytest.Mark, place: str) -> None:
    """Keep where a marker of a test, or of all, stands that is in no source file of its own."""
    node.stash.setdefault(_PLACES, {})[id(mark)] = place


def spot_of(item: pytest.Item, mark: pytest.Mark) -> tuple[str, int]:
    """Return a marker's file, relative to pytest's root, and its line; empty and 0 if unknown."""
    if place := item.stash.get(_PLACES, {}).get(id(mark)):
        known = re.match(r"([^:]+):([0-9]{1,9})\b", place)
        return (known[1], int(known[2])) if known else ("", 0)
    if not item.path.is_relative_to(item.config.rootpath):
        return "", 0
    return item.path.relative_to(item.config.rootpath).as_posix(), line_of(item, mark)


def places_above(item: pytest.Item) -> list[str]:
    """Return where the markers stand that are on the test's class or module."""
    try:
        return [
            place_of(item, marker.mark) for marker in markers_of(item) if marker.node is not item
        ]
    except ModelSizeFailure:
        return []  # a wrong marker, which is an error already


def line_of(item: pytest.Item, mark: pytest.Mark) -> int:
    """Return the line of a marker in the test's file, counted from 1."""
    _, line, _ = item.location
    return marker_line(item.path, (line or 0) + 1, mark.name, mark.args, mark.kwargs)


def surroundings_of(item: pytest.Item) -> Surroundings:
    """Return everything in which a test's artifact is looked for."""
    fixtures = dict(getattr(item, "funcargs", None) or {})
    instance = getattr(item, "instance", None)
    if inspect.ismodule(instance):
        instance = None
    folder = fixtures.get("tmp_path", fixtures.get("tmpdir"))
    return Surroundings(
        fixtures=fixtures,
        instance=instance,
        handed=[taken.subject for taken in handed_of(item)],
        tmp_path=Path(folder) if isinstance(folder, os.PathLike) else None,
        rootdir=item.config.rootpath,
        own=_tools_of(item),
        body=body_of(item),
    )


def _tools_of(item: pytest.Item) -> frozenset[str]:
    """Return the names of the test's fixtures that are tools, by name and by where each is defined.

    A suite may have a fixture of its own called ``benchmark``, and that may be a model.
    """
    params = getattr(getattr(item, "callspec", None), "params", {})
    defined: dict[str, Any] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    found = {"request"}
    for name in _TOOL_NAMES & defined.keys():
        package = str(getattr(defined[name][-1].func, "__module__", "")).partition(".")[0]
        # What a test is parametrized with is a fixture made by pytest, which has none with params.
        if package in _TOOLS and not (package == "_pytest" and name in params):
            found.add(name)
    return frozenset(found)


def format_of(item: pytest.Item) -> str:
    """Return the project's default format; fail the test if there is no such format."""
    format = str(item.config.getini(_DEFAULT_FORMAT))
    try:
        check_format(format, FORMATS)
    except MarkerError as error:
        raise ModelSizeFailure(f"ini option {_DEFAULT_FORMAT} {error}", pytrace=False) from None
    return format


def saves_sparsely(config: pytest.Config) -> bool:
    """Return whether a live model may be saved without the bytes of its tensors."""
    way = str(config.getoption(_SAVE, None) or config.getini(_SAVE))
    if way not in _WAYS:
        text = f"ini option {_SAVE}: {way!r} should be one of {', '.join(_WAYS)}"
        raise ModelSizeFailure(text, pytrace=False)
    return way == "auto"

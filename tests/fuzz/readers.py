"""Every reader behind one door: a byte says which, the rest is what it reads.

What must hold for any bytes at all: the reader returns sections that add up to them, or raises an
`ArtifactError`; in a bounded number of calls. Everything else is a finding.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_modelsize import Measurement, measure
from pytest_modelsize.formats import registry
from pytest_modelsize.formats.containers.protobuf import Message
from pytest_modelsize.formats.keras import open_configuration
from pytest_modelsize.formats.source import Source
from pytest_modelsize.formats.tensorflow.graphs import read_saved_model
from pytest_modelsize.formats.tensorflow.objectgraph import read_graph
from pytest_modelsize.report.tree import tree
from pytest_modelsize.sizes.ledger import Ledger
from pytest_modelsize.storage.measurement_json import as_json
from tests.formats.mutants import outcome_of

__all__ = ["READERS", "attempt", "seed"]


def _whole(format: str, data: bytes, ledger: Ledger) -> None:
    """Hold the law, and show what was found in every form that there is."""
    measured = Measurement("fuzzed", format, len(data), ledger.sections())
    assert sum(leaf.size for _, leaf in measured.leaves()) == len(data)
    assert all(character >= " " or character == "\n" for character in tree(measured))
    json.dumps(as_json(measured))


def _file(data: bytes) -> None:
    ledger = Ledger()
    format = registry.read(Source.of_bytes("fuzzed", data), ledger)
    _whole(format, data, ledger)


def _saved_model(data: bytes) -> None:
    ledger = Ledger()
    read_saved_model(Source.of_bytes("saved_model.pb", data), ledger)
    _whole("saved_model", data, ledger)


def _checkpoint(data: bytes) -> None:
    """Two bytes say how long the index is; what follows it is the one shard."""
    length = int.from_bytes(data[:2], "little")
    index, shard = data[2 : 2 + length], data[2 + length :]
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder, "ckpt")
        prefix.with_name("ckpt.index").write_bytes(index)
        prefix.with_name("ckpt.data-00000-of-00001").write_bytes(shard)
        measured = measure(prefix.with_name("ckpt.index"))
    assert measured.total in (len(index) + len(shard), len(index))


def _openvino(data: bytes) -> None:
    """Two bytes say how long the XML is; what follows it are the constants."""
    length = int.from_bytes(data[:2], "little")
    graph, constants = data[2 : 2 + length], data[2 + length :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.xml")
        path.write_bytes(graph)
        path.with_suffix(".bin").write_bytes(constants)
        measured = measure(path)
    assert measured.total in (len(graph) + len(constants), len(graph))


def _object_graph(data: bytes) -> None:
    read_graph(Message(Source.of_bytes("graph", data), data))


def _configuration(data: bytes) -> None:
    entries = open_configuration(data)
    assert sum(size for _, size, _ in entries) == len(data)
    assert all(size >= 0 for _, size, _ in entries)


READERS: Mapping[str, Callable[[bytes], None]] = {
    "file": _file,
    "saved_model": _saved_model,
    "checkpoint": _checkpoint,
    "object_graph": _object_graph,
    "configuration": _configuration,
    "openvino": _openvino,
}
"""What reads the bytes, by name; the place in this order is the byte that chooses it."""


def attempt(data: bytes) -> str:
    """Read what ``data`` holds; return ``ok`` or ``error``.

    Args:
        data: the byte that chooses the reader, and what it reads.
    """
    if not data:
        return "error"
    reader = list(READERS.values())[data[0] % len(READERS)]
    return outcome_of(lambda: reader(data[1:]))


def seed(reader: str, data: bytes) -> bytes:
    """Return the input that has ``reader`` read ``data``."""
    return bytes([list(READERS).index(reader)]) + data

"""What the fuzzers start from: the artifacts in tests/data, and small ones made afresh."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz.readers import seed

DATA = Path(__file__).parent.parent / "data"
_NESTED = {
    "class_name": "Functional",
    "config": {
        "layers": [
            {"class_name": "Dense", "config": {"name": "größe", "units": 3, "x": None}},
            {"class_name": "Lambda", "config": {"name": "a\nb", "values": [1.5e300, -0.0, True]}},
        ]
    },
}


def seeds() -> Iterator[tuple[str, bytes]]:
    """Yield inputs with a name for each."""
    for path in sorted(DATA.glob("dense.*")):
        yield path.name, seed("file", path.read_bytes())
    for path in sorted([*DATA.glob("boosted/*"), *DATA.glob("flax/*")]):
        yield path.name, seed("file", path.read_bytes())
    for path in sorted(DATA.glob("executorch/*.pt[de]")):
        yield path.name, seed("file", path.read_bytes())
    graph, constants = (
        (DATA / "openvino" / name).read_bytes() for name in ("dense.xml", "dense.bin")
    )
    packed = len(graph).to_bytes(2, "little") + graph + constants
    yield "openvino", seed("openvino", packed)
    yield "saved_model.pb", seed("saved_model", (DATA / "saved/saved_model.pb").read_bytes())
    for name, prefix in (("ckpt", "checkpoint/ckpt-1"), ("saved", "saved/variables/variables")):
        index = (DATA / f"{prefix}.index").read_bytes()
        shard = (DATA / f"{prefix}.data-00000-of-00001").read_bytes()
        packed = len(index).to_bytes(2, "little") + index + shard
        yield f"{name}.checkpoint", seed("checkpoint", packed)
        # The object graph is a string tensor in the shard, and begins with its first node.
        yield f"{name}.graph", seed("object_graph", shard[shard.index(b"\n") :])
    with zipfile.ZipFile(DATA / "dense.keras") as archive:
        yield "config.json", seed("configuration", archive.read("config.json"))
    yield "nested.json", seed("configuration", json.dumps(_NESTED).encode())
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        yield f"zip-{method}", seed("file", _archive(method))
    yield from _hdf5()


def _archive(method: int) -> bytes:
    with zipfile.ZipFile(DATA / "dense.keras") as whole:
        config = whole.read("config.json")
        weights = whole.read("model.weights.h5")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
        archive.writestr("../assets/a\x1b[1m.txt", "x" * 40)
        archive.comment = b"a remark"
    return buffer.getvalue()


def _hdf5() -> Iterator[tuple[str, bytes]]:
    """Yield a file for each structure that the HDF5 library writes, where it is installed."""
    try:
        import h5py
        import numpy as np
    except ImportError:
        return
    from tests.formats.containers.hdf5.zoo import write_zoo

    with tempfile.TemporaryDirectory() as folder:
        for path in write_zoo(h5py, np, Path(folder)):
            if path.stat().st_size <= 200_000:
                yield path.name, seed("file", path.read_bytes())

"""What is named in files that nobody here made, by format: ours beside each format's own library.

Unpack packages below a folder, and run with an environment that has what is to be asked (coremltools,
safetensors, onnx, numpy, xgboost, lightgbm, flax, openvino); what is not installed is not asked:

    python benchmarks/formats.py FOLDER
"""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from pytest_modelsize import ArtifactError, Kind, Measurement, measure
from pytest_modelsize.formats import companions, is_whole, recognise

_WIDTHS = {"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2}
_NAMED = {"catboost", "ncnn", "paddle", "tensorrt"}
"""What the reader ``named`` calls by name."""
_OPENED = {".npz", ".npy"}
"""Suffixes of what is opened where someone asks for it."""


@dataclass
class Row:
    """One format's line."""

    files: int = 0
    size: int = 0
    tensors: int = 0
    named: int = 0
    opaque: int = 0
    asked: int = 0
    oracle: int = 0
    seconds: float = 0
    broken: list[str] = field(default_factory=list)


def artifacts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield every artifact below a folder, and its format; what belongs to one is no other."""
    taken: set[Path] = set()
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path in taken:
            continue
        if path.is_dir():
            if is_whole(path):
                yield path, str(recognise(path))
            else:
                yield from artifacts(path)
        elif path.stat().st_size:
            name = recognise(path)
            if name is None and path.suffix in _OPENED:
                name = path.suffix[1:]
            if name is not None:
                taken |= companions(path)
                yield path, "named" if name in _NAMED else name


def named_by_tensor(measured: Measurement) -> tuple[int, int]:
    """Return the bytes of tensors, and how many of them an entry names with type or count."""
    total = named = 0
    for section in (measured.section("weights"), measured.section("optimizer")):
        pending = [(section, "")]
        while pending:
            part, note = pending.pop()
            note = part.note or note
            if part.children:
                pending += [(child, note) for child in part.children]
            elif part.kind is Kind.DATA:
                total += part.size
                named += part.size if note else 0
    return total, named


def coreml(path: Path) -> int | None:
    """Bytes of the tensors in a model: coremltools' message, and its reader of weights."""
    ct = importlib.import_module("coremltools")
    proto = importlib.import_module("coremltools.proto.Model_pb2")
    del ct
    model = next(path.rglob("*.mlmodel")) if path.is_dir() else path
    spec = proto.Model.FromString(model.read_bytes())

    def walk(message: Any) -> int:
        name = message.DESCRIPTOR.name
        if name == "WeightParams":
            held = (message.float16Value, message.rawValue, message.int8RawValue)
            return 4 * len(message.floatValue) + sum(map(len, held))
        total = 0
        for kind, value in message.ListFields():
            if kind.message_type is None:
                continue
            if kind.message_type.GetOptions().map_entry:
                inner = [one for one in value.values() if hasattr(one, "DESCRIPTOR")]
            else:
                inner = list(value) if kind.is_repeated else [value]
            total += sum(map(walk, inner))
        return total

    if spec.WhichOneof("Type") != "mlProgram":
        return walk(spec)
    places: dict[int, int] = {}
    inside = 0
    bits = {
        10: 16,
        11: 32,
        21: 8,
        31: 8,
        25: 4,
        35: 4,
        1: 8,
        23: 32,
        13: 16,
        36: 2,
        37: 1,
        39: 3,
        38: 6,
    }
    for function in spec.mlProgram.functions.values():
        for block in function.block_specializations.values():
            for operation in block.operations:
                for value in operation.attributes.values():
                    kind = value.type.tensorType
                    if value.WhichOneof("value") == "blobFileValue":
                        count = math.prod(d.constant.size for d in kind.dimensions)
                        size = (count * bits[kind.dataType] + 7) // 8
                        places.setdefault(value.blobFileValue.offset, size)
                    elif kind.dimensions and (held := value.immediateValue.tensor.floats.values):
                        inside += 4 * len(held)
    return inside + sum(places.values())


def tfjs(path: Path) -> int | None:
    """Bytes of the weights by the manifest's own types and shapes."""
    if path.is_dir():
        path = path / "model.json"
    told = json.loads(path.read_text())
    groups = told["weightsManifest"] if isinstance(told, dict) else told
    total = 0
    for group in groups:
        for weight in group["weights"]:
            stored = weight.get("quantization", {}).get("dtype", weight["dtype"])
            if stored not in _WIDTHS:
                return None
            total += math.prod(weight["shape"]) * _WIDTHS[stored]
    return total


def safetensors(path: Path) -> int | None:
    """Bytes of the tensors that the library lists."""
    if path.suffix != ".safetensors":
        return None
    opened = importlib.import_module("safetensors").safe_open(path, "np")
    names = list(opened.keys())
    width = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "I8": 1, "F64": 8}
    slices = [opened.get_slice(name) for name in names]
    return sum(math.prod(one.get_shape()) * width[str(one.get_dtype())] for one in slices)


def onnx(path: Path) -> int | None:
    """Bytes of the initializers and of constants' tensors, as the package sees them."""
    package = importlib.import_module("onnx")
    graph = package.load(path, load_external_data=False).graph

    def size(tensor: Any) -> int:
        width = package.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        return int(math.prod(tensor.dims)) * width

    def walk(graph: Any) -> int:
        total = sum(map(size, graph.initializer))
        for node in graph.node:
            for attribute in node.attribute:
                total += walk(attribute.g) if attribute.HasField("g") else 0
                held = attribute.HasField("t") and (
                    node.op_type == "Constant" or size(attribute.t) >= 1024
                )
                total += size(attribute.t) if held else 0
        return total

    return walk(graph)


def npz(path: Path) -> int | None:
    """Bytes of the arrays, as NumPy maps or unpacks them."""
    numpy = importlib.import_module("numpy")
    try:
        with numpy.load(path) as opened:
            return sum(int(opened[name].nbytes) for name in opened.files)
    except ValueError:
        return None


def ort(path: Path) -> int | None:
    """Bytes of the initializers, by the classes that onnxruntime ships for its FlatBuffers."""
    module = "onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession"
    session = importlib.import_module(module).InferenceSession
    graph = session.GetRootAs(path.read_bytes()).Model().Graph()

    def walk(graph: Any) -> int:
        held = map(graph.Initializers, range(graph.InitializersLength()))
        total = sum(tensor.RawDataLength() for tensor in held)
        for node in map(graph.Nodes, range(graph.NodesLength())):
            for attribute in map(node.Attributes, range(node.AttributesLength())):
                inner = attribute.G()
                total += walk(inner) if inner is not None else 0
        return total

    return walk(graph)


def xgboost(path: Path) -> int | None:
    """Bytes of the arrays of all trees: of UBJSON by the library's lengths, of JSON as they stand."""
    booster = importlib.import_module("xgboost").Booster(model_file=str(path))
    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    names = {name for name, value in trees[0].items() if isinstance(value, list)}
    if path.suffix == ".json":
        text = path.read_text()
        arrays = re.findall(rf'"(?:{"|".join(sorted(names))})":\[([^]]*)\]', text)
        return sum(map(len, arrays))
    width = dict.fromkeys(names, 4)
    width.update({"categories_segments": 8, "categories_sizes": 8})
    width.update({"default_left": 1, "split_type": 1})
    return sum(width[name] * len(tree[name]) for tree in trees for name in names)


def lightgbm(path: Path) -> int | None:
    """Bytes of the values of trees' lines, where the library counts as many leaves in them."""
    booster = importlib.import_module("lightgbm").Booster(model_file=str(path))
    leaves = sum(tree["num_leaves"] for tree in booster.dump_model()["tree_info"])
    text = path.read_bytes()
    inside = text[text.index(b"Tree=0") : text.index(b"end of trees")].split(b"\n")
    found = [line.partition(b"=") for line in inside if not line.startswith(b"Tree=")]
    held = sum(len(value.split()) for key, _, value in found if key == b"leaf_value")
    return sum(len(value) for _, _, value in found) if held == leaves else None


def flax(path: Path) -> int | None:
    """Bytes of the arrays that Flax restores."""
    restore = importlib.import_module("flax.serialization").msgpack_restore
    pending, total = [restore(path.read_bytes())], 0
    for tree in pending:
        for value in tree.values():
            if isinstance(value, dict):
                pending.append(value)
            else:
                total += getattr(value, "nbytes", 0)
    return total


def openvino(path: Path) -> int | None:
    """Bytes of the constants that the library reads, each place of the ``.bin`` once."""
    core = importlib.import_module("openvino").Core()
    constants = [op for op in core.read_model(path).get_ops() if op.get_type_name() == "Constant"]
    places = re.findall(r'offset="(\d+)" size="(\d+)"', path.read_text())
    shared = sum(int(size) for _, size in places) - sum(int(size) for _, size in set(places))
    return sum(constant.get_byte_size() for constant in constants) - shared


ORACLES: dict[str, Callable[[Path], int | None]] = {
    "coreml": coreml,
    "flax": flax,
    "lightgbm": lightgbm,
    "onnx": onnx,
    "npz": npz,
    "openvino": openvino,
    "ort": ort,
    "safetensors": safetensors,
    "tfjs": tfjs,
    "xgboost": xgboost,
}


def asked(name: str, path: Path) -> int | None:
    """Return what the format's own library says, if it can be asked."""
    try:
        return ORACLES[name](path) if name in ORACLES else None
    except (ImportError, KeyError, StopIteration):
        return None


def main() -> None:
    """Print the table."""
    rows: dict[str, Row] = {}
    for path, name in artifacts(Path(sys.argv[1])):
        row = rows.setdefault(name, Row())
        begun = time.perf_counter()
        try:
            measured = measure(path)
        except ArtifactError as error:
            row.broken.append(f"{path}: {error.problem}")
            continue
        row.seconds += time.perf_counter() - begun
        row.files += 1
        row.size += measured.total
        data, named = named_by_tensor(measured)
        row.tensors, row.named = row.tensors + data, row.named + named
        row.opaque += sum(leaf.size for _, leaf in measured.leaves() if leaf.kind is Kind.OPAQUE)
        told = asked(name, path)
        if told is not None:
            row.asked, row.oracle = row.asked + 1, row.oracle + told
        print(path, name, measured.total, data, named, told, file=sys.stderr)
    print("| format | files | bytes | of tensors | named | oracle | opaque | ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, row in sorted(rows.items()):
        known = [f"{n:,d}" for n in (row.files, row.size, row.tensors, row.named)]
        oracle = f"{row.oracle:,d}" if row.asked == row.files else "-"
        spent = f"{1000 * row.seconds:.0f}"
        print(f"| `{name}` |", " | ".join([*known, oracle, f"{row.opaque:,d}", spent]), "|")
        for line in row.broken:
            print(line, file=sys.stderr)


if __name__ == "__main__":
    main()

"""OpenVINO's IR, against the library: each constant that it reads, and the bytes of the ``.bin``."""

import types
import zipfile
from pathlib import Path

import pytest

from pytest_modelsize import ArtifactError, Kind, Source, measure
from pytest_modelsize.formats import companions, files_of, recognise
from pytest_modelsize.formats.containers.xml_scanner import scan_tags
from tests.formats.entries import entry
from tests.formats.mutants import assert_hostile_is_cheap, count, mutants, outcome_of
from tests.needs import needs

DATA = Path(__file__).parent.parent.parent / "data" / "openvino"
XML, BIN = (DATA / "dense.xml").read_bytes(), (DATA / "dense.bin").read_bytes()


def const(name, offset, size, shape="", type="f32", id=1):
    return (
        f'<layer id="{id}" name="{name}" type="Const" version="opset1">'
        f'<data element_type="{type}" shape="{shape}" offset="{offset}" size="{size}"/></layer>'
    )


def net(*layers, version=11, more=""):
    inside = "".join(layers)
    return f'<?xml version="1.0"?><net name="n" version="{version}"><layers>{inside}</layers>{more}</net>'


def written(folder, text, data=b"", name="m"):
    path = folder / f"{name}.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.with_suffix(".bin").write_bytes(data)
    return path


def constants(measured):
    """Bytes of content in the weights, by the path of each entry."""
    found = {}
    for path, leaf in measured.leaves():
        if path[0] == "weights" and leaf.kind is Kind.DATA and leaf.size:
            names = [name for name in path[1:] if name != "(data)"]
            found["/".join(names)] = leaf.size
    return found


@pytest.mark.parametrize("half", [False, True])
def test_each_constant_has_the_bytes_that_the_library_reads(half, tmp_path):
    openvino, numpy = needs("openvino"), needs("numpy", "formats")
    from openvino import opset13

    random = numpy.random.default_rng(0)
    at = x = opset13.parameter([-1, 8], numpy.float32, name="x")
    for layer in range(4):
        kernel = random.normal(size=(8, 8)).astype("float32")
        weight = opset13.constant(kernel, name=f"model/dense_{layer}/kernel")
        bias = opset13.constant(kernel[layer], name=f"model/dense_{layer}/bias")
        at = opset13.relu(opset13.add(opset13.matmul(at, weight, False, False), bias))
    axis = opset13.constant(numpy.array([1], "int64"), name="axis")
    model = openvino.Model([opset13.reduce_sum(at, axis)], [x], "net")
    path = tmp_path / "net.xml"
    openvino.save_model(model, path, compress_to_fp16=half)
    measured = measure(path)
    data = path.with_suffix(".bin")
    assert measured.format == "openvino"
    assert measured.total == path.stat().st_size + data.stat().st_size
    told = {
        op.get_friendly_name(): op
        for op in openvino.Core().read_model(path).get_ops()
        if op.get_type_name() == "Constant"
    }
    assert len(told) == 9
    assert constants(measured) == {name: op.get_byte_size() for name, op in told.items()}
    for name, op in told.items():
        dtype = {"f32": "float32", "f16": "float16", "i64": "int64"}[
            op.get_element_type().get_type_name()
        ]
        shape = "x".join(map(str, op.get_output_shape(0)))
        assert entry(measured, "weights", *name.split("/")).note == f"{dtype} {shape}"
    assert sum(constants(measured).values()) + measured.overhead == data.stat().st_size


def test_constants_of_branches_have_the_name_of_the_layer_and_equal_ones_share(tmp_path):
    inner = net(const("c", 0, 8, "2")).partition("<layers>")[2].partition("</layers>")[0]
    branch = "".join(
        f"<{body}><layers>{inner}</layers><edges/></{body}>" for body in ("then_body", "else_body")
    )
    layer = f'<layer id="5" name="If_1" type="If" version="opset8">{branch}</layer>'
    text = net(layer, const("own", 0, 8, "2"), const("rest", 8, 4, "4", "i8"))
    path = written(tmp_path, text, bytes(12))
    measured = measure(path)
    assert measured.total == len(text) + 12
    assert constants(measured) == {"If_1/c": 8, "rest": 4}
    assert entry(measured, "weights", "own").note == "float32 2, shared with If_1/c"
    graph = entry(measured, "graph", "layers", "If", "If_1")
    assert graph.size == len(layer) - 2 * len(inner) - 2 * len("<edges/>")


def test_before_version_10_layers_of_any_type_had_weights(tmp_path):
    old = (
        '<layer id="1" name="conv1" precision="FP16" type="Convolution"><data kernel="3"/>'
        '<blobs><weights offset="0" size="18"/><biases offset="18" size="2"/></blobs></layer>'
        '<layer id="2" name="c" type="Const" precision="FP32">'
        '<blobs><custom offset="20" size="8" precision="FP32"/></blobs></layer>'
    )
    path = written(tmp_path, net(old, version=6), bytes(28))
    measured = measure(path)
    assert constants(measured) == {"conv1/weights": 18, "conv1/biases": 2, "c": 8}
    assert entry(measured, "weights", "conv1", "weights").note == "float16 9"


TYPES = {
    "f32": 12,
    "f16": 6,
    "bf16": 6,
    "i64": 24,
    "u8": 3,
    "i4": 2,
    "u4": 2,
    "u1": 1,
    "nf4": 2,
    "boolean": 3,
}


def test_each_type_has_its_bits_and_what_is_not_claimed_is_waste(tmp_path):
    layers, at = [], 0
    for number, (name, size) in enumerate(TYPES.items()):
        layers.append(const(name, at, size, "3", name, number))
        at += size
    path = written(tmp_path, net(*layers), bytes(at + 7 + 100))
    measured = measure(path)
    assert constants(measured) == TYPES
    assert measured.section("overhead").of_kind(Kind.SLACK) == 107
    layers.append(const("far", at + 7, 100, "100", "i8"))
    measured = measure(written(tmp_path, net(*layers), bytes(at + 7 + 100)))
    assert measured.section("overhead").of_kind(Kind.RESERVED) == 7


def test_settings_and_edges_are_told_apart(tmp_path):
    info = '<rt_info><info name="a" value="b"/></rt_info>'
    edges = '<edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>'
    text = net(const("w", 0, 4, "1"), more=edges + info)
    measured = measure(written(tmp_path, text, bytes(4)))
    assert (measured.config, entry(measured, "graph", "edges").size) == (len(info), len(edges))
    assert measured.total == len(text) + 4


def test_both_files_are_one_artifact_wherever_they_lie(tmp_path):
    path = written(tmp_path, XML, BIN, "openvino_model")
    assert recognise(path) == "openvino"
    assert companions(path) == {path.with_suffix(".bin")}
    assert files_of(path) == [path.with_suffix(".bin"), path]
    (tmp_path / "README.md").write_text("# read me\n")
    measured = measure(tmp_path)
    assert measured.total == len(XML) + len(BIN) + len("# read me\n")
    assert measured.section("weights").of_kind(Kind.DATA) == len(BIN)
    assert not any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())
    other = tmp_path / "model.ir"
    other.write_bytes(XML)
    (tmp_path / "model.bin").write_bytes(BIN)
    assert measure(other).format == "openvino"
    for text in ("<net/>", '<page><net version="1"></page>', '<net version="11"><nodes/></net>'):
        (tmp_path / "other.xml").write_text(text)
        assert measure(tmp_path / "other.xml").format == "text"


def test_without_its_constants_a_graph_is_not_measured(tmp_path):
    path = tmp_path / "m.xml"
    path.write_bytes(XML)
    with pytest.raises(ArtifactError, match=r"m\.bin: cannot be opened"):
        measure(path)
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("m.xml", XML)
        archive.writestr("m.bin", BIN)
    measured = measure(tmp_path / "m.zip")
    assert any(leaf.kind is Kind.OPAQUE for _, leaf in measured.leaves())
    path.write_text(net('<layer id="0" name="x" type="Parameter"/>'))
    assert measure(path).total == path.stat().st_size


BROKEN = {
    "cut off": (XML[:-30], BIN, "XML expected"),
    "beyond the file": (XML, BIN[:-1], "claims bytes 24 to 32 of 31"),
    "overlapping": (net(const("a", 0, 8, "2"), const("b", 4, 8, "2")), bytes(12), "overlaps"),
    "another size": (net(const("a", 0, 8, "3")), bytes(8), "float32 3, 12 bytes, but claims 8"),
    "no number": (net(const("a", "-1", 8, "2")), bytes(8), "an offset and a size expected"),
    "no shape": (net(const("a", 0, 8, "x")), bytes(8), "a shape expected"),
    "too large a number": (net(const("a", "9" * 30, 8, "2")), bytes(8), "an offset and a size"),
    "nested": (net("<a>" * 300), b"", "more than 200 elements in another"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_an_error_with_its_place(tmp_path, name):
    text, data, said = BROKEN[name]
    with pytest.raises(ArtifactError, match=said) as raised:
        measure(written(tmp_path, text, data))
    assert raised.value.offset is not None


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))


@pytest.mark.parametrize(
    "declared",
    ['<!DOCTYPE net [<!ENTITY a0 "x">' + BOMB + "]>", '<!DOCTYPE net SYSTEM "file:///etc/passwd">'],
)
def test_no_entity_is_declared_expanded_or_fetched(declared, tmp_path):
    text = net('<layer id="0" name="x" type="Parameter"/>', more="<rt_info>&a8;</rt_info>")
    head, _, rest = text.partition("<net")
    path = tmp_path / "m.xml"
    path.write_text(f"{head}<net{rest}".replace("<net", f"<!--  -->{declared}<net", 1))
    assert measure(path).format == "text"  # it does not begin as a graph does
    path.write_text(text.replace("<layers>", f"<layers>{declared}", 1))
    with pytest.raises(ArtifactError, match="XML expected"):
        measure(path)
    seen = []
    tags = types.SimpleNamespace(start=lambda *tag: seen.append(tag), end=lambda *tag: None)
    source = Source.of_bytes("m", f"{declared}<net>&a8;</net>".encode())
    with pytest.raises(ArtifactError, match="a document type declared, which is not read"):
        scan_tags(source, tags.start, tags.end)
    assert seen == []


def test_mutants_of_the_carried_graph_add_up_or_are_errors(tmp_path):
    path = written(tmp_path, XML, BIN)

    def attempt(data):
        path.write_bytes(data)
        assert measure(path).total in (len(data), len(data) + len(BIN))

    outcomes = {
        outcome_of(lambda data=data: attempt(data), 100_000) for data in mutants(XML, count(150), 3)
    }
    assert outcomes == {"ok", "error"}


HOSTILE = {
    "layers": lambda n: net(*(f'<layer id="{i}" name="l{i}" type="Add"/>' for i in range(n))),
    "types": lambda n: net(*(f'<layer id="{i}" name="l" type="t{i}"/>' for i in range(n))),
    "constants": lambda n: net(*(const(f"a.b{i}", i, 1, "1", "i8") for i in range(n))),
    "shared": lambda n: net(*(const(f"a/b{i}", 0, 1, "1", "i8") for i in range(n))),
    "elements": lambda n: net("<a/>" * n),
    "attributes": lambda n: net("<a " + " ".join(f'x{i}="1"' for i in range(n)) + "/>"),
    "comments": lambda n: "<!-- -->" * n + "<net version=",
    "a long name": lambda n: net(const("x" * n, 0, 1, "1", "i8")),
    "axes": lambda n: net(const("x", 0, 1, ",".join(["1"] * n), "i8")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_made_to_cost_much_costs_little(name, tmp_path):
    def made(number):
        path = written(tmp_path, HOSTILE[name](number), bytes(number), f"m{number}")
        return lambda: measure(path)

    assert_hostile_is_cheap(made, 300)


def test_a_graph_of_more_than_is_opened_is_opaque_with_its_constants(tmp_path, monkeypatch):
    path = written(tmp_path, XML, BIN)
    for limit in ("openvino.tags._MOST_LAYERS", "containers.xml_scanner._MOST_TAGS"):
        with monkeypatch.context() as patch:
            patch.setattr(f"pytest_modelsize.formats.{limit}", 3)
            measured = measure(path)
        assert measured.total == len(XML) + len(BIN)
        assert {leaf.kind for _, leaf in measured.leaves()} == {Kind.OPAQUE}
        assert measured.weights == len(BIN)

"""Records to draw, and the page they make read back as a browser's parser would read it."""

import random
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from pytest_modelsize.sizes.measurement import Kind, Measurement, Section
from pytest_modelsize.storage.check_result import CheckResult, EntryChange, LimitResult

# Elements without an end tag, and those whose end tag HTML lets a writer leave out.
_VOID = {"meta", "link", "br", "wbr", "img", "input", "hr"}
_ENDS = {
    "li": {"li", "p"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"td", "th", "tr"},
    "tbody": {"td", "th", "tr", "tbody", "thead"},
}


def section(name, *parts):
    """A top-level section of entries: (name, bytes), (name, bytes, note), or whole sections."""
    made = tuple(
        part if isinstance(part, Section) else Section(*part[:2], Kind.DATA, (), *part[2:])
        for part in parts
    )
    return Section(name, sum(part.size for part in made), None, made)


def measured(*sections, name="model.keras", format="keras"):
    return Measurement(name, format, sum(s.size for s in sections), sections)


def size_limit(allowed, used, part=None, written=None):
    return LimitResult("size", part, allowed, used, written or f"{allowed} B")


LEAN = measured(
    section("weights", ("conv2d/kernel", 1_200_000, "float32 3x3"), ("(9 smaller)", 300_000)),
    section("config", ("conv2d", 80_000), ("(98 smaller)", 20_000)),
)
FULL = measured(
    section("weights", ("conv2d/kernel", 1_200_000, "float32 3x3"), ("(9 smaller)", 300_000)),
    section(
        "optimizer",
        ("adam/conv2d/kernel momentum", 1_200_000, "float32 3x3"),
        ("adam/conv2d/kernel velocity", 1_200_000, "float32 3x3"),
    ),
    section("config", ("conv2d", 80_500), ("(98 smaller)", 19_500)),
)
"""4,000,000 bytes, twice a budget of 2 MB; 1,600,000 of them are `LEAN`."""

FAILED = CheckResult(
    "tests/test_unet.py::test_ships",
    "model.keras",
    "failed",
    "model.keras 4 MB > 2 MB",
    "model.keras 4 MB > 2 MB\n\n  section  bytes",
    FULL,
    (
        size_limit(2_000_000, 4_000_000, written="2MB"),
        size_limit(0, 2_400_000, "optimizer", "0 B"),
        LimitResult("growth", None, 80_000, 2_400_000, "5%"),
    ),
    LEAN,
    (
        EntryChange("optimizer", "adam/conv2d/kernel momentum", None, 1_200_000),
        EntryChange("optimizer", "adam/conv2d/kernel velocity", None, 1_200_000),
        EntryChange("config", "conv2d", 80_000, 80_500),
    ),
    {"tensorflow": "2.21.0", "keras": "3.15.0"},
)
PASSED = CheckResult(
    "tests/test_unet.py::test_lean",
    "model.keras",
    "passed",
    measurement=LEAN,
    limits=(size_limit(2_000_000, 1_600_000, written="2MB"),),
    baseline=LEAN,
)
WASTEFUL = CheckResult(
    "tests/test_export.py::test_tflite",
    "net.tflite",
    "measured",
    measurement=measured(
        section(
            "weights",
            ("dense", 600_000, "int8 600x1000"),
            ("dense_1", 300_000, "int8 300x1000, waste: the same as weights/dense"),
        ),
        section("overhead", Section("gap", 100_000, Kind.SLACK)),
        name="net.tflite",
        format="tflite",
    ),
)
UNCHECKED = CheckResult(
    "tests/test_head.py::test_head",
    "",
    "unchecked",
    "budget not checked: no model was found",
    "budget not checked: no model was found\n\n  budget: tests/test_head.py:3",
)
EVERY = (PASSED, WASTEFUL, UNCHECKED, FAILED)


def a_hundred(failed=5, lines=30, many=100):
    """Records like those of real models: 60 entries each, in three sections and a half."""
    dice = random.Random(0)
    made = []
    for number in range(many):
        layers = [f"block{n // 4}/conv2d_{n}" for n in range(20)]
        sizes = {layer: 4 * 9 * 16 * dice.randint(1, 128) * 16 + 288 for layer in layers}
        weights = [(f"{layer}/kernel", size, "float32 3x3x64x64") for layer, size in sizes.items()]
        slots = [(f"adam/{n} momentum", s, note) for n, s, note in weights]
        parts = [
            section("weights", *weights, ("(81 smaller)", 98_304)),
            section("optimizer", *slots, ("(81 smaller)", 98_304)),
            section("config", *((layer, 900) for layer in layers), ("(7 smaller)", 5_000)),
            section("overhead", ("superblock", 96), ("free space", 3_000)),
        ]
        measurement = measured(*parts, name=f"model_{number}.keras")
        total = measurement.bytes_on_disk
        before = measured(*parts[:1], *parts[2:])
        over = number < failed
        headline = f"model_{number}.keras is larger than its budget" if over else ""
        allowed = total // 2 if over else total + 1_000
        made.append(
            CheckResult(
                f"tests/models/test_zoo.py::TestZoo::test_stays_small[model-{number}]",
                measurement.name,
                "failed" if over else "passed",
                headline,
                "\n".join([headline, *["  weights  1,500,256  1,500,256  ="] * lines * over]),
                measurement,
                (size_limit(allowed, total), size_limit(90_000, 23_000, "config")),
                before,
                tuple(EntryChange("optimizer", name, None, size) for name, size, _ in slots),
                {"keras": "3.15.0", "tensorflow": "2.21.0"},
            )
        )
    return made


@dataclass
class Node:
    """An element of the page."""

    tag: str
    attributes: dict
    children: list = field(default_factory=list)

    @property
    def text(self):
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    def all(self, tag="", cls=""):
        """Every element below with this tag and this class, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Node):
                if tag in ("", child.tag) and (not cls or cls in child.classes):
                    found.append(child)
                found += child.all(tag, cls)
        return found

    def one(self, tag="", cls=""):
        (found,) = self.all(tag, cls)
        return found


class _Builder(HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = Node("", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        while self.open[-1].tag in _ENDS.get(tag, ()):
            self.open.pop()
        node = Node(tag, dict(attrs))
        assert len(node.attributes) == len(attrs), "an attribute is given twice"
        self.open[-1].children.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag):
        while self.open[-1].tag != tag:
            assert self.open[-1].tag in ("p", "li", "tbody", "td", "th", "tr"), (
                f"</{tag}> ends <{self.open[-1].tag}>"
            )
            self.open.pop()
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parsed(page):
    """The page as a tree; an end tag that closes another element is an error."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    assert builder.open == [builder.root]
    return builder.root


@dataclass
class Drawn:
    """A rectangle of a treemap, in fractions of the whole map."""

    left: float
    top: float
    width: float
    height: float
    size: int = 0
    name: str = ""
    section: str = ""

    @property
    def area(self):
        return self.width * self.height


def tiles(article):
    """Every tile of an artifact, where it lies in the map, and the bytes that it claims."""
    found = []
    for region in article.one(cls="map").all("ul"):
        around = _place(region.attributes.get("style", ""))
        for tile in region.all("li"):
            inner = _place(tile.attributes.get("style", ""))
            found.append(
                Drawn(
                    around.left + inner.left * around.width,
                    around.top + inner.top * around.height,
                    inner.width * around.width,
                    inner.height * around.height,
                    _bytes(tile.one("span").text),
                    tile.one("b").text,
                    region.classes[0],
                )
            )
    return found


def _place(style):
    edges = dict.fromkeys("tblr", 0.0)
    for written in filter(None, style.split(";")):
        edge, value = re.fullmatch(r"--([tblr]):([0-9.]+)", written).groups()
        edges[edge] = float(value) / 100
    left, top = edges["l"], edges["t"]
    return Drawn(left, top, 1 - left - edges["r"], 1 - top - edges["b"])


def _bytes(text):
    return int(re.match(r"\s*([0-9,]+) B", text)[1].replace(",", ""))

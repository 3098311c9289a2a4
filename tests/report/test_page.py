"""The HTML report, read back by a parser: what it says, what it draws, and what it must not do."""

import base64
import hashlib
import itertools
import re
from dataclasses import replace

import pytest

from pytest_modelsize.report.page import page
from pytest_modelsize.report.page.folding import fold, is_waste
from pytest_modelsize.sizes.measurement import Kind, Section
from pytest_modelsize.storage.check_result import CauseResult, CheckResult, EntryChange
from tests.needs import needs
from tests.report.drawn import (
    EVERY,
    FAILED,
    FULL,
    LEAN,
    PASSED,
    UNCHECKED,
    WASTEFUL,
    a_hundred,
    measured,
    parsed,
    section,
    size_limit,
    tiles,
)

for library in ("jinja2", "squarify"):
    needs(library)


def article_of(result, **options):
    return parsed(page([result], **options)).one("article")


def assert_areas_are_bytes(drawn, total):
    assert sum(tile.size for tile in drawn) == total
    for tile in drawn:
        assert tile.area == pytest.approx(tile.size / total, rel=1e-2, abs=2e-5), tile


@pytest.mark.parametrize("result", [FAILED, PASSED, WASTEFUL], ids=lambda result: result.artifact)
def test_the_area_of_each_tile_is_its_share_of_the_bytes(result):
    assert_areas_are_bytes(tiles(article_of(result)), result.total)


def test_tiles_lie_inside_the_map_and_do_not_overlap():
    drawn = tiles(article_of(a_hundred(many=1)[0]))
    assert len(drawn) > 40
    assert all(t.left >= 0 and t.top >= 0 for t in drawn)
    assert all(t.left + t.width < 1.00001 and t.top + t.height < 1.00001 for t in drawn)
    for one, other in itertools.combinations(drawn, 2):
        across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
        down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
        assert min(across, down) < 2e-5, (one, other)


def test_tiles_are_named_and_sized_as_the_entries_are():
    drawn = {(tile.section, tile.name): tile.size for tile in tiles(article_of(FAILED))}
    assert drawn == {
        ("weights", "conv2d/kernel"): 1_200_000,
        ("weights", "and 9 smaller"): 300_000,
        ("optimizer", "adam/conv2d/kernel momentum"): 1_200_000,
        ("optimizer", "adam/conv2d/kernel velocity"): 1_200_000,
        ("config", "conv2d"): 80_500,
        ("config", "and 98 smaller"): 19_500,
    }


def test_one_byte_beside_an_exabyte_can_be_drawn():
    huge = measured(section("weights", ("w", 10**18), ("v", 1)), section("config", ("c", 1)))
    drawn = tiles(article_of(CheckResult("t", "m", "measured", measurement=huge)))
    assert sum(tile.size for tile in drawn) == 10**18 + 2
    assert max(tile.area for tile in drawn) > 0.999


def test_every_treemap_has_a_table_that_says_the_same():
    for result in (FAILED, PASSED, WASTEFUL, *a_hundred(many=2)):
        article = article_of(result)
        rows = article.one("table", "parts").one("tbody").all("tr")
        groups = [row for row in rows if row.all("th")]
        entries = [row for row in rows if not row.all("th")]
        said = [(row.all("td")[0].text.strip(), row.all("td")[1].text.strip()) for row in entries]
        assert said == [(tile.name, f"{tile.size:,d} B") for tile in tiles(article)]
        sections = {s.name: f"{s.size:,d} B" for s in result.measurement.tree}
        assert {g.one("th").text: g.all("td")[0].text.strip() for g in groups} == sections


def test_the_scale_shows_sections_budget_and_baseline_where_they_belong():
    # 4,000,000 bytes in all: the budget of 2 MB is half of it, the baseline's 1.6 MB two fifths.
    scale = article_of(FAILED).one(cls="scale")
    left = {
        mark.classes[0]: mark.attributes["style"].removeprefix("left:") for mark in scale.all("b")
    }
    assert left == {"budget": "50.000%", "baseline": "40.000%"}
    assert scale.one(cls="excess").attributes["style"] == "left:50.000%;width:50.000%"
    segments = [(i.classes[0], i.attributes["style"]) for i in scale.all("i")][:-1]
    assert segments == [
        ("optimizer", "width:60.000%"),
        ("weights", "width:37.500%"),
        ("config", "width:2.500%"),
    ]
    assert [mark.text for mark in scale.all("b")] == ["budget 2 MB", "baseline 1.6 MB"]


def test_a_budget_that_is_held_has_room_left_on_the_scale():
    scale = article_of(PASSED).one(cls="scale")
    budget, baseline = scale.all("b")
    assert budget.attributes["style"] == "left:100.000%"
    assert baseline.attributes["style"] == "left:80.000%"
    assert not scale.all(cls="excess")


def test_the_summary_lists_failed_ones_first_with_all_their_figures():
    rows = parsed(page(EVERY)).one("table", "summary").one("tbody").all("tr")
    said = [
        [cell.text.strip() for cell in row.children if not isinstance(cell, str)] for row in rows
    ]
    assert said == [
        [
            "failed",
            "model.keras tests/test_unet.py::test_ships",
            "model.keras 4 MB > 2 MB",
            "keras",
            "4 MB",
            "2 MB",
            "200 %",
            "1.6 MB",
            "+2.4 MB +150 %",
        ],
        [
            "not checked",
            "no artifact tests/test_head.py::test_head",
            "budget not checked: no model was found",
            *[""] * 6,
        ],
        [
            "passed",
            "model.keras tests/test_unet.py::test_lean",
            "",
            "keras",
            "1.6 MB",
            "2 MB",
            "80 %",
            "1.6 MB",
            "=",
        ],
        [
            "no budget",
            "net.tflite tests/test_export.py::test_tflite",
            "",
            "tflite",
            "1 MB",
            *[""] * 4,
        ],
    ]
    # On a narrow screen a cell without text is not shown, and a line break would be text.
    assert [row.all("td")[-1].children for row in (rows[1], rows[3])] == [[], []]
    bars = [row.all(cls="bar") for row in rows]
    # The bar of one over its budget is as long as its size: the budget ends half-way.
    assert "over" in bars[0][0].classes
    assert bars[0][0].attributes["style"] == "--v:50.0%"
    assert "over" not in bars[2][0].classes
    assert bars[2][0].attributes["style"] == "--v:80.0%"


def test_the_page_counts_verdicts_and_bytes():
    said = parsed(page(EVERY)).one("header").one("p").text
    # 4,000,000 + 1,600,000 + 1,000,000 bytes.
    assert said == "1 failed, 1 not checked, 1 passed, 1 no budget: 6.6 MB in 3 artifacts."


def test_of_two_that_failed_the_one_further_over_comes_first():
    near = replace(FAILED, test="a", limits=(size_limit(3_000_000, 4_000_000),))
    far = replace(FAILED, test="b", limits=(size_limit(1_000_000, 4_000_000),))
    rows = parsed(page([near, far])).one("table", "summary").one("tbody").all("tr")
    assert [row.one("th").one("span").text for row in rows] == ["b", "a"]


def test_what_grew_is_told_on_its_tile_and_in_the_table_of_changes():
    article = article_of(FAILED)
    marked = {li.one("b").text: li.one("i").text for li in article.all("li", "g")}
    assert marked == {
        "adam/conv2d/kernel momentum": "30 %, float32 3x3, new",
        "adam/conv2d/kernel velocity": "30 %, float32 3x3, new",
        "conv2d": "2.0 %, was 80,000 B",
    }
    rows = article.one("table", "changes").one("tbody").all("tr")
    assert [cell.text.strip() for cell in rows[-1].all("td")] == [
        "changed",
        "config",
        "conv2d",
        "80,000 B",
        "80,500 B",
        "+500 B",
    ]


def test_changes_that_are_not_listed_are_counted():
    many = tuple(EntryChange("weights", f"w{n}", n, n + 1) for n in range(1, 51))
    article = article_of(replace(FAILED, changes=many))
    shown = len(article.one("table", "changes").one("tbody").all("tr"))
    assert 0 < shown < 50
    assert f"and {50 - shown} smaller changes" in article.text


def test_every_limit_is_listed_where_there_is_more_than_the_one_on_the_whole():
    rows = article_of(FAILED).one("table", "limits").one("tbody").all("tr")
    said = [
        [cell.text.strip() for cell in row.children if not isinstance(cell, str)] for row in rows
    ]
    assert said == [
        ["size of the whole artifact", "2MB", "2,000,000 B", "4,000,000 B", "200 %", "no"],
        ["size of optimizer", "0 B", "0 B", "2,400,000 B", "", "no"],
        ["growth of the whole artifact", "5%", "80,000 B", "+2,400,000 B", "3,000 %", "no"],
    ]
    assert not article_of(PASSED).all("table", "limits")


def test_waste_is_marked_whether_it_is_slack_or_stored_twice():
    article = article_of(WASTEFUL)
    assert {li.one("b").text for li in article.one(cls="map").all("li", "x")} == {"gap", "dense_1"}
    legend = article.one("ul", "legend").text
    assert "waste in weights 300 kB" in legend
    assert "waste in overhead 100 kB" in legend


def test_waste_stays_marked_where_it_is_too_small_for_a_tile_of_its_own():
    twice = "waste: the same as weights/a"
    parts = [("a", 1_000), *((f"w{n}", 10, twice) for n in range(5)), ("b", 9), ("c", 9)]
    folded = fold(measured(section("weights", *parts)), 1)
    assert [(p.name, p.size, p.waste) for p in folded[0][1]] == [
        ("a", 1_000, False),
        ("and 5 smaller", 50, True),
        ("and 2 smaller", 18, False),
    ]


@pytest.mark.parametrize(
    ("note", "waste"),
    [
        ("float32 256x256, waste: all zeros", True),
        ("waste: no tensor uses it", True),
        ("float32 3x3x64x64, stored again", True),
        ("float32 3x3x64x64", False),
        ("compressed, 1,234 B unpacked", False),
        ("float32 3 of wastewater/dense", False),
    ],
)
def test_the_notes_of_the_readers_tell_what_is_waste(note, waste):
    assert is_waste(Section("entry", 1, Kind.DATA, (), note)) is waste
    assert is_waste(Section("entry", 1, Kind.SLACK, (), note))


@pytest.mark.parametrize("most", [0, 1, 2, 5, 60])
def test_folding_keeps_the_law_and_counts_what_it_folds(most):
    measurement = a_hundred(many=1)[0].measurement
    for whole, parts in fold(measurement, most):
        assert sum(part.size for part in parts) == whole.size
        hidden = {child.name for child in whole.children} - {part.name for part in parts}
        # "(81 smaller)" stands for 81, every other one for itself.
        standing = sum(int((re.match(r"\((\d+)", name) or [0, 1])[1]) for name in hidden)
        assert sum(part.folded for part in parts) == standing
    named = [p for _, parts in fold(measurement, most) for p in parts if not p.folded]
    # One that is left over alone keeps its name: "and 1 smaller" would say less.
    assert min(most, 62) <= len(named) <= min(most + len(measurement.tree), 62)


def test_a_single_entry_is_never_folded_into_and_1_smaller():
    parts = fold(measured(section("weights", ("a", 9), ("b", 1))), 1)[0][1]
    assert [part.name for part in parts] == ["a", "b"]


def test_an_artifact_that_was_not_measured_says_why():
    article = article_of(UNCHECKED)
    assert article.one(cls="headline").text == UNCHECKED.headline
    assert article.one("pre").text == UNCHECKED.detail
    assert not article.all(cls="map")
    assert "Nothing was measured" in article.text


def test_an_empty_artifact_a_budget_of_nothing_and_no_artifact_at_all_make_pages():
    empty = CheckResult("t", "m", "passed", measurement=measured(), limits=(size_limit(0, 0),))
    assert "0 B on disk" in article_of(empty).text
    over = replace(PASSED, verdict="failed", limits=(size_limit(0, 1_600_000),), baseline=None)
    row = parsed(page([over])).one("table", "summary").one("tbody").one("tr")
    assert [cell.text for cell in row.all("td")][-3:] == ["1.6 MB", "0 B", "over"]
    assert "No artifact was measured" in parsed(page([])).one("header").text


HOSTILE = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>' {{ 7*7 }} "
    "\x1b[31mred\u202egnp\u2066.exe\nnext\x00\ud800 </style></title></pre></details>-->&amp;"
)


def test_hostile_names_come_out_as_text():
    evil = section("weights", (HOSTILE, 900, HOSTILE), (HOSTILE + "2", 90, "waste " + HOSTILE))
    result = CheckResult(
        HOSTILE,
        HOSTILE,
        "failed",
        HOSTILE,
        HOSTILE + "\n" + HOSTILE,
        measured(evil, name=HOSTILE, format=HOSTILE),
        (size_limit(10, 990, written=HOSTILE), size_limit(10, 990, "weights", HOSTILE)),
        measured(section("weights", (HOSTILE, 10))),
        (EntryChange(HOSTILE, HOSTILE, None, 900), EntryChange("weights", HOSTILE, 1, 900)),
        {HOSTILE: HOSTILE},
    )
    text = page([result], title=HOSTILE, version=HOSTILE)
    text.encode()
    root = parsed(text)
    known = {node.tag for node in parsed(page(EVERY)).all()}
    assert {node.tag for node in root.all()} <= known
    assert not [a for node in root.all() for a in node.attributes if a.startswith("on")]
    for forbidden in "\x1b\u202e\u2066\x00\ud800":
        assert forbidden not in text
    # As text it is all there, the unprintable spelt out.
    name = root.one(cls="map").all("b")[0].text
    assert name.startswith("<script>alert(1)</script>\"><img src=x onerror=alert(1)>' {{ 7*7 }} ")
    assert "\\x1b[31mred\\u202egnp\\u2066.exe\\nnext\\x00\\ud800 </style>" in name
    # The text of a failure has lines of its own: two of them, and each has one more inside.
    assert root.one("pre").text.count("\n") == 3


@pytest.mark.parametrize("failed", [0, 5, 100])
def test_a_hundred_models_make_less_than_300_kb_and_still_add_up(failed):
    results = a_hundred(failed)
    text = page(results, version="1.0.0")
    assert len(text.encode()) < 300_000
    articles = parsed(text).all("article")
    assert len(articles) == 100
    totals = sorted(result.total for result in results)
    assert sorted(sum(tile.size for tile in tiles(article)) for article in articles) == totals
    for article in articles[:10]:
        drawn = tiles(article)
        assert_areas_are_bytes(drawn, sum(tile.size for tile in drawn))


def test_a_hundred_models_with_names_as_long_as_they_get_stay_below_300_kb():
    long = "<&" * 500
    results = [
        replace(
            result,
            test=f"{number}{long}",
            artifact=long,
            headline=long,
            detail="\n".join([long] * 50),
            versions={long: long},
            changes=(EntryChange("weights", long, 1, 2),) * 20,
            measurement=measured(
                section("weights", *((f"{n}{long}", 1_000, long) for n in range(60))), name=long
            ),
        )
        for number, result in enumerate(a_hundred(100))
    ]
    assert len(page(results).encode()) < 300_000


def test_failed_artifacts_keep_more_tiles_than_others_when_room_is_short():
    counts = {"failed": [], "passed": []}
    for article in parsed(page(a_hundred(5))).all("article"):
        counts[article.classes[0]].append(len(tiles(article)))
    assert min(counts["failed"]) > max(counts["passed"])
    assert min(counts["passed"]) >= 6
    assert min(counts["failed"]) >= 12


def test_a_few_models_are_shown_with_every_entry_that_was_recorded():
    # Of the 62 named entries, 60 have tiles; of the other two, one joins the unnamed ones of its
    # section, and the one that is alone keeps its name.
    for article in parsed(page(a_hundred(1, many=5))).all("article"):
        assert sum(not tile.name.startswith("and ") for tile in tiles(article)) == 61
        assert article.all("table", "parts")


def test_the_page_needs_nothing_from_anywhere():
    text = page(EVERY)
    root = parsed(text)
    tags = {node.tag for node in root.all()}
    assert not tags & {"link", "img", "iframe", "object", "embed", "base", "form"}
    policy = next(n for n in root.all("meta") if "http-equiv" in n.attributes)
    assert policy.attributes["http-equiv"] == "Content-Security-Policy"
    assert "default-src 'none'" in policy.attributes["content"]
    # One script, known to the policy by what is in it: https://www.w3.org/TR/CSP3/#external-hash
    script = root.one("script")
    assert not script.attributes
    known = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert f"script-src 'sha256-{known}';" in policy.attributes["content"]
    assert not re.search(r"url\(|@import|https?:", text)
    targets = {node.attributes["href"] for node in root.all("a")}
    ids = [node.attributes["id"] for node in root.all() if "id" in node.attributes]
    assert targets <= {f"#{id}" for id in ids}
    assert len(set(ids)) == len(ids)


def test_the_page_is_one_that_a_screen_reader_finds_its_way_through():
    root = parsed(page(EVERY))
    assert root.one("html").attributes["lang"] == "en"
    assert all(len(root.all(tag)) == 1 for tag in ("header", "main", "footer", "h1", "title"))
    levels = [int(node.tag[1]) for node in root.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels == [1, 2, 2, 3, 3, 3, 3]
    ids = {node.attributes.get("id") for node in root.all()}
    for node in root.all("section"):
        assert node.attributes["aria-labelledby"] in ids
    for node in root.all("th"):
        assert node.attributes["scope"] in ("col", "row")
    regions = [ul for area in root.all(cls="map") for ul in area.all("ul")]
    assert regions[0].attributes["aria-label"] == "optimizer"
    focusable = [li for region in regions for li in region.all("li")]
    assert all(li.attributes["tabindex"] == "0" for li in focusable)


def test_the_same_records_make_the_same_page_in_whichever_order_they_come():
    results = a_hundred(3, many=6)
    assert page(results) == page(results[::-1])
    assert page(EVERY) == page(EVERY)


def luminance(colour):
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes():
    style = parsed(page([])).one("style").text
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    )
    return {"light": light, "dark": {**light, **dark}}


def test_the_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_that_wcag_aa_asks_for(scheme):
    colours = palettes()[scheme]
    pairs = [
        (text, ground)
        for text in ("ink", "muted", "link", "bad", "good", "doubt", "plain")
        for ground in ("paper", "raised")
    ]
    pairs += [(f"{name}-ink", name) for name in LEAN.sections]
    pairs += [("waste-ink", "waste"), ("waste-ink", "waste-stripe"), ("paper", "bad")]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tiles_stand_out_from_the_page_and_the_optimizer_from_the_other_sections(scheme):
    colours = palettes()[scheme]
    calm = ("weights", "config", "graph", "assets", "overhead")
    # 3:1 is what WCAG 1.4.11 asks of graphics.
    for name in calm:
        assert contrast(colours[name], colours["paper"]) >= 3, name
    for loud in ("optimizer", "waste"):
        for name in calm:
            assert contrast(colours[loud], colours[name]) >= 1.8, (loud, name)
    assert contrast(colours["bad"], colours["paper"]) >= 3


def test_the_failure_s_text_is_shown_line_by_line():
    assert article_of(FAILED).one("pre").text == FAILED.detail


def test_the_whole_tree_of_a_measurement_that_is_not_condensed_still_adds_up():
    layer = section("conv2d", ("kernel", 700), ("bias", 50))
    tree = measured(section("weights", layer, ("dense", 250)))
    drawn = tiles(article_of(CheckResult("t", "m", "measured", measurement=tree)))
    assert {tile.name: tile.size for tile in drawn} == {"conv2d": 750, "dense": 250}


def test_full_and_lean_are_what_the_other_tests_take_them_for():
    assert (FULL.bytes_on_disk, LEAN.bytes_on_disk) == (4_000_000, 1_600_000)


SECTION_OVER = replace(
    PASSED,
    test="t.py::test_section",
    verdict="failed",
    headline="model.keras: config 100 kB > 50 kB",
    limits=(size_limit(2_000_000, 1_600_000), size_limit(50_000, 100_000, "config")),
)


def rows_of(*results):
    return parsed(page(results)).one("table", "summary").one("tbody").all("tr")


def test_a_row_says_why_it_failed_and_has_the_colour_of_its_verdict_whichever_limit_broke():
    (row,) = rows_of(SECTION_OVER)
    assert row.classes == ["failed"]
    assert row.one("td", "y").text == SECTION_OVER.headline
    # The whole is within its budget: the bar is as long as its share, and no part is in excess.
    bar = row.one(cls="bar")
    assert (bar.classes, bar.attributes["style"]) == (["bar"], "--v:80.0%")
    style = parsed(page([])).one("style").text
    tones = dict(re.findall(r"\.(\w+) \.bar \{ --tone: var\(--(\w+)\); \}", style))
    assert tones["passed"] == "good"
    assert tones["failed"] == "bad"
    # What has no rule of its own is plain; no rule of a bar names a colour but by its tone.
    assert re.search(r"\.bar \{\s+--tone: var\(--plain\);", style)
    for rule in re.findall(r"\.bar(?:\.over)? \{[^}]*gradient[^}]*\}", style):
        assert not re.search(r"--(good|bad|doubt)\b", rule)


@pytest.mark.parametrize(
    ("results", "columns"),
    [
        ([PASSED], ["Total", "Budget", "Share of budget", "Baseline", "Growth"]),
        ([WASTEFUL], ["Total"]),
        ([UNCHECKED], ["Why"]),
        ([replace(PASSED, baseline=None)], ["Total", "Budget", "Share of budget"]),
        ([UNCHECKED, WASTEFUL], ["Why", "Total"]),
    ],
    ids=["all but why", "no budget", "nothing measured", "no baseline", "two"],
)
def test_columns_without_a_word_are_left_out(results, columns):
    head = parsed(page(results)).one("table", "summary").one("thead").all("th")
    said = [cell.text for cell in head]
    formats = ["Format"] if any(r.measurement for r in results) else []
    at = columns.index("Total") if "Total" in columns else len(columns)
    assert said == ["Verdict", "Artifact and test", *columns[:at], *formats, *columns[at:]]
    for row in rows_of(*results):
        assert len(row.all("td")) + len(row.all("th")) == len(said)


def test_columns_of_the_other_tables_go_too_where_they_are_empty():
    new = tuple(EntryChange("optimizer", f"m{n}", None, 5 + n) for n in range(3))
    table = article_of(replace(FAILED, changes=new)).one("table", "changes")
    assert [cell.text for cell in table.all("th")] == [
        "Change", "Section", "Entry", "After", "Bytes"
    ]  # fmt: skip
    zero = replace(PASSED, limits=(size_limit(0, 1_600_000), size_limit(0, 1, "config")))
    table = article_of(zero).one("table", "limits")
    assert "Share" not in [cell.text for cell in table.all("th")]


@pytest.mark.parametrize(
    ("verdict", "outcome", "standing"),
    [
        ("failed", "xfailed", "xfailed"),
        ("passed", "xpassed", "xpassed"),
        ("passed", "xpassed(strict)", "failed"),
        ("skipped", "skipped", "skipped"),
        ("skipped", "xfailed", "xfailed"),
        ("failed", "failed", "failed"),
        ("passed", "", "passed"),
    ],
)
def test_what_pytest_was_told_to_expect_is_what_the_page_says(verdict, outcome, standing):
    measurement = None if verdict == "skipped" else LEAN
    one = replace(FAILED, verdict=verdict, outcome=outcome, measurement=measurement)
    (row,) = rows_of(one)
    assert row.classes == [standing]
    assert row.one("b", "badge").text == standing
    root = parsed(page([one]))
    assert root.one("article").classes == [standing]
    assert root.one("header").one("p").text.startswith(f"1 {standing}")


def test_two_artifacts_of_one_test_never_look_the_same():
    lean = replace(PASSED, key="model.keras without optimizer state")
    full = replace(PASSED, key="model.keras")
    again = replace(PASSED, key="model.keras")
    names = [row.one("a").text for row in rows_of(lean, full, again)]
    assert len(set(names)) == 3
    assert "model.keras without optimizer state" in names


def test_two_entries_of_a_section_never_look_the_same():
    long = "encoder/" * 20
    parts = [(f"{long}{n}/kernel{long}", 1_000 + n) for n in range(40)]
    twice = [("kernel", 100), ("kernel", 90)]
    many = CheckResult("t", "m", "measured", measurement=measured(section("weights", *parts, *twice)))  # fmt: skip
    for results in ([many], [replace(many, test=f"t{n}") for n in range(100)]):
        article = parsed(page(results)).all("article")[0]
        drawn = [tile.name for tile in tiles(article)]
        assert len(set(drawn)) == len(drawn)


def test_causes_stand_on_the_page_with_their_bytes_their_fix_and_what_it_gives():
    causes = (
        CauseResult("optimizer state", "adam, 2 slots", 2_400_000, "save lean\nmodel.optimizer = None", 1_600_000, "measured"),
        CauseResult("copies", "w twice", 300_000, "tie them", None, "named"),
    )  # fmt: skip
    first, second = article_of(replace(FAILED, causes=causes)).one("ul", "causes").all("li")
    # 2,400,000 of 4,000,000 bytes.
    assert " ".join(first.text.split()) == (
        "optimizer state 2.4 MB (60 %): adam, 2 slots Fix: save lean: "
        "1.6 MB in all (measured) model.optimizer = None"
    )
    assert first.one("pre").text.strip() == "model.optimizer = None"
    assert " ".join(second.text.split()) == "copies 300 kB (7.5 %): w twice Fix: tie them"


def test_the_types_of_the_weights_stand_beside_them():
    article = article_of(replace(PASSED, dtypes={"float32": 750_000, "int8": 250_000}))
    (weights,) = article.one("ul", "legend").all("li", "weights")
    assert "float32 75 %, int8 25 %" in weights.text
    assert "float32 75 %, int8 25 %" in article.one("table", "parts").text


def region_widths(article, cls):
    return float(article.one(cls=cls).attributes["style"].removeprefix("--p:"))


def test_the_baseline_is_drawn_beside_the_artifact_on_one_scale():
    article = article_of(FAILED)
    # 1,600,000 bytes before, 4,000,000 now.
    before, now = region_widths(article, "was"), region_widths(article, "map")
    assert before / now == pytest.approx(1.6 / 4, rel=1e-4)
    assert before + now == pytest.approx(100, abs=0.01)
    assert article.one(cls="was").attributes["aria-label"] == "Baseline: treemap of 1,600,000 B"
    # Entries that are as they were carry no mark, on either side.
    marks = {
        (cls, li.one("b").text): li.classes[0]
        for cls in ("was", "map")
        for li in article.one(cls=cls).all("li")
        if set(li.classes) & {"g", "d", "o"}
    }
    assert marks == {
        ("was", "conv2d"): "g",
        ("map", "conv2d"): "g",
        ("map", "adam/conv2d/kernel momentum"): "g",
        ("map", "adam/conv2d/kernel velocity"): "g",
    }


def test_what_is_gone_is_marked_where_it_was_and_what_shrank_on_both_sides():
    smaller = measured(
        section("weights", ("conv2d/kernel", 900_000), ("(9 smaller)", 300_000)),
        section("config", ("conv2d", 80_000), ("(98 smaller)", 20_000)),
    )
    article = article_of(replace(PASSED, measurement=smaller, baseline=FULL))
    told = {
        (cls, li.one("b").text): (li.classes[0], li.one("i").text.rpartition(", ")[2])
        for cls in ("was", "map")
        for li in article.one(cls=cls).all("li")
        if set(li.classes) & {"g", "d", "o"}
    }
    assert told == {
        ("was", "adam/conv2d/kernel momentum"): ("o", "gone"),
        ("was", "adam/conv2d/kernel velocity"): ("o", "gone"),
        ("was", "conv2d/kernel"): ("d", "now 900,000 B"),
        ("was", "conv2d"): ("d", "now 80,000 B"),
        ("map", "conv2d/kernel"): ("d", "was 1,200,000 B"),
        ("map", "conv2d"): ("d", "was 80,500 B"),
    }
    # A section that is gone has no place on the scale, and is told in the legend.
    assert "gone: optimizer −2.4 MB" in article.one("ul", "legend").text


def test_there_is_one_picture_where_nothing_changed_or_there_is_no_baseline():
    for result in (PASSED, WASTEFUL, replace(FAILED, baseline=None)):
        article = article_of(result)
        assert not article.all(cls="was")
        assert "style" not in article.one(cls="map").attributes


def test_one_artifact_alone_needs_no_box_to_search_in_and_no_script():
    assert not parsed(page([FAILED])).all("script")
    assert "script-src" not in page([FAILED])
    assert parsed(page(EVERY)).one("search").attributes == {"hidden": None}

"""The HTML report in a real Chromium: what it looks like, measured where a person would look."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files

import pytest

from pytest_modelsize.report.page import page
from pytest_modelsize.storage.check_result import CauseResult
from tests.needs import lacks, needs
from tests.report import chromium
from tests.report.drawn import EVERY, FAILED, WASTEFUL, a_hundred

for library in ("jinja2", "squarify"):
    needs(library)
pytestmark = [
    pytest.mark.skipif(chromium.found() is None, reason=lacks("Chromium")),
    pytest.mark.skipif(sys.platform == "win32", reason=lacks("Unix pipes to drive a browser over")),
]

ALONE = replace(FAILED, test="tests/test_unet.py::test_alone", baseline=None, changes=())
RECORDS = (*EVERY, ALONE, *a_hundred(1, many=2))

# Every tile: its bytes, what it says, and where it is on the screen.
TILES = """
[...document.querySelectorAll("article")].map(article =>
  [...article.querySelectorAll(".map li")].map(li => {
    const box = li.getBoundingClientRect(), map = li.closest(".map").getBoundingClientRect();
    const size = li.querySelector("span").textContent.split(" B")[0].replaceAll(",", "");
    return {size: Number(size), width: box.width, height: box.height,
            left: box.left - map.left, top: box.top - map.top,
            mapWidth: map.width, mapHeight: map.height};
  })).filter(tiles => tiles.length)
"""

# The contrast of each text with what is behind it, by WCAG's formula, from the computed colours.
CONTRASTS = """
(() => {
  const parse = colour => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (style.backgroundImage !== "none")
        return style.backgroundImage.match(/rgba?\\([^)]*\\)/g).map(parse);
      const colour = parse(style.backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return [colour];
    }
    return [[255, 255, 255]];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim(), node = walk.currentNode.parentElement;
    if (!text || !node.checkVisibility()) continue;
    const ink = light(parse(getComputedStyle(node).color));
    for (const ground of behind(node).map(light)) {
      const [high, low] = ink > ground ? [ink, ground] : [ground, ink];
      found.push([text, Math.round(100 * (high + 0.05) / (low + 0.05)) / 100]);
    }
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(RECORDS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium.Chromium(chromium.found(), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (1200, "dark"), (320, "light")])
def test_the_page_loads_without_a_complaint_or_a_request(browser, file, width, scheme):
    browser.open(file, width=width, prefers_color_scheme=scheme)
    browser.screenshot()
    requests = browser.happened("Network.requestWillBeSent")
    assert [r["params"]["request"]["url"] for r in requests] == [file.as_uri()]
    assert not browser.happened(
        "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"
    )


def test_a_request_or_a_complaint_would_have_been_noticed(browser, tmp_path):
    other = tmp_path / "other.html"
    other.write_text('<img src="other.png"><script>console.error(1); throw 1</script>')
    browser.open(other)
    assert len(browser.happened("Network.requestWillBeSent")) == 2
    assert browser.happened("Runtime.consoleAPICalled")
    assert browser.happened("Runtime.exceptionThrown")


def test_the_page_s_policy_lets_no_script_and_no_image_in(browser, file, tmp_path):
    text = file.read_text(encoding="utf-8")
    forged = tmp_path / "forged.html"
    evil = '<img src="https://example.org/x.png"><script>document.title = "forged"</script><main>'
    forged.write_text(text.replace("<main>", evil), encoding="utf-8")
    browser.open(forged)
    assert browser.evaluate("document.title") == "Model sizes"
    blocked = browser.happened("Network.loadingFailed")
    assert [event["params"]["blockedReason"] for event in blocked] == ["csp"]


@pytest.mark.parametrize("width", [1200, 700, 320])
def test_tiles_on_the_screen_have_areas_in_proportion_to_bytes(browser, file, width):
    browser.open(file, width=width)
    maps = browser.evaluate(TILES)
    totals = sorted(result.total for result in RECORDS if result.measurement)
    assert sorted(sum(tile["size"] for tile in tiles) for tiles in maps) == totals
    for tiles in maps:
        total = sum(tile["size"] for tile in tiles)
        whole = tiles[0]["mapWidth"] * tiles[0]["mapHeight"]
        assert whole > 60_000
        assert sum(tile["width"] * tile["height"] for tile in tiles) == pytest.approx(
            whole, rel=0.01
        )
        for tile in tiles:
            # Browsers lay out in 64ths of a pixel: an edge may be off by as much.
            slack = (tile["width"] + tile["height"]) / 16 + 0.1
            expected = whole * tile["size"] / total
            assert tile["width"] * tile["height"] == pytest.approx(expected, abs=slack), tile
            assert tile["left"] > -0.1
            assert tile["top"] > -0.1
            assert tile["left"] + tile["width"] < tile["mapWidth"] + 0.1
            assert tile["top"] + tile["height"] < tile["mapHeight"] + 0.1


def test_a_narrow_screen_turns_the_picture(browser, file):
    places = """
    (map => {
      const [one, other] = [".optimizer", ".weights"].map(name => map.querySelector(name))
        .map(list => list.getBoundingClientRect());
      return [map.clientWidth / map.clientHeight, other.left - one.left, other.top - one.top];
    })([...document.querySelectorAll("article")].find(
      article => article.textContent.includes("test_alone")).querySelector(".map"))
    """
    browser.open(file, width=1200)
    shape, across, down = browser.evaluate(places)
    assert shape == pytest.approx(5 / 2, rel=0.01)
    assert (across > 100, down) == (True, 0)
    browser.open(file, width=320)
    shape, across, down = browser.evaluate(places)
    assert shape == pytest.approx(2 / 5, rel=0.01)
    assert (across, down > 100) == (0, True)


@pytest.mark.parametrize("width", [320, 400, 561, 760, 941, 1081])
def test_nothing_has_to_be_scrolled_sideways(browser, file, width):
    browser.open(file, width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    # Not even while the card of a tile at an edge is shown.
    browser.evaluate("[...document.querySelectorAll('.map')].at(-1).querySelector('li.r').focus()")
    assert browser.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [1200, 320])
def test_the_tab_key_reaches_every_tile_and_shows_its_card(browser, file, width):
    browser.open(file, width=width)
    count = browser.evaluate(
        "document.querySelector('article').querySelectorAll(':is(.map, .was) li').length"
    )
    reached = []
    for _ in range(160):
        browser.press_tab()
        focused = browser.evaluate(
            "(n => n.matches(':is(.map, .was) li') ? [n.textContent, getComputedStyle(n).outlineStyle,"
            " getComputedStyle(n).outlineWidth, n.querySelector('p').getBoundingClientRect().width,"
            " n.querySelector('p').getBoundingClientRect().right, innerWidth] : null)"
            "(document.activeElement)"
        )
        if focused is None and reached:
            break
        if focused is not None:
            text, style, outline, card, right, window = focused
            reached.append(" ".join(text.split()))
            assert (style, outline) == ("solid", "3px")
            assert 100 < card < 340
            assert right <= window
    assert len(reached) == count
    assert any("momentum" in text and " B " in text for text in reached)


def test_a_card_is_shown_where_the_mouse_is_and_holds_bytes_share_and_note(browser, file):
    browser.open(file)
    x, y = browser.evaluate(
        "(n => {n.scrollIntoView({block: 'center'}); const b = n.getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2]})"
        "([...document.querySelectorAll('.map li.x')].find(n => n.textContent.includes('dense_1')))"
    )
    browser.hover(x, y)
    shown = browser.evaluate(
        "(n => [n.innerText, getComputedStyle(n.querySelector('i')).opacity])"
        "(document.querySelector('.map li:hover p'))"
    )
    text = " ".join(shown[0].split())
    assert text == ("dense_1 300,000 B 30 %, int8 300x1000, waste: the same as weights/dense")
    assert shown[1] == "1"


def test_a_summary_row_leads_to_its_artifact(browser, file):
    browser.open(file)
    for _ in range(3):  # the link to the summary, the box to search in, the first row's link
        browser.press_tab()
    link = browser.evaluate("document.activeElement.getAttribute('href')")
    assert link == "#a1"
    browser.evaluate("document.activeElement.click()")
    top = browser.evaluate("document.querySelector('article').getBoundingClientRect().top")
    assert 0 <= top < 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 320])
def test_every_text_on_the_screen_can_be_read(browser, file, scheme, width):
    browser.open(file, width=width, prefers_color_scheme=scheme)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = browser.evaluate(CONTRASTS)
    assert len(found) > 300
    assert [(text, ratio) for text, ratio in found if ratio < 4.5] == []


def test_dark_mode_is_dark(browser, file):
    ground = "getComputedStyle(document.body).backgroundColor"
    browser.open(file, prefers_color_scheme="light")
    assert browser.evaluate(ground) == "rgb(255, 255, 255)"
    browser.open(file, prefers_color_scheme="dark")
    assert max(map(int, re.findall(r"\d+", browser.evaluate(ground)))) < 40


def test_a_screen_reader_is_told_of_lists_tables_and_landmarks(browser, file):
    for width in (1200, 320):
        browser.open(file, width=width)
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
        roles = [node["role"]["value"] for node in nodes if not node["ignored"]]
        for landmark in ("banner", "main", "contentinfo"):
            assert roles.count(landmark) == 1, (width, landmark)
        # Each artifact that was measured: a group of lists, and the same as a table.
        assert roles.count("group") >= 5
        tables = browser.evaluate("document.querySelectorAll('table').length")
        assert roles.count("table") == tables > 8
        assert roles.count("rowheader") > 10
        tiles = browser.evaluate("document.querySelectorAll('.map li').length")
        assert roles.count("listitem") >= tiles


def test_print_opens_details_keeps_colours_and_is_not_dark(browser, tmp_path):
    file = tmp_path / "few.html"
    file.write_text(page(EVERY), encoding="utf-8")
    browser.open(file, prefers_color_scheme="dark")
    data = browser.pdf()
    assert data.startswith(b"%PDF-")
    # A page of text needs its fonts: Chromium has been seen to print blank pages.
    assert data.count(b"/FontDescriptor") > 1
    assert len(data) > 40_000
    reader = shutil.which("pdftotext")
    if reader is not None:
        (tmp_path / "page.pdf").write_bytes(data)
        text = subprocess.run(
            [reader, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True
        ).stdout
        assert "2,400,000 B" in text
        assert "budget not checked: no model was found" in text
        assert "tests/test_head.py:3" in text, "the failure's text stays folded"
    browser.send(
        "Emulation.setEmulatedMedia",
        media="print",
        features=[{"name": "prefers-color-scheme", "value": "dark"}],
    )
    colours = browser.evaluate(
        "[getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('.map li')).printColorAdjust]"
    )
    assert colours == ["rgb(255, 255, 255)", "exact"]
    folded = (
        "[...document.querySelectorAll('details > :not(summary)')].map(n => n.checkVisibility())"
    )
    assert set(browser.evaluate(folded)) == {True}
    browser.open(file)
    assert False in browser.evaluate(folded)


def test_optimizer_state_and_waste_are_seen_at_once(browser, file):
    browser.open(file)
    grounds = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.map li')].map(li =>"
        " [li.classList.contains('x') ? 'waste' : li.parentElement.className,"
        "  [getComputedStyle(li).backgroundColor, getComputedStyle(li).backgroundImage]]))"
    )
    red, green, blue = map(int, re.findall(r"\d+", grounds["optimizer"][0]))
    assert red > 200
    assert red > 1.5 * green > 2 * blue
    assert "repeating-linear-gradient" in grounds["waste"][1]
    assert all(image == "none" for name, (_, image) in grounds.items() if name != "waste")


def test_both_runs_are_drawn_on_one_scale(browser, file):
    for width in (1200, 320):
        browser.open(file, width=width)
        pairs = browser.evaluate("""
        [...document.querySelectorAll(".two")].map(pair => [...pair.children].map(map => {
          const box = map.getBoundingClientRect();
          return [box.width * box.height, Number(map.getAttribute("aria-label").replace(/\\D/g, ""))];
        }))
        """)
        assert len(pairs) == 3
        for (old_area, old), (new_area, new) in pairs:
            assert old_area > 5_000
            assert old_area / new_area == pytest.approx(old / new, rel=0.01)


# What a person sees of each label: nothing, or all of it, and where its lines end.
LABELS = """
[...document.querySelectorAll(":is(.map, .was) li b")].map(b => {
  const box = b.getBoundingClientRect(), tile = b.parentElement.getBoundingClientRect(), lines = [];
  if (box.height < 1) return null;
  const walk = document.createTreeWalker(b, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent, range = document.createRange();
    for (let at = 0; at < text.length; at++) {
      range.setStart(walk.currentNode, at); range.setEnd(walk.currentNode, at + 1);
      const {top, right, bottom, width} = range.getBoundingClientRect();
      if (!width) continue;
      if (!lines.length || top > lines.at(-1).top + 3) lines.push({top, right, bottom, text: ""});
      const line = lines.at(-1);
      line.text += text[at]; line.right = Math.max(line.right, right);
    }
  }
  return {name: b.textContent, lines: lines.map(line => line.text),
          cut: Math.max(...lines.map(line => line.right)) > tile.right + 0.1
            || lines.at(-1).bottom > Math.min(tile.bottom, box.bottom) + 2};
})
"""


@pytest.mark.parametrize("width", [1200, 700, 320])
def test_a_label_is_whole_and_broken_at_a_slash_or_left_out(browser, file, width):
    browser.open(file, width=width)
    labels = browser.evaluate(LABELS)
    shown = [label for label in labels if label]
    assert len(shown) > 20
    assert any(label is None for label in labels)
    assert any(len(label["lines"]) > 2 for label in shown)
    for label in shown:
        assert not label["cut"], label
        assert "".join(label["lines"]).replace(" ", "") == label["name"].replace(" ", "")
        whole = label["name"]
        for line in label["lines"][:-1]:
            whole = whole.lstrip(" ").removeprefix(line.rstrip(" "))
            assert line.endswith("/") or whole.startswith(" "), label


def test_no_size_on_a_tile_is_cut_to_another_number(browser, file):
    browser.open(file)
    cut = browser.evaluate(
        "[...document.querySelectorAll(':is(.map, .was) li span')]"
        ".filter(s => s.clientHeight > 1 && s.scrollWidth > s.clientWidth).map(s => s.textContent)"
    )
    assert cut == []


def find(browser, text):
    """Type into the box, and return what is shown of rows, of artifacts, and is said."""
    browser.evaluate("document.getElementById('find').select()")
    browser.send("Input.insertText", text=text)
    return browser.evaluate(
        "[...['#summary tbody tr', 'article'].map(what =>"
        " [...document.querySelectorAll(what)].filter(n => n.checkVisibility()).length),"
        " document.getElementById('found').textContent]"
    )


@pytest.mark.parametrize("width", [1200, 320])
def test_the_box_finds_what_it_is_asked_for(browser, file, width):
    browser.open(file, width=width)
    many = len(RECORDS)
    assert find(browser, "TFLite") == [1, 1, f"1 of {many}"]
    assert find(browser, "not checked") == [1, 1, f"1 of {many}"]
    # All words, in any order, in whatever is said of one artifact: an entry of it, here.
    assert find(browser, "velocity  failed") == [2, 2, f"2 of {many}"]
    assert find(browser, "<nothing>") == [0, 0, f"0 of {many}"]
    assert find(browser, " ") == [many, many, ""]


def test_without_its_script_the_page_has_all_but_the_box(browser, file):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(file)
        shown = browser.evaluate(
            "[...['search', '#summary tbody tr', 'article'].map(what =>"
            " [...document.querySelectorAll(what)].filter(n => n.checkVisibility()).length)]"
        )
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert shown == [0, len(RECORDS), len(RECORDS)]


CAUSES = tuple(
    CauseResult(f"cause {n}", "what was found, in a sentence or two " * 3, 10**6, "do\nthis()", 5, "named")
    for n in range(5)
)  # fmt: skip


@pytest.mark.parametrize("failed", [8, 40])
def test_forty_results_are_printed_on_at_most_twelve_pages(browser, tmp_path, failed):
    results = [
        replace(result, headline=f"{result.artifact} 25 MB > 12.5 MB", causes=CAUSES)
        if result.verdict == "failed"
        else result
        for result in a_hundred(failed, many=40)
    ]  # fmt: skip
    path = tmp_path / "forty.html"
    path.write_text(page(results), encoding="utf-8")
    browser.open(path)
    data = browser.pdf()
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    assert 2 <= pages <= 12
    browser.send("Emulation.setEmulatedMedia", media="print")
    shown = browser.evaluate(
        "[...document.querySelectorAll('article')].filter(n => n.checkVisibility()).length"
    )
    assert shown == failed


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (320, "dark")])
def test_axe_finds_nothing(browser, file, width, scheme):
    """https://github.com/dequelabs/axe-core, with all of its rules, the experimental ones left out."""
    needs("axe_core_python")
    script = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    browser.open(file, width=width, prefers_color_scheme=scheme)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.evaluate(f"{script};0")
    found = browser.evaluate(
        "axe.run().then(r => [r.passes.length, r.violations.map(v => [v.id, v.nodes[0].html])])"
    )
    assert found[0] > 20
    assert found[1] == []


def test_the_records_drawn_here_hold_what_these_tests_look_for():
    assert FAILED in RECORDS
    assert WASTEFUL in RECORDS

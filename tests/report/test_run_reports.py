"""A run's table, Markdown and CSV, from results made by hand."""

import csv
import html
import io
import json
import re

import pytest

from pytest_modelsize.report.csv_report import as_csv
from pytest_modelsize.report.json_report import as_json_report
from pytest_modelsize.report.markdown import COMMENT_LIMIT, MARK, markdown
from pytest_modelsize.report.summary import slack, summary
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.check_result import CauseResult, CheckResult, EntryChange, LimitResult
from pytest_modelsize.storage.check_result_json import result_as_json, result_from_json
from tests.measurements import measured

HOSTILE = "a|b`*_<script>alert(1)</script>\n\x1b[31m\u202e@team #1 [x](y) &amp;"


def result(total=1_000_000, budget=2_000_000, written="2MB", verdict="passed", **keywords):
    sizes = {"weights/dense/kernel": max(0, total - 40), "overhead/superblock": 40}
    keywords = {
        "test": "t.py::test_net",
        "artifact": "model.keras",
        "measurement": condense(measured(sizes)),
        "limits": (LimitResult("size", None, budget, total, written),),
        **keywords,
    }
    return CheckResult(verdict=verdict, **keywords)


@pytest.mark.parametrize(
    ("total", "budget", "written", "said"),
    [
        (1_000_000, 2_000_000, "2MB", "50 % loose: 1.1 MB would do"),
        (1_499_999, 2_000_000, "2MB", "25 % loose: 1.7 MB would do"),
        (1_500_000, 2_000_000, "2MB", ""),
        (1024, 4096, "4 KiB", "75 % loose: 1.17 KiB would do"),
        (0, 10, "10 B", ""),
    ],
)
def test_a_budget_far_above_what_it_holds_is_called_loose(total, budget, written, said):
    measurement = measured({"weights/w": total}) if total else measured({})
    assert slack(result(total, budget, written, measurement=measurement)) == said


def test_the_size_that_would_do_would_do():
    for total in (1, 7, 99, 12_345, 999_999, 10**9):
        text = slack(result(total, total * 10, "x", measurement=measured({"weights/w": total})))
        number, unit = re.search(r"loose: ([\d.]+) (\w+) would do", text).groups()
        assert (
            total
            <= float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
            <= total * 1.3 + 1
        )


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_lines_of_the_table_fit_the_terminal(width):
    long = result(
        test="tests/" + "very/" * 40 + "test_a.py::test_b[x]", headline="h" * 300, verdict="failed"
    )
    lines = [text for text, _ in summary([long, result()], width=width)]
    assert max(map(len, lines)) <= max(60, width)
    # One line each, one more for what failed, and one on what is loose.
    assert len(lines) == 1 + 2 + 1 + 1
    assert lines[2].startswith("  hhh")
    if width >= 80:
        assert "tests/very/" in lines[1] or "tests..." in lines[1]
        assert lines[1].endswith("test_b[x]")
    assert any("[#" in line for line in lines) is (width >= 100)


@pytest.mark.parametrize("width", [80, 120])
def test_wide_and_long_names_keep_the_columns_and_leave_room_for_the_test(width):
    # By Unicode's East Asian Width, each of these characters takes two columns, the mark none.
    names = ["net.keras", "\u6a21\u578b" * 3 + ".keras", "\U0001f600e\u0301" * 9, "long_" * 20]
    results = [result(artifact=name, test="t.py::test_b") for name in names]
    title, *rows = (text for text, _ in summary(results, width=width))
    for row in rows[:-1]:
        wide = sum(character >= "\u1100" for character in row)
        columns = len(row) + wide - row.count("\u0301")
        assert columns <= width
        assert row.endswith("  t.py::test_b")
        assert columns - len("t.py::test_b") == title.index("test", title.index("artifact"))


def test_a_change_on_the_baseline_is_shown_with_its_sign():
    old = measured({"weights/dense/kernel": 800_000})
    lines = [text for text, _ in summary([result(baseline=old)])]
    assert "growth" in lines[0]
    assert " +25.0 % " in lines[1]
    same = [text for text, _ in summary([result(baseline=result().measurement)])]
    assert " = " in same[1]
    assert "growth" not in summary([result()])[0][0]


def test_how_loose_budgets_are_is_said_once_and_of_the_loosest():
    tight = result(1_900_000)
    lines = [text for text, _ in summary([result(), result(20_000), tight], width=120)]
    assert len(lines) == 1 + 3 + 1
    assert lines[-1].startswith("2 budgets are loose, that of ")
    assert " the most: 99 %, " in lines[-1]
    assert "loose" not in " ".join(text for text, _ in summary([tight]))


def test_a_total_that_would_look_like_its_budget_is_exact():
    row = summary([result(2_000_001, verdict="failed")])[1][0]
    assert "2,000,001 B  2,000,000 B" in row


def test_markdown_is_a_table_with_the_failed_ones_first_and_details_folded():
    bad = result(3_000_000, verdict="failed", headline="it is over", detail="it is over\n\n  why")
    text = markdown([result(), bad])
    lines = text.splitlines()
    assert lines[:2] == [MARK, "### Model sizes: 1 of 2 over budget or unchecked"]
    rows = [line for line in lines if line.startswith(("| ✅", "| ❌"))]
    assert [row[2] for row in rows] == ["❌", "✅"]
    assert "| 3 MB | 2 MB | 150 % |" in rows[0]
    assert text.count("<details>") == text.count("</details>") == 2
    assert "```text\nit is over\n\n  why\n```" in text
    assert "| weights | 2,999,960 | 100 % |\n" in text
    assert "The budget is 50 % loose: 1.1 MB would do." in text


def test_every_table_of_the_markdown_has_cells_for_all_its_columns():
    changes = (
        EntryChange("weights", "dense/kernel", 5, None),
        EntryChange("config", "x", None, 90),
    )
    text = markdown([result(baseline=measured({"weights/w": 5}), changes=changes)])
    columns = None
    for line in text.splitlines():
        if not line.startswith("|"):
            columns = None
        else:
            assert line.count("|") == (columns or line.count("|"))
            columns = line.count("|")
    assert text.index("config: <code>x</code> | new | +90") < text.index(
        "weights: <code>dense&#47;kernel</code> | gone | -5"
    )


@pytest.mark.parametrize("count", [1, 100, 3000])
def test_markdown_stays_under_github_s_limit_and_counts_what_it_leaves_out(count):
    results = [
        result(test=f"t.py::test_{n}", detail="x" * 900, verdict="failed") for n in range(count)
    ]
    text = markdown(results)
    assert len(text) <= COMMENT_LIMIT + 200 < 65_536
    shown = text.count("| ❌ |")
    left = re.search(r"and (\d+) more artifacts", text)
    assert shown + (int(left[1]) if left else 0) == count
    folded = re.search(r"(\d+) more details are omitted", text)
    assert text.count("<details>") + (int(folded[1]) if folded else 0) == count


def test_hostile_names_are_text_in_markdown():
    text = markdown(
        [result(artifact=HOSTILE, test=HOSTILE, headline=HOSTILE, detail=f"```\n{HOSTILE}")]
    )
    outside = re.sub(r"````text.*?````", "", text, flags=re.DOTALL)
    assert outside != text
    for forbidden in ("<script", "\x1b", "\u202e", "`", "@team", "[x](y)"):
        assert forbidden not in outside
    assert "<script>alert(1)</script>" in html.unescape(outside)
    (row,) = [line for line in outside.splitlines() if line.startswith("| ✅")]
    assert row.count("|") == 7  # there is no baseline, so no column for it


def test_hostile_names_are_text_in_the_table_and_in_csv():
    for text, _ in summary([result(artifact=HOSTILE, test=HOSTILE)]):
        assert text.isprintable()
    rows = list(csv.reader(io.StringIO(as_csv([result(artifact="=1+1", test="@x")]))))
    assert rows[1][1:3] == ["'@x", "'=1+1"]


def test_a_record_crosses_between_processes_whole():
    whole = result(
        verdict="failed", headline="h", detail="d", baseline=measured({"weights/w": 5}),
        changes=(EntryChange("weights", "w", 5, None),), versions={"keras": "3"}, key="k", accepted=True,
    )  # fmt: skip
    assert result_from_json(json.loads(json.dumps(result_as_json(whole)))) == whole
    assert json.loads(as_json_report([whole]))["artifacts"][0] == result_as_json(whole)


CAUSES = (
    CauseResult("optimizer state", "adam, 2 slots", 2_000_000, "save lean\nmodel.optimizer = None", 1_000_000, "measured"),
    CauseResult("copies", HOSTILE, 300_000, f"{HOSTILE}\n{HOSTILE}", None, "named"),
    CauseResult("", "", 0, "float16 weights", 1_500_000, "measured"),
)  # fmt: skip


def test_causes_come_back_from_json_as_they_were():
    one = result(causes=CAUSES, dtypes={"float32": 900, "": 60}, outcome="xfailed")
    assert result_from_json(json.loads(json.dumps(result_as_json(one)))) == one


def test_markdown_says_why_in_the_row_and_lists_causes_with_what_a_fix_gives():
    bad = result(3_000_000, verdict="failed", headline="it is over", causes=CAUSES)
    text = markdown([bad])
    (row,) = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert row.split(" | ")[1] == "<code>model.keras</code><br>it is over"
    at = text.splitlines().index("| cause | bytes | share | fix | with it |")
    first, hostile, alone = text.splitlines()[at + 2 : at + 5]
    # 2,000,000 of 3,000,000 bytes.
    assert first == (
        "| **optimizer state**: adam, 2 slots | 2,000,000 | 67 % "
        "| save lean<br><code>model&#46;optimizer = None</code> | 1 MB (measured) |"
    ).replace("&#46;", ".")
    assert alone == "|  |  |  | float16 weights | 1.5 MB (measured) |"
    for line in (first, hostile, alone):
        assert line.count("|") == 6
    assert "<script" not in hostile


def test_markdown_counts_the_causes_that_it_leaves_out():
    many = tuple(CauseResult(f"kind {n}", "", 100 - n, "x", None, "named") for n in range(9))
    text = markdown([result(verdict="failed", causes=many)])
    assert "**kind 4**" in text
    assert "**kind 5**" not in text
    assert "\nand 4 more\n" in text


def test_markdown_says_what_all_the_weights_are_made_of_not_only_the_largest():
    text = markdown([result(dtypes={"float32": 900_000, "int8": 95_000, "": 4_960})])
    assert "| weights (float32 90 %, int8 10 %, other &lt;1 %) |".replace("&lt;", "&#60;") in text


@pytest.mark.parametrize(
    ("verdict", "outcome", "row", "title"),
    [
        ("failed", "xfailed", "xfailed", "all within budget"),
        ("passed", "xpassed", "⚠️ xpassed", "all within budget"),
        ("passed", "xpassed(strict)", "❌", "1 of 1 over budget or unchecked"),
        ("skipped", "skipped", "skipped", "no budget was checked"),
        ("failed", "failed", "❌", "1 of 1 over budget or unchecked"),
    ],
)
def test_markdown_and_the_table_count_as_pytest_does(verdict, outcome, row, title):
    one = result(verdict=verdict, outcome=outcome)
    lines = markdown([one]).splitlines()
    assert lines[1] == f"### Model sizes: {title}"
    assert f"| {row} | <code>model.keras</code>" in "\n".join(lines)
    words = {"xfailed": "XFAIL", "⚠️ xpassed": "XPASS", "skipped": "SKIPPED", "❌": "FAILED"}
    assert any(line.startswith(words[row]) for line, _ in summary([one]))


def test_what_was_measured_without_a_budget_is_not_called_within_one():
    measured_only = [result(verdict="measured", outcome="passed")]
    assert markdown(measured_only).splitlines()[1] == "### Model sizes: no budget was checked"
    both = [*measured_only, result(outcome="passed")]
    assert markdown(both).splitlines()[1] == "### Model sizes: all within budget"


def test_two_artifacts_of_one_test_differ_in_markdown_where_they_are_not_saved_alike():
    full = result(key="model.keras")
    lean = result(key="model.keras without optimizer state")
    other = result(test="t.py::other", key="model.keras without optimizer state")
    lines = markdown([full, lean, other]).splitlines()
    names = [re.search(r"<code>(.*?)</code>", line)[1] for line in lines if line.startswith("| ✅")]
    assert names == ["model.keras", "model.keras without optimizer state", "model.keras"]
    folded = [line for line in lines if line.startswith("<details>")]
    assert len(set(folded)) == 2

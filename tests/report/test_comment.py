"""The comment on a pull request, from results made by hand, and rendered by markdown-it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pytest_modelsize.report.comment import COMMENT_LIMIT, comment, mark_of
from pytest_modelsize.report.markdown_text import code, words
from pytest_modelsize.report.request import Base, review
from pytest_modelsize.sizes.escaping import printable
from pytest_modelsize.sizes.top_entries import condense
from pytest_modelsize.storage.baseline import Baseline, BaselineEntry, Key
from pytest_modelsize.storage.check_result import CheckResult, LimitResult
from tests.check_results import result
from tests.measurements import measured
from tests.needs import needs

HOSTILE = [
    "@maintainers #1 GH-2 owner/net#3 !4 ~label %5 $6 &7",
    "a|b`*_c_**d**~~e~~<script>alert(1)</script><img src=x>",
    "[x](http://evil.example) http://evil.example www.evil.example a@evil.example",
    "</summary></details></code></td> & &amp; &#64;x \\| \\",
    "x\n/close\n### heading\n> quote\n\n<!-- pytest-modelsize -->\n```\n",
    "\x1b[31m\u202eabc\u2028\ud800",
    "`" * 7 + "``` ~~~",
    ":tada: $a_b$ ![x](y) ^1 {x}",
]


def base(results, total=90_000, **keywords):
    entries = {
        Key(r.test, r.key): BaselineEntry(
            condense(measured({"weights/dense/kernel": total - 40, "overhead/x": 40}))
        )
        for r in results
    }
    return Base(name="main", commit="c" * 40, accepted=Baseline(entries), **keywords)


class Page(HTMLParser):
    """What a browser would see: elements, and the text inside code and outside of it."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.elements, self.code, self.plain = [], set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag not in ("br", "hr", "img"):
            self.inside.append(tag)
        if tag == "code":
            self.code.append("")

    def handle_endtag(self, tag):
        assert self.inside.pop() == tag

    def handle_data(self, data):
        if "code" in self.inside:
            self.code[-1] += data
        else:
            self.plain += data


def rendered(text):
    needs("markdown_it")
    from markdown_it import MarkdownIt

    return Page(MarkdownIt("gfm-like", {"html": True}).render(text))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_is_wherever_it_stands(name):
    shown = printable(name)
    for text in (code(name), f"| | x |\n|---|---|\n| {code(name)} | y |", f"# {code(name)}"):
        page = rendered(text)
        assert page.code == [shown]
        assert page.elements <= {"p", "code", "h1", "table", "thead", "tbody", "tr", "th", "td"}
    page = rendered(f"<details><summary>{code(name)}</summary>\n\nx\n\n</details>")
    assert page.code == [shown]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sentence_neither_formats_nor_links_nor_calls_anybody(name):
    page = rendered(f"It is {words(name)}.")
    assert page.elements == {"p"}
    assert page.plain.replace("\u200b", "").strip() == f"It is {printable(name)}."
    assert not re.search(r"[@#!~$&%^][\w\"]|\bGH-\d", page.plain)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_comment_made_of_hostile_names_is_one_comment_still(name):
    results = [
        result(300_000, name, name, verdict="failed", headline=name, detail=f"{name}\n```\n{name}",
               explained=(name,), file=name, line=3),
        result(test=f"{name}2", artifact=name, verdict="unchecked", measurement=None, headline=name,
               detail=name),
    ]  # fmt: skip
    request = review(results, base(results[:1]), min_change=1)
    text = comment(request, name=name)
    page = rendered(text)
    assert page.inside == []
    assert page.elements <= {
        "h3", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "details",
        "summary", "sub", "strong", "br",
    }  # fmt: skip
    assert text.count("<details>") == 2 + sum("<details>" in line for line in name.splitlines())
    assert not re.search(r"[@#!~$&^][\w\"]", page.plain)
    assert all(not line.startswith("/") for line in _outside_fences(text))


def _outside_fences(text):
    fence = None
    for line in text.splitlines():
        found = re.match(r"`{3,}", line)
        if fence:
            fence = None if line == fence else fence
        elif found:
            fence = found[0]
        else:
            yield line


@pytest.mark.parametrize("count", [1, 60, 3000])
def test_a_comment_stays_under_github_s_limit_and_counts_what_it_leaves_out(count):
    many = [result(test=f"t.py::test_{n}", detail="x" * 900) for n in range(count)]
    text = comment(review(many, base(many), min_change=1))
    assert len(text) <= COMMENT_LIMIT < 65_536
    left = re.search(r"(\d+) more artifacts are left out", text)
    assert text.count("| ✅ |") + int(left[1] if left else 0) == count
    folded = re.search(r"Details of (\d+) more are omitted", text)
    assert text.count("<details>") + int(folded[1] if folded else 0) == count


def test_long_names_do_not_make_it_longer():
    long = result(test="t" * 10**5, artifact="a" * 10**5, headline="h" * 10**5, verdict="failed",
                  detail="d" * 10**6, explained=("e" * 10**6,) * 300)  # fmt: skip
    assert len(comment(review([long], base([long]), min_change=1))) <= COMMENT_LIMIT


def test_there_is_one_heading_and_each_size_is_told_once():
    failed = result(
        300_000, verdict="failed", headline="model.keras is too large", explained=("cause: x",),
        detail="model.keras is too large\n\n  section  baseline  saved\n  weights  89,960  299,960",
    )  # fmt: skip
    text = comment(review([failed], base([failed]), min_change=1))
    assert text.count("###") == 1
    assert text.count("299,960") == 1
    assert "cause: x" in text


@pytest.mark.parametrize(
    ("total", "min_change", "shown"),
    [(90_000, 0, 0), (90_899, 0, 0), (91_001, 0, 1), (91_999, 2_000, 0), (92_000, 2_000, 1)],
)
def test_what_changed_by_noise_or_by_less_than_is_asked_for_is_unchanged(total, min_change, shown):
    """90 kB: 899 B, 1 % of the section, are noise where its entries are the same."""
    one = result(total)
    request = review([one], base([one]), min_change=min_change)
    assert len(request.shown) == shown
    assert request.is_worth_a_comment == bool(shown)
    assert ("unchanged\n" in comment(request)) == (not shown)


def test_bytes_that_move_between_sections_are_a_change():
    one = result()
    moved = condense(measured({"weights/dense/kernel": 60_000, "overhead/x": 40_000}))
    accepted = Baseline({Key(one.test, one.key): BaselineEntry(moved)})
    text = comment(review([one], Base(name="main", accepted=accepted), min_change=1))
    assert "<code>model.keras</code> changed inside" in text
    assert "weights +39,960 B, overhead -39,960 B" in text


def test_the_exceeded_limit_is_the_one_that_is_named():
    growth = LimitResult(kind="growth", section="weights", allowed=5, used=9_960, written="5 B")
    one = result(verdict="failed", limits=(*result().limits, growth), headline="h")
    assert "| weights: may grow 5 B |" in comment(review([one], base([one]), min_change=1))


def test_the_mark_tells_suites_apart_and_cannot_be_broken():
    assert mark_of() == "<!-- pytest-modelsize -->"
    assert mark_of("vision") == "<!-- pytest-modelsize: vision -->"
    for name in ("--><img src=x>", "a\nb", "-" * 99, "----->", "- - >"):
        mark = mark_of(name)
        assert mark.count("-->") == 1
        assert mark.endswith("-->")
        assert "\n" not in mark
        assert "--" not in mark[4:-3]


def test_a_run_s_address_is_a_link_only_if_it_is_one():
    one = result()
    request = review([one], base([one]), min_change=1)
    assert "[The job's page](https://x.example/me/net/actions/runs/9)" in comment(
        request, run="https://x.example/me/net/actions/runs/9"
    )
    assert "page](" not in comment(request, run="javascript:alert(1)")
    assert "page](" not in comment(request, run="https://x) [y](z")


def test_what_was_expected_to_fail_is_no_failure_of_the_request():
    known = result(verdict="failed", outcome="xfailed", headline="model.keras is too large")
    text = comment(review([known], base([known])))
    assert "❌" not in text
    assert "### ✅ Model sizes: <code>model.keras</code> grew: +10 kB" in text
    assert "| xfailed | <code>model.keras</code>" in text
    skipped = CheckResult("t.py::other", "", "skipped", "no GPU", outcome="skipped")
    assert comment(review([known, skipped], base([known]))) == text


def test_what_was_to_fail_and_did_not_is_told_as_pytest_fails_it():
    strict = result(outcome="xpassed(strict)", headline="[XPASS(strict)] was large")
    (alone, two) = (review(some, base(some)) for some in ([strict], [strict, replace(strict, test="t.py::b")]))  # fmt: skip
    assert "❌ Model sizes: &#91;XPASS(strict)&#93; was large" in comment(alone)
    assert "❌ Model sizes: 2 passed unexpectedly" in comment(two)

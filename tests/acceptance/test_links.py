"""Every relative link of a document leads somewhere, to a heading that is there, too."""

import re
from pathlib import Path

import pytest

from tests.acceptance.transcript import blocks

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / ".github" / "SECURITY.md",
        *DOCS.glob("*.md"),
    ]
)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


_IMAGE = re.compile(r"(?<=\[)!\[[^\]]*\]\(([^()\s]+)\)")
"""One that is the text of a link."""


def prose(path):
    """The text of a page without its fenced blocks and its code."""
    text = path.read_text(encoding="utf-8")
    for language, lines in blocks(text):
        text = text.replace("\n".join([f"```{language}", *lines, "```"]), "")
    return re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()]", "", code[0]), text)


def anchors(text):
    """The fragments of a page's headings, as GitHub makes them.

    https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links:
    small letters, no punctuation, hyphens for spaces.
    """
    headings = re.findall(r"^#{1,6} +(.*?) *#*$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return {
        slug if not slugs[:at].count(slug) else f"{slug}-{slugs[:at].count(slug)}"
        for at, slug in enumerate(slugs)
    }


def broken(path, text):
    """The links of ``text``, a page at ``path``, that lead nowhere."""
    found = []
    for link in [*_LINK.findall(text), *_IMAGE.findall(text)]:
        if re.match(r"\w+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = path.parent / name if name else path
        there = target.exists()
        if there and fragment:
            there = fragment in anchors(prose(target) if name else text)
        if not there:
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    assert broken(path, prose(path)) == []


def test_a_link_that_leads_nowhere_is_found():
    text = (
        "# One `max_size` thing\n## One thing\n## One thing\n"
        "[a](no.md) [b](ci.md#no) [c](#one-max_size-thing) [d](#one-thing-1) [e](#one-thing-2) "
        "[![f](no.png)](usage.md) [g](https://x.org/no) [h](../README.md#install)"
    )
    assert broken(DOCS / "usage.md", text) == ["no.md", "ci.md#no", "#one-thing-2", "no.png"]


def test_there_are_links_to_look_at():
    assert sum(len(_LINK.findall(prose(path))) for path in PAGES) > 50


def test_the_site_has_every_document_in_its_contents():
    contents = (ROOT / ".ci" / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = re.findall(r": (\S+\.md)$", contents, re.MULTILINE)
    assert sorted(listed) == sorted(["index.md", *(path.name for path in DOCS.glob("*.md"))])

"""The figures in the documentation add up, and are those of today."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


def tables(name):
    """The tables of a Markdown file: for each, its rows by their first cell."""
    found, rows = [], []
    for line in (DOCS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            found.append({row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]})
            rows = []
    if rows:
        found.append({row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]})
    return found


def number(cell):
    return int(cell.replace(",", ""))


def test_the_sections_of_every_file_shown_add_up_to_its_total():
    sections = ("weights", "optimizer", "config", "assets", "overhead")
    for row in tables("accounting.md")[0].values():
        assert sum(number(row[section]) for section in sections) == number(row["total"])
        assert number(row["slack in it"]) <= number(row["total"])


def test_the_lean_sizes_that_are_shown_agree():
    for row in tables("accounting.md")[1].values():
        assert abs(number(row["lean, replayed"]) - number(row["lean, really"])) <= 400


@pytest.mark.parametrize("format", ["h5", "keras", "weights"])
def test_the_network_s_row_is_what_is_measured_today(keras, examples, model_size, format):
    from unet import build_unet

    keras.utils.clear_session()
    model = build_unet()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    suffix = {"h5": ".h5", "keras": ".keras", "weights": ".weights.h5"}[format]
    row = tables("accounting.md")[0][f"U-Net, Adam, `{suffix}`"]
    measured = model_size(model, format=format)
    assert measured.total == pytest.approx(number(row["total"]), rel=0.002)
    for section in ("weights", "optimizer", "config"):
        assert measured.sections[section] == pytest.approx(number(row[section]), rel=0.02)


def test_no_check_that_is_shown_costs_more_than_was_promised():
    """1.15 x the bare save; of 500 MB and more 0.2 x that of `.keras` and 0.5 x that of `.h5`."""
    (rows,) = [
        table
        for table in tables("performance.md")
        if all("check / bare" in row for row in table.values())
    ]
    assert len(rows) == 12
    for name, row in rows.items():
        large = float(row["file"].removesuffix(" MB").replace(",", "")) >= 500
        bound = {True: 0.2, False: 0.5}[".keras" in name] if large else 1.15
        assert float(row["check / bare"].split()[0]) <= bound, name


def test_every_document_is_reached_from_the_readme():
    linked, pending = set(), [DOCS.parent / "README.md"]
    while pending:
        page = pending.pop()
        for name in re.findall(r"\((?:docs/)?([\w.-]+\.(?:md|json))\)", page.read_text("utf-8")):
            if name not in linked and (DOCS / name).exists():
                linked.add(name)
                pending.append(DOCS / name)
    assert linked == {path.name for path in DOCS.iterdir() if path.is_file()}

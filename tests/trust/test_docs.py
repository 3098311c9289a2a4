"""What docs/trust.md tells to run is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "trust.md").read_text("utf-8")


def test_the_commands_of_the_page_name_files_and_environments_that_exist():
    paths = set(re.findall(r"\btests/[\w/.]+", PAGE))
    environments = set(re.findall(r"tox run -e (\w+)", PAGE))
    tox = (ROOT / "tox.ini").read_text("utf-8")
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert environments == {"others", "bare", "atheris", "estimators", "pytorch"}
    assert [name for name in environments if f"[testenv:{name}]" not in tox] == []


def test_the_figures_of_the_page_are_those_of_the_tests():
    from tests.saving.kinds import OPTIMIZERS, SPECIAL
    from tests.saving.test_twins import FAULTS, ZOO
    from tests.trust.test_concurrency import ARTIFACTS, TIMES
    from tests.trust.test_others import CASES

    def row(words):
        (line,) = [line for line in PAGE.splitlines() if words in line]
        return int(line.split("|")[2])

    kinds = (
        row("that stands alone"), row("four optimizers in one"), row("int8 with LoRA, mixed"),
        row("nested, shared, subclassed"),
    )  # fmt: skip
    assert sum(kinds) == len({*ZOO, *OPTIMIZERS, *SPECIAL})
    assert row("that stands alone") == len(OPTIMIZERS)
    assert row("break off half-way") == 6 * len(FAULTS) * 2
    assert row("eight threads measure") == 8 * TIMES
    assert len(ARTIFACTS) == 7
    assert set(CASES) >= {"xdist each", "memray", "randomly", "json-report", "no tmpdir"}


def test_so_are_those_of_flaxs_optimizer_state():
    from tests.formats.flax.test_state import CASES, CONTRIBUTED, FRIENDS, KEYS, OPTIMIZERS

    def row(words):
        (line,) = [line for line in PAGE.splitlines() if words in line]
        return int(line.split("|")[2])

    stateful = [name for name in OPTIMIZERS if name != "fromage"]
    assert row("optimizers of Optax under the key") == len(stateful) * len(KEYS) + len(CONTRIBUTED)
    assert row("averages and target networks beside") == len(CASES)
    assert row("layers and towers called") == len(FRIENDS)

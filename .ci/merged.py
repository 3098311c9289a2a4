"""Hold the results of all tox environments together: every test ran somewhere.

`python .ci/merged.py FOLDER`, where FOLDER has one NAME.json for each environment, as the tests'
conftest writes them. Fails where a test ran in no environment, and where a skip's reason does not
name one that ran it. What the machine lacks (a browser, a right to mount) is told, and no failure.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

LACKING = "this machine has no "
NAMES = re.compile(r"tox (?:run )?-e ([\w-]+(?:, [\w-]+)*)")


def main(folder: Path) -> int:
    """Print a table of the environments and what is wrong; return the exit status."""
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    if not results:
        print(f"no results in {folder}: run the environments first")
        return 1
    ran: dict[str, set[str]] = defaultdict(set)
    skipped: dict[str, dict[str, str]] = defaultdict(dict)
    print(f"{'environment':<16} {'seconds':>8} {'passed':>7} {'skipped':>8} {'other':>6}")
    for name, result in sorted(results.items()):
        outcomes = Counter(test["outcome"] for test in result["tests"].values())
        other = sum(outcomes.values()) - outcomes["passed"] - outcomes["skipped"]
        print(
            f"{name:<16} {result['seconds']:>8.0f} {outcomes['passed']:>7,} "
            f"{outcomes['skipped']:>8,} {other:>6,}"
        )
        for test, told in result["tests"].items():
            if told["outcome"] == "skipped":
                skipped[test][name] = told["reason"]
            else:
                ran[test].add(name)
                ran[test.partition("::")[0]].add(name)  # a module that is skipped as a whole
    wrong, lacking = [], Counter()
    for test, reasons in sorted(skipped.items()):
        if not ran[test] and all(reason.startswith(LACKING) for reason in reasons.values()):
            lacking.update(set(reasons.values()))
        elif not ran[test]:
            wrong.append(f"{test} ran in no environment: {set(reasons.values())}")
            continue
        for name, reason in reasons.items():
            if problem := _problem(reason, ran[test], set(results)):
                wrong.append(f"{test}, skipped in {name}: {problem}: {reason}")
    for reason, count in lacking.items():
        print(f"{count} tests ran nowhere: {reason}")
    for line in wrong:
        print(line)
    tests = len({test for test in [*ran, *skipped] if "::" in test})
    print(f"{tests:,} tests in {len(results)} environments, {len(wrong)} complaints")
    return bool(wrong)


def _problem(reason: str, ran: set[str], known: set[str]) -> str | None:
    """Return what is wrong with the reason of a test that is skipped in one environment."""
    if reason.startswith(LACKING):
        return None
    named = NAMES.search(reason)
    if named is None:
        return "the reason names no environment that runs it"
    names = set(named[1].split(", "))
    if names & known and not names & ran:
        return "the environment that the reason names did not run it"
    return None


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

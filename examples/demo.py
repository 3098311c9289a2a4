"""Run the example and check that it ends as it should: one budget exceeded, one held."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no notes on the processor's features


class Outcomes:
    """Remember how each test ended."""

    def __init__(self):
        self.seen = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.seen[report.nodeid.rpartition("::")[2]] = report.outcome


def main():
    outcomes = Outcomes()
    pytest.main(
        ["-p", "no:cacheprovider", "-v", str(HERE / "unet")],
        plugins=[outcomes],
    )
    expected = {
        "test_ships_within_2_mb": "failed",
        "test_ships_within_2_mb_without_the_optimizer": "passed",
    }
    if outcomes.seen != expected:
        print(f"\nThe example went wrong: expected {expected}, got {outcomes.seen}")
        return 1
    print("\nAs it should be: one budget exceeded, with its diff, and one held.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

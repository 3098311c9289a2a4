"""Fuzz all readers, guided by coverage: ``python -m tests.fuzz [SECONDS] [FOLDER]``.

FOLDER keeps what was learned for the next run; an input that breaks a reader is left in the current
directory as ``crash-*``, ``timeout-*`` or ``oom-*``. Without SECONDS it runs for two minutes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pytest_modelsize"]):
    from tests.fuzz.readers import attempt

from tests.fuzz.seeds import seeds

_SECONDS = 120
_SLOW = 10
"""Seconds that the instrumented readers may take: they run at about a tenth of their speed."""
_MEGABYTES = 1024
_LONGEST = 64 * 1024


def main() -> None:
    """Run until the time is up, or something breaks."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else _SECONDS
    with tempfile.TemporaryDirectory() as made:
        corpus = [sys.argv[2]] if len(sys.argv) > 2 else []
        for folder in corpus:
            Path(folder).mkdir(parents=True, exist_ok=True)
        for name, data in seeds():
            Path(made, name).write_bytes(data)
        limits = [
            f"-max_total_time={seconds}",
            f"-timeout={_SLOW}",
            f"-rss_limit_mb={_MEGABYTES}",
            f"-max_len={_LONGEST}",
        ]
        atheris.Setup([sys.argv[0], *limits, *corpus, made], _one)
        atheris.Fuzz()


def _one(data: bytes) -> None:
    attempt(data)


if __name__ == "__main__":
    main()

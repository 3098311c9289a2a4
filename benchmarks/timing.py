"""Works timed in turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

Work = Callable[[], object]


def in_turns(works: Mapping[str, Work], runs: int, before: Work | None = None) -> dict[str, list]:
    """Return the milliseconds of processor time of each work, ``runs`` of them.

    Processor time is that of this process, all threads, and of the processes that it waited for.
    Waiting for a disk is not in it, which is to the advantage of who writes more.

    Args:
        works: by name; each is run once more, first, to warm up.
        runs: of each work.
        before: done before each run, and not counted.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(runs + 1):
        for name, work in works.items():
            if before is not None:
                before()
            gc.collect()
            begun = processor_time()
            work()
            if turn:
                times[name].append((processor_time() - begun) * 1000)
    return times


def processor_time() -> float:
    """Seconds spent by this process and by its children that have ended."""
    used = time.process_time()
    if resource is not None:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        used += children.ru_utime + children.ru_stime
    return used


def ratios(times: list[float], reference: list[float]) -> list[float]:
    """Return the ratio of each run to the reference's run of the same turn."""
    return [one / other for one, other in zip(times, reference, strict=True)]


def spread(values: list[float], digits: int = 2) -> str:
    """Median and quartiles: ``1.12 (1.10-1.15)``."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def peak_memory(work: Work) -> int | None:
    """Return the bytes by which ``work`` raises the process's memory; None where it is not told."""
    clear, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    gc.collect()
    try:
        clear.write_text("5")  # resets the peak (proc(5))
        before = _status(status, "VmRSS")
        work()
        return max(_status(status, "VmHWM") - before, 0)
    except OSError:
        return None


def _status(status: Path, name: str) -> int:
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


@contextmanager
def bytes_read() -> Iterator[list[int]]:
    """Count what the readers read: a list to which each read adds its bytes."""
    counted: list[int] = []
    original = os.pread

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        data = original(descriptor, size, offset)
        counted.append(len(data))
        return data

    os.pread = pread
    try:
        yield counted
    finally:
        os.pread = original


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(f"{c:,d}" if isinstance(c, int) else str(c) for c in cells) + " |"


def table(*head: str) -> str:
    """The head of a Markdown table, numbers to the right."""
    return row(*head) + "\n" + row("---", *["---:"] * (len(head) - 1))


def megabytes(size: int | None) -> str:
    """A number of bytes, roughly: ``12 MB``."""
    return "-" if size is None else f"{size / 10**6:,.1f} MB"

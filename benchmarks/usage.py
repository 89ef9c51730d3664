"""What processes have used, read from /proc: processor time and memory."""

from collections.abc import Iterable
from pathlib import Path


def cpu_ns(pids: Iterable[int]) -> int:
    """Return the nanoseconds of processor time, user and system, that all threads of ``pids`` have used.

    From schedstat, which counts nanoseconds; on kernels without it from stat, which counts ticks of 10 ms.
    """
    return sum(_process_cpu_ns(Path("/proc") / str(pid)) for pid in pids)


def _process_cpu_ns(process: Path) -> int:
    try:
        tasks = [task / "schedstat" for task in (process / "task").iterdir()]
    except OSError:
        return 0
    total = 0
    for task in tasks:
        try:
            total += int(task.read_text().split()[0])
        except FileNotFoundError:
            if (process / "schedstat").exists():
                continue  # only this thread is gone
            return _process_ticks_ns(process)
        except ProcessLookupError:
            continue
    return total


def _process_ticks_ns(process: Path) -> int:
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) * 10_000_000


def memory_kib(pids: Iterable[int]) -> dict[str, float]:
    """Return the summed user memory of ``pids`` in KiB.

    ``rss`` counts a page shared by two processes twice, ``pss`` by halves.
    """
    total = {"rss": 0.0, "pss": 0.0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name = line.partition(":")[0].lower()
            if name in total:
                total[name] += int(line.split()[1])
    return total

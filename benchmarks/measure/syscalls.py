"""How many system calls a proxy makes for a request, as strace counts them."""

import signal
import time
from collections.abc import Mapping

from benchmarks.errors import BenchmarkError
from benchmarks.measure.answers import check_answer
from benchmarks.measure.requests import finish_wrk, start_wrk
from benchmarks.measure.trial import Trial
from benchmarks.origin import Origin
from benchmarks.processes import Program, wait_until
from benchmarks.programs import tool

_ATTACH_SECONDS = 10.0
_QUIET_SECONDS = 0.1
_LOAD_SECONDS = 6  # longer than the window: it is paused for strace to come and go

_KINDS = {
    "receives": frozenset({"recvfrom", "recvmsg", "recvmmsg", "read", "readv"}),
    "sends": frozenset({"sendto", "sendmsg", "sendmmsg", "write", "writev"}),
    "waits": frozenset({"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"}),
}


def syscalls(trial: Trial) -> dict[str, float]:
    """Return the system calls of the whole proxy per request in steady state: all, and by what they are for.

    The load is paused while strace attaches to the proxy and while it leaves it, so the requests that the origin
    answered in between are exactly those whose calls were counted.
    """
    origin = trial.origin("http")
    proxy = trial.proxy(origin)
    check_answer(proxy.port)
    seconds = trial.seconds + _LOAD_SECONDS
    load = start_wrk(trial, proxy, seconds)
    time.sleep(1)
    before = _pause(load, origin)
    summary = trial.directory / "syscalls"
    pids = proxy.pids()
    arguments = [word for pid in pids for word in ("-p", str(pid))]
    tracer = trial.load([tool("strace", "strace"), "-f", "-c", "-o", str(summary), *arguments])

    def attached() -> bool:
        tracer.check()
        return tracer.output().count("attached") >= len(pids)

    wait_until(attached, _ATTACH_SECONDS, "strace's arrival at the proxy")
    load.signal(signal.SIGCONT)
    time.sleep(trial.seconds)
    after = _pause(load, origin)
    tracer.stop()
    load.signal(signal.SIGCONT)
    finish_wrk(load, seconds)
    if after == before:
        raise BenchmarkError("the origin answered no request while strace counted")
    return per_request(parse_strace(summary.read_text()), after - before)


def _pause(load: Program, origin: Origin) -> int:
    """Stop the load for a while; return how many requests the origin has answered, once nothing is under way."""
    load.check()
    load.signal(signal.SIGSTOP)
    last = -1
    while (answered := origin.counts().requests) != last:
        last = answered
        time.sleep(_QUIET_SECONDS)
    return answered


def parse_strace(summary: str) -> dict[str, int]:
    """Return the calls by name from what ``strace -c`` has written."""
    calls = {}
    for line in summary.splitlines():
        # % time, seconds, µs a call, calls, errors (if there were any), name
        fields = line.split()
        if len(fields) in (5, 6) and fields[3].isdecimal() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    if not calls:
        raise BenchmarkError(f"strace counted nothing: {summary.strip()[-300:]}")
    return calls


def per_request(calls: Mapping[str, int], requests: int) -> dict[str, float]:
    """Return all calls per request, those of each kind, and those of no kind ("others")."""
    figures = {kind: sum(count for name, count in calls.items() if name in names) / requests
               for kind, names in _KINDS.items()}
    total = sum(calls.values()) / requests
    return {"calls": total, **figures, "others": total - sum(figures.values())}

"""The scenarios: what befalls the origins, and what must come of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.processes import wait_until
from benchmarks.survival import journal
from benchmarks.survival.account import Account
from benchmarks.survival.field import Field, field
from benchmarks.survival.figure import Figure, Result, common
from benchmarks.survival.fleet import Member
from benchmarks.survival.journal import Kind
from benchmarks.survival.load import Plan, now_us
from benchmarks.survival.settings import INTERVAL_S, PER_TRY_TIMEOUT_S, surviving, unchecked

_ORIGINS = 10
_WARM_SECONDS = 2.0
_RETURN_SECONDS = 30.0


@dataclass(frozen=True)
class Run:
    """How large a scenario is made."""

    seconds: float  # for how long the origins are as they should not be
    rate: float  # requests per second
    seed: int

    def begin(self, found: Field, *, posts: float = 0.2) -> None:
        """Begin the load, and give proxy and origins time to get to know each other."""
        found.begin_load(Plan(seed=self.seed, rate=self.rate, posts=posts))
        found.wait(_WARM_SECONDS)


def failing(run: Run) -> Result:
    """One of ten origins answers 503 to everything. No health check finds out: that is for outlier detection."""
    with field(_ORIGINS, unchecked) as found:
        run.begin(found)
        found.origins[0].order(status=503)
        begun = now_us()
        found.wait(run.seconds)
        account = found.end_load()
    first_interval = begun + int(INTERVAL_S * 1e6)
    failed = account.failed_idempotent(first_interval) / max(1, account.idempotent(first_interval))
    return Result((
        Figure("idempotent requests failed after an interval, %", 100 * failed, 0.01, 4),
        Figure("arrivals per request", account.arrived / account.requests, 1.2, 3),
        *common(account),
    ), account)


def hanging(run: Run) -> Result:
    """One of ten origins hangs, and goes on."""
    with field(_ORIGINS, surviving) as found:
        run.begin(found)
        victim = found.origins[0]
        victim.pause()
        ejected_s = _ejected_after(found, victim)
        found.wait(max(0.0, run.seconds - ejected_s))
        victim.go_on()
        returned = now_us()
        found.wait(3 * INTERVAL_S)
        account = found.end_load()
        back_s = _back_after(victim, account, returned)
    return Result((
        Figure("idempotent requests failed", account.failed_idempotent(), 0),
        Figure("seconds until it was left out", ejected_s, 3 * INTERVAL_S, 2),
        Figure("seconds until it was back", back_s, INTERVAL_S, 2),
        Figure("arrivals per request", account.arrived / account.requests, 1.2, 3),
        *common(account),
    ), account)


def _ejected_after(found: Field, victim: Member) -> float:
    """Return the seconds until the proxy said that it leaves an origin out."""
    begun = time.monotonic()

    def left_out() -> bool:
        return any(found.proxy.events(name, endpoint=victim.address)
                   for name in ("endpoint ejected", "endpoint unhealthy"))

    wait_until(left_out, 10 * INTERVAL_S, f"the ejection of {victim.address}")
    return time.monotonic() - begun


def _back_after(victim: Member, account: Account, since_us: int) -> float:
    """Return the seconds from a time until a request arrived that was not sent before it; infinity: none came."""
    arrivals = (event.at_us for event in journal.read(victim.journal)
                if event.kind is Kind.BEGUN and account.begun_us(event.number) >= since_us)
    return (min(arrivals, default=float("inf")) - since_us) / 1e6


def dead(run: Run) -> Result:
    """Every origin dies, and comes back after a while."""
    with field(_ORIGINS, surviving) as found:
        run.begin(found)
        for each in found.origins:
            each.kill()
        begun, failed_before = now_us(), _failed_connects(found)
        found.wait(run.seconds)
        end, failed = now_us(), _failed_connects(found) - failed_before
        for each in found.origins:
            each.start()
        wait_until(lambda: any(each.listening for each in found.origins), _RETURN_SECONDS, "an origin's return")
        returned = now_us()
        found.wait(5 * INTERVAL_S)
        account = found.end_load()
    success_s = (account.first_success_us(returned) - returned) / 1e6
    return Result((
        Figure("attempts per request while all were dead", account.attempts_per_request(begun, end), 1.2, 3),
        Figure("failed connects per request meanwhile", failed / account.count(begun, end), 1.2, 3),
        Figure("seconds from the first's return to a success", success_s, 1.0, 2),
        *common(account),
    ), account)


def _failed_connects(found: Field) -> int:
    """Return how often the proxy has found that an origin is not there: attempts, whatever its log makes of them."""
    return found.proxy.stats(r"^cluster\.app\.upstream_cx_connect_fail$").total()


def rolling(stop: Callable[[Member], None]) -> Callable[[Run], Result]:
    """All origins are restarted one after another, twice."""

    def scenario(run: Run) -> Result:
        with field(_ORIGINS, surviving) as found:
            run.begin(found)
            for each in found.origins * 2:
                stop(each)
                wait_until(lambda each=each: not each.running, _RETURN_SECONDS, f"the end of {each.address}")
                each.start()
                each.until_listening()
                found.wait(run.seconds / (2 * _ORIGINS))
            account = found.end_load()
        return Result((
            Figure("idempotent requests failed", account.failed_idempotent(), 0),
            Figure("arrivals per request", account.arrived / account.requests, 1.2, 3),
            *common(account),
        ), account)

    return scenario


def racing(run: Run) -> Result:
    """Each origin closes connections that have been idle for so long, and not longer, as servers do."""
    return _race(run, lambda number: (0.03 + 0.01 * number,) * 2, posts_fail=False)


def racing_at_random(run: Run) -> Result:
    """Origins close idle connections whenever they like, which nobody can learn."""
    return _race(run, lambda number: (0.0, 0.05), posts_fail=True)


def _race(run: Run, idle_s: Callable[[int], tuple[float, float]], *, posts_fail: bool) -> Result:
    """``posts_fail``: whether a POST may, of which the proxy cannot prove that nobody has read it."""
    with field(_ORIGINS, surviving) as found:
        for each in found.origins:
            each.order(idle_s=idle_s(each.number))
        run.begin(found, posts=0.4)
        found.wait(run.seconds)
        closed = found.proxy.stats(r"^cluster\.app\.upstream_cx_idle_ended$").total()
        retried = found.proxy.stats(r"^cluster\.app\.upstream_rq_retry$").total()
        account = found.end_load()
    idempotent = account.failed_idempotent()
    return Result((
        Figure("idempotent requests failed", idempotent, 0),
        Figure("POSTs failed", account.failed - idempotent, None if posts_fail else 0),
        Figure("idle connections that origins closed", closed, None),
        Figure("requests that met a close and were sent again", retried, None),
        *common(account),
    ), account)


SCENARIOS: dict[str, Callable[[Run], Result]] = {
    "failing": failing,
    "hanging": hanging,
    "dead": dead,
    "rolling-restart": rolling(Member.end),
    "rolling-kill": rolling(Member.kill),
    "keepalive-race": racing,
    "keepalive-random": racing_at_random,
}
TITLES = {
    "failing": "one of 10 origins answers 503 always",
    "hanging": f"one of 10 origins hangs; {PER_TRY_TIMEOUT_S * 1000:.0f} ms a try",
    "dead": "every origin dead, then back",
    "rolling-restart": "all origins restarted in turn, twice",
    "rolling-kill": "the same with SIGKILL",
    "keepalive-race": "origins close connections that were idle for 30 to 120 ms, each by its own time",
    "keepalive-random": "origins close idle connections after 0 to 50 ms, at random",
}

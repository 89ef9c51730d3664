"""What policies cost that are configured and have nothing to do."""

from benchmarks.measure.answers import check_answer
from benchmarks.measure.requests import finish_wrk, start_wrk
from benchmarks.measure.together import Work, cost_ratio
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.peers.hopmesh import Hopmesh, HopmeshPolicies
from benchmarks.processes import Program


def idle_policies(trial: Trial) -> dict[str, float]:
    """Return CPU per request with retries, time-outs, ejection, faults and the rest configured over that with none.

    Nothing of it comes into play: every request is answered at once by the one endpoint, which is well.
    """

    def start(trial: Trial, proxy: Proxy, seconds: float) -> Program:
        check_answer(proxy.port)
        return start_wrk(trial, proxy, seconds)

    work = Work("http", start, finish_wrk, lambda window: window.requests)
    return cost_ratio(trial, work, HopmeshPolicies(), Hopmesh())

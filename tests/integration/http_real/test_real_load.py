"""wrk for a second: every response whole and well, none refused, connections kept."""

import re
from collections.abc import Callable

from tests.support.process_programs import program, run_program


def test_wrk_sees_no_error(through: Callable) -> None:
    mesh = through("node")
    written = run_program([program("wrk"), "-t1", "-c16", "-d1s", mesh.url + "/pattern?size=1000"]).decode()
    found = re.search(r"(\d+) requests in", written)
    assert found, written
    assert int(found[1]) > 100
    assert "Socket errors" not in written
    assert "Non-2xx" not in written
    listener, cluster = mesh.proxy.stats("listener", "in"), mesh.proxy.stats("cluster", "app")
    assert listener["downstream_cx_total"] in (16, 17)  # it tries one before it begins
    # Those under way when it cut its connections at its end have no status.
    assert 0 <= listener["downstream_rq_total"] - listener["downstream_rq_2xx"] <= 16
    # A connection that wrk cuts at its end takes that of its request with it.
    assert cluster["upstream_cx_total"] <= 32

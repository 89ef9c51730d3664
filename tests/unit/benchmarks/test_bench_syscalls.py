"""What is read from strace's summary."""

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.measure.syscalls import parse_strace, per_request

SUMMARY = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 58.93    0.003300           3      2000           recvfrom
 40.00    0.002240           2      1900           sendto
  0.50    0.000100           2       100           writev
  0.32    0.000018           1        60           epoll_wait
  0.25    0.000014           2         7         3 accept4
------ ----------- ----------- --------- --------- ----------------
100.00    0.005600           2      4067         3 total
"""


def test_calls_are_read_with_and_without_errors():
    assert parse_strace(SUMMARY) == {"recvfrom": 2000, "sendto": 1900, "writev": 100, "epoll_wait": 60, "accept4": 7}


@pytest.mark.parametrize("text", ["", "strace: attach: ptrace(PTRACE_SEIZE, 1): Operation not permitted\n"])
def test_a_summary_without_a_call_is_an_error(text):
    with pytest.raises(BenchmarkError, match="counted nothing"):
        parse_strace(text)


def test_calls_are_divided_by_requests_and_by_what_they_are_for():
    figures = per_request(parse_strace(SUMMARY), 1000)
    assert figures == pytest.approx({"calls": 4.067, "receives": 2.0, "sends": 2.0, "waits": 0.06, "others": 0.007})

"""What became of requests, told by three who each saw a part."""

import pytest

from benchmarks.survival import access_log, journal, outcome
from benchmarks.survival.account import Account, account
from benchmarks.survival.figure import Figure, common
from benchmarks.survival.journal import Event, JournalWriter, Kind
from benchmarks.survival.outcome import End, Method, Outcome
from benchmarks.survival.report import verdicts


def answered(number, method=Method.GET, begun_us=1000, took_us=500):
    return Outcome(number, method, End.ANSWERED, 200, begun_us, took_us)


def failed(number, end, status=0, method=Method.GET, begun_us=1000):
    return Outcome(number, method, end, status, begun_us, 500)


def record(number, flags="", details="via_upstream", status=200, attempts=1):
    return access_log.Record(number, status, flags, details, attempts, "127.0.0.1:1")


def arrived(*numbers):
    return [Event(Kind.BEGUN, number, 1) for number in numbers]


def test_only_a_post_that_arrived_twice_is_duplicated():
    methods = {1: Method.GET, 2: Method.PUT, 3: Method.POST, 4: Method.POST}
    found = Account([answered(*each) for each in methods.items()], arrived(1, 1, 2, 2, 3, 3, 4), [])
    assert found.duplicated == [3]
    assert found.arrived == 7


def test_what_arrived_and_was_never_ended_is_counted_nowhere():
    found = Account([answered(1)], arrived(1, 9), [record(9)])
    assert found.arrived == 1
    assert found.begun_us(9) == 0


@pytest.mark.parametrize(("end", "status", "told"), [
    (End.CUT, 0, record(1, "UC", "upstream_closed_in_response")),
    (End.FAILED, 503, record(1, "UF,URX", "connect_failed", 503)),
    (End.LATE, 0, record(1, "DC", "downstream_closed_in_response")),
    (End.PASSED_ON, 503, record(1, "", "via_upstream", 503)),
])
def test_a_failure_is_explained_by_the_flag_of_its_record(end, status, told):
    found = Account([failed(1, end, status)], [], [told])
    assert (found.failed, found.unexplained) == (1, [])
    assert found.causes.total() == 1


@pytest.mark.parametrize(("end", "status", "told"), [
    (End.CUT, 0, []),
    (End.REFUSED, 0, []),
    (End.CUT, 0, [record(1)]),  # the proxy believes that all went well
    (End.FAILED, 503, [record(1, status=503)]),
    (End.PASSED_ON, 503, [record(1, status=200)]),
    (End.CUT, 0, [record(2, "UC")]),
])
def test_a_failure_without_a_flag_is_unexplained(end, status, told):
    found = Account([failed(1, end, status), answered(2)], [], told)
    assert len(found.unexplained) == 1
    assert found.examples() == found.unexplained


def test_who_went_away_on_purpose_has_not_failed():
    found = Account([failed(1, End.LEFT)], [], [])
    assert (found.failed, found.requests, found.wrong) == (0, 1, 0)


def test_wrong_bytes_are_those_that_either_end_saw():
    found = Account([failed(1, End.WRONG), answered(2)], [Event(Kind.WRONG, 2, 1)], [record(1, "UPE")])
    assert found.wrong == 2


def test_figures_of_a_part_of_the_run():
    outcomes = [answered(1, begun_us=100), answered(2, begun_us=200), failed(3, End.CUT, begun_us=300),
                failed(4, End.CUT, method=Method.POST, begun_us=400)]
    found = Account(outcomes, [], [record(1), record(2, attempts=3), record(3, attempts=2), record(4)])
    assert found.failed_idempotent() == 1
    assert found.failed_idempotent(since_us=301) == 0
    assert (found.idempotent(), found.idempotent(since_us=200)) == (3, 2)
    assert found.attempts_per_request() == 7 / 4
    assert found.attempts_per_request(200, 301) == 5 / 2
    assert found.count(200, 301) == 2
    assert found.attempts_per_request(10_000) == float("inf")
    assert found.first_success_us(601) == 700
    assert found.first_success_us(701) == float("inf")


def test_the_files_say_the_same(tmp_path):
    outcomes, journals, log = tmp_path / "outcomes", tmp_path / "journal", tmp_path / "log"
    outcomes.write_bytes(answered(1, Method.POST).pack() + failed(2, End.CUT).pack() + b"cut")
    for number in (1, 2):
        writer = JournalWriter(journals)  # as a second process of the same origin does
        writer.write(Kind.BEGUN, number, 5)
        writer.close()
    log.write_text("1 200 - via_upstream 1 127.0.0.1:1\n- 400 DPE request_malformed - -\n2 0 UC cut 2 -\nnonsense\n")
    assert [each.number for each in outcome.read(outcomes)] == [1, 2]
    assert [(each.kind, each.number, each.at_us) for each in journal.read(journals)] == [
        (Kind.BEGUN, 1, 5), (Kind.BEGUN, 2, 5)]
    assert not list(journal.read(tmp_path / "nobody"))
    found = account(outcomes, [journals], log)
    assert (found.requests, found.arrived, found.failed, dict(found.causes)) == (2, 2, 1, {"UC cut": 1})


def test_figures_are_held_against_their_bars():
    assert Figure("at most", 1.2, 1.2).passed
    assert not Figure("at most", 1.3, 1.2).passed
    assert Figure("at least", 5, 4, at_least=True).passed
    assert not Figure("at least", 3, 4, at_least=True).passed
    assert Figure("only told", 1e9, None).passed
    assert not Figure("never came", float("inf"), 1.0).passed


def test_the_report_says_what_is_wrong():
    found = Account([failed(1, End.CUT, method=Method.POST), failed(2, End.CUT)], arrived(1, 1), [record(2, "UC", "x")])
    text = verdicts(common(found), found)
    assert "FAIL" in text and "PASS" in text
    assert "failed: 1 × UC x" in text
    assert "look at: POST 1 CUT 0" in text
    assert "look at: POST 1 arrived twice" in text

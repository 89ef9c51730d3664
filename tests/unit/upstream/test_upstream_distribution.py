"""What share of the connections each endpoint gets, of each balancer. Random numbers have fixed seeds."""

from __future__ import annotations

import itertools

import pytest
from balancing import BALANCERS, DRAWING, HASHING, chi_square, compiled, endpoints

from mesh_core._testing.picks import count_picks, list_picks, observe_connect, set_endpoint

NOW_MS = 1_000_000
WEIGHTS = [1, 2, 3, 10, 100]


@pytest.mark.parametrize("balancer", DRAWING)
@pytest.mark.parametrize("count", [2, 3, 10, 1000])
def test_equal_weights_are_equal_chances(balancer: str, count: int) -> None:
    """Candidates that cost the same, so the first of them is taken: each is as likely."""
    snapshot = compiled(endpoints(count), balancer)
    for index in range(count):
        observe_connect(snapshot, 0, index, 1000, NOW_MS)
    picks = count_picks(snapshot, count=100 * count, now_ms=NOW_MS)
    assert abs(chi_square(picks[:-1], [1] * count)) < 5


@pytest.mark.parametrize("balancer", ["random", "least_request"])
def test_weights_are_chances(balancer: str) -> None:
    snapshot = compiled(endpoints(5, weight=WEIGHTS), balancer)
    assert abs(chi_square(count_picks(snapshot, count=100_000)[:-1], WEIGHTS)) < 5


def test_round_robin_by_weight_is_exact_but_for_a_few_turns() -> None:
    snapshot = compiled(endpoints(5, weight=WEIGHTS))
    for picks in (10, 116, 1160, 116_000):
        counts = count_picks(compiled(endpoints(5, weight=WEIGHTS)), count=picks)
        assert max(abs(n - picks * w / 116) for n, w in zip(counts, WEIGHTS, strict=False)) < 4
    assert sum(count_picks(snapshot, count=100)) == 100


def test_round_robin_with_one_heavy_endpoint_is_smooth() -> None:
    picks = list_picks(compiled(endpoints(2, weight=[1, 9])), count=1000)
    places = [place for place, index in enumerate(picks) if index == 0]
    assert max(after - before for before, after in itertools.pairwise(places)) <= 20
    assert len(places) == pytest.approx(100, abs=2)


@pytest.mark.parametrize("count", [2, 10, 100])
def test_the_least_busy_of_two_evens_out(count: int) -> None:
    """Power of two choices: with connections that stay, the fullest is hardly above the average."""
    snapshot = compiled(endpoints(count), "least_request")
    counts = count_picks(snapshot, count=1000 * count, hold=True)[:-1]
    assert max(counts) - 1000 < 10
    at_random = count_picks(compiled(endpoints(count), "random"), count=1000 * count, hold=True)[:-1]
    assert max(at_random) - 1000 > max(counts) - 1000


def test_the_less_busy_of_two_is_always_taken() -> None:
    snapshot = compiled(endpoints(2), "least_request")
    set_endpoint(snapshot, 0, 0, active=3)
    set_endpoint(snapshot, 0, 1, active=2)
    assert count_picks(snapshot, count=1000) == [0, 1000, 0]


def test_more_choices_avoid_the_busy_more_often() -> None:
    shares = []
    for choices in (2, 8):
        snapshot = compiled(endpoints(10), "least_request", least_request={"choice_count": choices})
        for index in range(9):
            set_endpoint(snapshot, 0, index, active=5)
        shares.append(count_picks(snapshot, count=50_000)[9] / 50_000)
    # One of two different ones; then the first, or one of seven further draws out of nine.
    assert shares[0] == pytest.approx(0.2, abs=0.01)
    assert shares[1] == pytest.approx(1 - 0.9 * (8 / 9) ** 7, abs=0.01)


@pytest.mark.parametrize(("bias", "power"), [(1.0, 1.0), (0.0, 0.0), (2.0, 2.0), (0.5, 0.5)])
def test_weights_and_load_together(bias: float, power: float) -> None:
    """Two candidates by weight, one of them by 1/(active + 1)^bias."""
    weights, active = [1, 3], [0, 4]
    snapshot = compiled(endpoints(2, weight=weights), "least_request", least_request={"active_request_bias": bias})
    for index in range(2):
        set_endpoint(snapshot, 0, index, active=active[index])
    idle = [(each + 1) ** -power for each in active]
    drawn = [weight / 4 for weight in weights]
    wanted = drawn[0] ** 2 + 2 * drawn[0] * drawn[1] * idle[0] / sum(idle)
    assert count_picks(snapshot, count=100_000)[0] / 100_000 == pytest.approx(wanted, abs=0.006)


def test_with_many_choices_least_request_is_envoys_formula() -> None:
    weights, active = [1, 2, 4], [0, 3, 1]
    snapshot = compiled(endpoints(3, weight=weights), "least_request", least_request={"choice_count": 16})
    for index in range(3):
        set_endpoint(snapshot, 0, index, active=active[index])
    rates = [weight / (each + 1) for weight, each in zip(weights, active, strict=True)]
    counts = count_picks(snapshot, count=100_000)
    for count, rate in zip(counts, rates, strict=False):
        assert count / 100_000 == pytest.approx(rate / sum(rates), rel=0.08)


@pytest.mark.parametrize(("count", "spread"), [(2, 1.002), (10, 1.01), (100, 1.02)])
def test_maglev_shares_evenly(count: int, spread: float) -> None:
    """Turns are taken equally, so places differ by one; what is left is the chance of the hashes."""
    counts = count_picks(compiled(endpoints(count), "maglev"), count=10_000 * count, hashed=True)[:-1]
    assert abs(chi_square(counts, [1] * count)) < 5 or max(counts) / 10_000 < spread


def test_maglev_by_weight() -> None:
    counts = count_picks(compiled(endpoints(5, weight=WEIGHTS), "maglev"), count=1_000_000, hashed=True)[:-1]
    for count, weight in zip(counts, WEIGHTS, strict=True):
        assert count / 1_000_000 == pytest.approx(weight / 116, rel=0.05)


def test_a_larger_ring_shares_more_evenly() -> None:
    """With n points each, shares differ by about 1/sqrt(n): 10 % of 102 points, 1 % of 10,486."""
    deviations = []
    for size in (1024, 104_858):
        ring = {"minimum_ring_size": size}
        counts = count_picks(compiled(endpoints(10), "ring_hash", ring_hash=ring), count=1_000_000, hashed=True)[:-1]
        deviations.append((sum((count - 100_000) ** 2 for count in counts) / 10) ** 0.5 / 100_000)
    assert 0.04 < deviations[0] < 0.2
    assert deviations[1] < 0.02


def test_ring_by_weight() -> None:
    ring = {"minimum_ring_size": 1_000_000}
    counts = count_picks(
        compiled(endpoints(5, weight=WEIGHTS), "ring_hash", ring_hash=ring), count=1_000_000, hashed=True
    )[:-1]
    for count, weight in zip(counts, WEIGHTS, strict=True):
        assert count / 1_000_000 == pytest.approx(weight / 116, rel=0.05)


@pytest.mark.parametrize("maximum", [1, 2, 5, 100])
def test_a_ring_that_is_too_small_for_all_still_serves(maximum: int) -> None:
    ring = {"minimum_ring_size": 1, "maximum_ring_size": maximum}
    counts = count_picks(compiled(endpoints(5, weight=[1, 1, 1, 1, 10**6]), "ring_hash", ring_hash=ring), count=1000)
    assert counts[5] == 0
    assert sum(1 for count in counts if count) <= maximum + 1


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_table_that_is_too_small_for_all_still_serves(size: int) -> None:
    counts = count_picks(compiled(endpoints(5), "maglev", maglev={"table_size": size}), count=1000)
    assert counts[5] == 0
    assert sum(1 for count in counts if count) == min(size, 5)


@pytest.mark.parametrize("balancer", BALANCERS)
def test_workers_and_snapshots_begin_elsewhere(balancer: str) -> None:
    if balancer in HASHING:
        pytest.skip("what hashes is the same everywhere, as it must be")
    snapshot = compiled(endpoints(100), balancer, workers=8)
    sequences = {tuple(list_picks(snapshot, 0, worker, count=10)) for worker in range(8)}
    assert len(sequences) == 8

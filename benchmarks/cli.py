"""The command line: ``python -m benchmarks``."""

import datetime
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks import machine, picture, programs, table
from benchmarks.bars import check_all
from benchmarks.compare import compare
from benchmarks.errors import BenchmarkError
from benchmarks.network import enter_own_network
from benchmarks.paths import RESULTS
from benchmarks.peers import PEERS, Mode
from benchmarks.results import Results, load
from benchmarks.runner import Job, run, schedule
from benchmarks.scenarios import SCENARIOS, Scenario

_ROUNDS, _SECONDS = 7, 2.0  # many short windows: the median is steadier than that of a few long ones
_QUICK_ROUNDS, _QUICK_SECONDS = 1, 1.0
_INTERRUPTED = 130
_BUSY = 0.5  # load average before the run, above which somebody else is at work


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--scenario", "scenario_names", multiple=True, metavar="NAME",
              type=click.Choice(list(SCENARIOS)),
              help="Measure only this one; repeatable. --list shows them.")
@click.option("--proxy", "proxy_names", multiple=True, type=click.Choice(list(PEERS)), metavar="NAME",
              help="Measure only this one; repeatable.")
@click.option("--rounds", type=click.IntRange(1, 1000), help=f"How many rounds.  [default: {_ROUNDS}]")
@click.option("--seconds", type=click.FloatRange(0.5, 60),
              help=f"The length of a measurement's window.  [default: {_SECONDS:g}]")
@click.option("--quick", is_flag=True, help="One round of one second: whether it works, not how fast it is.")
@click.option("--save-baseline", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Keep this run's results in FILE too, to compare with later.")
@click.option("--compare", "baseline", metavar="FILE",
              type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Show how hopmesh's ratios to its peers changed since FILE was saved.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, metavar="DIR",
              help="Where results.json and the picture go.  [default: benchmarks/results]")
@click.option("--list", "list_only", is_flag=True, help="List scenarios and proxies, and what is missing.")
def main(*, scenario_names: Sequence[str], proxy_names: Sequence[str], rounds: int | None,
         seconds: float | None, quick: bool, save_baseline: Path | None, baseline: Path | None, output: Path,
         list_only: bool) -> None:
    """Measure what the hop through a proxy costs: hopmesh, its peers, and a bare relay as the floor.

    \b
    Examples:
      python -m benchmarks --quick
      python -m benchmarks --scenario tcp-64 --proxy hopmesh --proxy haproxy --rounds 9
      python -m benchmarks --compare baseline.json
    """
    if list_only:
        _list()
        return
    rounds = rounds or (_QUICK_ROUNDS if quick else _ROUNDS)
    seconds = seconds or (_QUICK_SECONDS if quick else _SECONDS)
    scenarios = [SCENARIOS[name] for name in scenario_names] or list(SCENARIOS.values())
    try:
        then = load(baseline) if baseline else None
        results = _prepare(scenarios, proxy_names or list(PEERS), rounds, seconds)
    except (BenchmarkError, OSError) as error:
        raise click.ClickException(str(error)) from error
    present = [name for name in results.proxies if not results.missing(name)]
    interrupted = _measure(schedule(scenarios, present, rounds), results, seconds)
    _report(results, then, baseline, output)
    if save_baseline:
        results.save(save_baseline)
        click.echo(f"baseline: {save_baseline}")
    if interrupted:
        sys.exit(_INTERRUPTED)
    if any(measurement.error for measurement in results.measurements):
        sys.exit(1)


def _prepare(scenarios: Sequence[Scenario], proxies: Sequence[str], rounds: int, seconds: float) -> Results:
    """Set this process up for measuring, compile the loads, and ask every proxy for its version."""
    network = enter_own_network()
    for name in ("origin", "bulk", "http_bulk", "connect", "idle"):
        programs.program(name)
    if any(scenario.mode in (Mode.MTLS, Mode.MTLS_TICKETS) for scenario in scenarios):
        for name in ("tls_connect", "tls_idle"):
            programs.program(name)
    programs.tool("wrk", "wrk")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    click.echo(f"network: {network}")
    if os.getloadavg()[0] > _BUSY:
        click.echo(f"warning: the machine is busy (load average {os.getloadavg()[0]:.1f}): expect wide ranges")
    versions = {}
    for name in proxies:
        reason = PEERS[name].missing()
        versions[name] = {"missing": reason} if reason else {"version": PEERS[name].version()}
        click.echo(f"{name}: {f'missing: {reason}' if reason else versions[name]['version']}")
    return Results(
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        machine={**machine.describe(), "network": network},
        settings={"rounds": rounds, "seconds": seconds},
        proxies=versions,
    )


def _measure(jobs: Sequence[Job], results: Results, seconds: float) -> bool:
    """Run the jobs; return whether Ctrl-C or SIGTERM ended them early. Nothing is left running either way."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        run(jobs, results, seconds, click.echo)
    except KeyboardInterrupt:
        click.echo("interrupted: what was measured until now follows")
        return True
    finally:
        signal.signal(signal.SIGTERM, before)
    return False


def _report(results: Results, then: Results | None, baseline: Path | None, output: Path) -> None:
    measured = [scenario for scenario in SCENARIOS.values() if results.has(scenario.name)]
    for scenario in measured:
        click.echo(f"\n{table.scenario_table(results, scenario)}")
    if verdicts := check_all(results):
        click.echo(f"\n{table.bars_table(verdicts)}")
    if then:
        click.echo(f"\n{table.changes_table(compare(then, results), str(baseline))}")
    path = output / "results.json"
    results.save(path)
    click.echo(f"\nresults: {path}")
    if not picture.available():
        click.echo("no picture: matplotlib is not installed (pip install 'hopmesh[bench]')")
        return
    for path in picture.draw(results, measured, output):
        click.echo(f"picture: {path}")


def _list() -> None:
    click.echo("Scenarios:")
    for scenario in SCENARIOS.values():
        click.echo(f"  {scenario.name:<15} {scenario.title} ({scenario.arrangement})")
    click.echo("Proxies:")
    for name, peer in PEERS.items():
        reason = peer.missing()
        click.echo(f"  {name:<12} {f'missing: {reason}' if reason else peer.version()}")

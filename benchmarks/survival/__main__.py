"""The command line: ``python -m benchmarks.survival``."""

import random
import sys
from collections.abc import Sequence

import click

from benchmarks.errors import BenchmarkError
from benchmarks.network import enter_own_network
from benchmarks.survival.report import verdicts
from benchmarks.survival.scenarios import SCENARIOS, TITLES, Run

_SECONDS, _RATE = 30.0, 1000.0


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--scenario", "names", multiple=True, metavar="NAME", type=click.Choice(list(SCENARIOS)),
              help=f"Only this one; repeatable. One of {', '.join(SCENARIOS)}.")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=_SECONDS, show_default=True,
              help="How long the origins are hurt in each.")
@click.option("--rate", type=click.FloatRange(10, 10_000), default=_RATE, show_default=True,
              help="Requests per second.")
@click.option("--seed", type=int, help="What the load draws its numbers from.  [default: another each time]")
def main(*, names: Sequence[str], seconds: float, rate: float, seed: int | None) -> None:
    """Hurt a fleet of ten origins behind hopmesh, under load, and hold what the load sees against the bars."""
    seed = random.SystemRandom().randrange(1 << 31) if seed is None else seed
    click.echo(f"seed {seed}; {enter_own_network()}")
    failed = False
    for name in names or SCENARIOS:
        click.echo(f"\n{name}: {TITLES[name]}")
        try:
            result = SCENARIOS[name](Run(seconds, rate, seed))
        except (BenchmarkError, OSError) as error:
            failed = True
            click.echo(f"  FAILED: {error}")
            continue
        failed |= not result.passed
        click.echo(verdicts(result.figures, result.account))
    sys.exit(failed)


if __name__ == "__main__":
    main()

"""The command line: ``python -m benchmarks.control_plane``."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
import uvloop

from benchmarks.control_plane.effect import effect
from benchmarks.control_plane.growth import CONCERNED, growth
from benchmarks.control_plane.outcome import Point, growth_figures, save
from benchmarks.control_plane.plan import Shape
from benchmarks.control_plane.scale import scale
from benchmarks.errors import BenchmarkError
from benchmarks.paths import RESULTS
from benchmarks.survival.figure import Figure
from benchmarks.survival.report import table

_TITLES = {
    "effect": "endpoint changes to effect in three real proxies",
    "scale": "a large mesh of light proxies: changes without a pause, and a control plane that is killed",
    "growth": "what a change costs as the mesh grows",
}
_CPUS = 2  # for everything
_SIZES = (100, 250, 500, 1000)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--scenario", "names", multiple=True, metavar="NAME", type=click.Choice(list(_TITLES)),
              help=f"Only this one; repeatable. One of {', '.join(_TITLES)}.")
@click.option("--proxies", type=click.IntRange(10, 10_000), default=1000, show_default=True,
              help="How many in the large mesh, with as many services and ten times as many endpoints.")
@click.option("--seconds", type=click.FloatRange(1, 3600), default=20.0, show_default=True,
              help="How long endpoints change.")
@click.option("--changes", type=click.IntRange(2, 100_000), default=300, show_default=True,
              help="How many in the other scenarios.")
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), default=RESULTS, metavar="DIR",
              help="Where control-plane.json and the picture go.  [default: benchmarks/results]")
def main(*, names: Sequence[str], proxies: int, seconds: float, changes: int, output: Path) -> None:
    """Hold a control plane against its bars: changes to effect, a large mesh, restarts, and the cost of a change.

    Everything runs on two processors, light proxies included.
    """
    cpus = frozenset(sorted(os.sched_getaffinity(0))[:_CPUS])
    os.sched_setaffinity(0, cpus)
    outcome: dict[str, list[Figure]] = {}
    points: list[Point] = []
    failed = False
    for name in names or _TITLES:
        click.echo(f"\n{name}: {_TITLES[name]}")
        with tempfile.TemporaryDirectory(prefix="hopmesh-") as folder:
            try:
                if name == "growth":
                    sizes = [size for size in _SIZES if size < proxies] + [proxies]
                    points = uvloop.run(growth(Path(folder), cpus, sizes, changes))
                    outcome[name] = growth_figures(points, CONCERNED)
                elif name == "effect":
                    outcome[name] = uvloop.run(effect(Path(folder), cpus, changes))
                else:
                    shape = Shape(services=proxies, proxies=proxies, endpoints=10 * proxies)
                    outcome[name] = uvloop.run(scale(Path(folder), cpus, shape, seconds))
            except (BenchmarkError, OSError) as error:
                failed = True
                click.echo(f"  FAILED: {error}")
                continue
        failed |= not all(each.passed for each in outcome[name])
        click.echo(table(outcome[name]))
    click.echo("\n" + "\n".join(str(path) for path in save(output, outcome, points)))
    sys.exit(failed)


if __name__ == "__main__":
    main()

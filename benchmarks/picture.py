"""Draws a run: one panel per scenario, a bar per proxy with its range over the rounds."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.bars import PRODUCT
from benchmarks.ratios import Spread
from benchmarks.results import Results
from benchmarks.scenarios import Scenario

_COLUMNS = 4
_PRODUCT_COLOUR, _FLOOR_COLOUR, _PEER_COLOUR = "#d9480f", "#adb5bd", "#4c6ef5"


def available() -> bool:
    """Say whether matplotlib, which is optional, can be imported."""
    try:
        import matplotlib  # noqa: F401, PLC0415 - optional: extra `bench`
    except ImportError:
        return False
    return True


def draw(results: Results, scenarios: Sequence[Scenario], directory: Path) -> list[Path]:
    """Write results.png and results.svg; return their paths. Scenarios without a comparison are left out."""
    import matplotlib  # noqa: PLC0415

    matplotlib.use("Agg")
    from matplotlib import pyplot  # noqa: PLC0415

    panels = [(scenario, bars) for scenario in scenarios if len(bars := _bars(results, scenario)) > 1]
    if not panels:
        return []
    rows = -(-len(panels) // _COLUMNS)
    width = min(len(panels), _COLUMNS)
    figure, axes = pyplot.subplots(rows, width, figsize=(4 * width + 1, 3 * rows + 0.5), squeeze=False)
    for index in range(rows * width):
        axis = axes[index // width][index % width]
        if index < len(panels):
            _panel(axis, *panels[index])
        else:
            axis.axis("off")
    figure.suptitle("Medians and ranges over the rounds; lower is better", fontsize=11)
    figure.tight_layout()
    paths = [directory / "results.png", directory / "results.svg"]
    for path in paths:
        figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return paths


def _bars(results: Results, scenario: Scenario) -> dict[str, Spread]:
    found = {proxy: Spread.of(results.by_round(scenario.name, proxy, scenario.headline.key).values())
             for proxy in results.proxies}
    return {proxy: value for proxy, value in found.items() if value}


def _panel(axis, scenario: Scenario, bars: dict[str, Spread]) -> None:
    colours = {PRODUCT: _PRODUCT_COLOUR, "floor": _FLOOR_COLOUR}
    heights = [value.median for value in bars.values()]
    ranges = [[v.median - v.low for v in bars.values()], [v.high - v.median for v in bars.values()]]
    axis.bar(list(bars), heights, yerr=ranges, capsize=3,
             color=[colours.get(proxy, _PEER_COLOUR) for proxy in bars])
    axis.set_title(f"{scenario.name} ({scenario.arrangement})", fontsize=10)
    axis.set_ylabel(scenario.headline.label, fontsize=8)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)

"""Renders a run as text: a table per scenario, the bars, and the comparison with a baseline."""

from collections.abc import Sequence

from benchmarks.bars import PRODUCT, Verdict
from benchmarks.compare import Change
from benchmarks.ratios import Spread, paired_ratio
from benchmarks.results import Results
from benchmarks.scenarios import Metric, Scenario

_RULE = "─"


def number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def spread(value: Spread | None, digits: int) -> str:
    """Return ``median (low–high)``; a dash for None, and the value alone when there was only one."""
    if value is None:
        return "–"
    middle = number(value.median, digits)
    if value.count == 1:
        return middle
    return f"{middle} ({number(value.low, digits)}–{number(value.high, digits)})"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of cells, the first column left, the others right; the first row is the head."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        lines.append("  " + "   ".join(cells).rstrip())
    lines.insert(1, "  " + _RULE * (sum(widths) + 3 * (len(widths) - 1)))
    return "\n".join(lines)


def reference(results: Results, scenario: Scenario) -> str | None:
    """Return whose ratios to the others are shown: hopmesh's, or the floor's where that was not measured."""
    for name in (PRODUCT, "floor"):
        if results.by_round(scenario.name, name, scenario.headline.key):
            return name
    return None


def scenario_table(results: Results, scenario: Scenario) -> str:
    """Return one scenario's table: a row per proxy, the figures, and the reference's ratio to that proxy."""
    base = reference(results, scenario)
    head = ["proxy", *(metric.label for metric in scenario.metrics)]
    several = len([name for name in results.proxies if scenario.fits(name)]) > 1
    if base and several:
        head.append(f"{base} is … × of it")
    rows, notes = [head], []
    for proxy in results.proxies:
        if not scenario.fits(proxy):
            continue
        row = [proxy, *(_cell(results, scenario, proxy, metric) for metric in scenario.metrics)]
        if base and several:
            row.append(_ratio(results, scenario, base, proxy))
        rows.append(row)
        errors = results.errors(scenario.name, proxy)
        notes.extend(f"  ! {proxy}: {error} ({errors.count(error)} ×)" for error in dict.fromkeys(errors))
        if reason := results.missing(proxy):
            notes.append(f"  ! {proxy} is missing: {reason}")
    rounds = f"rounds: {results.rounds(scenario.name)}"
    title = " · ".join([scenario.name, scenario.title, scenario.arrangement, rounds])
    return "\n".join([title, columns(rows), *notes])


def _cell(results: Results, scenario: Scenario, proxy: str, metric: Metric) -> str:
    if results.missing(proxy):
        return "missing"
    value = Spread.of(results.by_round(scenario.name, proxy, metric.key).values())
    if value is None and results.errors(scenario.name, proxy):
        return "failed"
    return spread(value, metric.digits)


def _ratio(results: Results, scenario: Scenario, base: str, proxy: str) -> str:
    if proxy == base:
        return ""
    key = scenario.headline.key
    own, other = results.by_round(scenario.name, base, key), results.by_round(scenario.name, proxy, key)
    return spread(paired_ratio(own, other), 2)


def bar_line(verdict: Verdict) -> str:
    """Return one line: what must hold, what was found, and PASS, FAIL or the reason why it is open."""
    bar = verdict.bar
    peers = ", ".join(bar.peers[:-1]) + " and " + bar.peers[-1] if len(bar.peers) > 1 else "".join(bar.peers)
    best = f"the best of {peers}" if len(bar.peers) > 1 else peers
    if bar.difference:
        must = f"{bar.what} {best}: must be ≤ {bar.limit:g}"
    elif bar.peers:
        must = f"{bar.what}: must be ≤ {bar.limit:.2f} × {best}"
    else:
        must = f"{bar.what}: must be ≤ {bar.limit:g}"
    word = {True: "PASS", False: "FAIL", None: "open"}[verdict.passed]
    if verdict.value is None:
        return f"  {word}  {bar.scenario}: {must} – not measured"
    found = spread(verdict.value, 1 if bar.difference else 2)
    against = f" against {verdict.against}" if len(bar.peers) > 1 else ""
    absent = f"; {', '.join(verdict.absent)} not measured" if verdict.absent else ""
    return f"  {word}  {bar.scenario}: {must} – {found}{against}{absent}"


def bars_table(verdicts: Sequence[Verdict]) -> str:
    return "\n".join(["Bars (medians over rounds of figures paired by round)", *map(bar_line, verdicts)])


def changes_table(changes: Sequence[Change], baseline: str) -> str:
    """Return the comparison with a baseline: ratios then and now, and the ratio of these ratios."""
    if not changes:
        return f"Compared with {baseline}: no scenario and proxy in common"
    rows = [["scenario", "hopmesh's", "then", "now", "now / then", ""]]
    for change in changes:
        ratios = [spread(change.then, 3), spread(change.now, 3), number(change.ratio, 3)]
        rows.append([change.scenario, change.what, *ratios, change.word])
    return f"Compared with {baseline}\n{columns(rows)}"

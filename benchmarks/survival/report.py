"""Figures as text."""

from collections.abc import Iterable

from benchmarks.survival.account import Account
from benchmarks.survival.figure import Figure
from benchmarks.table import columns, number

_CAUSES = 12


def table(figures: Iterable[Figure]) -> str:
    """Return a table of figures with what each must be."""
    rows = [["figure", "is", "must be", ""]]
    for each in figures:
        must = "" if each.limit is None else f"{'≥' if each.at_least else '≤'} {number(each.limit, each.digits)}"
        verdict = "" if each.limit is None else "PASS" if each.passed else "FAIL"
        rows.append([each.name, number(each.value, each.digits), must, verdict])
    return columns(rows)


def verdicts(figures: Iterable[Figure], account: Account) -> str:
    """Return a table of figures with what each must be, then why requests failed."""
    lines = [table(figures)]
    lines += [f"  failed: {count} × {cause}" for cause, count in account.causes.most_common(_CAUSES)]
    lines += [f"  look at: {example}" for example in account.examples()]
    return "\n".join(lines)

"""Types that several kinds share: names, ports, durations, labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, Struct

from mesh_core.config.faults import Hint, PathStep
from mesh_core.config.regex import RegexError, compile_regex
from mesh_core.config.schema.common import HOST_LABEL, LARGEST
from mesh_core.config.wording import quoted
from mesh_cp.resources.gaps import Gap

ResourceName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        extra={"form": "a name (1 to 253 of a-z 0-9 . -, a letter or digit at either end)"},
    ),
]
Namespace = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        extra={"form": "a namespace (1 to 63 of a-z 0-9 -, a letter or digit at either end)"},
    ),
]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]
PortName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=63,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$",
        extra={"form": "a port's name (1 to 63 of A-Z a-z 0-9 - _ .)"},
    ),
]
LabelName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9_./-]*[A-Za-z0-9])?$",
        extra={"form": "a label's name (1 to 128 of A-Z a-z 0-9 - _ . /)"},
    ),
]
LabelText = Annotated[str, Meta(max_length=256, extra={"form": "a label's value of at most 256 characters"})]
Labels = dict[LabelName, LabelText]
Host = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=rf"^(\*|(\*\.)?{HOST_LABEL}(\.{HOST_LABEL})*)$",
        extra={"form": "a host name, *. and a host name, or *"},
    ),
]
Duration = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^([0-9]{1,12}(\.[0-9]{1,9})?(h|m|s|ms|us|ns)){1,4}$",
        extra={"form": "a duration (10s, 1.5s, 250ms, 1h30m)"},
    ),
]
Natural = Annotated[int, Meta(ge=0, le=LARGEST)]
Percentage = Annotated[int, Meta(ge=0, le=100)]

PATTERN_CHARACTERS = 1000
"""Of a regular expression: the proxy's bound, less what may be put around it."""

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|us|ns|s)")
_UNIT_MS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 0.000_001}


def milliseconds(duration: str) -> int:
    """A `Duration` in milliseconds, at most `LARGEST` of them (24.8 days); what is not 0 is 1 at least."""
    total = sum(float(number) * _UNIT_MS[unit] for number, unit in _PART.findall(duration))
    return min(LARGEST, max(1, round(total))) if total > 0 else 0


MatchedText = Annotated[str, Meta(max_length=4096, extra={"form": "at most 4096 characters"})]
QueryName = Annotated[str, Meta(min_length=1, max_length=256, extra={"form": "1 to 256 characters"})]

RETRIES_MOST = 10
"""Retries of one request."""

MIRRORS_MOST = 4
"""Places that get copies of one route's requests."""


class StringMatch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Istio's StringMatch: one of the three; a header's may be empty, and then asks for its presence."""

    exact: MatchedText | None = None
    prefix: MatchedText | None = None
    regex: MatchedText | None = None


class Selector(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Istio's selectors of workloads: all labels must be there (`labels` in ServiceEntry, else `matchLabels`)."""

    labels: Labels = {}
    match_labels: Labels = {}

    @property
    def wanted(self) -> Labels:
        """The labels to have, however they are written."""
        return self.labels or self.match_labels


class Checks(NamedTuple):
    """Takes what is wrong beyond the shape of each field: `error` and `warning` of a path, a message, and a hint."""

    take: Callable[[Sequence[PathStep], Gap, Hint], None]
    namespace: str

    def error(self, path: Sequence[PathStep], message: str, hint: Hint = None) -> None:
        """Refuse the resource."""
        self.take(path, Gap("error", message), hint)

    def warning(self, path: Sequence[PathStep], message: str, hint: Hint = None) -> None:
        """Let it pass, and say what it does not do."""
        self.take(path, Gap("warning", message), hint)

    def only_one(self, path: list[PathStep], of: Struct, names: Sequence[str], *, required: bool = True) -> str | None:
        """The one of the fields `names` that `of` has; a fault where there are several, or none though `required`."""
        shown = dict(zip(of.__struct_fields__, of.__struct_encode_fields__, strict=True))
        given = [name for name in names if is_given(getattr(of, name))]
        if required and not given:
            self.error(path, "nothing is asked for", f"add one of {', '.join(shown[name] for name in names)}")
        for name in given[1:]:
            self.error([*path, shown[name]], f"there is {shown[given[0]]} already", "keep one of them")
        return given[0] if given else None

    def retries(self, path: list[PathStep], attempts: int | None) -> None:
        """Tell that fewer retries are made than were asked for."""
        if attempts is not None and attempts > RETRIES_MOST:
            self.warning([*path, "attempts"], f"a request is tried again {RETRIES_MOST} times at most")

    def at_most(self, path: list[PathStep], items: Sequence[object], most: int) -> None:
        """Refuse a list that is longer than the proxy takes."""
        if len(items) > most:
            self.error([*path, most], f"more than {most}", "remove some")

    def regex(self, path: list[PathStep], pattern: str | None) -> None:
        """Refuse a regular expression that is none."""
        if pattern is None:
            return
        if not 0 < len(pattern) <= PATTERN_CHARACTERS:
            self.error(path, f"expected a regular expression of 1 to {PATTERN_CHARACTERS} characters")
            return
        try:
            compile_regex(pattern)
        except RegexError as fault:
            self.error(path, f"{quoted(pattern)}: {fault.message}", "docs/routing.md tells what may stand there")


def is_given(value: Any) -> bool:
    """Whether a field says something: neither None nor an empty list or mapping."""
    return value is not None and value not in ((), {})

"""The filter of /stats means what it means to `re`, and takes no time for anything."""

import itertools
import re
import time

import pytest

from mesh_core.control.admin.stats_filter import FilterError, compile_filter

TOKENS = ("a", "b", ".", ".*", ".+", "^", "$", "|", "[ab]", "\\.")
NAMES = ("", "a", "b", "ab", "ba", "a.b", "aab", "abab", ".")


@pytest.mark.parametrize("size", range(5))
def test_it_agrees_with_re(size: int) -> None:
    for parts in itertools.product(TOKENS, repeat=size):
        pattern = "".join(parts)
        matches, expected = compile_filter(pattern), re.compile(pattern)
        for name in NAMES:
            assert matches(name) == bool(expected.search(name)), (pattern, name)


@pytest.mark.parametrize("pattern", [".*" * 100, ".*a" * 66, ".+" * 100, "a|" * 100, "." * 200, ".*.+[ab]" * 25])
def test_nothing_is_costly(pattern: str) -> None:
    matches = compile_filter(pattern)
    began = time.process_time()
    for _ in range(100):
        matches("ab" * 150 + "!")
    # `re` alone would need years for some of these, so any bound tells the two apart.
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "pattern", ["(", "(a)", "a*", "a+", "a?", "a{2}", "**", "[", "[]", "[z-a]", "\\", "\\d", "a" * 201]
)
def test_the_rest_is_refused_with_a_reason(pattern: str) -> None:
    with pytest.raises(FilterError, match=r"\w"):
        compile_filter(pattern)

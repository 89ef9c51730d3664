"""Regular expressions: what is taken, what it means (RE2 as a second opinion), and what it may cost."""

from __future__ import annotations

import random

import pytest
import re2

from mesh_core._testing.routes import Regex
from mesh_core.config.regex import RegexError, compile_regex

_ATOMS = [
    "a", "b", "/", "é", "€", "😀", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "[a-c]", "[^a]", "[^é]", "[a-€]",
    "[[:alpha:]]", "[^[:digit:]/]", "[[:^alpha:]]", "[[:punct:]]", r"\.", r"\x41", r"\x{1F600}", "^", "$", r"\A", r"\z",
    "[]a]", "[^]a]", "[a-]", "{", "}", "a{", r"[\d-]", r"[\w.]", "(?i:aB)", "(?s:.)", "\n", "0", "A", r"[^\S]", "-",
    "]", r"\-", ",",
]  # fmt: skip
_COUNTS = ["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "{0}", "??"]
_GROUPS = ["(", "(?:", "(?P<n>", "(?<m>", "(?i)(", "(?-s:"]
_ALPHABET = "ab/é€😀09A. \nCz-]{}\t&,_\x0b"


def _expression(rnd: random.Random, depth: int) -> str:
    out = ""
    for _ in range(rnd.randint(0, 4)):
        sort = rnd.random() if depth else 1
        if sort < 0.3:
            out += rnd.choice(_GROUPS) + _expression(rnd, depth - 1) + ")"
        elif sort < 0.38:
            out += _expression(rnd, depth - 1) + "|" + _expression(rnd, depth - 1)
        else:
            out += rnd.choice(_ATOMS)
        if rnd.random() < 0.3:
            out += rnd.choice(_COUNTS)
    return out


@pytest.mark.parametrize("seed", range(10))
def test_as_re2(seed: int) -> None:
    options = re2.Options()
    options.log_errors = False
    rnd = random.Random(seed)
    compared = 0
    for _ in range(60):
        pattern = _expression(rnd, 3)
        try:
            ours = compile_regex(pattern)
        except RegexError:
            continue
        theirs = re2.compile(pattern, options)
        for _ in range(12):
            text = "".join(rnd.choice(_ALPHABET) for _ in range(rnd.randint(0, 6)))
            fits = ours.fits(text.encode())
            assert fits == (theirs.fullmatch(text) is not None), (pattern, text)
            compared += 1
        assert text.encode().startswith(ours.literal_prefix.encode()) or not fits
    assert compared > 200


@pytest.mark.parametrize("pattern", [
    "(", ")", "(a", "a)", "[", "[a", "*", "a**", "a*+", "(*a)", "|*", "a{2}{3}", "a{1001}", "a{3,2}", "(a{100}){100}",
    "[z-a]", "[[:foo:]]", r"\b", r"\1", r"\C", r"\pL", r"\Qa", "\\", r"\xg", r"\x{110000}", r"\x{D800}", r"\é", r"\_",
    "(?=a)", "(?!a)", "(?<=a)", "(?m)a", "(?U)a", "(?P<a>a)(?P<a>b)", "(?P=a)", "(?i)*", "(?", "(" * 101 + ")" * 101,
])  # fmt: skip
def test_refused(pattern: str) -> None:
    with pytest.raises(RegexError, match=r"at character \d+ of the expression"):
        compile_regex(pattern)


@pytest.mark.parametrize("pattern", [
    "(a|b)*a(a|b){12}", "((a{0,30}){0,30}b){1,1}(a|b)*a(a|b){16}", "(.{1,30}){1,30}", "[^a]{1000}(.|é){900}",
    "(\\w|\\d|.){500,1000}x",
])  # fmt: skip
def test_too_large(pattern: str) -> None:
    with pytest.raises(RegexError, match=r"too (large|complex)"):
        compile_regex(pattern)


@pytest.mark.parametrize(("pattern", "text"), [
    ("(a*)*b", b"a" * 60000), ("(a|aa)+$", b"a" * 60000 + b"b"), ("(.*)*x", "é".encode() * 30000),
    ("(a?){50}a{50}", b"a" * 49),
])  # fmt: skip
def test_what_makes_others_backtrack(pattern: str, text: bytes) -> None:
    assert not Regex(pattern).fits([text])


@pytest.mark.parametrize(("pattern", "text", "fits"), [
    (".", b"\xff", False), (".", b"\xc3", False), (".", "é".encode(), True), ("[^a]", b"\xed\xa0\x80", False),
    (".", b"\xc0\x80", False), (".", b"\xf4\x90\x80\x80", False), (".", "\U0010ffff".encode(), True), ("", b"", True),
    ("(?i)aB", b"Ab", True), ("(?i)é", "É".encode(), False), ("$^", b"", True), ("(a|)$^", b"a", False),
    ("a$b", b"ab", False), ("a\x00b", b"a\x00b", True),
])  # fmt: skip
def test_bytes(pattern: str, text: bytes, fits: bool) -> None:
    walked = Regex(pattern)
    assert compile_regex(pattern).fits(text) == fits
    for cut in range(len(text) + 1):
        assert walked.fits([text[:cut], text[cut:]]) == fits


@pytest.mark.parametrize(("pattern", "prefix"), [
    ("/users/[0-9]+", "/users/"), ("^/a.b", "/a"), ("/a|/b", ""), ("/a*", "/"), ("/a/b", "/a/b"), ("(/a)/b", ""),
    ("(?i)/a", "/"), ("[/]a", "/a"), (".*", ""),
])  # fmt: skip
def test_the_literal_prefix(pattern: str, prefix: str) -> None:
    assert compile_regex(pattern).literal_prefix == prefix

"""From the text of a regular expression to its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from mesh_core.config.regex.characters import (
    DIGIT,
    POSIX,
    SPACE,
    WORD,
    Ranges,
    complement,
    in_either_case,
    union,
)

REPEAT_LIMIT: Final = 1000
"""The largest count of a repetition, and product of counts within each other, as in RE2."""

_DEPTH_LIMIT: Final = 100

_COUNTS = re.compile(r"\{([0-9]{1,9})(,([0-9]{1,9})?)?\}")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]*):\]")
_GROUP_NAME = re.compile(r"\?P?<([A-Za-z0-9_]{1,64})>")
_FLAGS = re.compile(r"\?([is]*)(?:-([is]+))?([:)])")
_CLASSES = {"d": DIGIT, "s": SPACE, "w": WORD}
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_SPECIAL = frozenset(".^$*+?()[]{}|\\")
_ANY = complement(())
_ANY_BUT_NEWLINE = complement(((10, 10),))


class RegexError(Exception):
    """An expression that is refused. `message` says why, and where in the expression."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def literal(text: str) -> str:
    """The expression that fits `text` alone."""
    return "".join(f"\\{each}" if each in _SPECIAL else each for each in text)


@dataclass(frozen=True)
class Characters:
    """One character of these."""

    ranges: Ranges


@dataclass(frozen=True)
class Sequence:
    """One after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Choice:
    """One of these."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Repeat:
    """`least` to `most` times the same; `most` None: without end."""

    part: Part
    least: int
    most: int | None


@dataclass(frozen=True)
class Begin:
    """The begin of the text."""


@dataclass(frozen=True)
class End:
    """The end of the text."""


Part = Characters | Sequence | Choice | Repeat | Begin | End


def parse(pattern: str) -> Part:
    """The parts of `pattern`. Raises RegexError."""
    return _Parser(pattern).parse()


def literal_prefix(part: Part) -> str:
    """What every text begins with that `part` fits, as far as it is plain to see."""
    out = []
    for each in part.parts if isinstance(part, Sequence) else (part,):
        if isinstance(each, Characters) and len(each.ranges) == 1 and each.ranges[0][0] == each.ranges[0][1]:
            out.append(chr(each.ranges[0][0]))
        elif not isinstance(each, Begin):
            break
    return "".join(out)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0
        self._depth = 0
        self._ignore_case = False
        self._dot_newline = False
        self._names: set[str] = set()

    def parse(self) -> Part:
        part, _ = self._choice()
        if self._at < len(self._text):
            self._refuse("a ) without its (")
        return part

    def _refuse(self, what: str) -> NoReturn:
        raise RegexError(f"{what}, at character {self._at + 1} of the expression")

    def _take(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _choice(self) -> tuple[Part, int]:
        """What stands up to the end or to a closing parenthesis, and the largest product of counts in it."""
        parts, largest = [], 1
        while True:
            part, product = self._sequence()
            parts.append(part)
            largest = max(largest, product)
            if not self._take("|"):
                return (parts[0] if len(parts) == 1 else Choice(tuple(parts))), largest

    def _sequence(self) -> tuple[Part, int]:
        parts: list[Part] = []
        largest = 1
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            found = self._atom()
            if found is None:
                continue
            part, product = self._repeated(*found)
            parts.append(part)
            largest = max(largest, product)
        return (parts[0] if len(parts) == 1 else Sequence(tuple(parts))), largest

    def _repeated(self, part: Part, product: int) -> tuple[Part, int]:
        counts = self._counts()
        if counts is None:
            return part, product
        self._take("?")  # the least or the most of it first: a whole text fits or not
        if self._counts() is not None:
            self._refuse("a repetition of a repetition")
        least, most = counts
        product *= max(least if most is None else most, 1)
        if product > REPEAT_LIMIT:
            self._refuse(f"more than {REPEAT_LIMIT} repetitions")
        return Repeat(part, least, most), product

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return counts
        found = self._match(_COUNTS)
        if found is None:
            return None
        least = int(found[1])
        most = least if found[2] is None else None if found[3] is None else int(found[3])
        if least > REPEAT_LIMIT or (most is not None and not least <= most <= REPEAT_LIMIT):
            self._refuse(f"counts that are not in order, or beyond {REPEAT_LIMIT}")
        return least, most

    def _atom(self) -> tuple[Part, int] | None:
        """One thing that can be repeated, and the largest product of counts in it; None for flags."""
        if self._counts() is not None:
            self._refuse("a repetition of nothing")
        if self._take("("):
            return self._group()
        if self._take("["):
            return Characters(self._class()), 1
        if self._take("."):
            return Characters(_ANY if self._dot_newline else _ANY_BUT_NEWLINE), 1
        if self._take("^") or self._take("\\A"):
            return Begin(), 1
        if self._take("$") or self._take("\\z"):
            return End(), 1
        ranges = self._class_escape()
        if ranges is None:
            code = self._character()
            ranges = self._cased(((code, code),))
        return Characters(ranges), 1

    def _group(self) -> tuple[Part, int] | None:
        before = self._ignore_case, self._dot_newline
        if self._text.startswith("?", self._at):
            name, flags = self._match(_GROUP_NAME), self._match(_FLAGS)
            if name is not None:
                if name[1] in self._names:
                    self._refuse("two groups of one name")
                self._names.add(name[1])
            elif flags is None:
                self._refuse("a group of a kind that is not supported")
            else:
                self._set(flags[1], flags[2] or "")
                if flags[3] == ")":
                    if self._counts() is not None:
                        self._refuse("a repetition of nothing")
                    return None
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            self._refuse(f"groups nested more than {_DEPTH_LIMIT} deep")
        inner = self._choice()
        if not self._take(")"):
            self._refuse("a ( without its )")
        self._depth -= 1
        self._ignore_case, self._dot_newline = before
        return inner

    def _set(self, on: str, off: str) -> None:
        self._ignore_case = (self._ignore_case or "i" in on) and "i" not in off
        self._dot_newline = (self._dot_newline or "s" in on) and "s" not in off

    def _cased(self, ranges: Ranges) -> Ranges:
        return in_either_case(ranges) if self._ignore_case else ranges

    def _class(self) -> Ranges:
        """What stands between brackets; the first is taken."""
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self._take("]"):
            if self._at >= len(self._text):
                self._refuse("a [ without its ]")
            first = False
            posix = self._match(_POSIX_CLASS)
            escape = None if posix is not None else self._class_escape()
            if posix is not None:
                if posix[2] not in POSIX:
                    self._refuse("a class of characters that is unknown")
                escape = complement(POSIX[posix[2]]) if posix[1] else POSIX[posix[2]]
            ranges.extend(escape if escape is not None else (self._range(),))
        found = self._cased(union(ranges))
        return complement(found) if negated else found

    def _range(self) -> tuple[int, int]:
        first = last = self._character()
        if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
            self._at += 1
            last = self._character()
        if last < first:
            self._refuse("a range that ends before it begins")
        return first, last

    def _class_escape(self) -> Ranges | None:
        if not self._text.startswith("\\", self._at):
            return None
        letter = self._text[self._at + 1 : self._at + 2]
        if letter == "" or letter.lower() not in _CLASSES:
            return None
        self._at += 2
        return _CLASSES[letter] if letter in _CLASSES else complement(_CLASSES[letter.lower()])

    def _character(self) -> int:
        if self._at >= len(self._text):
            self._refuse("an end where a character should be")
        if not self._take("\\"):
            self._at += 1
            return ord(self._text[self._at - 1])
        letter = self._text[self._at : self._at + 1]
        code = self._match(_HEX)
        if code is not None:
            value = int(code[1] or code[2], 16)
            if value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
                self._refuse("an escape that is no character")
            return value
        if letter in _CONTROLS:
            value = _CONTROLS[letter]
        elif letter and letter.isascii() and not (letter.isalnum() or letter == "_"):
            value = ord(letter)
        else:
            self._refuse("an escape that is not supported")
        self._at += 1
        return value

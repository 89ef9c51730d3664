"""What an unquoted YAML scalar means: the YAML 1.2 core schema, less what YAML 1.1 readers take differently.

YAML 1.1 reads `on` as true, `1:30` as 90 and `010` as 8; YAML 1.2 reads them as text, text and ten. A
configuration must not depend on who reads it, so such text is marked as ambiguous and the decoder asks for
quotes, or for another spelling.
"""

from __future__ import annotations

import re

from mesh_core.config.node import Position, Scalar

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_OTHER_BOOLEANS = frozenset({"yes", "no", "on", "off"})
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_OTHER_NUMBER = re.compile(
    r"[-+]?0[0-9_]+(\.[0-9_]*)?"  # octal for some, decimal for others
    r"|[-+]?0o[0-7]+|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+"
    r"|[-+]?[0-9][0-9_]*(\.[0-9_]*)?"  # underscores between digits
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"  # base sixty
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9:. +Z-]*)?")

# No text that begins otherwise can be anything but a string: the test that most scalars end at.
_MAY_BE_MORE = frozenset("~nNtTfFyYoO+-.0123456789")

# An integer of more digits is out of every bound, and Python refuses to convert very long ones.
_INTEGER_DIGITS = 40


def plain_scalar(text: str, position: Position | None) -> Scalar:
    """The scalar that the unquoted `text` stands for."""
    if text and text[0] not in _MAY_BE_MORE:
        return Scalar(text, position, text)
    if text in _WORDS:
        return Scalar(_WORDS[text], position, text)
    if _INTEGER.fullmatch(text):
        return Scalar(int(text) if len(text) <= _INTEGER_DIGITS else float(text), position, text)
    if _FLOAT.fullmatch(text):
        return Scalar(float(text), position, text)
    return Scalar(text, position, text, _ambiguity(text))


def _ambiguity(text: str) -> str | None:
    if text.lower() in _OTHER_BOOLEANS:
        return "a boolean"
    # Bounds the work of the patterns; no number or date that a reader knows is longer.
    if len(text) > 2 * _INTEGER_DIGITS:
        return None
    if _OTHER_NUMBER.fullmatch(text):
        return "a number"
    return "a date" if _DATE.fullmatch(text) else None

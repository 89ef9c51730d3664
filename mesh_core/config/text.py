"""From the bytes of a configuration file to text that a YAML parser may see."""

from __future__ import annotations

import codecs
import re

from mesh_core.config.faults import FaultList
from mesh_core.config.node import Position

SIZE_LIMIT_BYTES = 16 * 1024 * 1024
"""As much as one frame of the control channel holds."""

# What YAML calls printable, turned round.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text_of(data: bytes | str, faults: FaultList) -> str | None:
    """The text that `data` holds (UTF-8, with or without a byte order mark), or None with a fault taken."""
    if len(data) > SIZE_LIMIT_BYTES:
        faults.add("", (1, 1), f"larger than {SIZE_LIMIT_BYTES} bytes", "is it the right file?")
        return None
    text = data if isinstance(data, str) else _decoded(data, faults)
    if text is None:
        return None
    text = text.removeprefix("\ufeff")
    odd = _UNPRINTABLE.search(text)
    if odd is None:
        return text
    code = ord(odd.group())
    what = "a NUL character" if code == 0 else f"an unprintable character (U+{code:04X})"
    faults.add("", _position(text, odd.start()), f"{what} is not allowed in YAML", _BINARY_HINT)
    return None


_BINARY_HINT = "is it a text file?"


def _decoded(data: bytes, faults: FaultList) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        faults.add("", (1, 1), "the text is in UTF-16", "save it as UTF-8")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        faults.add("", _position(before, len(before)), message, "save the file as UTF-8")
        return None


def _position(text: str, index: int) -> Position:
    """The line and column, from 1, of the character at `index`. A CR LF pair ends one line."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1

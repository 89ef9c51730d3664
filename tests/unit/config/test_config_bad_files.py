"""The table of bad files: beside each `bad/NAME.yaml`, `bad/NAME.faults` has exactly what is said about it.

After a change of wording, write the expectations anew and read the difference:

    HOPMESH_WRITE_EXPECTED=1 python -m pytest tests/unit/config/test_config_bad_files.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mesh_core.config import ConfigError, load_text

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


def refused(data: bytes | str, name: str = "f") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_text(data, name)
    return caught.value


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_faults(path: Path) -> None:
    found = str(refused(path.read_bytes(), path.name)) + "\n"
    expected = path.with_suffix(".faults")
    if os.environ.get("HOPMESH_WRITE_EXPECTED"):
        expected.write_text(found)
    assert found == expected.read_text()


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b"", 1, 1, "the file holds no configuration"),
        (b"listeners: []\n\0", 2, 1, "a NUL character is not allowed in YAML"),
        (b"a: \x1b[31m", 1, 4, "an unprintable character (U+001B) is not allowed in YAML"),
        ("ä: 1\r\nö: \x07".encode(), 2, 4, "an unprintable character (U+0007) is not allowed in YAML"),
        (b"listeners:\n  - \xff", 2, 5, "the byte 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa: \xc3", 1, 4, "the byte 0xc3 is not UTF-8"),
        (b"\x7fELF\x02\x01\x01\0", 1, 1, "an unprintable character (U+007F) is not allowed in YAML"),
        ("listeners: []".encode("utf-16"), 1, 1, "the text is in UTF-16"),
        ("a: \ud800", 1, 4, "an unprintable character (U+D800) is not allowed in YAML"),
        (b"#" * (16 * 1024 * 1024 + 1), 1, 1, "larger than 16777216 bytes"),
    ],
)
def test_what_is_no_yaml_text(data: bytes | str, line: int, column: int, message: str) -> None:
    (fault,) = refused(data).faults
    assert (fault.path, fault.line, fault.column, fault.message) == ("", line, column, message)


def test_secrets_are_not_shown() -> None:
    path = Path(__file__).parent / "bad" / "secrets.yaml"
    assert "hunter2" in path.read_text()
    assert "hunter2" not in str(refused(path.read_bytes()))

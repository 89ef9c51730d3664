"""Which files `-f` means, and what stands in them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mesh_core.config.text import SIZE_LIMIT_BYTES
from mesh_cp.api.messages import File
from mesh_cp.cli.client import ClientError

SUFFIXES = (".yaml", ".yml", ".json")
TOTAL_LIMIT_BYTES = 24 << 20
"""What the API takes in one request, less what JSON adds to it."""


def read_files(paths: Sequence[str]) -> tuple[File, ...]:
    """The manifests of files, of folders with all that is in them, and of the standard input ("-").

    Raises ClientError.
    """
    files: list[File] = []
    total = 0
    for path in paths:
        try:
            for name, data in read_manifests(path):
                total += len(data)
                if total > TOTAL_LIMIT_BYTES:
                    raise ClientError(f"more than {TOTAL_LIMIT_BYTES} bytes of manifests: apply them in parts")
                files.append(File(name, data.decode("utf-8-sig")))
        except OSError as error:
            raise ClientError(f"{error.filename} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ClientError(f"{name}: not UTF-8: {error.reason} at byte {error.start}") from error
    return tuple(files)


def read_manifests(path: str) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each file that a path means. Raises OSError, ClientError."""
    if path == "-":
        yield "<stdin>", sys.stdin.buffer.read(SIZE_LIMIT_BYTES + 1)
        return
    for file in _manifest_files(Path(path)) if is_folder(path) else [Path(path)]:
        with file.open("rb") as opened:
            # One byte over the limit is enough to know.
            yield str(file), opened.read(SIZE_LIMIT_BYTES + 1)


def is_folder(path: str) -> bool:
    """Whether a path means all that is in it."""
    return path != "-" and Path(path).is_dir()


def _manifest_files(folder: Path) -> list[Path]:
    """Those in a folder and below, by name, hidden ones left out."""
    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not found:
        raise ClientError(f"{folder} holds no manifests: no {', '.join(SUFFIXES)}")
    return found

"""Prints requirements of pyproject.toml, one a line: ``requirements.py build run test lint bench``."""

import sys
import tomllib
from pathlib import Path


def requirements(groups: list[str]) -> list[str]:
    """Return the requirements of the groups named: ``build``, ``run`` or an extra.

    Raises KeyError for an extra that pyproject.toml does not have.
    """
    document = tomllib.loads(Path(__file__).parent.with_name("pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    known = {
        "build": document["build-system"]["requires"],
        "run": project["dependencies"],
        **project["optional-dependencies"],
    }
    return [line for group in groups for line in known[group]]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))

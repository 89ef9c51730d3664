#!/usr/bin/env bash
# Installs Python packages into $VENV: install.sh base | test | lint | bench
#
# "base" is what building and running need, plus hopmesh itself in editable form; the others are extras of
# pyproject.toml. Each leaves a stamp, which make compares with pyproject.toml.
set -euo pipefail

VENV=${VENV:-.venv}
here=$(dirname "$0")
python=$VENV/bin/python
group=${1:?usage: install.sh base|test|lint|bench}

install_requirements() {
    "$python" "$here/requirements.py" "$@" >"$VENV/stamps/requirements.txt"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$VENV/stamps/requirements.txt"
}

echo "hopmesh: installing Python packages ($group)"
if [[ $group == base ]]; then
    install_requirements build run
    # Without isolation the build uses the Cython just installed, offline.
    HOPMESH_BUILD=release "$python" -m pip install --quiet --disable-pip-version-check \
        --no-build-isolation --no-deps --editable .
else
    install_requirements "$group"
fi
touch "$VENV/stamps/$group"

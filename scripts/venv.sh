#!/usr/bin/env bash
# Makes the virtual environment $VENV, unless a working one of the wanted Python is there.
#
# PYTHON names the interpreter to use; without it the first suitable one is taken.
set -euo pipefail

VENV=${VENV:-.venv}
here=$(dirname "$0")
suitable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
identity='import os, sys; print(os.path.realpath(sys.base_prefix), *sys.version_info[:3])'

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        if "$candidate" -c "$suitable" >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    echo "hopmesh: no Python 3.11 to 3.14 found (tried ${PYTHON:-python3, python3.14 to python3.11});" \
         "name one with PYTHON=/path/to/python3" >&2
    return 1
}

# Debian splits venv and the headers off; a Python from elsewhere brings both.
complete_python() {
    local version lacking=()
    version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    "$1" -c 'import ensurepip, venv' 2>/dev/null || lacking+=("$version-venv")
    "$1" -c 'import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || lacking+=("$version-dev")
    if ((${#lacking[@]} > 0)); then
        "$here/packages.sh" exactly "${lacking[@]}"
    fi
}

stamp=$VENV/stamps/venv
current=$("$VENV/bin/python" -c "$identity" 2>/dev/null || true)
# The prefix is compared because an environment that was moved or copied still points to its old place.
prefix=$("$VENV/bin/python" -c 'import sys; print(sys.prefix)' 2>/dev/null || true)
if [[ -f $stamp && -n $current && $prefix == "$(realpath "$VENV")" && $(<"$stamp") == "$current" ]]; then
    [[ -n ${PYTHON:-} ]] || exit 0
    [[ $(VIRTUAL_ENV='' "$PYTHON" -c "$identity" 2>/dev/null) != "$current" ]] || exit 0
fi

"$here/packages.sh" build
python=$(find_python)
complete_python "$python"
echo "hopmesh: making $VENV with $("$python" -V)"
rm -rf "$VENV"
"$python" -m venv "$VENV"
mkdir -p "$VENV/stamps"
"$VENV/bin/python" -c "$identity" >"$stamp"

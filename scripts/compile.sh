#!/usr/bin/env bash
# Builds the compiled modules in place, as $HOPMESH_BUILD says (release or debug).
#
# Only changed files are compiled anew, unless the kind of build or setup.py changed: compiler flags do not
# show in the times of files.
set -euo pipefail

VENV=${VENV:-.venv}
stamps=$VENV/stamps
stamp=$stamps/compiled-$HOPMESH_BUILD
force=()

# pip's editable install, the first build of all, makes a release build.
last=$(cat "$stamps/kind" 2>/dev/null || echo release)
if [[ $last != "$HOPMESH_BUILD" || ( -f $stamp && setup.py -nt $stamp ) ]]; then
    force=(--force)
    export CYTHON_FORCE_REGEN=1
fi

# A module whose source is gone would otherwise live on as an importable file.
find mesh_core -name '*.so' | while read -r library; do
    [[ -f ${library%%.*}.pyx ]] || rm -v "$library"
done

rm -f "$stamps"/compiled-*
mkdir -p build
echo "hopmesh: compiling ($HOPMESH_BUILD)"
if ! "$VENV/bin/python" setup.py --quiet build_ext --inplace "${force[@]}" >build/compile.log 2>&1; then
    cat build/compile.log >&2
    exit 1
fi
grep -E 'warning|error' build/compile.log >&2 || true
echo "$HOPMESH_BUILD" >"$stamps/kind"
touch "$stamp"

#!/usr/bin/env bash
# Runs the tests on a build with gcc's address and undefined-behaviour sanitizers: asan.sh [ARGUMENT...]
#
# The build lives in build/asan, a copy of the sources. Two small wrappers in build/asan/bin stand first in
# PATH and become sys.executable: they preload the sanitizer into Python processes alone, so curl or nginx,
# which tests start too, run as they are.
set -euo pipefail

root=$PWD
tree=$root/build/asan
python=$(realpath -s "${VENV:-.venv}/bin/python")
export HOPMESH_BUILD=asan

"$python" scripts/mirror.py "$tree"
cd "$tree"
force=()
if [[ ! -f built || setup.py -nt built ]]; then
    force=(--force)
    export CYTHON_FORCE_REGEN=1
fi
echo "hopmesh: compiling (asan)"
if ! "$python" setup.py --quiet build_ext --inplace "${force[@]}" >compile.log 2>&1; then
    cat compile.log >&2
    exit 1
fi
touch built

mkdir -p bin site
cat >bin/python <<WRAPPER
#!/bin/bash
# An explicit list of options: the caller's environment may be empty.
export PYTHONPATH="$tree/site:$tree" PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:\${HOPMESH_ASAN_OPTIONS:-}"
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
LD_PRELOAD="$(realpath "$(gcc -print-file-name=libasan.so)")" exec "$python" "\$@"
WRAPPER
printf '#!/bin/bash\nexec "%s" -m mesh_core.cli "$@"\n' "$tree/bin/python" >bin/hopmesh
chmod +x bin/python bin/hopmesh
cat >site/sitecustomize.py <<CUSTOMIZE
import os
import sys

os.environ.pop("LD_PRELOAD", None)
sys.executable = "$tree/bin/python"
CUSTOMIZE

export PATH="$tree/bin:$PATH"
python -c 'import mesh_core, sys; sys.exit(not mesh_core.__file__.startswith(sys.argv[1]))' "$tree" \
    || { echo "hopmesh: mesh_core was not imported from $tree" >&2; exit 1; }
exec python -m pytest -p no:cacheprovider "$@"

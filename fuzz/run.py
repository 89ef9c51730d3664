"""Runs fuzz targets: ``python -m fuzz.run TARGET... [libFuzzer argument...]``; ``all`` means every target.

A finding is written to build/fuzz/findings/TARGET, makes the exit code 1, and is run again by
``python -m fuzz.run TARGET FILE``. What was learnt stays in build/fuzz/corpus/TARGET.
"""

import os
import subprocess
import sys
from pathlib import Path

from fuzz import build
from fuzz.targets import TARGETS, Native

USAGE = f"usage: python -m fuzz.run TARGET... [libFuzzer argument...]\ntargets: all {' '.join(TARGETS)}"


def native_environment() -> dict[str, str]:
    """Return the environment of a process that fuzzes compiled modules, after building them."""
    # The driver goes first: the sanitizer has empty stand-ins for the coverage functions that it defines.
    preload = f"{build.build_driver()}:{build.asan_runtime()}"
    return {
        **os.environ,
        "PYTHONPATH": str(build.build_modules()),
        "LD_PRELOAD": preload,
        # CPython's own allocator would hide overflows; what it never frees is no leak of ours.
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0:allocator_may_return_null=1",
    }


def python_environment() -> dict[str, str]:
    """Return the environment of a process that fuzzes Python modules."""
    environment = {**os.environ, "PYTHONPATH": str(build.ROOT)}
    if build.install_atheris():
        environment["PYTHONPATH"] += os.pathsep + str(build.ATHERIS)
    else:
        print("fuzz: line tracing guides libFuzzer instead, which is slower", flush=True)
        environment["HOPMESH_FUZZ_DRIVER"] = str(build.build_driver())
    return environment


def folders(name: str) -> list[str]:
    """Return the target's corpus, which libFuzzer writes to, and its seeds, making what is not there."""
    corpus, seeds = build.BUILD / "corpus" / name, build.ROOT / "fuzz" / "seeds" / name
    for folder in (corpus, seeds, build.BUILD / "findings" / name):
        folder.mkdir(parents=True, exist_ok=True)
    return [str(corpus), str(seeds)]


def fuzz(name: str, arguments: list[str]) -> int:
    """Fuzz one target in a process of its own; return its exit code."""
    environment = native_environment() if isinstance(TARGETS[name], Native) else python_environment()
    inputs = folders(name)
    if any(not word.startswith("-") for word in arguments):
        inputs = []
    print(f"fuzz: {name}", flush=True)
    words = [f"-artifact_prefix={build.BUILD}/findings/{name}/", "-timeout=10", *arguments, *inputs]
    child = [sys.executable, "-P", "-m", "fuzz.child", name, *words]
    return subprocess.run(child, env=environment, check=False).returncode


def main(words: list[str]) -> int:
    """Run the targets named, one after the other; return 1 when one of them failed."""
    names = [word for word in words if word in TARGETS or word == "all"]
    arguments = [word for word in words if word not in names]
    for word in arguments:
        if not word.startswith("-") and not Path(word).exists():
            print(f"fuzz: {word} is neither a target nor a file\n{USAGE}", file=sys.stderr)
            return 2
    if not names:
        print(USAGE, file=sys.stderr)
        return 2
    codes = {name: fuzz(name, arguments) for name in (TARGETS if "all" in names else names)}
    for name, code in codes.items():
        print(f"fuzz: {name}: {'ok' if code == 0 else f'FAILED (exit code {code})'}")
    return int(any(codes.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

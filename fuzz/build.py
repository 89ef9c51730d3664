"""Builds what fuzzing needs under build/fuzz: libFuzzer as a library, instrumented modules, atheris."""

import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "fuzz"
TREE = BUILD / "tree"
DRIVER = BUILD / "libfuzzer.so"
ATHERIS = BUILD / "atheris"


def clang_runtime(name: str) -> Path:
    """Return the path of one of clang's runtime libraries.

    Raises SystemExit when clang or the library is not installed.
    """
    try:
        command = [os.environ.get("CLANG", "clang"), "--print-runtime-dir"]
        folder = Path(subprocess.check_output(command, text=True).strip())
    except FileNotFoundError:
        sys.exit("fuzz: clang was not found (set CLANG to its path, or run: scripts/packages.sh fuzz)")
    # Newer releases keep a folder per target and leave the machine's name out of the file's.
    for path in (folder / name.format(f"-{platform.machine()}"), folder / name.format("")):
        if path.exists():
            return path
    sys.exit(f"fuzz: no {name.format('')} in {folder}; run: scripts/packages.sh fuzz")


def asan_runtime() -> Path:
    """Return clang's shared address-sanitizer runtime."""
    return clang_runtime("libclang_rt.asan{}.so")


def build_driver() -> Path:
    """Link libFuzzer, which clang ships as an archive, into a library that ctypes can call."""
    archive = clang_runtime("libclang_rt.fuzzer_no_main{}.a")
    if not DRIVER.exists() or DRIVER.stat().st_mtime < archive.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        whole = ["-Wl,--whole-archive", str(archive), "-Wl,--no-whole-archive"]
        libraries = ["-lstdc++", "-lpthread", "-lm", "-ldl"]
        compiler = os.environ.get("CLANG", "clang")
        subprocess.run([compiler, "-shared", "-o", str(DRIVER), *whole, *libraries], check=True)
    return DRIVER


def build_modules() -> Path:
    """Compile mesh_core with clang's coverage and address sanitizer, in a copy of the sources."""
    subprocess.run([sys.executable, ROOT / "scripts" / "mirror.py", TREE], check=True)
    compiler = os.environ.get("CLANG", "clang")
    environment = {
        **os.environ,
        "HOPMESH_BUILD": "fuzz",
        "CC": compiler,
        "LDSHARED": f"{compiler} -shared",
    }
    log, stamp = BUILD / "compile.log", BUILD / "built"
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    if not stamp.exists() or stamp.stat().st_mtime < (TREE / "setup.py").stat().st_mtime:
        command.append("--force")
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=TREE, env=environment, stdout=output, stderr=output, check=False)
    if done.returncode:
        sys.exit(f"{log.read_text(errors='replace')}\nfuzz: the instrumented build failed")
    stamp.touch()
    return TREE


def install_atheris() -> bool:
    """Install atheris for this Python, once; return whether it is there."""
    if not (ATHERIS / "atheris").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        wheel = ["--only-binary", ":all:", "--target", str(ATHERIS), "atheris>=3,<4"]
        done = subprocess.run([*pip, *wheel], capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            print(f"fuzz: atheris cannot be installed for Python {platform.python_version()}: {reason}")
            return False
    return True

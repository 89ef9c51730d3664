"""Makes DESTINATION an up-to-date copy of the checkout's sources: ``mirror.py DESTINATION``.

A build with other compiler flags lives in such a copy, so that it never mixes with the build in place and so
that ``import mesh_core`` there can only find its own. What has not changed is left
alone, and so is not rebuilt.
"""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def sources() -> set[Path]:
    """Return the checkout's files, relative: tracked or new, but not ignored."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    return {Path(name) for name in names if name and (ROOT / name).is_file()}


def mirror(destination: Path) -> None:
    """Copy what is new or changed to the destination and remove what the checkout no longer has."""
    wanted = sources()
    for name in wanted:
        source, target = ROOT / name, destination / name
        if target.exists() and filecmp.cmp(source, target, shallow=False):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # With the time of now: a file that was put back to an older state must be compiled anew as well.
        shutil.copyfile(source, target)
        shutil.copymode(source, target)
    for suffix in ("py", "pyx", "pxd"):
        for target in destination.rglob(f"*.{suffix}"):
            name = target.relative_to(destination)
            if name.parts[0] != "build" and name not in wanted:
                target.unlink()
    for library in destination.glob("mesh_core/**/*.so"):
        if not library.with_name(library.name.partition(".")[0] + ".pyx").exists():
            library.unlink()


if __name__ == "__main__":
    mirror(Path(sys.argv[1]))

"""A store whose process is killed at random moments, again and again: what was acknowledged is there."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from pathlib import Path

from mesh_cp.store.sqlite import SqliteStore
from tests.support.on_loop import on_loop
from tests.support.process import LIMIT_S, REPOSITORY, stop_process

KILLS = 25


@on_loop
async def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    random_moment = random.Random(6)
    acknowledged: dict[str, int] = {}
    last_revision = 1
    for _ in range(KILLS):
        # After so many answers, wherever in the next commit that is.
        revision, seen = run_until_killed(tmp_path, answers=random_moment.randint(1, 120))
        acknowledged |= seen
        assert revision > last_revision
        store = await SqliteStore.open(tmp_path)
        try:
            last_revision = await store.revision()
            assert last_revision >= revision
            kept = {entry.key: int(entry.value) for entry in (await store.list("changer/")).entries}
            copies = {entry.key: int(entry.value) for entry in (await store.list("copy/")).entries}
        finally:
            await store.close()
        for key, number in acknowledged.items():
            assert kept[key] >= number
        assert copies == {f"copy/{key}": number for key, number in kept.items()}
    assert sum(acknowledged.values()) > KILLS


def run_until_killed(path: Path, answers: int) -> tuple[int, dict[str, int]]:
    """The last revision that was acknowledged, and the last number for each key."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.child_store", os.fspath(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        data = b""
        while data.count(b"\n") < answers:
            assert select.select([child.stdout], [], [], LIMIT_S)[0], "the store has stopped"
            part = os.read(child.stdout.fileno(), 65536)
            assert part, "the store's process has ended by itself"
            data += part
        child.kill()
        data += child.stdout.read()
    finally:
        stop_process(child)
    lines = [line.split() for line in data.decode().split("\n")[:-1]]
    return max(int(line[0]) for line in lines), {line[1]: int(line[2]) for line in lines}

"""A process that changes a store without end and says, on its standard output, what has been acknowledged.

Arguments: the folder. Each line is one transaction: its revision, a key, the number that was put under it. Several
changes are under way at any time, so that several are in one commit. Each transaction puts a copy under a second key,
which tells whether transactions stay whole.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

import uvloop

from mesh_cp.store import Delete, Put
from mesh_cp.store.sqlite import SqliteStore

CHANGERS = 8


async def main(path: str) -> None:
    """Until it is killed."""
    # So little is kept that forgetting goes on meanwhile.
    store = await SqliteStore.open(Path(path), revisions_kept=100)
    await asyncio.gather(*(change(store, f"changer/{number}") for number in range(CHANGERS)))


async def change(store: SqliteStore, key: str) -> None:
    """Count up under `key`, and put and delete others beside it."""
    entry = await store.get(key)
    for number in count(int(entry.value) + 1 if entry else 1):
        value = str(number).encode()
        beside = Delete("filling/", is_prefix=True) if number % 50 == 0 else Put(f"filling/{key}/{number}", b"x" * 2000)
        outcome = await store.transact([Put(key, value), Put(f"copy/{key}", value), beside])
        os.write(1, f"{outcome.revision} {key} {number}\n".encode())


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))

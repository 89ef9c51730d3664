"""A proxy in a process with few descriptors: `python -m tests.support.child_proxy MOUNTING SPARE CONFIG`.

Tells its address in a line, then answers each line that it is sent with what a test wants to know.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

from tests.support.running_proxy import RunningProxy


def main() -> None:
    """Serve until the input ends."""
    mounting, spare, settings = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    proxy = RunningProxy(settings, mounting)  # type: ignore[arg-type]
    # The listing of the folder takes one as well, which is free again.
    limit = max(map(int, os.listdir("/proc/self/fd"))) + spare  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    print(json.dumps(proxy.address()), flush=True)
    for _ in sys.stdin:
        answer = {
            "cpu_s": time.process_time(),
            "active": proxy.proxy.active_connections,
            "shed": proxy.stats("server")["downstream_cx_shed"],
        }
        print(json.dumps(answer), flush=True)
    proxy.close()


if __name__ == "__main__":
    main()

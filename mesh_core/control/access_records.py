"""The way of access records from the workers' rings to the log that the configuration names. Control thread."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from mesh_core.config import Config
from mesh_core.control.access_log_lines import access_format, recorded, told_each_s
from mesh_core.control.access_log_writer import AccessLogWriter
from mesh_core.control.record_share import RecordShare
from mesh_core.control.worker_pool import WorkerPool
from mesh_core.telemetry.access_log import AccessFormat

# Access records are collected this long after the first of them has come: one wake-up serves many.
COLLECT_DELAY_S = 0.025
# A worker's share was cut at its bound: there is more.
FULL_SHARE_BYTES = 200_000


class AccessLog(NamedTuple):
    """Where lines go, and how they are written. Without a writer they are for the control plane alone."""

    writer: AccessLogWriter | None
    format: AccessFormat


class AccessRecords:
    """Collects records, and holds the log that they go to."""

    def __init__(self, workers: WorkerPool) -> None:
        self._workers = workers
        self._log: AccessLogWriter | None = None
        # Stays when the log is taken away, for the records that are still to come.
        self._format: AccessFormat | None = None
        self._dropped_earlier = 0
        self._timer: asyncio.TimerHandle | None = None
        self.share: RecordShare | None = None
        """What a control plane is told of; None: nothing."""

    @property
    def bytes_dropped(self) -> int:
        """Bytes that the log's file did not take."""
        return self._dropped_earlier + (0 if self._log is None else self._log.bytes_dropped)

    def reopen(self) -> None:
        """Go on in a new file, after a rotation. Raises OSError."""
        if self._log is not None:
            self._log.reopen()

    # --- changing the log ---

    def prepare(self, config: Config, name: str) -> AccessLog | None:
        """The log that `config` asks for. Raises ConfigError, which says `name`, and MemoryError."""
        settings = recorded(config)
        if settings is None:
            return None
        line_format = access_format(settings)
        if config.access_log is None:
            return AccessLog(None, line_format)
        if self._log is not None and self._log.path == settings.path:
            return AccessLog(self._log, line_format)
        return AccessLog(AccessLogWriter(settings.path, name), line_format)

    def discard(self, prepared: AccessLog | None) -> None:
        """Give up what was prepared."""
        if prepared is not None and prepared.writer is not None and prepared.writer is not self._log:
            prepared.writer.close()

    def keep(self, prepared: AccessLog | None, config: Config | None = None) -> AccessLogWriter | None:
        """Write to what was prepared for `config` from now on; returns what is to be retired."""
        replaced = self._log
        each_s = 0 if config is None else told_each_s(config)
        if each_s and self.share is None:
            self.share = RecordShare(each_s)
        self._log = None if prepared is None else prepared.writer
        if prepared is not None:
            self._format = prepared.format
        return None if replaced is self._log else replaced

    async def retire(self, replaced: AccessLogWriter | None) -> None:
        """Close a log that was replaced, once it has written what it holds."""
        if replaced is not None:
            await asyncio.to_thread(replaced.close)
            self._dropped_earlier += replaced.bytes_dropped

    async def close(self) -> None:
        """Take the last records, once the workers have stopped, and close the log."""
        if self._timer is not None:
            self._timer.cancel()
        if self._format is not None:
            for worker in self._workers:
                while lines := worker.collect_access_log(self._format):
                    self._write(lines)
        await self.retire(self.keep(None))

    # --- collecting ---

    def collect_soon(self) -> None:
        """There may be records. Called on the loop."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECT_DELAY_S, self._collect)

    def _collect(self) -> None:
        """Take a share of the records from every worker; come again while there are more."""
        self._timer = None
        more = behind = False
        if self._format is None:
            return
        for worker in self._workers:
            try:
                lines = worker.collect_access_log(self._format)
            except MemoryError:
                # The records stay where they are; without another look nobody would say that there are some.
                more = True
                continue
            self._write(lines)
            behind |= len(lines) >= FULL_SHARE_BYTES
            more |= bool(lines) or worker.arm_access_log()
        if more:
            # Behind, only other callbacks come first.
            self._timer = asyncio.get_running_loop().call_later(0 if behind else COLLECT_DELAY_S, self._collect)

    def _write(self, lines: bytes) -> None:
        if self.share is not None:
            self.share.take(lines)
        if self._log is not None:
            self._log.write(lines)
        elif self.share is None:
            # Of connections that are older than the configuration that took the log away.
            self._dropped_earlier += len(lines)

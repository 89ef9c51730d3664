"""Counters, response flags and access records, from Python."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from mesh_core._testing.convert cimport peer_address
from mesh_core.runtime.ring cimport RingC, ring_commit, ring_destroy, ring_init, ring_reserve
cimport mesh_core.telemetry.access_record as access_record
cimport mesh_core.telemetry.response_flags as response_flags
cimport mesh_core.telemetry.stats as stats
from mesh_core.telemetry.access_log cimport AccessFormat
from mesh_core.telemetry.stats cimport StatsScope

STAT_COUNTS = {
    "server": stats.SERVER_STAT_COUNT,
    "listener": stats.LISTENER_STAT_COUNT,
    "cluster": stats.CLUSTER_STAT_COUNT,
    "endpoint": stats.ENDPOINT_STAT_COUNT,
    "outlier_detection": stats.OUTLIER_STAT_COUNT,
    "health_check": stats.HEALTH_CHECK_STAT_COUNT,
    "rate_limit": stats.RATE_LIMIT_STAT_COUNT,
    "mirror": stats.MIRROR_STAT_COUNT,
    "overload": stats.OVERLOAD_STAT_COUNT,
    # Histograms follow.
    "adaptive_concurrency": stats.CONCURRENCY_SAMPLES,
}
ACCESS_TEXT_LIMIT = access_record.ACCESS_TEXT_LIMIT
FLAG_NAMES = [response_flags.flag_name(index).decode() for index in range(response_flags.FLAG_COUNT)]
DETAIL_TEXTS = [response_flags.detail_text(index).decode() for index in range(response_flags.DETAIL_COUNT)]


def add_to_stat(StatsScope scope not None, uint32_t worker, uint32_t word, uint64_t value):
    scope.blocks[worker][word] += value


def stat_block(StatsScope scope not None, uint32_t worker):
    """Where a worker's counters begin (int)."""
    return <size_t>scope.blocks[worker]


cdef class AccessRing:
    """A worker's ring of access records."""

    cdef RingC ring

    def __cinit__(self, uint64_t capacity=1 << 20):
        if ring_init(&self.ring, capacity, -1) < 0:
            raise MemoryError()

    def __dealloc__(self):
        ring_destroy(&self.ring)

    def collect(self, AccessFormat format not None):
        return format.collect(&self.ring)

    def write(
        self, *, uint64_t connection_id=1, int64_t start_time_us=0, int64_t duration_us=0,
        int64_t connect_time_us=-1, uint64_t bytes_received=0, uint64_t bytes_sent=0, uint32_t flags=0,
        uint16_t detail=0, uint16_t error=0, uint16_t attempts=0, bytes downstream_remote=b"",
        bytes downstream_local=b"", bytes upstream_local=b"", bytes listener=b"", bytes cluster=b"", bytes endpoint=b"",
        tuple more=(),
    ):
        """Write a record as a worker does; False when the ring was full. `more`: the texts after the endpoint."""
        cdef tuple texts = (listener, cluster, endpoint, *more)
        cdef bytes joined = b"".join(texts)
        cdef uint32_t size = <uint32_t>(sizeof(access_record.AccessRecordC) + len(joined))
        cdef access_record.AccessRecordC* record = <access_record.AccessRecordC*>ring_reserve(&self.ring, size)
        if record == NULL:
            return False
        memset(record, 0, size)
        record.connection_id, record.start_time_us, record.duration_us = connection_id, start_time_us, duration_us
        record.connect_time_us, record.bytes_received, record.bytes_sent = connect_time_us, bytes_received, bytes_sent
        record.flags, record.detail, record.error, record.attempts = flags, detail, error, attempts
        record.downstream_remote = peer_address(downstream_remote)
        record.downstream_local = peer_address(downstream_local)
        record.upstream_local = peer_address(upstream_local)
        for index, text in enumerate(texts):
            record.text_sizes[<int>index] = len(text)
        memcpy(record + 1, <const char*>joined, len(joined))
        ring_commit(&self.ring, size)
        return True

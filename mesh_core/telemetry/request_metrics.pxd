"""Istio's metrics of requests: a bounded table of series for each worker, which it alone writes.

The control thread reads it at any time without a lock: a series is complete before it is counted in `series_count`, its
key never changes, and it stays until the process ends. What finds no room is counted in the last series, `other`.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from mesh_core.telemetry.access_record cimport RequestRecordC
from mesh_core.telemetry.histogram cimport HISTOGRAM_WORDS

cdef enum:
    CLUSTER_ID_NONE = 0        # a request that reached no cluster

# Who reports, and how the downstream spoke.
cdef enum RequestTrait:
    TRAIT_INBOUND = 1          # the reporter is the destination
    TRAIT_MUTUAL_TLS = 2       # the downstream showed a certificate that was verified


cdef struct SeriesC:
    # What it counts, in two words that are compared as they are.
    uint64_t destination       # the cluster's id, of MetricNames; ResponseFlag bits from bit 32 on
    uint64_t outcome           # the status, RequestTrait bits from bit 16 on
    uint64_t requests
    uint64_t duration_us[HISTOGRAM_WORDS]
    uint64_t request_bytes[HISTOGRAM_WORDS]
    uint64_t response_bytes[HISTOGRAM_WORDS]


# Owner: CoreC.
cdef struct RequestMetricsC:
    SeriesC* series            # series_limit + 1: the last is `other`
    SeriesC* last              # one that was counted in of late, or the first; never `other` unless there is no else
    uint32_t* slots            # an index of `series` plus one, by the hash of the key; 0: free
    uint32_t slot_mask
    uint32_t series_limit
    uint32_t series_count      # of those in use, without `other`; shared


# 0, or -1 when memory is exhausted. Pages that no series has reached are never touched.
cdef int request_metrics_init(RequestMetricsC* metrics, uint32_t series_limit) noexcept nogil
cdef void request_metrics_destroy(RequestMetricsC* metrics) noexcept nogil

# Count a request that has ended. `cluster_time`: the words of its cluster's upstream_rq_time for this worker; NULL when
# it reached none.
cdef void request_metrics_count(
    RequestMetricsC* metrics, const RequestRecordC* record, uint32_t cluster_id, uint8_t traits, uint64_t* cluster_time
) noexcept nogil

# Control thread, with the GIL: a list of a Series for each series in use, at last one for `other` if it was ever used
# (its `cluster_id` is None).
cdef list read_request_metrics(const RequestMetricsC* metrics)

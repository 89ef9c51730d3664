"""Istio's metrics of requests; the contract stands in request_metrics.pxd."""

from typing import NamedTuple

from libc.stdint cimport int64_t
from libc.string cimport memset
from mesh_core.includes.atomic cimport load_acquire_u32, load_relaxed_u64, store_release_u32
from mesh_core.includes.likely cimport unlikely
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.telemetry.histogram cimport BOUNDS, BOUNDS_US, TIME_BOUNDS_US, histogram_count
from mesh_core.upstream.hashing cimport mix_bits


cdef int request_metrics_init(RequestMetricsC* metrics, uint32_t series_limit) noexcept nogil:
    cdef uint32_t slots = 16
    # At most half of the slots are ever taken.
    while slots < 2 * series_limit:
        slots *= 2
    memset(metrics, 0, sizeof(RequestMetricsC))
    metrics.series = <SeriesC*>memory_alloc((<size_t>series_limit + 1) * sizeof(SeriesC))
    metrics.slots = <uint32_t*>memory_alloc(slots * sizeof(uint32_t))
    metrics.slot_mask = slots - 1
    metrics.series_limit = series_limit
    metrics.last = metrics.series
    if metrics.series != NULL and metrics.slots != NULL:
        return 0
    request_metrics_destroy(metrics)
    return -1


cdef void request_metrics_destroy(RequestMetricsC* metrics) noexcept nogil:
    memory_free(metrics.series)
    memory_free(metrics.slots)
    metrics.series = NULL
    metrics.slots = NULL


cdef SeriesC* find_series(RequestMetricsC* metrics, uint64_t destination, uint64_t outcome) noexcept nogil:
    cdef uint32_t slot = <uint32_t>mix_bits(destination ^ mix_bits(outcome)) & metrics.slot_mask
    cdef uint32_t count = metrics.series_count
    cdef SeriesC* series
    while metrics.slots[slot]:
        series = &metrics.series[metrics.slots[slot] - 1]
        if series.destination == destination and series.outcome == outcome:
            return series
        slot = (slot + 1) & metrics.slot_mask
    series = &metrics.series[count]
    if count < metrics.series_limit:
        series.destination = destination
        series.outcome = outcome
        metrics.slots[slot] = count + 1
        store_release_u32(&metrics.series_count, count + 1)
    return series


cdef void request_metrics_count(
    RequestMetricsC* metrics, const RequestRecordC* record, uint32_t cluster_id, uint8_t traits, uint64_t* cluster_time
) noexcept nogil:
    cdef uint64_t destination = cluster_id | <uint64_t>record.flags << 32
    cdef uint64_t outcome = record.status | <uint64_t>traits << 16
    cdef SeriesC* series = metrics.last
    if unlikely(series.destination != destination or series.outcome != outcome or not series.requests):
        series = find_series(metrics, destination, outcome)
        if series != &metrics.series[metrics.series_limit]:
            metrics.last = series
    series.requests += 1
    histogram_count(
        series.duration_us, &BOUNDS_US, <uint64_t>max(record.ended_us - record.received_us, <int64_t>0))
    histogram_count(series.request_bytes, &BOUNDS, record.header_bytes_received + record.bytes_received)
    histogram_count(series.response_bytes, &BOUNDS, record.header_bytes_sent + record.bytes_sent)
    if cluster_time != NULL and record.responded_end_us and record.upstream_sent_us:
        histogram_count(
            cluster_time, &TIME_BOUNDS_US,
            <uint64_t>max(record.responded_end_us - record.upstream_sent_us, <int64_t>0))


class Series(NamedTuple):
    """Requests of one kind. Of the histograms: how many in each bucket, then those beyond the last, then the sum."""

    cluster_id: "int | None"
    flags: int
    status: int
    inbound: bool
    mutual_tls: bool
    requests: int
    duration_us: "list[int]"
    request_bytes: "list[int]"
    response_bytes: "list[int]"


cdef list read_words(const uint64_t* words):
    return [load_relaxed_u64(&words[word]) for word in range(HISTOGRAM_WORDS)]


cdef read_series(const SeriesC* series, bint other):
    cdef uint64_t destination = series.destination
    cdef uint64_t outcome = series.outcome
    return Series(
        None if other else <uint32_t>destination, destination >> 32, outcome & 0xFFFF,
        bool(outcome >> 16 & <uint64_t>TRAIT_INBOUND), bool(outcome >> 16 & <uint64_t>TRAIT_MUTUAL_TLS),
        load_relaxed_u64(&series.requests), read_words(series.duration_us), read_words(series.request_bytes),
        read_words(series.response_bytes))


cdef list read_request_metrics(const RequestMetricsC* metrics):
    cdef uint32_t count = load_acquire_u32(&metrics.series_count)
    cdef uint32_t index
    cdef const SeriesC* other = &metrics.series[metrics.series_limit]
    cdef list series = [read_series(&metrics.series[index], False) for index in range(count)]
    if load_relaxed_u64(&other.requests):
        series.append(read_series(other, True))
    return series

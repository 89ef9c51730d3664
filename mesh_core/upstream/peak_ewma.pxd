"""Peak EWMA: of two endpoints drawn at random, the one that costs less: its round trip time times (active + 1).

The time is that of connects, as a relay of bytes sees no other round trip. It jumps to any longer one, and moves toward
shorter ones by 1 - e^(-elapsed/decay); between two connects it decays toward 0, so that an endpoint that was slow once
is tried again. An endpoint that nobody has connected to yet counts as 30 ms since it joined. A connect that failed is
one that took the connect time-out: an endpoint that refuses quickly must not look fast. Formulas and defaults are those
of tower's load::PeakEwma and of linkerd2-proxy.

The estimate is one word of EndpointStateC, shared by all workers and changed by compare-and-exchange: each worker
learns from every connection, and the word lies beside `active`, which every connection writes anyway.
"""

from libc.stdint cimport int64_t, uint64_t
from mesh_core.snapshot.tables cimport LoadBalancerC

cdef enum:
    INITIAL_US = 30000

cdef LoadBalancerC PEAK_EWMA

# An estimate is packed: microseconds as a float in the upper half, the low bits of its time in milliseconds below.
cdef uint64_t estimate_pack(double round_trip_us, int64_t now_ms) noexcept nogil

# The estimate at `now_ms`, decayed toward 0 since it was made.
cdef double estimate_at(uint64_t estimate, int64_t now_ms, double decay_ms) noexcept nogil

# `estimate` after a sample, which was taken at `now_ms`.
cdef uint64_t estimate_update(uint64_t estimate, double sample_us, int64_t now_ms, double decay_ms) noexcept nogil

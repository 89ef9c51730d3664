"""The compiler's atomic operations, for the few words that two threads share.

Naming: ``<operation>_<ordering>``. Everything else in mesh_core is written by one thread only.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from * nogil:
    """
    #define hm_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define hm_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
    #define hm_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    #define hm_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
    #define hm_exchange(p, v) __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
    #define hm_add(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
    #define hm_sub(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
    #define hm_or(p, v) __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
    #define hm_and(p, v) __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
    #define hm_compare_exchange(p, e, v) \
        __atomic_compare_exchange_n((p), (e), (v), 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
    #define hm_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
    """
    uint64_t load_acquire_u64 "hm_load_acquire"(const uint64_t* p)
    uint64_t load_relaxed_u64 "hm_load_relaxed"(const uint64_t* p)
    void store_release_u64 "hm_store_release"(uint64_t* p, uint64_t v)
    void store_relaxed_u64 "hm_store_relaxed"(uint64_t* p, uint64_t v)
    uint64_t fetch_add_u64 "hm_add"(uint64_t* p, uint64_t v)
    uint64_t fetch_sub_u64 "hm_sub"(uint64_t* p, uint64_t v)
    uint32_t load_acquire_u32 "hm_load_acquire"(const uint32_t* p)
    void store_release_u32 "hm_store_release"(uint32_t* p, uint32_t v)
    uint32_t exchange_u32 "hm_exchange"(uint32_t* p, uint32_t v)
    uint32_t load_relaxed_u32 "hm_load_relaxed"(const uint32_t* p)
    int64_t load_relaxed_i64 "hm_load_relaxed"(const int64_t* p)
    void store_relaxed_i64 "hm_store_relaxed"(int64_t* p, int64_t v)
    void store_relaxed_u32 "hm_store_relaxed"(uint32_t* p, uint32_t v)
    uint32_t fetch_add_u32 "hm_add"(uint32_t* p, uint32_t v)
    uint32_t fetch_and_u32 "hm_and"(uint32_t* p, uint32_t v)
    uint32_t fetch_or_u32 "hm_or"(uint32_t* p, uint32_t v)
    # True when `p` held what `expected` says and now holds `v`; else `expected` says what it holds. May fail at random.
    bint compare_exchange_u64 "hm_compare_exchange"(uint64_t* p, uint64_t* expected, uint64_t v)
    bint compare_exchange_i64 "hm_compare_exchange"(int64_t* p, int64_t* expected, int64_t v)
    int64_t exchange_i64 "hm_exchange"(int64_t* p, int64_t v)
    uint64_t exchange_u64 "hm_exchange"(uint64_t* p, uint64_t v)
    void* exchange_ptr "hm_exchange"(void** p, void* v)
    void full_fence "hm_fence"()

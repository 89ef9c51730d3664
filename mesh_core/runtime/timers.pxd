"""Timers on a hierarchical wheel: adding, moving and cancelling cost a few stores, whatever their number.

Five levels of 64 slots over ticks of TICK_MS. Coarse on purpose: a near deadline in the kernel makes every sleep
dearer, and no time-out of a proxy needs a finer one. A timer never fires early. Worker thread, no GIL.
"""

from libc.stdint cimport int64_t, uint64_t

cdef enum:
    TICK_MS = 10
    LEVELS = 5                 # 64**5 ticks: 124 days
    SLOTS = 64

ctypedef void (*timer_fn)(void* owner) noexcept nogil


# Owner: the struct that it is embedded in, which must cancel it before it goes.
cdef struct TimerC:
    TimerC* next
    TimerC** link              # what points at this timer; NULL when it is not set
    int64_t deadline           # tick
    timer_fn fire
    void* owner


cdef struct TimerWheelC:
    TimerC* slots[LEVELS][SLOTS]
    uint64_t occupied[LEVELS]  # a bit for each slot that holds a timer
    int64_t tick               # everything up to this tick has fired


# Set `timer` to fire no sooner than `deadline_ms` (on the clock of wheel_advance), moving it if it is set already.
cdef void timer_set(TimerWheelC* wheel, TimerC* timer, int64_t deadline_ms) noexcept nogil

# Cancel; allowed on a timer that is not set.
cdef void timer_cancel(TimerWheelC* wheel, TimerC* timer) noexcept nogil

# Fire everything that is due at `now_ms`. Timers may set and cancel timers, also each other.
cdef void wheel_advance(TimerWheelC* wheel, int64_t now_ms) noexcept nogil

# When wheel_advance should be called next (milliseconds on the same clock), or -1 with no timer set.
cdef int64_t wheel_next_ms(const TimerWheelC* wheel) noexcept nogil

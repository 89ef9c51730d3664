"""A timer wheel, from Python."""

from libc.stdint cimport int64_t
cimport mesh_core.runtime.timers as timers
from mesh_core.runtime.memory cimport memory_alloc, memory_free

TICK_MS = timers.TICK_MS
WHEEL_TICKS = 1 << (6 * timers.LEVELS)

cdef struct NumberedTimerC:
    timers.TimerC timer
    void* wheel
    int number


cdef void on_wheel_timer(void* owner) noexcept with gil:
    cdef NumberedTimerC* numbered = <NumberedTimerC*>owner
    cdef Wheel wheel = <Wheel>numbered.wheel
    wheel.fired.append(numbered.number)
    if wheel.on_fire is not None:
        wheel.on_fire(numbered.number)


cdef class Wheel:
    """A timer wheel with numbered timers; `on_fire(number)` is called from within `advance`."""

    cdef timers.TimerWheelC wheel
    cdef NumberedTimerC* table
    cdef public object on_fire
    cdef public list fired

    def __cinit__(self, int count, int64_t now_ms=0):
        cdef int number
        self.fired = []
        self.wheel.tick = now_ms // timers.TICK_MS
        self.table = <NumberedTimerC*>memory_alloc(count * sizeof(NumberedTimerC))
        for number in range(count):
            self.table[number].timer.fire = on_wheel_timer
            self.table[number].timer.owner = &self.table[number]
            self.table[number].wheel = <void*>self
            self.table[number].number = number

    def __dealloc__(self):
        memory_free(self.table)

    def set(self, int number, int64_t deadline_ms):
        timers.timer_set(&self.wheel, &self.table[number].timer, deadline_ms)

    def cancel(self, int number):
        timers.timer_cancel(&self.wheel, &self.table[number].timer)

    def is_set(self, int number):
        return self.table[number].timer.link != NULL

    def advance(self, int64_t now_ms):
        """The numbers of the timers that fired, in order."""
        cdef list fired = []
        self.fired = fired
        with nogil:
            timers.wheel_advance(&self.wheel, now_ms)
        return fired

    def next_ms(self):
        return timers.wheel_next_ms(&self.wheel)

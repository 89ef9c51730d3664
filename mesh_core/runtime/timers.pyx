"""Timers on a hierarchical wheel; the contract stands in timers.pxd.

A timer sits on the level of the highest 6-bit digit in which its deadline differs from the current tick, in the
slot of that digit. When the wheel reaches a slot of a higher level, its timers move down (Varghese and Lauck,
"Hashed and hierarchical timing wheels", 1987, scheme 7).
"""

cdef extern from * nogil:
    """
    #define hm_lowest_bit(x) __builtin_ctzll(x)
    #define hm_highest_bit(x) (63 - __builtin_clzll(x))
    """
    int lowest_bit "hm_lowest_bit"(uint64_t x)
    int highest_bit "hm_highest_bit"(uint64_t x)

cdef int64_t HORIZON = (<int64_t>1 << (6 * LEVELS)) - 1


cdef inline int level_of(int64_t tick, int64_t deadline) noexcept nogil:
    return highest_bit(<uint64_t>(tick ^ deadline) | 1) // 6


cdef void insert(TimerWheelC* wheel, TimerC* timer) noexcept nogil:
    cdef int level = min(level_of(wheel.tick, timer.deadline), LEVELS - 1)
    cdef int slot = (timer.deadline >> (6 * level)) & (SLOTS - 1)
    cdef TimerC** head = &wheel.slots[level][slot]
    timer.next = head[0]
    timer.link = head
    if timer.next != NULL:
        timer.next.link = &timer.next
    head[0] = timer
    wheel.occupied[level] |= <uint64_t>1 << slot


cdef void timer_set(TimerWheelC* wheel, TimerC* timer, int64_t deadline_ms) noexcept nogil:
    timer_cancel(wheel, timer)
    timer.deadline = (deadline_ms + TICK_MS - 1) // TICK_MS
    if timer.deadline <= wheel.tick:
        timer.deadline = wheel.tick + 1
    elif timer.deadline > wheel.tick + HORIZON // 2:
        timer.deadline = wheel.tick + HORIZON // 2
    insert(wheel, timer)


cdef void timer_cancel(TimerWheelC* wheel, TimerC* timer) noexcept nogil:
    cdef TimerC** base = &wheel.slots[0][0]
    cdef size_t index
    if timer.link == NULL:
        return
    timer.link[0] = timer.next
    if timer.next != NULL:
        timer.next.link = timer.link
    elif timer.link >= base and timer.link < base + LEVELS * SLOTS:
        # It was the only timer of its slot.
        index = timer.link - base
        wheel.occupied[index // SLOTS] &= ~(<uint64_t>1 << (index % SLOTS))
    timer.link = NULL
    timer.next = NULL


cdef int64_t next_slot(const TimerWheelC* wheel, int* level, int* slot) noexcept nogil:
    """The tick at which the first occupied slot begins, or -1; lower levels always come first."""
    cdef int64_t start, span
    cdef uint64_t rotated
    cdef int candidate, digit, ahead
    for candidate in range(LEVELS):
        if wheel.occupied[candidate] == 0:
            continue
        digit = (wheel.tick >> (6 * candidate)) & (SLOTS - 1)
        rotated = wheel.occupied[candidate] >> digit
        if digit:
            rotated |= wheel.occupied[candidate] << (SLOTS - digit)
        ahead = lowest_bit(rotated)
        level[0] = candidate
        slot[0] = (digit + ahead) & (SLOTS - 1)
        span = <int64_t>1 << (6 * candidate)
        start = ((wheel.tick >> (6 * candidate)) + ahead) * span
        return max(start, wheel.tick)
    return -1


cdef int64_t wheel_next_ms(const TimerWheelC* wheel) noexcept nogil:
    cdef int level, slot
    cdef int64_t tick = next_slot(wheel, &level, &slot)
    return tick * TICK_MS if tick >= 0 else -1


cdef void wheel_advance(TimerWheelC* wheel, int64_t now_ms) noexcept nogil:
    cdef int64_t now = now_ms // TICK_MS
    cdef int64_t start
    cdef int level, slot
    cdef TimerC* timer
    while True:
        start = next_slot(wheel, &level, &slot)
        if start < 0 or start > now:
            break
        wheel.tick = start
        while wheel.slots[level][slot] != NULL:
            timer = wheel.slots[level][slot]
            timer_cancel(wheel, timer)
            if timer.deadline <= wheel.tick:
                timer.fire(timer.owner)
            else:
                insert(wheel, timer)
    if now > wheel.tick:
        wheel.tick = now

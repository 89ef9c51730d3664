"""One thread's event loop; the contract stands in reactor.pxd."""

from libc.string cimport memset
from libc.stdint cimport uint64_t
from mesh_core.includes.linux cimport (
    CLOCK_MONOTONIC, EFD_CLOEXEC, EFD_NONBLOCK, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL,
    EPOLLET, EPOLLEXCLUSIVE, EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, TFD_CLOEXEC, TFD_NONBLOCK, close,
    epoll_create1, epoll_ctl, epoll_wait, errno, eventfd, itimerspec, read, timerfd_create, timerfd_settime,
    write,
)
from mesh_core.includes.prefetch cimport prefetch_lines
from mesh_core.runtime.clock cimport coarse_clock_ms, wall_offset_us
from mesh_core.runtime.timers cimport TICK_MS, timer_cancel, timer_set, wheel_advance, wheel_next_ms

cdef enum:
    TFD_TIMER_ABSTIME = 1
    OWNER_BYTES = 256


cdef int watch(ReactorC* reactor, SourceC* source, uint32_t events) noexcept nogil:
    cdef epoll_event event
    event.events = events
    event.data.ptr = source
    return errno if epoll_ctl(reactor.epoll_fd, EPOLL_CTL_ADD, source.fd, &event) < 0 else 0


cdef int reactor_init(ReactorC* reactor) noexcept nogil:
    cdef int error = 0
    memset(reactor, 0, sizeof(ReactorC))
    reactor.tasks_end = &reactor.tasks
    reactor.slow_tasks_end = &reactor.slow_tasks
    reactor.armed_ms = -1
    look_at_clocks(reactor)
    reactor.timers.tick = reactor.now_ms // TICK_MS
    reactor.epoll_fd = epoll_create1(EPOLL_CLOEXEC)
    reactor.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)
    reactor.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)
    reactor.timer_source = SourceC(on_event=on_timer, owner=reactor, fd=reactor.timer_fd)
    reactor.wake_source = SourceC(on_event=on_woken, owner=reactor, fd=reactor.wake_fd)
    if reactor.epoll_fd < 0 or reactor.timer_fd < 0 or reactor.wake_fd < 0:
        error = errno
    if error == 0:
        error = watch(reactor, &reactor.timer_source, EPOLLIN)
    if error == 0:
        error = watch(reactor, &reactor.wake_source, EPOLLIN)
    if error:
        reactor_destroy(reactor)
    return error


cdef void reactor_destroy(ReactorC* reactor) noexcept nogil:
    free_retired(reactor)
    if reactor.epoll_fd >= 0:
        close(reactor.epoll_fd)
    if reactor.timer_fd >= 0:
        close(reactor.timer_fd)
    if reactor.wake_fd >= 0:
        close(reactor.wake_fd)
    reactor.epoll_fd = reactor.timer_fd = reactor.wake_fd = -1


cdef void reactor_turn(ReactorC* reactor, bint may_sleep) noexcept nogil:
    cdef int timeout = -1 if may_sleep and not reactor_has_work(reactor) else 0
    cdef int count = epoll_wait(reactor.epoll_fd, reactor.events, EVENT_BATCH, timeout)
    cdef SourceC* source
    cdef int index
    look_at_clocks(reactor)
    reactor.batch_size = count
    for index in range(count):
        reactor.batch_at = index
        source = <SourceC*>reactor.events[index].data.ptr
        if index + 1 < count:
            # What events look at stands around the source and behind it.
            prefetch_lines(reactor.events[index + 1].data.ptr, OWNER_BYTES)
        source.on_event(source.owner, reactor.events[index].events)
    reactor.batch_size = 0
    if reactor.tasks != NULL:
        run_tasks(reactor)
    if reactor.slow_tasks != NULL:
        run_slow_task(reactor)
    if reactor.retired != NULL:
        free_retired(reactor)


cdef inline void look_at_clocks(ReactorC* reactor) noexcept nogil:
    cdef int64_t now_ms = coarse_clock_ms()
    if now_ms != reactor.now_ms:
        reactor.now_ms = now_ms
        reactor.wall_offset_us = wall_offset_us()


cdef bint reactor_is_pending(const ReactorC* reactor, const SourceC* source) noexcept nogil:
    cdef int index
    for index in range(reactor.batch_at + 1, reactor.batch_size):
        if reactor.events[index].data.ptr == source and reactor.events[index].events & ~<uint32_t>EPOLLOUT:
            return True
    return False


cdef bint reactor_has_work(const ReactorC* reactor) noexcept nogil:
    return reactor.tasks != NULL or reactor.slow_tasks != NULL


cdef void run_tasks(ReactorC* reactor) noexcept nogil:
    """Run the tasks that are queued now; those that they queue wait for the next turn."""
    cdef TaskC* batch = reactor.tasks
    cdef TaskC* task
    reactor.tasks = NULL
    reactor.tasks_end = &reactor.tasks
    # A task of the batch may be cancelled while the batch runs, so its links must lead to `batch`.
    batch.link = &batch
    while batch != NULL:
        task = batch
        batch = task.next
        if batch != NULL:
            batch.link = &batch
        task.link = NULL
        task.next = NULL
        task.run(task.owner)


cdef void run_slow_task(ReactorC* reactor) noexcept nogil:
    cdef TaskC* task = reactor.slow_tasks
    reactor_cancel_task(reactor, task)
    task.run(task.owner)


cdef void free_retired(ReactorC* reactor) noexcept nogil:
    cdef RetiredC* retired
    while reactor.retired != NULL:
        retired = reactor.retired
        reactor.retired = retired.next
        retired.free(retired.owner)


cdef int reactor_watch(ReactorC* reactor, SourceC* source) noexcept nogil:
    return watch(reactor, source, EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET)


cdef int reactor_watch_listener(ReactorC* reactor, SourceC* source) noexcept nogil:
    return watch(reactor, source, EPOLLIN | EPOLLEXCLUSIVE)


cdef void reactor_forget(ReactorC* reactor, SourceC* source) noexcept nogil:
    epoll_ctl(reactor.epoll_fd, EPOLL_CTL_DEL, source.fd, NULL)


cdef void arm(ReactorC* reactor) noexcept nogil:
    """Set the timerfd to the wheel's next deadline unless it is set to an earlier moment already."""
    cdef itimerspec when
    cdef int64_t next_ms = wheel_next_ms(&reactor.timers)
    if next_ms < 0 or (reactor.armed_ms >= 0 and reactor.armed_ms <= next_ms):
        return
    memset(&when, 0, sizeof(when))
    # The coarse clock trails the timerfd's by up to one jiffy: one tick later it has passed the deadline.
    when.it_value.tv_sec = (next_ms + TICK_MS) // 1000
    when.it_value.tv_nsec = ((next_ms + TICK_MS) % 1000) * 1000000
    timerfd_settime(reactor.timer_fd, TFD_TIMER_ABSTIME, &when, NULL)
    reactor.armed_ms = next_ms


cdef void on_timer(void* owner, uint32_t events) noexcept nogil:
    cdef ReactorC* reactor = <ReactorC*>owner
    cdef uint64_t expirations
    read(reactor.timer_fd, &expirations, sizeof(expirations))
    # So long as timers fire, those that they set need not move the timerfd: `arm` looks once at the end.
    reactor.armed_ms = 0
    wheel_advance(&reactor.timers, reactor.now_ms)
    reactor.armed_ms = -1
    arm(reactor)


cdef void on_woken(void* owner, uint32_t events) noexcept nogil:
    cdef ReactorC* reactor = <ReactorC*>owner
    cdef uint64_t wakes
    read(reactor.wake_fd, &wakes, sizeof(wakes))
    if reactor.on_wake != NULL:
        reactor.on_wake(reactor.wake_owner, events)


cdef void reactor_set_timer(ReactorC* reactor, TimerC* timer, int64_t deadline_ms) noexcept nogil:
    if reactor.armed_ms < 0:
        # No timer is set, so nothing has moved the wheel for perhaps longer than it can look ahead.
        wheel_advance(&reactor.timers, reactor.now_ms)
    timer_set(&reactor.timers, timer, deadline_ms)
    if reactor.armed_ms < 0 or deadline_ms < reactor.armed_ms:
        arm(reactor)


cdef void reactor_cancel_timer(ReactorC* reactor, TimerC* timer) noexcept nogil:
    timer_cancel(&reactor.timers, timer)


cdef void reactor_queue_task(ReactorC* reactor, TaskC* task) noexcept nogil:
    if task.link != NULL:
        return
    task.next = NULL
    task.link = reactor.tasks_end
    reactor.tasks_end[0] = task
    reactor.tasks_end = &task.next


cdef void reactor_queue_slow_task(ReactorC* reactor, TaskC* task) noexcept nogil:
    if task.link != NULL:
        return
    task.next = NULL
    task.link = reactor.slow_tasks_end
    reactor.slow_tasks_end[0] = task
    reactor.slow_tasks_end = &task.next


cdef void reactor_cancel_task(ReactorC* reactor, TaskC* task) noexcept nogil:
    if task.link == NULL:
        return
    task.link[0] = task.next
    if task.next != NULL:
        task.next.link = task.link
    elif reactor.tasks_end == &task.next:
        reactor.tasks_end = task.link
    elif reactor.slow_tasks_end == &task.next:
        reactor.slow_tasks_end = task.link
    task.link = NULL
    task.next = NULL


cdef void reactor_ignore(void* owner, uint32_t events) noexcept nogil:
    pass


cdef void reactor_retire(ReactorC* reactor, RetiredC* retired) noexcept nogil:
    retired.next = reactor.retired
    reactor.retired = retired


cdef void reactor_wake(ReactorC* reactor) noexcept nogil:
    cdef uint64_t one = 1
    write(reactor.wake_fd, &one, sizeof(one))

"""A reactor, from Python: it calls back with the GIL."""

from libc.stdint cimport int64_t, uint32_t
cimport mesh_core.runtime.reactor as reactor_module
cimport mesh_core.runtime.timers as timers

cdef class Handle:
    """Anything that a reactor calls back: `callback(events)` of a source, `callback()` of the others."""

    cdef reactor_module.SourceC source
    cdef reactor_module.TaskC task
    cdef timers.TimerC timer
    cdef reactor_module.RetiredC retired
    cdef object callback

    def __cinit__(self, callback, int fd=-1):
        self.callback = callback
        self.source.on_event = on_handle_event
        self.source.fd = fd
        self.task.run = self.timer.fire = self.retired.free = on_handle
        self.source.owner = self.task.owner = self.timer.owner = self.retired.owner = <void*>self


cdef void on_handle_event(void* owner, uint32_t events) noexcept with gil:
    (<Handle>owner).callback(events)


cdef void on_handle(void* owner) noexcept with gil:
    (<Handle>owner).callback()


cdef class Reactor:
    """A reactor. The caller keeps every Handle alive for as long as the reactor may call it."""

    cdef reactor_module.ReactorC reactor
    cdef bint open

    def __cinit__(self):
        cdef int error = reactor_module.reactor_init(&self.reactor)
        if error:
            raise OSError(error, "reactor_init")
        self.open = True

    def close(self):
        if self.open:
            self.open = False
            reactor_module.reactor_destroy(&self.reactor)

    def __dealloc__(self):
        self.close()

    def watch(self, Handle handle not None, bint listener=False):
        if listener:
            return reactor_module.reactor_watch_listener(&self.reactor, &handle.source)
        return reactor_module.reactor_watch(&self.reactor, &handle.source)

    def forget(self, Handle handle not None):
        reactor_module.reactor_forget(&self.reactor, &handle.source)

    def set_timer(self, Handle handle not None, int64_t deadline_ms):
        reactor_module.reactor_set_timer(&self.reactor, &handle.timer, deadline_ms)

    def cancel_timer(self, Handle handle not None):
        reactor_module.reactor_cancel_timer(&self.reactor, &handle.timer)

    def queue_task(self, Handle handle not None):
        reactor_module.reactor_queue_task(&self.reactor, &handle.task)

    def cancel_task(self, Handle handle not None):
        reactor_module.reactor_cancel_task(&self.reactor, &handle.task)

    def retire(self, Handle handle not None):
        reactor_module.reactor_retire(&self.reactor, &handle.retired)

    def on_wake(self, Handle handle not None):
        self.reactor.on_wake = on_handle_event
        self.reactor.wake_owner = <void*>handle

    def wake(self):
        reactor_module.reactor_wake(&self.reactor)

    def turn(self, bint may_sleep=False):
        with nogil:
            reactor_module.reactor_turn(&self.reactor, may_sleep)

    @property
    def has_work(self):
        return reactor_module.reactor_has_work(&self.reactor)

    @property
    def now_ms(self):
        return self.reactor.now_ms

    @property
    def armed_ms(self):
        return self.reactor.armed_ms

    @property
    def epoll_fd(self):
        return self.reactor.epoll_fd

    def pretend_quiet_for_ms(self, int64_t quiet_ms):
        """Put the wheel back to where it stood had no timer been set for so long."""
        self.reactor.timers.tick -= quiet_ms // timers.TICK_MS

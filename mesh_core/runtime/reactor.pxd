"""One thread's event loop: epoll for sockets, a timer wheel behind one timerfd, tasks, deferred freeing.

Worker thread, no GIL; only reactor_wake may be called from another thread.

Sources are registered once, edge-triggered, and never modified; listeners are level-triggered. A sleeping reactor
has no time-out: the timerfd is set only when the next deadline moves forward, so steady traffic never touches it.
"""

from libc.stdint cimport int64_t, uint32_t
from mesh_core.includes.linux cimport epoll_event
from mesh_core.runtime.timers cimport TimerC, TimerWheelC

cdef enum:
    EVENT_BATCH = 32           # small: what a batch touches stays in the cache, and nobody waits long

ctypedef void (*event_fn)(void* owner, uint32_t events) noexcept nogil
ctypedef void (*task_fn)(void* owner) noexcept nogil


# Something that epoll watches. Owner: the struct that it is embedded in, which must outlive the turn in which its
# descriptor is closed (see reactor_retire).
cdef struct SourceC:
    event_fn on_event
    void* owner
    int fd


# Work to be done in the next turn without a new event. Owner: the struct that it is embedded in.
cdef struct TaskC:
    TaskC* next
    TaskC** link               # what points at this task; NULL when it is not queued
    task_fn run
    void* owner


# A struct that waits for the end of the turn to be freed.
cdef struct RetiredC:
    RetiredC* next
    task_fn free
    void* owner


# Owner: CoreC.
cdef struct ReactorC:
    int epoll_fd
    int timer_fd
    int wake_fd
    int64_t now_ms             # coarse monotonic clock, read once a turn
    int64_t wall_offset_us     # what is to be added to the monotonic clock for the wall clock
    int64_t armed_ms           # what the timerfd is set to, or -1
    TimerWheelC timers
    TaskC* tasks
    TaskC** tasks_end
    TaskC* slow_tasks
    TaskC** slow_tasks_end
    RetiredC* retired
    SourceC timer_source
    SourceC wake_source
    event_fn on_wake           # called in the turn after reactor_wake, with wake_owner
    void* wake_owner
    int batch_at               # which of `events` is being handled
    int batch_size             # of how many
    epoll_event events[EVENT_BATCH]


# 0, or an errno; on failure nothing stays open.
cdef int reactor_init(ReactorC* reactor) noexcept nogil
cdef void reactor_destroy(ReactorC* reactor) noexcept nogil

# One turn: wait for events (not at all when `may_sleep` is false or tasks are queued), then events, tasks, frees.
cdef void reactor_turn(ReactorC* reactor, bint may_sleep) noexcept nogil

# True when the next turn has something to do without waiting.
cdef bint reactor_has_work(const ReactorC* reactor) noexcept nogil

# Watch a socket: edge-triggered for input, output, urgent data and the peer's half-close. 0, or an errno.
cdef int reactor_watch(ReactorC* reactor, SourceC* source) noexcept nogil

# Watch a listening socket: level-triggered, one worker woken when several share it. 0, or an errno.
cdef int reactor_watch_listener(ReactorC* reactor, SourceC* source) noexcept nogil

# Stop watching; the descriptor stays open. Closing a descriptor does this by itself.
cdef void reactor_forget(ReactorC* reactor, SourceC* source) noexcept nogil

cdef void reactor_set_timer(ReactorC* reactor, TimerC* timer, int64_t deadline_ms) noexcept nogil
cdef void reactor_cancel_timer(ReactorC* reactor, TimerC* timer) noexcept nogil

# Whether this turn has still to tell `source` of an event other than that it can be written to.
cdef bint reactor_is_pending(const ReactorC* reactor, const SourceC* source) noexcept nogil

# Run `task` in the next turn (once, however often it is queued).
cdef void reactor_queue_task(ReactorC* reactor, TaskC* task) noexcept nogil
# As reactor_queue_task, but a turn runs only one of the slow tasks: events never wait for more.
cdef void reactor_queue_slow_task(ReactorC* reactor, TaskC* task) noexcept nogil
# Of either kind; allowed on a task that is not queued.
cdef void reactor_cancel_task(ReactorC* reactor, TaskC* task) noexcept nogil

# A handler that does nothing: for events of the same batch that name something closed a moment ago.
cdef void reactor_ignore(void* owner, uint32_t events) noexcept nogil

# Call `retired.free(retired.owner)` when this turn ends: events of the same batch may still name the owner.
cdef void reactor_retire(ReactorC* reactor, RetiredC* retired) noexcept nogil

# Any thread: make the reactor's next turn call `on_wake`.
cdef void reactor_wake(ReactorC* reactor) noexcept nogil

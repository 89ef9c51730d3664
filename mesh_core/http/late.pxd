"""What is done when a time-out has passed; see mesh_core.http.deadlines. Worker thread, no GIL."""


# The timer of a downstream connection fired, `owner` is the ConnectionC. It may be nothing: activity only notes the
# time.
cdef void late_on_timer(void* owner) noexcept nogil

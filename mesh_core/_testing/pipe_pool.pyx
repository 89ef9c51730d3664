"""A pool of pipes, from Python."""

from libc.stdint cimport uint32_t
cimport mesh_core.runtime.pipe_pool as pipe_pool

PIPES_KEPT = pipe_pool.PIPES_KEPT
PIPES_LIVE = pipe_pool.PIPES_LIVE
PIPE_PAUSE = pipe_pool.PIPE_PAUSE
PIPE_BYTES_LEAST = pipe_pool.PIPE_BYTES_LEAST

cdef class Pipe:
    cdef pipe_pool.PipeC* pipe

    @property
    def descriptors(self):
        return self.pipe.read_fd, self.pipe.write_fd

    @property
    def capacity(self):
        return self.pipe.capacity

    @property
    def filled(self):
        return self.pipe.filled

    @filled.setter
    def filled(self, uint32_t size):
        self.pipe.filled = size


cdef class PipePool:
    cdef pipe_pool.PipePoolC pool

    def __dealloc__(self):
        pipe_pool.pipe_pool_destroy(&self.pool)

    @property
    def free_count(self):
        return self.pool.free_count

    @property
    def live(self):
        return self.pool.live

    @property
    def pause(self):
        return self.pool.pause

    def limit_descriptors(self, int limit):
        self.pool.descriptor_limit = limit

    def take(self):
        """A Pipe, or None when there is none to be had."""
        cdef Pipe pipe = Pipe()
        pipe.pipe = pipe_pool.pipe_take(&self.pool)
        return None if pipe.pipe == NULL else pipe

    def give(self, Pipe pipe not None):
        pipe_pool.pipe_give(&self.pool, pipe.pipe)
        pipe.pipe = NULL

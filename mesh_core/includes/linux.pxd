"""The Linux calls that a worker makes: epoll, eventfd, timerfd, splice, clocks, descriptors."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from "<errno.h>" nogil:
    int errno
    enum:
        EAGAIN, EINTR, EINPROGRESS, EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, ECONNRESET, EPIPE, EPROTO
        EADDRNOTAVAIL, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENOENT

cdef extern from "<string.h>" nogil:
    char* strerror(int code)

cdef extern from "<sys/types.h>" nogil:
    ctypedef int64_t loff_t

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        void* ptr
    cdef struct epoll_event:
        uint32_t events
        epoll_data_t data
    enum:
        EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL
        EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLRDHUP, EPOLLHUP, EPOLLERR, EPOLLEXCLUSIVE
    # An unsigned constant of 1 << 31; as a signed enum member it would be negative.
    uint32_t EPOLLET
    int epoll_create1(int flags)
    int epoll_ctl(int epfd, int op, int fd, epoll_event* event)
    int epoll_wait(int epfd, epoll_event* events, int maxevents, int timeout)

cdef extern from "<sys/eventfd.h>" nogil:
    enum:
        EFD_CLOEXEC, EFD_NONBLOCK
    int eventfd(unsigned int initval, int flags)

cdef extern from "<time.h>" nogil:
    cdef struct timespec:
        int64_t tv_sec
        long tv_nsec
    cdef struct itimerspec:
        timespec it_interval
        timespec it_value
    enum:
        CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME, CLOCK_REALTIME_COARSE
    int clock_gettime(int clock, timespec* now)

cdef extern from "<sys/timerfd.h>" nogil:
    enum:
        TFD_CLOEXEC, TFD_NONBLOCK
    int timerfd_create(int clock, int flags)
    int timerfd_settime(int fd, int flags, const itimerspec* new_value, itimerspec* old_value)

cdef extern from "<sys/uio.h>" nogil:
    cdef struct iovec:
        void* iov_base
        size_t iov_len

cdef extern from "<fcntl.h>" nogil:
    enum:
        O_CLOEXEC, O_NONBLOCK, O_RDONLY, F_SETPIPE_SZ
        SPLICE_F_MOVE, SPLICE_F_NONBLOCK
    ssize_t splice(int fd_in, loff_t* off_in, int fd_out, loff_t* off_out, size_t size, unsigned int flags)
    int open(const char* path, int flags)
    int fcntl(int fd, int command, ...)

cdef extern from "<unistd.h>" nogil:
    int close(int fd)
    int pipe2(int* fds, int flags)
    ssize_t read(int fd, void* data, size_t size)
    ssize_t write(int fd, const void* data, size_t size)

cdef extern from "<sys/random.h>" nogil:
    ssize_t getrandom(void* data, size_t size, unsigned int flags)

cdef extern from "<signal.h>" nogil:
    ctypedef struct sigset_t:
        pass
    enum:
        SIG_SETMASK
    int sigfillset(sigset_t* set)
    int pthread_sigmask(int how, const sigset_t* set, sigset_t* old)

"""The BSD socket calls and addresses."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.includes.linux cimport iovec

cdef extern from "<sys/socket.h>" nogil:
    ctypedef unsigned int socklen_t
    ctypedef unsigned short sa_family_t
    cdef struct sockaddr:
        sa_family_t sa_family
    cdef struct sockaddr_storage:
        sa_family_t ss_family
    cdef struct linger:
        int l_onoff
        int l_linger
    cdef struct msghdr:
        void* msg_name
        socklen_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
    enum:
        AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX
        SOCK_STREAM, SOCK_NONBLOCK, SOCK_CLOEXEC
        SOL_SOCKET, SO_LINGER, SO_OOBINLINE
        MSG_NOSIGNAL, MSG_PEEK
        SHUT_RD, SHUT_WR
    int socket(int family, int type, int protocol)
    int connect(int fd, const sockaddr* address, socklen_t size)
    int accept4(int fd, sockaddr* address, socklen_t* size, int flags)
    int setsockopt(int fd, int level, int name, const void* value, socklen_t size)
    int getsockname(int fd, sockaddr* address, socklen_t* size)
    int shutdown(int fd, int how)
    ssize_t sendmsg(int fd, const msghdr* message, int flags)

cdef extern from * nogil:
    """
    #ifndef HOPMESH_SOCKET_CALLS
    #define HOPMESH_SOCKET_CALLS
    #include <sys/socket.h>
    #include <sys/syscall.h>
    #include <unistd.h>
    /* The C library's are points at which a thread can be cancelled, which costs two locked instructions a call. The
       address sanitizer looks at what goes through the library's. */
    #if defined(__SANITIZE_ADDRESS__) || !defined(SYS_recvfrom)
    #define hm_recv recv
    #define hm_send send
    #else
    static inline ssize_t hm_recv(int fd, void *data, size_t size, int flags) {
        return syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
    }
    static inline ssize_t hm_send(int fd, const void *data, size_t size, int flags) {
        return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
    }
    #endif
    #endif
    """
    # recv(2) and send(2).
    ssize_t recv "hm_recv"(int fd, void* data, size_t size, int flags)
    ssize_t send "hm_send"(int fd, const void* data, size_t size, int flags)

cdef extern from "<netinet/in.h>" nogil:
    cdef struct in_addr:
        uint32_t s_addr
    cdef struct in6_addr:
        uint8_t s6_addr[16]
    cdef struct sockaddr_in:
        sa_family_t sin_family
        uint16_t sin_port
        in_addr sin_addr
    cdef struct sockaddr_in6:
        sa_family_t sin6_family
        uint16_t sin6_port
        in6_addr sin6_addr
        uint32_t sin6_scope_id
    enum:
        IPPROTO_TCP, INET6_ADDRSTRLEN
    uint16_t htons(uint16_t value)
    uint16_t ntohs(uint16_t value)

cdef extern from "<netinet/tcp.h>" nogil:
    enum:
        TCP_NODELAY

cdef extern from "<arpa/inet.h>" nogil:
    const char* inet_ntop(int family, const void* source, char* text, socklen_t size)
    int inet_pton(int family, const char* text, void* out)

cdef extern from "<sys/un.h>" nogil:
    cdef struct sockaddr_un:
        sa_family_t sun_family
        char sun_path[108]

cdef extern from "<sys/ioctl.h>" nogil:
    int ioctl(int fd, unsigned long request, void* argument)

cdef extern from "<linux/sockios.h>" nogil:
    enum:
        SIOCOUTQ

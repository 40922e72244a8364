# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The system calls of an echod, and the errors that the manual pages document for each.

Calls that cannot fail are left out, and so are errors that only a wrong argument causes, unless the
code checks for them. A refused call has no effect, which is unrealistic

  - for a write to an eventfd or a pipe that wakes a thread: the kernel refuses one only if the
    reader has something to wake up for anyway;
  - for close, which always closes: shim.c lets it do that, and then fail;
  - for brk: if the first call works and the next does not, glibc's own malloc crashes.
"""

from .faults import Refusal

COUNTER = 8         # bytes read from an eventfd
NO_SIGNAL = 0x4000  # MSG_NOSIGNAL, which echod's own sends have


def to_manager(_fd, _data, _size, _flags, destination, _length):
    return destination != 0


def to_client(_fd, _data, _size, flags, destination, _length):
    return flags & NO_SIGNAL and destination == 0


def of_counter(_fd, _data, size, *_):
    return size == COUNTER


def of_file(_fd, _data, size, *_):
    return size > 4096


class Call:
    """ERRORS of a system call. WAYS: how they can happen; PLAIN: not with sanitizers, which make
    such calls themselves; KIND: the kind of life that makes the call."""

    def __init__(self, name, errors, concerns=None, note="", ways=None, plain=False, kind="own"):
        self.name = name
        self.errors = errors.split()
        self.concerns = concerns
        self.title = f"{name} {note}".rstrip()
        self.ways = ways
        self.plain = plain or kind == "user"
        self.kind = kind

    def refusal(self, error="EIO"):
        return Refusal(self.name, self.concerns, error)


CALLS = [
    # Sockets
    Call("socket", "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM EPROTONOSUPPORT"),
    Call("bind", "EACCES EADDRINUSE EADDRNOTAVAIL EINVAL ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR "
                 "EROFS"),
    Call("listen", "EADDRINUSE EOPNOTSUPP"),
    Call("connect", "EACCES EAGAIN ECONNREFUSED EINTR EPERM EPROTOTYPE"),
    Call("setsockopt", "EDOM EINVAL ENOBUFS ENOMEM ENOPROTOOPT EPERM"),
    Call("getsockopt", "EINVAL ENOBUFS ENOPROTOOPT EPERM"),
    Call("getsockname", "EINVAL ENOBUFS"),
    Call("unlink", "EACCES EBUSY EIO ENOENT ENOMEM EPERM EROFS"),
    # Clients
    Call("accept4", "EAGAIN ECONNABORTED EHOSTDOWN EHOSTUNREACH EINTR EINVAL EMFILE ENETDOWN "
                    "ENETUNREACH ENFILE ENOBUFS ENOMEM ENONET ENOPROTOOPT EOPNOTSUPP EPERM EPROTO"),
    Call("recvfrom", "EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENETUNREACH ENOBUFS ENOMEM "
                     "ETIMEDOUT"),
    Call("sendto", "EAGAIN ECONNRESET EHOSTUNREACH EINTR ENETUNREACH ENOBUFS ENOMEM EPIPE "
                   "ETIMEDOUT", to_client, "to a client"),
    Call("shutdown", "EINVAL ENOTCONN"),
    Call("ioctl", "EINVAL ENOTTY"),
    Call("recvmmsg", "EAGAIN ECONNREFUSED EHOSTUNREACH EINTR EMSGSIZE ENETUNREACH ENOBUFS ENOMEM"),
    Call("sendmmsg", "EACCES EAGAIN ECONNREFUSED EHOSTUNREACH EINTR EINVAL EIO EMSGSIZE "
                     "ENETUNREACH ENOBUFS ENOMEM EPERM"),
    # The loops
    Call("epoll_create1", "EINVAL EMFILE ENFILE ENOMEM"),
    Call("epoll_ctl", "EEXIST ELOOP ENOENT ENOMEM ENOSPC EPERM"),
    Call("epoll_wait", "EBADF EINVAL"),
    Call("epoll_wait", "EINTR", ways=["once"]),
    Call("eventfd2", "EINVAL EMFILE ENFILE ENODEV ENOMEM"),
    Call("pipe2", "EINVAL EMFILE ENFILE"),
    Call("read", "EAGAIN EINTR", of_counter, "of an eventfd", ways=["once"]),
    Call("clone3", "EAGAIN EINVAL ENOMEM EPERM", plain=True),
    # Memory
    Call("mmap", "EAGAIN EINVAL ENFILE ENOMEM EPERM", plain=True),
    Call("mprotect", "EACCES EINVAL ENOMEM", plain=True),
    Call("munmap", "EINVAL ENOMEM", plain=True),
    Call("madvise", "EAGAIN EINVAL ENOMEM EPERM", plain=True),
    # Files
    Call("openat", "EACCES EINTR EIO EISDIR ELOOP EMFILE ENFILE ENOENT ENOMEM ENXIO EPERM"),
    Call("newfstatat", "EACCES EIO ELOOP ENOENT ENOMEM ENOTDIR EOVERFLOW"),
    Call("read", "EAGAIN EINTR EIO EISDIR", of_file, "of the file"),
    Call("pwritev2", "EAGAIN EINTR EINVAL EIO ENOSPC EOPNOTSUPP EPERM EPIPE"),
    # The system
    Call("sendto", "EACCES EAGAIN ECONNREFUSED EINTR ENOBUFS ENOENT ENOMEM EPERM", to_manager,
         "to the manager"),
    Call("clock_adjtime", "EINVAL ENOSYS EPERM"),
    Call("getrandom", "EAGAIN EINTR ENOSYS"),
    Call("prlimit64", "EINVAL EPERM"),
    Call("sched_getaffinity", "EINVAL EPERM", kind="user"),
    Call("uname", "EFAULT"),
    # Passed sockets
    Call("fcntl", "EACCES EAGAIN EBADF EINVAL EPERM", kind="handed"),
    Call("getpeername", "EINVAL ENOBUFS ENOTCONN", kind="handed"),
    Call("getsockname", "EINVAL ENOBUFS", note="of what was handed over", kind="handed"),
    Call("getsockopt", "EBADF EINVAL ENOBUFS ENOPROTOOPT", note="of what was handed over",
         kind="handed"),
    Call("setsockopt", "EINVAL ENOBUFS ENOPROTOOPT EPERM", note="of what was handed over",
         kind="handed"),
    # Switching to another user
    Call("setgroups", "EINVAL ENOMEM EPERM", kind="user"),
    Call("setresgid", "EAGAIN EINVAL EPERM", kind="user"),
    Call("setresuid", "EAGAIN EINVAL EPERM", kind="user"),
    Call("prctl", "EINVAL EPERM", kind="user"),
    Call("capset", "EINVAL EPERM", kind="user"),
    Call("capget", "EINVAL EPERM", kind="user"),
    Call("getgroups", "EINVAL", kind="user"),
    Call("getresuid", "EFAULT", kind="user"),
    Call("getresgid", "EFAULT", kind="user"),
]

CLOSE_ERRORS = ["EDQUOT", "EINTR", "EIO", "ENOSPC"]

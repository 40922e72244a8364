# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Calls that can be made to fail: a range of them, counted from 1.

Two kinds with the same interface. Those of Page are functions that shim.c replaces in the process.
Refusals are system calls: the kernel asks us about each (seccomp's user notification), so that none
is missed, not even libevent's or those made by number.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import select
import struct
import subprocess
import threading

NEVER = 0
FOR_EVER = 2**63

# From linux/seccomp.h, linux/filter.h and asm/unistd.h.
SET_MODE_FILTER = 1
NEW_LISTENER = 1 << 3
RECEIVE = 0xC0502100
ANSWER = 0xC0182101
LET_IT_PASS = 1
ASK = 0x7FC00000
ALLOW = 0x7FFF0000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
QUESTION = struct.Struct("=QIIiIQ6Q")  # id, pid, flags, number, architecture, pointer, arguments
REPLY = struct.Struct("=QqiI")
NO_NEW_PRIVS = 38

libc = ctypes.CDLL(None, use_errno=True)


class Nothing:
    """A fault that never occurs."""
    count = failed = 0

    def arm(self, first, last):
        pass


class Field(Nothing):
    """One `struct fault` of the page."""

    def __init__(self, page, offset):
        self.page = page
        self.offset = offset

    def arm(self, first, last):
        self.page.write(self.offset + 8, NEVER)  # nothing fails between the two writes
        self.page.write(self.offset + 16, last)
        self.page.write(self.offset + 8, first)

    @property
    def count(self):
        return self.page.read(self.offset)

    @property
    def failed(self):
        return self.page.read(self.offset + 24)


class Page:
    """`struct page` of shim.c, shared with an echod through a file."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(mmap.PAGESIZE)
        os.chmod(path, 0o666)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.allocation = Field(self, 16)
        self.closing = Field(self, 48)

    def read(self, offset):
        return struct.unpack_from("=Q", self.memory, offset)[0]

    def write(self, offset, value):
        struct.pack_into("=Q", self.memory, offset, value)

    def in_main(self):
        return self.read(0) == 1

    def set_close_error(self, number):
        self.write(8, number)


def call_numbers():
    """Numbers of all system calls by name, from the compiler's headers for this machine."""
    done = subprocess.run([os.environ.get("CC", "cc"), "-E", "-dM", "-include", "sys/syscall.h",
                           "-"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True)
    words = (line.split() for line in done.stdout.splitlines())
    return {word[1].removeprefix("__NR_"): int(word[2]) for word in words
            if len(word) == 3 and word[1].startswith("__NR_") and word[2].isdigit()}


class Refusal(Nothing):
    """System calls of one name for which CONCERNS returns true, refused with ERROR."""

    def __init__(self, name, concerns=None, error="EIO"):
        self.name = name
        self.concerns = concerns or (lambda *arguments: True)
        self.error = getattr(errno, error)
        self.first = self.last = NEVER
        self.count = self.failed = 0

    def arm(self, first, last):
        self.first, self.last = first, last

    def judge(self, arguments):
        """The error, negative as in the kernel, or 0 to allow the call."""
        if not self.concerns(*arguments):
            return 0
        self.count += 1
        if not self.first <= self.count <= self.last:
            return 0
        self.failed += 1
        return -self.error


class Gate:
    """The kernel's questions about the system calls of one process, answered by REFUSALS."""

    numbers = None

    def __init__(self, refusals, page):
        Gate.numbers = Gate.numbers or call_numbers()
        self.page = page
        self.refusals = {}
        for refusal in refusals:
            self.refusals.setdefault(self.numbers[refusal.name], []).append(refusal)
        self.shared = mmap.mmap(-1, mmap.PAGESIZE)  # the child's descriptor and its pid
        self.given_up = False
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def install(self):
        """In the child, before exec. Once the filter is set, it must not depend on its calls."""
        program = [struct.pack("=HBBI", LOAD, 0, 0, 0)]
        for number in self.refusals:
            program.append(struct.pack("=HBBI", JUMP_IF_EQUAL, 0, 1, number))
            program.append(struct.pack("=HBBI", RETURN, 0, 0, ASK))
        program.append(struct.pack("=HBBI", RETURN, 0, 0, ALLOW))
        code = ctypes.create_string_buffer(b"".join(program))
        header = struct.pack("@HP", len(program), ctypes.addressof(code))
        struct.pack_into("=i", self.shared, 4, os.getpid())
        if os.geteuid() != 0:
            libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
        listener = libc.syscall(self.numbers["seccomp"], SET_MODE_FILTER, NEW_LISTENER, header)
        struct.pack_into("=i", self.shared, 0, listener)
        while listener >= 0 and struct.unpack_from("=i", self.shared, 0)[0] == listener:
            os.sched_yield()

    def end(self):
        self.given_up = True
        self.thread.join()

    def _fetch(self):
        """The child's listener as a descriptor of this process; -1 if there will be none."""
        while (theirs := struct.unpack_from("=i", self.shared, 0)[0]) == 0:
            if self.given_up:
                return -1
            os.sched_yield()
        pid = struct.unpack_from("=i", self.shared, 4)[0]
        try:
            process = os.pidfd_open(pid)
            ours = libc.syscall(self.numbers["pidfd_getfd"], process, theirs, 0)
            os.close(process)
        finally:
            struct.pack_into("=i", self.shared, 0, -1)
        return ours

    def _serve(self):
        listener = self._fetch()
        if listener < 0:
            return
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while not self.given_up:
            for _, events in poll.poll(100):
                if not events & select.POLLIN:
                    self.given_up = True
                else:
                    self._answer(listener)
        os.close(listener)

    def _answer(self, listener):
        question = bytearray(QUESTION.size)
        try:
            fcntl.ioctl(listener, RECEIVE, question)
            identity, _, _, number, _, _, *arguments = QUESTION.unpack(question)
            error = self._judge(number, arguments)
            fcntl.ioctl(listener, ANSWER,
                        REPLY.pack(identity, 0, error, 0 if error else LET_IT_PASS))
        except OSError as gone:  # the caller has died meanwhile
            if gone.errno not in (errno.ENOENT, errno.EINTR):
                raise

    def _judge(self, number, arguments):
        if not self.page.in_main():
            return 0
        return min(refusal.judge(arguments) for refusal in self.refusals[number])


def kernel_asks():
    """Whether this kernel and container support user notification. Linux 5.6 does."""
    if not hasattr(os, "pidfd_open"):
        return False
    child = os.fork()
    if child == 0:
        number = call_numbers().get("seccomp", -1)
        libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
        allow = ctypes.create_string_buffer(struct.pack("=HBBI", RETURN, 0, 0, ALLOW))
        header = struct.pack("@HP", 1, ctypes.addressof(allow))
        os._exit(libc.syscall(number, SET_MODE_FILTER, NEW_LISTENER, header) < 0)
    return os.waitpid(child, 0)[1] == 0

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Many TCP clients at once, each of which checks every byte that comes back."""

import fcntl
import random
import select
import struct
import termios
import time

from .basics import check, until
from .talk import connect

PERIOD = 65521
PIECE = 65536
PATTERN = random.Random(1).randbytes(PERIOD) * 3
SIOCOUTQ = termios.TIOCOUTQ


def _slice(at, size):
    return memoryview(PATTERN)[at % PERIOD:at % PERIOD + size]


class Stream:
    """One connection: what it sent, what came back, and how it ended."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.socket, self.sent, self.received, self.end = sock, 0, 0, None

    def send(self, size):
        """Sends up to SIZE bytes, as many as the socket accepts."""
        left = size
        try:
            while left:
                done = self.socket.send(_slice(self.sent, min(left, PIECE)))
                self.sent += done
                left -= done
        except BlockingIOError:
            pass
        except ConnectionError as error:
            self.end = str(error)
        return size - left

    def receive(self, most=None):
        """Reads what is available, at most MOST bytes, and compares it."""
        try:
            while data := self.socket.recv(most or PIECE):
                check(data == _slice(self.received, len(data)), f"wrong at {self.received}")
                self.received += len(data)
                if most:
                    return
            self.end = "closed"
        except BlockingIOError:
            pass
        except ConnectionError as error:
            self.end = str(error)

    def acknowledged(self):
        """Number of bytes sent that the peer's kernel has acknowledged."""
        unsent = fcntl.ioctl(self.socket, SIOCOUTQ, bytes(4))
        return self.sent - struct.unpack("i", unsent)[0]


class Streams:
    """COUNT streams."""

    def __init__(self, host, address, port, count):
        self.poll = select.epoll()
        self.all = [Stream(connect(host, address, port)) for _ in range(count)]
        self.by_fd = {stream.socket.fileno(): stream for stream in self.all}
        for number in self.by_fd:
            self.poll.register(number, select.EPOLLIN)

    def deaf(self, stream, deaf=True):
        """A deaf stream does not read."""
        self.poll.modify(stream.socket.fileno(), 0 if deaf else select.EPOLLIN)

    def turn(self, seconds=0.01):
        """Reads from all that have data, and returns them."""
        ready = [self.by_fd[number] for number, _ in self.poll.poll(seconds)]
        for stream in ready:
            stream.receive()
            if stream.end:
                stream.socket.close()
        return ready

    def ended(self):
        return all(stream.end for stream in self.all)

    def ping_pong(self, size):
        """A turn in which each stream with a complete echo sends again; returns their number."""
        again = [stream for stream in self.turn()
                 if not stream.end and stream.received == stream.sent]
        for stream in again:
            stream.send(size)
        return len(again)


def small_buffers(*hosts):
    """Small socket buffers in both kernels, so that echod has to buffer the rest."""
    for host in hosts:
        for name in ("tcp_rmem", "tcp_wmem"):
            host.sysctl(f"net.ipv4.{name}", "4096 16384 65536")


def stall(streams, quiet=0.5):
    """All send and none reads, until no socket has accepted data for QUIET seconds."""
    taken, since = -1, time.monotonic()

    def stalled():
        nonlocal taken, since
        sent = sum(stream.send(PIECE) for stream in streams)
        accepted = sum(stream.acknowledged() for stream in streams)
        if sent or accepted != taken:
            taken, since = accepted, time.monotonic()
        return time.monotonic() - since > quiet
    until(stalled, "a stall of all streams", 60)

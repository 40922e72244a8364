# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Clients that do not read, read a byte now and then, or send nothing: their cost, and when they
are disconnected."""

import re
import socket
import subprocess
import time

from lab import (SERVER4, Aside, Echod, Streams, check, connect, pair, scale, small_buffers, stall,
                 test, until)

SCRATCH = 512 * 1024  # the most that echod buffers for a client that does not read
OVERHEAD = 4096  # the connection itself, and malloc's rounding
TOLERANCE = 1  # second


def talk(client, port, stop):
    """Round trips until STOP is readable: (number, slowest)."""
    sock = connect(client, SERVER4, port)
    stop.setblocking(False)
    rounds, slowest = 0, 0
    while True:
        start = time.monotonic()
        sock.send(b"x" * 100)
        check(len(sock.recv(100, socket.MSG_WAITALL)) == 100, "cut off")
        slowest = max(slowest, time.monotonic() - start)
        rounds += 1
        try:
            if stop.recv(1):
                return rounds, slowest
        except BlockingIOError:
            time.sleep(0.002)


def kept(echod):
    """Bytes of echo data that echod buffers for all clients together."""
    figures = echod.figures()
    return figures["received_bytes_tcp"] - figures["sent_bytes_tcp"]


@test(limit=90)
def clients_that_never_read_cost_one_buffer_each():
    server, client, _ = pair()
    small_buffers(server, client)
    echod = Echod(server, stall_timeout=0)
    base = echod.memory()
    ours, theirs = socket.socketpair()
    other = Aside(talk, client, echod.port, theirs)
    count = scale(300, 2000)
    streams = Streams(client, SERVER4, echod.port, count)
    stall(streams.all)
    used, echo = echod.memory() - base, kept(echod)
    ours.send(b"x")
    rounds, slowest = other.result()
    check(used <= count * (SCRATCH + OVERHEAD), f"{used / count / 1024:.0f} KiB a client")
    check(echo > 0, "echod had nothing to keep, so this test cannot fail")
    check(slowest < TOLERANCE, f"another client waited {slowest:.2f} s")
    for stream in streams.all:
        stream.socket.close()
    until(lambda: echod.figures()["tcp_connections"] == 0, "the end of all")
    left = echod.memory() - base
    return (f"{count} clients: {used / 1e6:.1f} MB, {used / count / 1024:.1f} KiB each,"
            f" of which {echo / count / 1024:.1f} are echo; {left / 1e6:.1f} MB when they are"
            f" gone; another client: {rounds} round trips,"
            f" {slowest * 1000:.0f} ms at most")


@test
def a_stalled_client_at_the_kernels_own_settings():
    """What the kernel buffers; only stall_timeout bounds it."""
    server, client, _ = pair()
    echod = Echod(server, stall_timeout=0)
    base, count = echod.memory(), 10
    streams = Streams(client, SERVER4, echod.port, count)
    stall(streams.all)
    with server:
        text = subprocess.run(["ss", "-Htmn", "state", "connected"], capture_output=True, text=True,
                              check=True).stdout
    each = [sum(map(int, re.search(r"skmem:\(r(\d+),.*?f(\d+),w(\d+)", line).groups()))
            for line in text.splitlines() if "skmem" in line]
    check(len(each) == count, f"{len(each)} sockets: {text}")
    used = (echod.memory() - base) / count
    check(used <= SCRATCH + OVERHEAD, f"{used / 1024:.0f} KiB a client")
    return (f"{sum(each) / count / 1e6:.1f} MB of the kernel's at the server's side,"
            f" {max(each) / 1e6:.1f} MB at most; {used / 1024:.0f} KiB of echod's")


def closed_after(streams, start, act, seconds):
    """Repeats ACT until all are closed, and returns the times of that in seconds."""
    times = {}

    def all_closed():
        act()
        streams.turn()
        for stream in streams.all:
            if stream.end and stream not in times:
                times[stream] = time.monotonic() - start
        return len(times) == len(streams.all)
    until(all_closed, "the end of all", seconds)
    return sorted(times.values())


def on_time(times, timeout, doubt=0.0):
    """TIMES are since the last activity, or up to DOUBT seconds less."""
    early, late = times[0] + doubt - timeout, times[-1] - timeout
    check(early >= 0 and late <= TOLERANCE, f"{timeout} s: closed after {times}")
    return f"{len(times)} clients closed {times[0]:.2f} to {times[-1]:.2f} s after their last act"


class Drip:
    """Clients that read so slowly that what echod buffers for them shrinks steadily, but is not
    gone before the timeout. They start when echod's buffer is full; then the timeout is set."""

    def __init__(self, client, echod, count, timeout):
        self.streams = Streams(client, SERVER4, echod.port, count)
        stall(self.streams.all)
        begun = time.monotonic()
        for stream in self.streams.all:
            self.read_until_more_is_kept(stream, echod)
        self.start, self.rate, self.read = time.monotonic(), SCRATCH / 3 / timeout, 0
        self.doubt = self.start - begun
        echod.configure(stall_timeout=timeout)
        check(echod.reload(), "the reload failed")

    @staticmethod
    def read_until_more_is_kept(stream, echod):
        least = kept(echod)

        def more():
            nonlocal least
            stream.receive(16384)
            now = kept(echod)
            least = min(least, now)
            return now > least + SCRATCH / 2
        until(more, "more for echod to keep", 10)

    def drip(self):
        """Reads what is due, and returns the time since the start."""
        passed = time.monotonic() - self.start
        due = int(passed * self.rate) - self.read
        if due > 1000:
            self.read += due
            for stream in self.streams.all:
                stream.receive(due)
        return passed


@test
def drip_readers_are_closed_at_stall_timeout():
    server, client, _ = pair()
    # Much arrives at once and little leaves, so that echod has to fill its buffer.
    server.sysctl("net.ipv4.tcp_rmem", "4096 1048576 4194304")
    server.sysctl("net.ipv4.tcp_wmem", "4096 16384 65536")
    client.sysctl("net.ipv4.tcp_rmem", "4096 16384 65536")
    timeout, count = scale(1, 20), scale(5, 20)
    echod = Echod(server, stall_timeout=0)
    drip = Drip(client, echod, count, timeout)
    times = []

    def all_closed():
        passed = drip.drip()
        times.extend([passed] * (echod.figures()["tcp_closed_stall"] - len(times)))
        return len(times) == count
    until(all_closed, "the end of all", timeout + 10)
    return on_time(times, timeout, drip.doubt)


@test
def idle_clients_are_closed_at_idle_timeout():
    server, client, _ = pair()
    timeout = scale(1, 20)
    echod = Echod(server, idle_timeout=timeout)
    start = time.monotonic()
    streams = Streams(client, SERVER4, echod.port, 20)
    said = on_time(closed_after(streams, start, lambda: None, timeout + 10), timeout)
    check(echod.figures()["tcp_closed_idle"] == 20, "not for being idle")

    start = time.monotonic()
    streams = Streams(client, SERVER4, echod.port, 1)
    until(lambda: time.monotonic() - start > timeout / 2, "half of the time", timeout)
    streams.all[0].send(100)
    spoke = time.monotonic() - start
    on_time(closed_after(streams, start + spoke, lambda: None, timeout + 10), timeout)
    return said + "; who speaks has as long again"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Many clients that do not read: what echod buffers for all of them is bounded, others are served,
and the memory returns to the system."""

import contextlib
import os
import socket
import time

from lab import (SERVER4, Aside, Echod, Skip, Streams, check, connect, pair, scale, small_buffers,
                 stall, test, until)

MIB = 1024 * 1024
KEPT = 64 * MIB  # for all clients together, and
SMALL = 4096  # for each
AT_ONCE = 9500  # clients in one process, which has at most 20,000 descriptors
CGROUPS = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}


@contextlib.contextmanager
def limited(size):
    """Limits the memory of processes started in here to SIZE."""
    for root, limit in CGROUPS.items():
        path = f"{root}/echod-lab-{os.getpid()}-{time.monotonic_ns()}"
        with contextlib.suppress(OSError):
            os.mkdir(path)
            break
    else:
        raise Skip("no cgroup can be made here")
    try:
        try:
            with open(f"{path}/{limit}", "w") as file:
                file.write(str(size))
        except OSError:
            raise Skip("no cgroup bounds memory here") from None
        yield path
    finally:
        with open(f"{path}/cgroup.procs") as file:
            for pid in file.read().split():
                join(root, pid)
        os.rmdir(path)


def join(path, pid):
    with open(f"{path}/cgroup.procs", "w") as file:
        file.write(str(pid))


def stalled_crowd(host, port, count, go):
    """COUNT clients that send and do not read, until GO is readable."""
    streams = Streams(host, SERVER4, port, count)
    stall(streams.all)
    go.send(b"x")
    go.recv(1)


def crowd(host, port, count):
    """Such clients in separate processes; returns the sockets that release them, once all stall."""
    ends, processes = [], []
    for at in range(0, count, AT_ONCE):
        ours, theirs = socket.socketpair()
        processes.append(Aside(stalled_crowd, host, port, min(AT_ONCE, count - at), theirs))
        ends.append(ours)
    for end in ends:
        end.settimeout(120)
        check(end.recv(1) == b"x", "a process of clients has ended")
    return ends, processes


def slowest_round(socks):
    """The slowest of several round trips of each."""
    slowest = 0
    for sock in socks * 10:
        start = time.monotonic()
        sock.send(b"x" * 100)
        check(len(sock.recv(100, socket.MSG_WAITALL)) == 100, "cut off")
        slowest = max(slowest, time.monotonic() - start)
    return slowest


@test(limit=90)
def very_many_clients_that_never_read_cost_a_bounded_sum():
    server, client, _ = pair()
    small_buffers(server, client)
    server.sysctl("net.core.somaxconn", 4096)
    count = scale(2000, 2 * AT_ONCE)
    with limited(512 * MIB) as cgroup:
        echod = Echod(server, stall_timeout=0, workers=2)
        join(cgroup, echod.pid)
        base = echod.memory()
        ends, processes = crowd(client, echod.port, count)
        used = echod.memory() - base
        # They stay, so that the memory freed below is not at the end of malloc's heap.
        others = [connect(client, SERVER4, echod.port) for _ in range(20)]
        slowest = slowest_round(others)
        check(used <= KEPT + count * SMALL, f"{used / MIB:.1f} MiB")
        check(used > KEPT / 2, f"only {used / MIB:.1f} MiB, so this test cannot fail")
        for end in ends:
            end.send(b"x")
        for process in processes:
            process.result()
        until(lambda: echod.figures()["tcp_connections"] == len(others), "the end of all", 20)
        left = echod.memory() - base
        check(left <= 4 * MIB + count * 512, f"{left / MIB:.1f} MiB stay")
        echod.stop()
    return (f"{count} clients: {used / MIB:.1f} MiB, {left / MIB:.1f} when they are gone;"
            f" other clients: {slowest * 1000:.0f} ms at most")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Clients that close their side and never read, or vanish: no socket of echod outlives its limits,
and none remains uncounted."""

import re
import socket
import subprocess
import time

from lab import (CLIENT4, SERVER4, Echod, Streams, check, connect, pair, scale, test, until)

SLACK = 1  # second


def sockets(host, port):
    """State and memory of each TCP socket of PORT on HOST, whether a process owns it or not, except
    listeners and TIME_WAIT."""
    with host:
        text = subprocess.run(["ss", "-HtmnO", "state", "connected", "exclude", "time-wait",
                               "sport", "=", str(port)], capture_output=True, text=True,
                              check=True).stdout
    found = []
    for line in text.splitlines():
        memory = re.search(r"skmem:\(r(\d+),.*?f(\d+),w(\d+)", line)
        found.append((line.split()[0], sum(map(int, memory.groups())) if memory else 0))
    return found


def push_and_finish(sock, size):
    """Sends up to SIZE bytes until the socket stays full, then FIN; reads nothing."""
    sock.settimeout(0.2)
    try:
        while size > 0:
            size -= sock.send(bytes(min(size, 16384)))
    except TimeoutError:
        pass
    except ConnectionError:
        return
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # refused


def gone_after(host, echod, seconds):
    """Waits until no socket is left, and returns how long that took."""
    start = time.monotonic()
    until(lambda: not sockets(host, echod.port), "the end of all sockets", seconds)
    check(echod.figures()["tcp_connections"] == 0, "counted, but not there")
    return time.monotonic() - start


@test
def a_fin_without_reading_escapes_no_limit():
    """Over loopback, where the kernel's send buffer is large from the start."""
    server, _, _ = pair()
    timeout, limit = 2, 5
    echod = Echod(server, max_clients=limit, stall_timeout=f"{timeout}s")
    clients, most, memory = [], 0, 0
    for _ in range(scale(10, 40)):
        clients.append(connect(server, "127.0.0.1", echod.port))
        push_and_finish(clients[-1], 2_000_000)
        there = sockets(server, echod.port)
        check(len(there) <= limit, f"{len(there)} sockets beyond max_clients: {there}")
        most = max(most, len(there))
        memory = max(memory, sum(size for _, size in there))
    check(most > 1, "one client at a time, so this test cannot fail")
    took = gone_after(server, echod, 2 * timeout + SLACK)
    check(echod.figures()["tcp_closed_stall"] > 0, "none was reset for its stall")
    return (f"{len(clients)} clients, at most {most} sockets, all counted;"
            f" {memory / 1e6:.1f} MB of the kernel's at most; all gone {took:.1f} s after the last")


def lose_answers(server):
    """From now on nothing that the server sends arrives, as if the client had lost power."""
    server.ip(f"neigh replace {CLIENT4} lladdr 02:00:00:00:00:99 dev client nud permanent")


def echoed(stream):
    return stream.received == stream.sent


@test
def clients_that_vanish_leave_no_socket():
    server, client, _ = pair()
    timeout, count = 2, scale(10, 100)
    echod = Echod(server, stall_timeout=f"{timeout}s", idle_timeout=f"{timeout}s")
    streams = Streams(client, SERVER4, echod.port, 3 * count)
    for stream in streams.all:
        stream.send(100)
    until(lambda: streams.turn() is not None and all(map(echoed, streams.all)), "all echo")
    lose_answers(server)
    for number, stream in enumerate(streams.all):
        if number % 3 == 0:
            stream.socket.shutdown(socket.SHUT_WR)  # our FIN is never acknowledged
        elif number % 3 == 1:
            stream.send(100)  # nor is this echo
    took = gone_after(server, echod, 2 * timeout + SLACK)
    return f"{3 * count} clients vanished; all of it gone after {took:.1f} s"


@test
def clients_that_do_not_end_leave_no_socket():
    """All data is read, and our FIN is acknowledged, but theirs never comes."""
    server, client, _ = pair()
    timeout, count = 1, scale(10, 1000)
    echod = Echod(server, stall_timeout=f"{timeout}s", idle_timeout=f"{timeout}s")
    streams = Streams(client, SERVER4, echod.port, count)
    took = gone_after(server, echod, 2 * timeout + SLACK)
    check(echod.figures()["tcp_closed_idle"] == count, "not for being idle")
    for stream in streams.all:
        stream.receive()
        check(stream.end == "closed", f"not reported by a FIN: {stream.end}")
    return f"{count} idle clients: all gone after {took:.1f} s"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Descriptors run out before max_clients is reached: accept fails until clients disconnect."""

import resource
import select
import time

from lab import SERVER4, Echod, check, connect, pair, scale, test, until

DESCRIPTORS = 64
CLIENTS = 200
MOST_CPU = 0.02
MOST_ERRORS = 20  # a second
SLOWEST = 1  # second that a connected client waits
LATEST = 1  # second until a freed descriptor is used


def answered(clients):
    """Reads from the sockets that have data, and returns them."""
    ready, _, _ = select.select(clients, [], [], 0)
    for client in ready:
        client.recv(100)
    return ready


def slowest_answer(clients, seconds):
    """Round trips on one socket after another for SECONDS: the longest wait, except for one, which
    may be due to a pause of the machine."""
    waited = []
    end = time.monotonic() + seconds
    while (asked := time.monotonic()) < end:
        client = clients.pop(0)
        clients.append(client)
        client.send(b"still there?")
        check(client.recv(100) == b"still there?", "a served client was cut off")
        waited.append(time.monotonic() - asked)
        select.select([], [], [], 0.1)
    return sorted(waited)[-2]


@test
def clients_without_a_descriptor_wait_and_cost_nothing():
    server, client, _ = pair()
    echod = Echod(server, max_clients=1000)
    # After its start: echod takes the limit it finds at startup into account.
    resource.prlimit(echod.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    waiting = [connect(client, SERVER4, echod.port) for _ in range(CLIENTS)]
    for sock in waiting:
        sock.send(b"first")
    until(lambda: echod.lines("cannot accept"), "the end of descriptors")
    served = []
    until(lambda: served.extend(answered(waiting)) or len(served) > DESCRIPTORS / 2, "service")
    waiting = [sock for sock in waiting if sock not in served]

    start, cpu = time.monotonic(), echod.cpu_seconds()
    errors = echod.figures()["tcp_accept_errors"]
    slowest = slowest_answer(served, scale(2, 10))
    passed = time.monotonic() - start
    cpu = (echod.cpu_seconds() - cpu) / passed
    errors = (echod.figures()["tcp_accept_errors"] - errors) / passed
    lines = len(echod.lines("cannot accept"))
    check(cpu <= MOST_CPU, f"{cpu:.1%} of a CPU")
    check(errors <= MOST_ERRORS, f"{errors:.1f} accept errors a second")
    check(lines == 1, f"{lines} lines in the log")
    check(slowest < SLOWEST, f"a served client waited {slowest:.3f} s")

    leaving = len(served) // 2
    for sock in served[:leaving]:
        sock.close()
    start = time.monotonic()
    fresh = []
    # The long form runs alone on the machine.
    latest = scale(3 * LATEST, LATEST)
    until(lambda: fresh.extend(answered(waiting)) or len(fresh) >= leaving, "the next", latest)
    passed_on = time.monotonic() - start
    return (f"{len(served)} served, {len(waiting)} waiting: {cpu:.2%} CPU, {errors:.1f} accept"
            f" errors/s, 1 line, all but one served waited {slowest * 1000:.1f} ms at most;"
            f" {leaving} descriptors used again after {passed_on * 1000:.0f} ms")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Stops under load: accepted data comes back, and restarts refuse no client."""

import signal
import socket
import time

from lab import (SERVER4, Aside, Echod, Streams, check, pair, scale, small_buffers, stall, test,
                 until)


class StopUnderLoad:
    """Half of the clients wait for a reply, half have not read for a while. After SIGTERM they
    all stop sending and read what they can."""

    def __init__(self, count, drain_timeout):
        server, client, _ = pair()
        small_buffers(server, client)
        echod = Echod(server, drain_timeout=drain_timeout)
        streams = Streams(client, SERVER4, echod.port, count)
        talkers, hoarders = streams.all[::2], streams.all[1::2]
        for stream in hoarders:
            streams.deaf(stream)
        stall(hoarders)
        for stream in talkers:
            stream.send(1000)
        rounds = sum(streams.ping_pong(1000) for _ in range(100))
        check(rounds > len(talkers), "the talkers were not served")

        accepted = {stream: stream.acknowledged() for stream in streams.all}
        start = time.monotonic()
        echod.signal(signal.SIGTERM)
        until(lambda: echod.lines("stopping"), "the stop")
        for stream in hoarders:
            streams.deaf(stream, False)
        until(lambda: streams.turn() is None or streams.ended(), "the end of all streams", 30)
        echod.wait(5)
        self.seconds = time.monotonic() - start
        self.accepted = sum(accepted.values())
        self.lost = sum(max(0, accepted[stream] - stream.received) for stream in streams.all)
        self.reset = sum(stream.end != "closed" for stream in streams.all)

    def __str__(self):
        return (f"of {self.accepted / 1e6:.1f} MB accepted {self.lost} bytes were lost,"
                f" {self.reset} streams were reset, exit after {self.seconds:.1f} s")


@test
def a_stop_loses_no_byte_of_live_streams():
    count = scale(200, 1000)
    stop = StopUnderLoad(count, "30s")
    check(stop.lost == 0 and stop.reset == 0, stop)
    return f"{count} streams: {stop}"


@test
def without_time_to_drain_it_does():
    stop = StopUnderLoad(50, "0")
    check(stop.lost > 0 and stop.reset > 0, stop)
    return stop


@test
def drain_timeout_ends_who_never_reads():
    server, client, _ = pair()
    small_buffers(server, client)
    echod = Echod(server, drain_timeout="1s")
    streams = Streams(client, SERVER4, echod.port, 20)
    stall(streams.all)
    start = time.monotonic()
    echod.stop()
    passed = time.monotonic() - start
    check(1 <= passed < 2, f"exit after {passed:.2f} s")
    return f"exit after {passed:.2f} s"


def connect_steadily(host, port, stop, rate=1000):
    """RATE connects a second until STOP is readable: (count by result, slowest, actual rate)."""
    outcome, slowest, count = {}, 0, 0
    start = time.monotonic()
    stop.setblocking(False)
    while True:
        try:
            if stop.recv(1):
                return outcome, slowest, count / (time.monotonic() - start)
        except BlockingIOError:
            pass
        began = time.monotonic()
        if count >= (began - start) * rate:
            time.sleep(0.0005)
            continue
        result = one_connect(host, port)
        outcome[result] = outcome.get(result, 0) + 1
        slowest = max(slowest, time.monotonic() - began)
        count += 1


def one_connect(host, port):
    with host:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(5)
    try:
        with sock:
            sock.connect((SERVER4, port))
            sock.send(b"hello")
            return "echoed" if sock.recv(10) == b"hello" else "closed"
    except OSError as error:
        return type(error).__name__


def restart(count, kept):
    """Restarts echod COUNT times while clients connect; returns the results of the clients."""
    server, client, _ = pair()
    server.sysctl("net.core.somaxconn", 65535)
    with server:
        holder = socket.create_server(("", 0), backlog=65535)
    port = holder.getsockname()[1]
    if kept:
        how = {"sockets": [holder]}
    else:
        holder.close()
        how = {"address": f"0.0.0.0:{port}"}
    ours, theirs = socket.socketpair()
    echod = Echod(server, **how)
    load = Aside(connect_steadily, client, port, theirs)
    for _ in range(count):
        until(lambda: echod.figures()["tcp_accepted"] > 20, "clients")
        echod.stop()
        echod = Echod(server, **how)
    ours.send(b"x")
    outcome, slowest, rate = load.result()
    said = f"{count} restarts, {rate:.0f} connects/s: {outcome}, slowest {slowest:.2f} s"
    return outcome, said


@test
def restarts_with_kept_sockets_refuse_nobody():
    restarts = scale(10, 100)
    outcome, said = restart(restarts, kept=True)
    # Closed without a reset: accepted but nothing received at the moment of a stop.
    check(set(outcome) <= {"echoed", "closed"} and outcome.get("closed", 0) <= restarts, said)
    return said


@test
def restarts_without_them_do():
    outcome, said = restart(5, kept=False)
    check("ConnectionRefusedError" in outcome, f"{said}, so the test above cannot fail")
    return said

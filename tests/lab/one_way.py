# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""One way times, between two sides whose clock says that it is synchronised: which it is, since
both have the same. A relay delays one of the ways by a known time."""

import ctypes
import json
import subprocess
import time

from lab import ECHOC, Aside, Echod, Host, Link, Skip, check, test, udp_socket

COUNT = 20
DELAY = 0.020
MAX_ERROR_US = 400  # of each clock, as they say themselves

ADJ_MAXERROR, ADJ_ESTERROR, ADJ_STATUS, STA_UNSYNC = 0x4, 0x8, 0x10, 0x40


class Timex(ctypes.Structure):
    """struct timex, as far as it is used here."""

    _fields_ = [("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long), ("esterror", ctypes.c_long), ("status", ctypes.c_int),
                ("rest", ctypes.c_long * 40)]


def adjtimex(**fields):
    clock = Timex(**fields)
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(clock)) < 0:
        raise Skip("may not declare the clock synchronised")
    return clock


def declare(status, maxerror, esterror):
    adjtimex(modes=ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, status=status, maxerror=maxerror,
             esterror=esterror)


class Declared:
    """What the kernel says of its clock, for a while. It goes on as before."""

    def __init__(self, synchronised):
        self.before = adjtimex()
        self.status = self.before.status & ~STA_UNSYNC
        if not synchronised:
            self.status |= STA_UNSYNC

    def __enter__(self):
        declare(self.status, MAX_ERROR_US, MAX_ERROR_US)

    def __exit__(self, *_):
        declare(self.before.status, self.before.maxerror, self.before.esterror)


def relay(host, target, there, back):
    """In the background, at HOST's port 862: hands on COUNT probes and replies after so long."""
    front = udp_socket(host, "10.0.0.2", port=862, seconds=30)
    rear = udp_socket(host, "10.0.1.1", seconds=30)

    def serve():
        for _ in range(COUNT):
            data, client = front.recvfrom(65536)
            time.sleep(there)
            rear.sendto(data, target)
            reply = rear.recv(65536)
            time.sleep(back)
            front.sendto(reply, client)

    return Aside(serve)


def measure(there, back):
    client, router, server = Host("client"), Host("router"), Host("server")
    Link(client, router, "10.0.0.{}/24")
    Link(router, server, "10.0.1.{}/24")
    echod = Echod(server, mode="stamp", stamp_sessions=64, udp_rate=0, allow="0.0.0.0/0")
    running = relay(router, ("10.0.1.2", echod.port), there, back)
    with client:
        done = subprocess.run([ECHOC, "ping", "--json", "--stamp", "-c", str(COUNT), "-i", "60ms",
                               "-W", "2s", "10.0.0.2"], capture_output=True, text=True)
    running.result()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(done.returncode == 0 and lines[-1]["received"] == COUNT, done.stdout + done.stderr)
    return [line for line in lines if line["type"] == "reply"], lines[-1]


def delays(there, back):
    with Declared(synchronised=True):
        replies, summary = measure(there, back)
    for reply in replies:
        sum_us = reply["there_us"] + reply["back_us"]
        check(abs(sum_us - reply["rtt_us"]) < 2, reply)
        check(reply["there_us"] >= there * 1e6 and reply["back_us"] >= back * 1e6, reply)
    # Both clocks' errors: at least what they said at first, and not much more within seconds.
    error = summary["one_way_error_us"]
    check(2 * MAX_ERROR_US <= error <= 2 * MAX_ERROR_US + 50_000, error)
    ways = {way: summary[f"{way}_us"]["p50"] / 1000 for way in ("there", "back")}
    return f"there {ways['there']:.1f} ms, back {ways['back']:.1f} ms, +-{error / 1000:.1f} ms"


@test
def a_slow_way_there_is_told_from_the_way_back():
    return delays(DELAY, 0)


@test
def a_slow_way_back_is_told_from_the_way_there():
    return delays(0, DELAY)


@test
def a_clock_that_is_not_synchronised_gives_no_one_way_times():
    with Declared(synchronised=False):
        replies, summary = measure(0, DELAY)
    check(all(reply["there_us"] is None and reply["back_us"] is None for reply in replies), replies)
    check(summary["one_way_error_us"] is None and summary["there_us"]["p50"] is None, summary)

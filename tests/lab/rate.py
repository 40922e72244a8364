# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The rate limit of one source, floods of forged sources, and their log lines."""

import contextlib
import os
import random
import time

from lab import (CLIENT4, SERVER4, SERVER6, Aside, Echod, Flood, check, datagram, pair,
                 random_sources, scale, test, udp_socket)

RATE = 1000
TOLERANCE = 0.05
POLITE_RATE = 50  # datagrams a second
POLITE_SHARE = 0.99


def allowed(steps):
    """Number of datagrams the limit lets through: the rate, with a burst of a second; of the
    excess 1 in 8, at most the rate again, with a burst of an eighth."""
    before, _ = steps[0]
    room, room_for_excess, answered = RATE, RATE / 8, 0
    for now, count in steps:
        room = min(RATE, room + RATE * (now - before))
        room_for_excess = min(RATE / 8, room_for_excess + RATE * (now - before))
        within = min(count, room)
        of_excess = min((count - within) / 8, room_for_excess)
        room -= within
        room_for_excess -= of_excess
        answered += within + of_excess
        before = now
    return answered


def hold(sources, to, flood_rate):
    """Floods from SOURCES, which count as one, and returns a line with the result."""
    server, client, link = pair()
    echod = Echod(server, udp_rate=RATE)
    packets = [datagram(source, 40000, to, echod.port) for source in sources]
    flood = Flood(link, client, packets)
    sent, seconds = flood.run(scale(2, 10), flood_rate)
    figures = echod.figures()
    received, echoed = figures["udp_received_datagrams"], figures["udp_echoed_datagrams"]
    rule = allowed(flood.steps)
    off = echoed / rule - 1
    check(received >= 0.95 * sent, f"only {received} of {sent} arrived")
    check(abs(off) <= TOLERANCE, f"{echoed} of {received}, the rule allows {rule:.0f}: {off:+.1%}")
    return (f"{echoed} of {received} answered in {seconds:.1f} s,"
            f" the rule says {rule:.0f}: {off:+.2%}")


@test
def a_flooding_source_gets_twice_the_rate():
    return hold([CLIENT4], SERVER4, 20 * RATE)


@test
def of_a_small_excess_one_in_eight_is_answered():
    return hold([CLIENT4], SERVER4, 3 * RATE)


@test
def a_network_of_64_bits_is_one_source():
    sources = [f"fd00::{random.randrange(1, 1 << 16):x}" for _ in range(1000)]
    return hold(sources, SERVER6, 20 * RATE)


def be_polite(client, port, seconds):
    """Sends requests at a steady rate: (requests, replies)."""
    sock = udp_socket(client, CLIENT4, seconds=0)
    asked = answered = 0
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds + 0.5:
        if now < seconds and asked < now * POLITE_RATE:
            sock.sendto(b"please %d" % asked, (SERVER4, port))
            asked += 1
        try:
            while sock.recv(100):
                answered += 1
        except BlockingIOError:
            time.sleep(0.001)
    return asked, answered


class Spoofer:
    """A flood of random sources, measured by the counters of the echod it hits."""

    def __init__(self):
        self.server, self.client, self.link = pair()
        self.echod = Echod(self.server)
        packets = [datagram(source, 40000, SERVER4, self.echod.port)
                   for source in random_sources(scale(10000, 100000))]
        self.flood = Flood(self.link, self.client, packets)

    def run(self, seconds, rate=0):
        before = self.echod.figures()
        sent, seconds = self.flood.run(seconds, rate)
        after = self.echod.figures()
        change = {name: after[name] - before[name] for name in after}
        return sent / seconds, change["udp_echoed_datagrams"] / seconds, change["udp_kernel_drops"]

    def beside(self, rate, seconds):
        polite = Aside(be_polite, self.client, self.echod.port, seconds)
        offered, echoed, drops = self.run(seconds, rate)
        asked, answered = polite.result()
        said = (f"offered {offered:.0f}/s, echoed {echoed:.0f}/s, {drops} dropped by the kernel;"
                f" polite client: {answered} of {asked}")
        return said, answered / asked


@test
def at_half_capacity_a_polite_client_is_served():
    spoofer = Spoofer()
    _, capacity, _ = spoofer.run(1)
    said, share = spoofer.beside(capacity / 2, scale(3, 20))
    check(share >= POLITE_SHARE, f"capacity {capacity:.0f}/s, {said}")
    return f"capacity {capacity:.0f}/s, {said}"


def spin(cpu, seconds):
    os.sched_setaffinity(0, {cpu})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@contextlib.contextmanager
def crowded(echod, seconds):
    """Limits echod to a fifth of one CPU for SECONDS and gives the flood another CPU, because the
    flood alone does not exceed what an echod with a CPU of its own can do."""
    cpus = sorted(os.sched_getaffinity(0))
    for task in os.listdir(f"/proc/{echod.pid}/task"):
        os.sched_setaffinity(int(task), {cpus[0]})
    spinners = [Aside(spin, cpus[0], seconds) for _ in range(4)]
    os.sched_setaffinity(0, {cpus[-1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cpus)
        for spinner in spinners:
            spinner.result()


@test
def above_capacity_service_comes_back():
    spoofer = Spoofer()
    seconds = scale(2, 20)
    with crowded(spoofer.echod, seconds):
        said, _ = spoofer.beside(0, seconds)
    check(", 0 dropped" not in said, f"not above capacity: {said}")
    asked, answered = be_polite(spoofer.client, spoofer.echod.port, 1)
    check(answered >= POLITE_SHARE * asked, f"{said}; after the flood {answered} of {asked}")
    return f"{said}; after the flood {answered} of {asked}"


@test
def a_limited_source_has_a_line_in_30_seconds():
    server, client, link = pair()
    echod = Echod(server, udp_rate=10)
    packet = datagram(CLIENT4, 40000, SERVER4, echod.port)
    _, seconds = Flood(link, client, [packet]).run(scale(1, 65), 1000)
    lines = echod.lines("not answered")
    check(len(lines) == scale(1, 3), f"{len(lines)} lines in {seconds:.0f} s")
    check("udp_rate" in lines[0] and f"udp {CLIENT4}:40000 on " in lines[0], lines[0])
    return f"{len(lines)} in {seconds:.0f} s: {lines[0].partition('notice: ')[2]}"


@test
def ten_thousand_limited_sources_have_a_line_a_second():
    server, client, link = pair()
    echod = Echod(server, udp_rate=1)
    packets = [datagram(source, 40000, SERVER4, echod.port) for source in random_sources(10000)]
    _, seconds = Flood(link, client, packets).run(scale(2, 30), 40000)
    lines = len(echod.lines("udp_rate"))
    limited = echod.figures()["udp_dropped_datagrams_rate"]
    check(limited > 10000, f"only {limited} datagrams over the rate")
    check(1 < lines <= seconds + 1, f"{lines} lines in {seconds:.1f} s")
    return f"{lines} lines in {seconds:.1f} s for {limited} datagrams over the rate"

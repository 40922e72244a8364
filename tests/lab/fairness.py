# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""One worker for both protocols: neither starves the other."""

import time

from lab import (SERVER4, Aside, Echod, Flood, Streams, check, datagram, pair, random_sources,
                 scale, test, until)
from rate import POLITE_SHARE, be_polite

CLIENTS = 10
LATEST = 1  # second


def tcp_round_trips(streams, seconds):
    """(round trips a second, those of the slowest client, the longest wait)"""
    rounds, asked, longest = dict.fromkeys(streams.all, 0), {}, 0
    start = now = time.monotonic()
    for stream in streams.all:
        stream.send(100)
        asked[stream] = now
    while now - start < seconds:
        ready = [stream for stream in streams.turn() if stream.received == stream.sent]
        now = time.monotonic()
        for stream in ready:
            longest = max(longest, now - asked[stream])
            rounds[stream] += 1
            stream.send(100)
            asked[stream] = now
    until(lambda: streams.turn() is None or all(s.received == s.sent for s in streams.all), "all")
    return sum(rounds.values()) / seconds, min(rounds.values()) / seconds, longest


@test
def a_flood_of_datagrams_does_not_starve_streams():
    server, client, link = pair()
    echod = Echod(server, workers=1)
    seconds = scale(1, 10)
    streams = Streams(client, SERVER4, echod.port, CLIENTS)
    alone, _, _ = tcp_round_trips(streams, seconds)
    packets = [datagram(source, 40000, SERVER4, echod.port) for source in random_sources(10000)]
    flood = Aside(Flood(link, client, packets).run, seconds + 0.5)
    beside, fewest, longest = tcp_round_trips(streams, seconds)
    sent, passed = flood.result()
    said = (f"{alone:.0f} round trips/s alone, {beside:.0f} beside {sent / passed:.0f} datagrams/s,"
            f" {longest * 1000:.0f} ms at most")
    check(fewest > 0 and longest < LATEST, said)
    return said


def push(client, port, seconds):
    """Streams at full speed; returns bytes a second."""
    streams = Streams(client, SERVER4, port, CLIENTS)
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        for stream in streams.all:
            stream.send(1 << 18)
        streams.turn(0)
    return sum(stream.received for stream in streams.all) / seconds


@test
def streams_do_not_starve_datagrams():
    server, client, _ = pair()
    echod = Echod(server, workers=1)
    seconds = scale(1, 10)
    load = Aside(push, client, echod.port, seconds + 0.5)
    asked, answered = be_polite(client, echod.port, seconds)
    said = f"{answered} of {asked} datagrams answered beside {load.result() / 1e6:.0f} MB/s"
    check(answered >= POLITE_SHARE * asked, said)
    return said

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A relay that repeats replies, delays them past others, and alters them: ping names each, and calls
none of them a loss."""

import json
import subprocess

from lab import ECHOC, Aside, Echod, Host, Link, check, test, udp_socket

COUNT = 60


def relay(host, target, treat):
    """In the background, at HOST's port 7: hands on COUNT probes, and what TREAT makes of each reply
    and its number."""
    front = udp_socket(host, "10.0.0.2", port=7, seconds=30)
    rear = udp_socket(host, "10.0.1.1", seconds=30)

    def serve():
        for number in range(COUNT):
            data, client = front.recvfrom(65536)
            rear.sendto(data, target)
            for reply in treat(number, rear.recv(65536)):
                front.sendto(reply, client)

    return Aside(serve)


def ping(treat):
    client, router, server = Host("client"), Host("router"), Host("server")
    Link(client, router, "10.0.0.{}/24")
    Link(router, server, "10.0.1.{}/24")
    echod = Echod(server, udp_rate=0)
    running = relay(router, ("10.0.1.2", echod.port), treat)
    with client:
        done = subprocess.run([ECHOC, "ping", "--json", "-u", "-c", str(COUNT), "-i", "20ms", "-W",
                               "2s", "10.0.0.2"], capture_output=True, text=True)
    running.result()
    summary = json.loads(done.stdout.splitlines()[-1])
    check(summary["lost"] == 0 and summary["received"] == COUNT, summary)
    return summary, done.returncode


@test
def replies_that_come_twice_are_counted_and_no_fault():
    summary, status = ping(lambda number, reply: [reply] * (2 if number % 5 == 0 else 1))
    check(summary["duplicates"] == COUNT // 5 and summary["out_of_order"] == 0, summary)
    check(status == 0, status)


@test
def replies_that_others_overtake_are_counted_with_how_far():
    """Each sixth waits for the two after it."""
    kept = []

    def treat(number, reply):
        if number % 6 == 0:
            kept.append(reply)
            return []
        return [reply, kept.pop()] if number % 6 == 2 else [reply]

    summary, status = ping(treat)
    check(summary["out_of_order"] == COUNT // 6 and summary["duplicates"] == 0, summary)
    check(summary["reorder_extent_max"] == 2 and summary["reorder_extent_mean"] == 2, summary)
    check(status == 0, status)


@test
def a_bit_that_is_altered_is_found_where_it_is():
    def treat(number, reply):
        return [reply[:40] + bytes([reply[40] ^ 4]) + reply[41:] if number % 10 == 7 else reply]

    summary, status = ping(treat)
    check(summary["corrupt"] == COUNT // 10 and summary["truncated"] == 0, summary)
    check(status == 1, status)


@test
def a_reply_that_is_cut_is_told_from_a_corrupt_one():
    summary, status = ping(lambda number, reply: [reply[:50] if number % 10 == 7 else reply])
    check(summary["truncated"] == COUNT // 10 and summary["corrupt"] == 0, summary)
    check(status == 1, status)

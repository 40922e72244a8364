# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Reloads under load: connections are unaffected, nothing grows."""

import select
import socket
import time

from lab import (CLIENT4, SERVER4, Aside, Echod, Streams, ask, check, connect, pair, scale, test,
                 udp_socket, until)

EXTRA = "[listener extra]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
GOOD = [{"idle_timeout": "1h"}, {"more": EXTRA}, {"udp_rate": 500}, {"idle_timeout": "2h"}]
BAD = [{"no_such_key": 1}, {"idle_timeout": "for ever"},
       {"more": "[listener bad]\naddress = 192.0.2.1:7\n"}]  # not an address of this host
CLIENTS = 50
GROWTH = 256 * 1024


def load(client, port, stop):
    """Streams that send until STOP is readable: (round trips, connections lost)."""
    streams = Streams(client, SERVER4, port, CLIENTS)
    stop.setblocking(False)
    rounds = 0
    for stream in streams.all:
        stream.send(1000)
    while True:
        rounds += streams.ping_pong(1000)
        try:
            if stop.recv(1):
                return rounds, sum(stream.end is not None for stream in streams.all)
        except BlockingIOError:
            pass


def newcomers(client, port, stop):
    """New connections and datagrams in turn until STOP is readable: (total, lost)."""
    sock = udp_socket(client, CLIENT4, seconds=2)
    came = lost = 0
    while not select.select([stop], [], [], 0)[0]:
        lost += not served_anew(client, port)
        lost += ask(sock, (SERVER4, port))[0] is None
        came += 2
    return came, lost


def served_anew(client, port):
    try:
        with connect(client, SERVER4, port) as stream:
            stream.sendall(b"x")
            return stream.recv(1) == b"x"
    except OSError:
        return False


class Scene:
    """An echod with clients that send continuously."""

    def __init__(self, **settings):
        self.server, self.client, _ = pair()
        self.echod = Echod(self.server, **settings)
        self.ours, theirs = socket.socketpair()
        self.load = Aside(load, self.client, self.echod.port, theirs)
        until(lambda: self.echod.figures()["tcp_connections"] == CLIENTS, "the clients")

    def unharmed(self):
        """Ends the load, checks that nothing was lost, and returns the number of round trips."""
        self.ours.send(b"x")
        rounds, lost = self.load.result()
        check(lost == 0, f"{lost} connections lost")
        check(rounds > CLIENTS, f"only {rounds} round trips")
        return rounds


@test(limit=120)
def good_and_bad_files_in_turn_disturb_nobody():
    scene = Scene()
    echod = scene.echod

    def reload(number):
        good, kinds = number % 2 == 0, BAD if number % 2 else GOOD
        echod.configure(**kinds[number // 2 % len(kinds)])
        check(echod.reload(good), f"reload {number} of a {'good' if good else 'bad'} file")

    for number in range(40):  # one-time allocations happen now
        reload(number)
    descriptors, memory = echod.descriptors(), echod.memory()
    count = scale(200, 2000)
    start = time.monotonic()
    for number in range(count):
        reload(number)
    passed = time.monotonic() - start
    reload(0)
    more = echod.descriptors() - descriptors, echod.memory() - memory
    rounds = scene.unharmed()
    check(more[0] <= 0, f"{more[0]} more descriptors")
    check(more[1] <= GROWTH, f"{more[1]} more bytes")
    return (f"{count} reloads in {passed:.1f} s, {rounds} round trips, descriptors {more[0]:+},"
            f" memory {more[1] / 1024:+.0f} KiB")


@test
def one_address_becomes_all_and_back():
    scene = Scene(address=f"{SERVER4}:0", udp_rate=0)
    port = scene.echod.port
    ours, theirs = socket.socketpair()
    beside = Aside(newcomers, scene.client, port, theirs)
    for number in range(scale(40, 400)):
        everywhere = number % 2 == 0
        scene.echod.configure(address=f"{'*' if everywhere else SERVER4}:{port}", udp_rate=0)
        check(scene.echod.reload(), "the reload failed")
        sock = udp_socket(scene.client, CLIENT4)
        check(ask(sock, (SERVER4, port))[0], f"no answer after reload {number}")
        check(loopback_served(scene.server, port) == everywhere, f"loopback, reload {number}")
    rounds = scene.unharmed()
    ours.send(b"x")
    came, lost = beside.result()
    check(lost == 0, f"{lost} of {came} connections and datagrams lost")
    return f"{number + 1} reloads, {rounds} round trips, {came} connections and datagrams"


def loopback_served(server, port):
    try:
        connect(server, "127.0.0.1", port).close()
        return True
    except ConnectionRefusedError:
        return False

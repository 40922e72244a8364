# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Paths with a smaller MTU than the server's own link, and a link that is down for a while."""

import socket
import time

from lab import (CLIENT4, CLIENT6, SERVER4, SERVER6, Aside, Echod, Host, Link, Skip, Streams, ask,
                 check, pair, scale, send_train, test, udp_socket, until)

NARROW = 1400
SIZES = (1000, 1440, 3000)
UDP_GRO = 104
IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT = 23, 5


class Narrow:
    """A server, a router, and behind it a client whose link has an MTU of 1400. There is also a
    link with a large MTU from the client to the server, which the server does not use."""

    def __init__(self, first_hop=1500):
        self.server, self.router, self.client = Host("server"), Host("router"), Host("client")
        Link(self.server, self.router, "10.0.0.{}/24", "fd00::{}/64", mtu=first_hop)
        Link(self.router, self.client, "10.0.1.{}/24", "fd01::{}/64", mtu=NARROW)
        Link(self.server, self.client, "10.0.2.{}/24", "fd02::{}/64")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.server.ip("route add 10.0.1.0/24 via 10.0.0.2")
        self.server.ip("route add fd01::/64 via fd00::2")
        self.client.ip(f"route add {SERVER4} via 10.0.1.1")
        self.client.ip(f"route add {SERVER6} via fd01::1")

    def lost(self, source, to, size, served=lambda datagrams: None, count=5):
        """Those of COUNT datagrams without a reply; SERVED waits until replies must be there."""
        sock = udp_socket(self.client, source, seconds=0.3)
        data = bytes(range(250)) * (size // 250) + bytes(size % 250)
        lost = []
        for number in range(count):
            sock.sendto(data, to)
            served(1)
            try:
                answered = sock.recv(65536) == data
            except TimeoutError:
                answered = False
            lost += [] if answered else [number]
        return lost


def serving(echod):
    """A function that returns when that many more datagrams were received and replied to: only
    then is a missing reply lost, and echod has seen the error."""
    received = echod.figures()["udp_received_datagrams"]

    def served(datagrams):
        nonlocal received
        received += datagrams
        until(lambda: echod.figures()["udp_received_datagrams"] >= received, "the datagrams")
    return served


@test
def of_each_size_at_most_the_first_is_lost():
    scene = Narrow()
    echod = Echod(scene.server)
    served = serving(echod)
    said = []
    for source, to in (("10.0.1.2", SERVER4), ("fd01::2", SERVER6)):
        for size in SIZES:
            lost = scene.lost(source, (to, echod.port), size, served)
            check(set(lost) <= {0}, f"{size} bytes from {to}: lost numbers {lost} of 5")
            said.append(f"{size}: {len(lost)}")
    return f"lost of 5, IPv4 {', '.join(said[:3])}; IPv6 {', '.join(said[3:])}"


def echo_into_the_void(sock):
    while True:
        sock.sendto(*sock.recvfrom(65536))


@test
def who_ignores_packet_too_big_loses_all():
    scene = Narrow()
    sock = udp_socket(scene.server, SERVER6, seconds=None)
    sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)
    Aside(echo_into_the_void, sock)
    lost = scene.lost("fd01::2", sock.getsockname()[:2], 1440)
    check(len(lost) == 5, f"lost only {lost}, so this test cannot fail")
    return "5 of 5"


def arrives_whole(scene, source, to, train, segment):
    """Whether a train reaches the server in one piece."""
    sock = udp_socket(scene.server, to)
    sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
    send_train(udp_socket(scene.client, source), sock.getsockname()[:2], train, segment)
    return len(sock.recv(65536)) == len(train)


def trains(first_hop):
    """Trains that arrive on the link with the large MTU, with replies over the other one. Returns
    the number of trains lost, for both families; all replies are checked."""
    segment, cars = 1440, 10
    scene = Narrow(first_hop)
    echod = Echod(scene.server)
    served = serving(echod)
    train = b"".join(b"%d" % number * segment for number in range(cars))
    lost = []
    for source, to, via in (("10.0.1.2", SERVER4, "10.0.2.1"), ("fd01::2", SERVER6, "fd02::1")):
        scene.client.ip(f"route replace {to} via {via}")
        if not arrives_whole(scene, source, to, train, segment):
            raise Skip("this kernel cuts trains on their way")
        sock = udp_socket(scene.client, source, seconds=0.3)
        missing = []
        for number in range(4):
            send_train(sock, (to, echod.port), train, segment)
            served(cars)
            came = b""
            try:
                while len(came) < len(train):
                    came += sock.recv(65536)
            except TimeoutError:
                missing.append(number)
            check(came in (train, b""), f"{to}: {len(came)} bytes of train {number} came")
        lost.append(missing)
    check(echod.figures()["udp_dropped_datagrams_send"] == 0, "datagrams dropped in sending")
    return lost


@test
def trains_larger_than_the_own_link_takes_come_back():
    lost = trains(first_hop=NARROW)
    check(lost == [[], []], f"lost {lost}")
    return "8 trains of 10 x 1440 bytes, none lost"


@test
def trains_larger_than_the_path_takes_come_back():
    lost = trains(first_hop=1500)
    check(lost[0] == [] and lost[1] in ([], [0]), f"lost {lost}")
    return f"8 trains of 10 x 1440 bytes, lost: IPv4 {len(lost[0])}, IPv6 {len(lost[1])} of 4"


class Transfer:
    """SIZE bytes echoed over one connection."""

    def __init__(self, client, address, port, size):
        self.streams = Streams(client, address, port, 1)
        self.stream, self.size = self.streams.all[0], size

    def move(self):
        """A turn; returns the number of bytes that have come back."""
        self.stream.send(min(1 << 20, self.size - self.stream.sent))
        self.streams.turn(0.001)
        check(not self.stream.end, f"ended: {self.stream.end}")
        return self.stream.received


@test
def a_transfer_survives_a_link_that_is_down():
    server, client, link = pair()
    echod = Echod(server)
    size = scale(20, 200) * 1_000_000
    said = []
    for address, source in ((SERVER4, CLIENT4), (SERVER6, CLIENT6)):
        transfer = Transfer(client, address, echod.port, size)
        until(lambda: transfer.move() > size / 4, "the first quarter", 30)
        client.ip("link set server down")
        down = time.monotonic()
        transfer.move()  # takes what has already arrived
        before = transfer.stream.received
        while time.monotonic() - down < 0.5:
            transfer.move()
        check(transfer.stream.received == before, "bytes came although there was no link")
        client.ip("link set server up")
        link.wait()
        up = time.monotonic()
        until(lambda: transfer.move() == size, "the rest", 60)
        said.append(f"{before / 1e6:.0f} of {size / 1e6:.0f} MB before, the rest"
                    f" {time.monotonic() - up:.1f} s after it was up")
        check(ask(udp_socket(client, source), (address, echod.port))[0], "no datagram after it")
    return f"IPv4: {said[0]}; IPv6: {said[1]}"

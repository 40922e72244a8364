# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A host with many addresses: replies come from the address that was used."""

import socket

from lab import Aside, Echod, Host, Link, ask, check, dual_stack_socket, family_of, test, udp_socket

NEAR = ["10.0.0.1", "10.0.0.11", "10.0.0.12", "fd00::1", "fd00::11", "fd00::12"]
BEHIND = ["192.0.2.7", "198.51.100.7", "2001:db8::7"]  # not on the link, but routed to the server
CLIENTS = {socket.AF_INET: "10.0.0.2", socket.AF_INET6: "fd00::2"}


class Scene:
    """A server with two links, both with the same link-local addresses."""

    def __init__(self):
        self.server, self.client, self.other = Host("server"), Host("client"), Host("other")
        self.link = Link(self.server, self.client, "10.0.0.{}/24", "fd00::{}/64")
        self.other_link = Link(self.server, self.other, "10.0.9.{}/24", "fd09::{}/64")
        for address in NEAR[1:3] + NEAR[4:]:
            self.add(address, 64 if ":" in address else 24, "client")
        for address in BEHIND:
            self.add(address, 128 if ":" in address else 32, "lo")
        self.client.ip("route add default via 10.0.0.1")
        self.client.ip("-6 route add default via fd00::1")

    def add(self, address, bits, interface):
        """Adds an address that is usable at once, without duplicate address detection."""
        nodad = "nodad" if ":" in address else ""
        self.server.ip(f"addr add {address}/{bits} dev {interface} {nodad}")

    def wrong(self, port, seconds=10):
        """Addresses whose reply came from another address or not at all."""
        found = []
        for address in NEAR + BEHIND:
            sock = udp_socket(self.client, CLIENTS[family_of(address)], seconds=seconds)
            _, source = ask(sock, (address, port))
            if not source or source[0] != address:
                found.append(address)
        return found


@test
def the_asked_address_answers():
    scene = Scene()
    wrong = scene.wrong(Echod(scene.server).port)
    check(not wrong, f"not from {wrong}")
    return f"{len(NEAR + BEHIND)} addresses of both families"


@test
def on_a_handed_dual_stack_socket_too():
    scene = Scene()
    sock = dual_stack_socket(scene.server)
    wrong = scene.wrong(Echod(scene.server, sockets=[sock]).port)
    check(not wrong, f"not from {wrong}")
    return f"{len(NEAR + BEHIND)} addresses of both families"


def echo_plainly(sock):
    """What most echo servers do: let the kernel choose the source."""
    while True:
        data, source = sock.recvfrom(65536)
        sock.sendto(data, source)


@test
def a_plain_echo_answers_from_another_one():
    scene = Scene()
    sock = dual_stack_socket(scene.server)
    Aside(echo_plainly, sock)
    wrong = scene.wrong(sock.getsockname()[1], seconds=0.3)
    check(wrong, "none, so this test cannot fail")
    return f"from another one: {' '.join(wrong)}"


@test
def link_local_addresses_answer_on_their_link():
    scene = Scene()
    echod = Echod(scene.server)
    for host, link in ((scene.client, scene.link), (scene.other, scene.other_link)):
        with host:
            interface = socket.if_nametoindex("server")
        to = link.local(scene.server)
        sock = udp_socket(host, "::")
        answer, source = ask(sock, (to, echod.port, 0, interface))
        check(answer and source[0].partition("%")[0] == to, f"{to} at {host.name}: {source}")
        with host:
            stream = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        stream.settimeout(10)
        stream.connect((to, echod.port, 0, interface))
        stream.send(b"hello")
        check(stream.recv(10) == b"hello", f"tcp at {host.name}")
    return "the same fe80:: on two links, udp and tcp"


@test
def addresses_that_only_a_route_makes_ours_answer():
    scene = Scene()
    scene.server.ip("-6 route add local 2001:db8:a::/64 dev lo")
    scene.server.ip("route add local 198.18.5.0/24 dev lo")
    sock = dual_stack_socket(scene.server)
    ports = [Echod(scene.server).port, Echod(scene.server, sockets=[sock]).port]
    for port in ports:
        for address in ("2001:db8:a::99", "198.18.5.99"):
            client = udp_socket(scene.client, CLIENTS[family_of(address)])
            answer, source = ask(client, (address, port))
            check(answer and source[0] == address, f"{address}: {source}")
    return "IPv6 and IPv4, on sockets of its own and on a handed one"


class Neighbour:
    """A client on LINK with the link-local address SOURCE, and the address of PORT from there."""

    def __init__(self, host, link, server, source, port):
        self.host, self.source = host, source
        with host:
            self.scope = socket.if_nametoindex("server")
        self.to = (link.local(server), port, 0, self.scope)

    def socket(self, kind):
        with self.host:
            sock = socket.socket(socket.AF_INET6, kind)
        sock.settimeout(10)
        sock.bind((self.source, 0, 0, self.scope))
        return sock

    def streams(self, count):
        """Number of COUNT simultaneous streams that get a reply."""
        streams, answered = [self.socket(socket.SOCK_STREAM) for _ in range(count)], 0
        for stream in streams:
            stream.connect(self.to)
            try:
                stream.send(b"hello")
                answered += stream.recv(10) == b"hello"
            except (ConnectionResetError, BrokenPipeError):
                pass
        self.open = streams
        return answered


@test
def neighbours_are_told_apart_by_address_and_link():
    scene = Scene()
    scene.client.ip("addr add fe80::99/64 dev server nodad")
    echod = Echod(scene.server, udp_rate=1, max_clients_per_ip=1)
    same = scene.link.local(scene.client)
    neighbours = [Neighbour(host, link, scene.server, source, echod.port)
                  for host, link, source in ((scene.client, scene.link, same),
                                             (scene.client, scene.link, "fe80::99"),
                                             (scene.other, scene.other_link, same))]
    for neighbour in neighbours:
        said = f"{neighbour.source} of {neighbour.host.name}"
        answer, _ = ask(neighbour.socket(socket.SOCK_DGRAM), neighbour.to)
        check(answer, f"{said} has no answer")
        answered = neighbour.streams(2)
        check(answered == 1, f"{said}: {answered} of 2 streams")
    return "three neighbours, two of them with the same address"

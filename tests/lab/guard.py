# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Datagrams that get no reply: forged sources of every refused class, multi-host destinations,
source ports. Each is sent to an echod with udp_guard and to one without, which shows that it would
get a reply; what the kernel itself drops is reported."""

import shutil
import socket
import subprocess

from lab import (CLIENT4, CLIENT6, SERVER4, SERVER6, Capture, Echod, Flood, Skip, ask, check,
                 datagram, dual_stack_socket, pair, test, udp_socket, until)

SOURCES = {
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "broadcast": ["255.255.255.255", "10.0.0.255"],
    "0/8": ["0.0.0.1", "0.255.255.255"],
    "255/8": ["255.0.0.1", "255.255.255.254"],
    "unspecified": ["0.0.0.0", "::"],
    "loopback": ["127.0.0.1", "127.1.2.3", "127.255.255.254", "::1"],
    "v4-mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.2"],
}

WITNESS = bytes(1000)

# As in SECURITY.md.
OWN_OUTSIDE = """
table inet own_outside {
	chain prerouting {
		type filter hook prerouting priority raw
		iif != "lo" fib saddr type local drop
	}
}
"""

# The kernel accepts these, so the test would see an echod that replies to them.
MUST_REACH = {"255/8", "loopback"}


class Scene:
    def __init__(self, dual_stack=False, **settings):
        self.server, self.client, self.link = pair()
        # Otherwise the kernel drops loopback sources.
        self.server.sysctl("net.ipv4.conf.all.route_localnet", 1)
        sockets = [dual_stack_socket(self.server)] if dual_stack else []
        self.echod = Echod(self.server, sockets=sockets, workers=1, udp_rate=0, **settings)
        self.witness = udp_socket(self.client, CLIENT4)

    def change(self, send):
        """Changes in the counters caused by SEND, except those of the witness sent after it."""
        before = self.echod.figures()
        send()
        answer, _ = ask(self.witness, (SERVER4, self.echod.port), WITNESS)
        check(answer, "the witness got no answer")
        change = until(lambda: self.change_since(before), "the witness in the counters")
        change["udp_received_datagrams"] -= 1
        change["udp_echoed_datagrams"] -= 1
        return change

    def change_since(self, before):
        """None until the witness, which is known by its size, is counted."""
        after = self.echod.figures()
        change = {name: after[name] - before[name] for name in after}
        return change if change["sent_bytes_udp"] >= len(WITNESS) else None

    def forge(self, source, sport=40000, to=None):
        to = to or (SERVER6 if ":" in source else SERVER4)
        packet = datagram(source, sport, to, self.echod.port)
        return self.change(lambda: Flood(self.link, self.client, [packet]).send(1))


@test
def forged_sources_get_no_answer():
    guarded, open_to_all = Scene(), Scene(udp_guard="no", udp_ttl_guard="no")
    seen = Capture(guarded.link, guarded.client)
    refused, by_kernel = [], []
    for kind, sources in SOURCES.items():
        for source in sources:
            change = guarded.forge(source)
            reached = open_to_all.forge(source)["udp_received_datagrams"]
            check(change["udp_echoed_datagrams"] == 0, f"{source} was answered")
            counted = sum(change[f"udp_dropped_datagrams_{why}"] for why in ("guard", "send"))
            check(counted == reached, f"{source}: {reached} came through, {counted} dropped")
            by_echod = change["udp_dropped_datagrams_guard"] > 0
            (refused if by_echod else by_kernel).append(source)
        check(kind not in MUST_REACH or set(sources) & set(refused), f"{kind} never came through")
    ports = {answer.dport for answer in seen.rest()}
    check(ports == {guarded.witness.getsockname()[1]}, f"answers on the link to ports {ports}")
    return f"by echod: {' '.join(refused)}; by the kernel: {' '.join(by_kernel)}"


def forge_from_itself(scene, address):
    """Effect of a datagram forged from ADDRESS to ADDRESS, and what a service there receives."""
    victim = udp_socket(scene.server, address, seconds=0)
    change = scene.forge(address, victim.getsockname()[1], address)
    try:
        return change, victim.recv(100)
    except BlockingIOError:
        return change, None


@test
def the_server_as_its_own_source_gets_no_answer():
    guarded, open_to_all = Scene(), Scene(udp_guard="no")
    for address in (SERVER6, SERVER4):
        for scene in (guarded, open_to_all):
            for name in ("all", "client"):
                scene.server.sysctl(f"net.ipv4.conf.{name}.accept_local", 1)
        change, answer = forge_from_itself(guarded, address)
        check(not answer and change["udp_dropped_datagrams_guard"] == 1, f"{address}: {answer}")
        _, answer = forge_from_itself(open_to_all, address)
        check(answer, f"{address} got nothing without the guard either: this test cannot fail")
    check(len(guarded.echod.lines("one address")) <= 1, "more than one line")
    return f"{SERVER6}, and {SERVER4} with accept_local"


@test
def a_packet_filter_keeps_own_addresses_outside():
    if not shutil.which("nft"):
        raise Skip("no nft")
    scene = Scene(udp_guard="no")
    with scene.server:
        subprocess.run(["nft", "-f", "-"], input=OWN_OUTSIDE, text=True, check=True)
    scene.server.ip("addr add fd00::11/64 dev client nodad")
    for source in (SERVER6, "fd00::11"):
        change = scene.forge(source)
        check(change["udp_received_datagrams"] == 0, f"{source} came through")
    sock = udp_socket(scene.server, SERVER6)
    check(ask(sock, (SERVER6, scene.echod.port))[0], "a client on the server is kept away too")
    return f"{SERVER6} and fd00::11 from outside, but not from the server"


@test
def without_the_guard_they_do():
    scene = Scene(udp_guard="no")
    answered = [source for source in ("255.0.0.1", "127.1.2.3")
                if scene.forge(source)["udp_echoed_datagrams"] == 1]
    check(len(answered) == 2, f"only {answered}")
    return " ".join(answered)


def destinations(**settings):
    """The multi-host destinations that got a reply."""
    scene = Scene(udp_ttl_guard="no", **settings)  # as multicast leaves with a TTL of 1
    with scene.client:
        interface = socket.if_nametoindex("server")
    answered = set()
    patience = 10 if settings.get("udp_guard") == "no" else 0.3
    for to in ("10.0.0.255", "255.255.255.255", "224.0.0.1", "ff02::1"):
        sock = udp_socket(scene.client, CLIENT6 if ":" in to else CLIENT4, seconds=patience)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"server")
        where = (to, scene.echod.port, 0, interface) if ":" in to else (to, scene.echod.port)
        received = scene.change(lambda: sock.sendto(b"all", where))["udp_received_datagrams"]
        check(received == 1, f"what was sent to {to} came {received} times")
        try:
            sock.recv(100)
            answered.add(to)
        except TimeoutError:
            pass
    return answered


@test
def what_is_sent_to_many_gets_no_answer():
    answered = destinations()
    check(not answered, f"answered: {answered}")
    return "10.0.0.255 255.255.255.255 224.0.0.1 ff02::1"


@test
def without_the_guard_that_does_too():
    answered = destinations(udp_guard="no")
    check(len(answered) == 4, f"only {answered}")
    return " ".join(sorted(answered))


@test
def a_mapped_source_over_ipv6_gets_no_answer():
    """On a dual-stack socket it looks like IPv4, and the reply would go out over IPv4."""
    scene = Scene(dual_stack=True)
    alike = f"fd00::{SERVER4}"  # ends in the bytes of an IPv4 address of the server
    scene.server.ip(f"addr add {alike}/64 dev client nodad")
    for to in (SERVER6, alike):
        for source in (f"::ffff:{CLIENT4}", "::ffff:10.0.0.77", "::ffff:127.0.0.1"):
            change = scene.forge(source, to=to)
            check(change["udp_received_datagrams"] == 1, f"{source} did not come through")
            check(change["udp_echoed_datagrams"] == 0, f"{source} was answered from {to}")
    return "::ffff:10.0.0.2 ::ffff:10.0.0.77 ::ffff:127.0.0.1"


@test
def ports_of_services_get_no_answer():
    scene, open_to_all = Scene(), Scene(udp_guard="no")
    for source in (CLIENT4, CLIENT6):
        for port in (1, 7, 19, 53, 123, 389, 1023, 2049, scene.echod.port):
            change = scene.forge(source, port)
            check(change["udp_dropped_datagrams_guard"] == 1, f"port {port} was answered")
            check(open_to_all.forge(source, port)["udp_echoed_datagrams"] == 1,
                  f"port {port} is not answered without udp_guard")
        for port in (1024, 2048, 2050, 65535):
            check(scene.forge(source, port)["udp_echoed_datagrams"] == 1, f"port {port} was not")
    return "1 7 19 53 123 389 1023 2049 and the served one; 1024 2048 2050 65535 are answered"


@test
def each_reason_is_told_once():
    scene = Scene(log_level="info")
    packets = [datagram(source, port, SERVER4, scene.echod.port)
               for source, port in ((CLIENT4, 53), (CLIENT4, 2049), ("255.0.0.1", 40000))]
    change = scene.change(lambda: Flood(scene.link, scene.client, packets).send(3000))
    lines = scene.echod.lines("not answered")
    check(change["udp_dropped_datagrams_guard"] == 3000, f"{change}")
    check(len(lines) == 3, f"{len(lines)} lines for three reasons")
    check(f"udp {CLIENT4}:53 on {SERVER4}:{scene.echod.port} " in lines[0], lines[0])
    return f"3 lines for 3000 datagrams; {lines[0].partition('info: ')[2]}"


@test
def loopback_is_served_from_inside():
    scene = Scene()
    for address in ("127.0.0.1", "127.1.2.3", "::1"):
        sock = udp_socket(scene.server, address)
        answer, source = ask(sock, (address, scene.echod.port))
        check(answer and source[0] == address, f"{address}: {answer} from {source}")
    return "127.0.0.1 127.1.2.3 ::1"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""echoc mtu over paths with a smaller MTU: reported by a router, not reported, different each way."""

import json
import re
import shutil
import socket
import subprocess

from lab import ECHOC, Aside, Echod, Host, Link, Skip, check, scale, test

CLIENT, SERVER = "10.8.0.1", "10.9.0.1"
CLIENT6, SERVER6 = "fd08::1", "fd09::1"
IP_MTU_DISCOVER, IP_PMTUDISC_DO = 10, 2


class Path:
    """A client and a server, with a router on the way there and another one on the way back, whose
    links to the receiver have these MTUs. All else has 1500."""

    def __init__(self, there=1500, back=1500):
        self.client, self.server = Host("client"), Host("server")
        self.there, self.back = Host("there"), Host("back")
        Link(self.client, self.there, "10.0.0.{}/24", "fd00::{}/64")
        Link(self.there, self.server, "10.0.1.{}/24", "fd01::{}/64", mtu=there)
        Link(self.server, self.back, "10.0.2.{}/24", "fd02::{}/64")
        Link(self.back, self.client, "10.0.3.{}/24", "fd03::{}/64", mtu=back)
        self.client.ip(f"addr add {CLIENT}/32 dev lo")
        self.client.ip(f"addr add {CLIENT6}/128 dev lo nodad")
        self.server.ip(f"addr add {SERVER}/32 dev lo")
        self.server.ip(f"addr add {SERVER6}/128 dev lo nodad")
        for router in (self.there, self.back):
            router.sysctl("net.ipv4.ip_forward", 1)
            router.sysctl("net.ipv6.conf.all.forwarding", 1)
            router.sysctl("net.ipv4.icmp_ratelimit", 0)
            router.sysctl("net.ipv6.icmp.ratelimit", 0)
        # The routers know both ends; errors to the ends go straight.
        self.there.ip(f"route add {SERVER} via 10.0.1.2")
        self.there.ip(f"-6 route add {SERVER6} via fd01::2")
        self.there.ip(f"route add {CLIENT} via 10.0.0.1")
        self.there.ip(f"-6 route add {CLIENT6} via fd00::1")
        self.back.ip(f"route add {CLIENT} via 10.0.3.2")
        self.back.ip(f"-6 route add {CLIENT6} via fd03::2")
        self.back.ip(f"route add {SERVER} via 10.0.2.1")
        self.back.ip(f"-6 route add {SERVER6} via fd02::1")
        self.client.ip(f"route add {SERVER} via 10.0.0.2 src {CLIENT}")
        self.client.ip(f"-6 route add {SERVER6} via fd00::2 src {CLIENT6}")
        self.server.ip(f"route add {CLIENT} via 10.0.2.2 src {SERVER}")
        self.server.ip(f"-6 route add {CLIENT6} via fd02::2 src {SERVER6}")
        self.echod = None

    def serve(self):
        self.echod = Echod(self.server, address="*:0", udp_rate=0)

    def silence(self, router):
        """ROUTER says nothing of packets that are too large."""
        with router:
            subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""
add table inet silent
add chain inet silent output { type filter hook output priority 0; }
add rule inet silent output icmp type destination-unreachable drop
add rule inet silent output icmpv6 type packet-too-big drop
""")

    def clamp(self, mss):
        with self.there:
            subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
add table inet clamp
add chain inet clamp forward {{ type filter hook forward priority 0; }}
add rule inet clamp forward tcp flags syn tcp option maxseg size set {mss}
""")
        with self.back:
            subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
add table inet clamp
add chain inet clamp forward {{ type filter hook forward priority 0; }}
add rule inet clamp forward tcp flags syn tcp option maxseg size set {mss}
""")

    def run(self, *arguments, address=SERVER, port=None):
        """The text of a run, and its exit status."""
        host = f"[{address}]" if ":" in address else address
        with self.client:
            done = subprocess.run([ECHOC, "mtu", *arguments, f"{host}:{port or self.echod.port}"],
                                  capture_output=True, text=True)
        check(done.returncode < 2, f"exit {done.returncode}: {done.stderr}")
        return done.stdout, done.returncode

    def expect(self, lines, status, *arguments, **target):
        """The text is the first line and LINES."""
        text, ended = self.run(*arguments, **target)
        check(text.splitlines()[1:] == lines and ended == status, f"exit {ended}: {text}")


def own_limit(size=1500):
    return f"there {size}, as large as our own interface allows"


def hole(size):
    return f"there {size}, black hole: {size + 1} and more vanish, nobody says so"


@test
def nothing_in_the_way():
    path = Path()
    path.serve()
    for address in (SERVER, SERVER6):
        path.expect([own_limit(), "back 1500"], 0, address=address)
    path.expect(["there 1500, MSS 1448: as large as our own interface allows",
                 "back segments of up to 1448 bytes"], 0, "-t")


@test(limit=120)
def an_mtu_that_a_router_tells():
    said = []
    for mtu in scale((1420,), (1420, 1415, 1300, 1280, 1499)):
        path = Path(there=mtu)
        path.serve()
        path.expect([f"there {mtu}, told by 10.0.0.2", "back 1500"], 0)
        path.expect([f"there {mtu}, told by fd00::2", "back 1500"], 0, address=SERVER6)
        path.expect([f"there {mtu}, told by 10.0.0.2", "back 1500"], 0)  # the kernel knows it now
        path.expect([f"there {mtu}, MSS {mtu - 52}: the path MTU that this host knew already",
                     f"back segments of up to {mtu - 52} bytes"], 0, "-t")
        path.client.ip("route flush cache")
        text, status = path.run("-t")
        check(status == 0 and f"there {mtu}, MSS {mtu - 52}: told by a router" in text, text)
        said.append(str(mtu))
    return ", ".join(said)


@test(limit=120)
def a_black_hole():
    path = Path(there=1420)
    path.serve()
    path.silence(path.there)
    path.expect([hole(1420), "back 1500"], 1)
    # Over IPv6 the largest fragment has a multiple of eight bytes behind 48.
    path.expect([hole(1420), "back 1496, at most 1500"], 1, address=SERVER6)
    text, status = path.run("-t", "-W", "500ms")
    check(status == 1 and "black hole: full segments of 1448 bytes, packets of 1500, stall on the"
          " way there" in text, text)


@test
def another_mtu_on_the_way_back():
    """The server lets its replies be fragmented over IPv4, and learns the MTU over IPv6."""
    for mtu in scale((1385,), (1385, 1420, 1381, 1280)):
        path = Path(back=mtu)
        path.serve()
        path.expect([own_limit(), f"back {mtu}"], 0)
        path.expect([own_limit(), f"back {mtu}"], 0, address=SERVER6)
    path = Path(there=1420, back=1300)
    path.serve()
    path.expect(["there 1420, told by 10.0.0.2", "back 1300"], 0)
    path = Path(there=1300, back=1420)
    path.serve()
    path.silence(path.there)
    path.silence(path.back)
    path.expect([hole(1300), "back 1420"], 1)


def echo_unfragmented(sock):
    while True:
        try:
            sock.sendto(*sock.recvfrom(65536))
        except OSError:
            pass


@test
def a_hole_may_be_on_the_way_back():
    """The server forbids fragments of its replies: a hole for them looks like one for the probes."""
    path = Path(back=1400)
    path.silence(path.back)
    with path.server:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO)
    sock.bind((SERVER, 0))
    Aside(echo_unfragmented, sock)
    path.expect([hole(1400), "back unknown, at least 1400",
                 "The black hole may be on either way: on the way back, too."], 1,
                port=sock.getsockname()[1])


@test
def a_clamped_mss_is_told_from_an_mtu():
    path = Path()
    path.serve()
    path.clamp(1300)
    path.expect(["there 1340, MSS 1288: by the MSS of the far side, its own or clamped on the way",
                 "back segments of up to 1288 bytes"], 0, "-t")


def tracepath(path):
    with path.client:
        text = subprocess.run(["tracepath", "-n", SERVER], capture_output=True, text=True).stdout
    return int(re.search(r"Resume: pmtu (\d+)", text)[1])


def pings(path, size):
    with path.client:
        return subprocess.run(["ping", "-M", "do", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-s",
                               str(size - 28), SERVER], capture_output=True).returncode == 0


@test
def others_measure_the_same():
    if not shutil.which("tracepath") or not shutil.which("ping"):
        raise Skip("needs tracepath and ping")
    said = []
    for silent in (False, True):
        path = Path(there=1420)
        path.serve()
        if silent:
            path.silence(path.there)
        objects = [json.loads(line) for line in path.run("--json")[0].splitlines()]
        there = objects[-1]["there"]
        check(there == 1420, f"{objects[-1]}")
        check(pings(path, there) and not pings(path, there + 1), "ping -M do does not")
        if not silent:
            check(tracepath(path) == there, "tracepath does not")
        said.append(f"{objects[-1]['sent']} probes, {objects[-1]['elapsed_s']:.1f} s")
    return f"told: {said[0]}; black hole: {said[1]}"

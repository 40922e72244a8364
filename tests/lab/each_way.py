# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What echoc knows of each way alone: a router that drops, or alters marks, on one of the two, counts
what it does, and echoc must say the same."""

import json
import re
import shutil
import subprocess
import time

from lab import ECHOC, Aside, Echod, Host, Link, Skip, check, test, udp_socket
from stamp import scapy

STATEFUL = {"mode": "stamp", "stamp_sessions": 64, "udp_rate": 0, "allow": "0.0.0.0/0 ::/0"}
THERE, BACK = "client", "server"  # the interface of the router that a way comes in by
COUNT = 40
EPOCH = 2208988800  # of Unix, in NTP's time


class Path:
    """A client and a server, and a router between them with rules."""

    def __init__(self, **settings):
        if not shutil.which("nft"):
            raise Skip("no nft")
        self.client, self.router, self.server = Host("client"), Host("router"), Host("server")
        Link(self.client, self.router, "10.0.0.{}/24", "fd00::{}/64")
        Link(self.router, self.server, "10.0.1.{}/24", "fd01::{}/64")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.client.ip("route add default via 10.0.0.2")
        self.client.ip("-6 route add default via fd00::2")
        self.server.ip("route add default via 10.0.1.1")
        self.server.ip("-6 route add default via fd01::1")
        self.echod = Echod(self.server, **settings)
        self.targets = {4: f"10.0.1.2:{self.echod.port}", 6: f"[fd01::2]:{self.echod.port}"}

    def rule(self, way, text, hook="forward"):
        """For each datagram that comes in from WAY's end."""
        self.nft(f"table inet {way}{hook} {{ chain c {{ type filter hook {hook} priority 0;"
                 f" iifname {way} meta l4proto udp {text}; }}; }}")

    def nft(self, text):
        with self.router:
            subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)

    def counted(self, way):
        with self.router:
            done = subprocess.run(["nft", "list", "table", "inet", f"{way}forward"],
                                  capture_output=True, text=True, check=True)
        return sum(int(count) for count in re.findall(r"counter packets (\d+)", done.stdout))

    def run(self, *arguments):
        with self.client:
            return subprocess.run([ECHOC, *arguments], capture_output=True, text=True)

    def ping(self, *arguments, version=4):
        """The summary of a ping."""
        done = self.run("ping", "--json", "-c", str(COUNT), "-i", "10ms", "-W", "1s",
                        *arguments, self.targets[version])
        check(done.stdout, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])


# In the middle of a run: which way lost the last ones nobody can know.
EVERY_FOURTH = "numgen inc mod 4 == 1 counter drop"


def losses(rules, *arguments, **settings):
    """Loses on the ways of RULES; each way's figure must be the router's."""
    said = []
    for version in (4, 6):
        path = Path(**settings)
        for way, rule in rules.items():
            path.rule(way, rule)
        summary = path.ping(*arguments, version=version)
        found = summary["lost_there"], summary["lost_back"], summary["lost_unknown"]
        counts = tuple(path.counted(way) if way in rules else 0 for way in (THERE, BACK))
        check(found[:2] == counts and found[2] == 0, f"found {found}, the router {counts}")
        check(summary["lost"] == sum(counts), summary)
        said.append(f"IPv{version}: {found[0]} there, {found[1]} back")
    return "; ".join(said)


@test
def losses_on_the_way_there_are_named_so():
    return losses({THERE: EVERY_FOURTH}, "--stamp", **STATEFUL)


@test
def losses_on_the_way_back_are_named_so():
    return losses({BACK: EVERY_FOURTH}, "--stamp", **STATEFUL)


@test
def losses_on_both_ways_are_told_apart():
    return losses({THERE: EVERY_FOURTH, BACK: "numgen inc mod 5 == 2 counter drop"}, "--stamp",
                  **STATEFUL)


@test
def without_losses_there_are_none_on_either_way():
    return losses({}, "--stamp", **STATEFUL)


@test
def echoplus_tells_them_apart_too():
    rules = {THERE: EVERY_FOURTH, BACK: "numgen inc mod 5 == 2 counter drop"}
    return losses(rules, "--plus", mode="echoplus", stamp_sessions=64)


def lengthen_way_back(path):
    """IPv4 replies pass two routers, neither of them that of the way there."""
    second = Host("second")
    Link(second, path.server, "10.0.2.{}/24", "fd02::{}/64")
    Link(path.client, second, "10.0.3.{}/24", "fd03::{}/64")
    third = Host("third")
    Link(third, second, "10.0.4.{}/24", "fd04::{}/64")
    for host in (second, third):
        host.sysctl("net.ipv4.ip_forward", 1)
    Link(path.client, third, "10.0.5.{}/24", "fd05::{}/64")
    path.server.ip("route replace 10.0.0.0/24 via 10.0.2.1")
    second.ip("route add 10.0.0.0/24 via 10.0.4.1")
    third.ip("route add 10.0.0.0/24 via 10.0.5.1")


@test
def hops_are_those_of_each_way():
    path = Path(**STATEFUL)
    lengthen_way_back(path)
    summary = path.ping("--stamp", "--ttl-guarded")
    check((summary["hops_there"], summary["hops_back"]) == (1, 2), summary)
    check(summary["seen_address"].startswith("10.0.0.1:"), summary["seen_address"])
    return "1 there, 2 back"


@test
def the_address_behind_nat_is_seen():
    path = Path(**STATEFUL)
    path.nft("table ip nat { chain c { type nat hook postrouting priority 100;"
             " oifname server masquerade; }; }")
    summary = path.ping("--stamp")
    check(summary["seen_address"].startswith("10.0.1.1:"), summary["seen_address"])
    return summary["seen_address"]


def reflect(host, address, answers):
    """In the background: a reflector on HOST's port 862, for so many ANSWERS, in scapy's words. It
    knows no options, answers with the base packet alone, and counts."""
    stamp = scapy()
    sock = udp_socket(host, address, port=862, seconds=30)

    def serve():
        for number in range(answers):
            data, peer = sock.recvfrom(65536)
            received = time.time() + EPOCH
            asked = stamp.STAMPSessionSenderTestUnauthenticated(
                data[:44], _parent=stamp.UDP(len=8 + 44))
            sock.sendto(bytes(stamp.STAMPSessionReflectorTestUnauthenticated(
                seq=number, ts=time.time() + EPOCH, ssid=asked.ssid, ts_rx=received,
                seq_sender=asked.seq, ts_sender=asked.ts, ttl_sender=254,
                err_estimate_sender=asked.err_estimate)), peer)
    return Aside(serve)


@test
def other_people_s_reflectors_are_understood():
    path = Path(**STATEFUL)
    reflector = reflect(path.server, "10.0.1.2", 10)
    path.rule(THERE, "numgen inc mod 4 == 1 counter drop")
    done = path.run("ping", "--json", "--stamp", "-c", "13", "-i", "20ms", "-W", "1s", "10.0.1.2")
    reflector.result()
    summary = json.loads(done.stdout.splitlines()[-1])
    found = summary["lost_there"], summary["lost_back"], summary["lost_unknown"]
    check(found == (3, 0, 0) and summary["received"] == 10, summary)
    check(summary["truncated"] == summary["corrupt"] == summary["unexpected"] == 0, summary)
    check(summary["hops_there"] == 1 and summary["dscp_seen"] is None, summary)
    return "scapy: 3 there, 0 back"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Eight hosts that watch each other, as docs/fleet.md has it: each runs echod and echom. A router
drops what one sends to another, counts it, and exactly that must show, on every host."""

import re
import subprocess

from lab import Echod, Echom, Host, Link, check, test, until

COUNT = 8
PORT = 7
PATIENT = {"interval": "100ms", "timeout": "1500ms"}
NET = "10.0.{}.2"
HEADERS = 28  # of IPv4 and UDP
STAMP = f"[listener stamp]\naddress = *:862\nmode = stamp\nstamp_sessions = {COUNT}\n"


class Mesh:
    """Hosts 1 to COUNT around a router."""

    def __init__(self, **defaults):
        self.router = Host("router")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.hosts = [Host(f"n{number}") for number in range(1, COUNT + 1)]
        self.monitors = {}
        self.payload = 68 if defaults.get("protocol") == "stamp" else 64
        for number, host in enumerate(self.hosts, 1):
            Link(self.router, host, f"10.0.{number}.{{}}/24")
            host.ip(f"route add default via 10.0.{number}.1")
        for host in self.hosts:
            Echod(host, address=f"*:{PORT}", more=STAMP)
        for number, host in enumerate(self.hosts, 1):
            others = {other.name: NET.format(index)
                      for index, other in enumerate(self.hosts, 1) if index != number}
            self.monitors[host.name] = Echom(host, others, **PATIENT, **defaults)

    def nft(self, text):
        with self.router:
            done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True)
        check(done.returncode == 0, done.stderr)
        return done.stdout

    def cut(self, *rules):
        """Drops what a RULE matches: sender, receiver, and what of it."""
        counters = [f"counter c{number} {{ }}\n" for number in range(len(rules))]
        drops = [f"ip saddr {NET.format(sender)} ip daddr {NET.format(receiver)} {what}"
                 f" counter name c{number} drop\n"
                 for number, (sender, receiver, what) in enumerate(rules)]
        self.nft("table ip lab {\n" + "".join(counters)
                 + "chain way {\ntype filter hook forward priority 0\n" + "".join(drops) + "}\n}\n")

    def mend(self):
        """Returns how many datagrams each rule has dropped. By their bytes: a train of replies that
        echod has sent at once is one packet here."""
        self.nft("flush chain ip lab way\n")
        counts = re.findall(r"counter c\d+ \{\s*packets (\d+) bytes (\d+)",
                            self.nft("list counters\n"))
        self.nft("delete table ip lab\n")
        return [(int(size) - HEADERS * int(packets)) // self.payload for packets, size in counts]

    def figure(self, family):
        """Its value for each pair: who watches, and whom."""
        return {(name, target): value for name, monitor in self.monitors.items()
                for target, value in monitor.figures()[family].items()}

    def pairs(self, family, value):
        return {pair for pair, seen in self.figure(family).items() if seen == value}

    def directions(self):
        """How many probes were lost, by pair and direction, where any were."""
        return {(name, target, direction): lost for name, monitor in self.monitors.items()
                for target, direction, lost in monitor.lost_directions() if lost}

    def decided(self):
        received, lost = self.figure("probes_received_total"), self.figure("probes_lost_total")
        return {pair: received[pair] + lost[pair] for pair in received}

    def probe(self, count=25):
        """Waits until each pair has the verdict of COUNT further probes; some of them were
        outstanding before."""
        start = self.decided()
        until(lambda: all(number >= start[pair] + count
                          for pair, number in self.decided().items()), "probes", 40)

    def down(self):
        """The pairs that are down by the metrics; the pages must say the same."""
        by_page = {(name, target) for name, monitor in self.monitors.items()
                   for target, state in monitor.states().items() if state == "down"}
        check(by_page == self.pairs("up", 0), f"down by the pages: {sorted(by_page)}")
        return by_page


def mesh_that_is_up(**defaults):
    mesh = Mesh(**defaults)
    until(lambda: len(mesh.pairs("up", 1)) == COUNT * (COUNT - 1), "all are up", 30)
    return mesh


def expect_books(mesh, before, broken, dropped):
    """All that was lost is what the router dropped, of the BROKEN pairs, and no other pair had an
    outage."""
    lost = {pair: value - before[pair] for pair, value in mesh.figure("probes_lost_total").items()}
    check({pair for pair, value in lost.items() if value} == broken, f"lost: {lost}")
    check(sum(lost.values()) == sum(dropped), f"{lost} lost, {dropped} dropped")
    check({pair for pair, value in mesh.figure("outages_total").items() if value} == broken,
          f"outages: {mesh.figure('outages_total')}")
    return f"{sum(dropped)} datagrams dropped, as many probes lost"


def one_break(broken, *rules):
    mesh = mesh_that_is_up()
    before = mesh.figure("probes_lost_total")
    mesh.cut(*rules)
    mesh.probe()
    down = mesh.down()
    dropped = mesh.mend()
    check(down == broken, f"down: {sorted(down)}")
    mesh.probe()
    check(not mesh.down(), f"still down: {sorted(mesh.down())}")
    return expect_books(mesh, before, broken, dropped)


@test
def nothing_broken_nothing_shown():
    mesh = mesh_that_is_up()
    mesh.probe()
    check(not mesh.down(), f"down: {mesh.down()}")
    check(set(mesh.figure("probes_lost_total").values()) == {0}, mesh.figure("probes_lost_total"))
    check(set(mesh.figure("outages_total").values()) == {0}, mesh.figure("outages_total"))
    return f"{COUNT * (COUNT - 1)} pairs, {sum(mesh.decided().values()):.0f} probes, none lost"


@test
def a_break_of_one_way_shows_at_both_ends_and_nowhere_else():
    """What one cannot send is probes of its own, and replies to those of the other."""
    return one_break({("n2", "n5"), ("n5", "n2")}, (2, 5, "ip protocol udp"))


@test
def breaks_of_both_ways_and_of_one_ends_probes_show_where_they_are():
    return one_break({("n3", "n8"), ("n8", "n3"), ("n4", "n1")}, (3, 8, "ip protocol udp"),
                     (8, 3, "ip protocol udp"), (4, 1, f"udp dport {PORT}"))


@test
def with_stamp_each_end_knows_which_way_is_broken():
    mesh = mesh_that_is_up(protocol="stamp")
    check(not mesh.directions(), f"lost: {mesh.directions()}")
    mesh.cut((6, 7, "udp dport 862"), (6, 7, "udp sport 862"))
    mesh.probe()
    down = mesh.down()
    there, back = mesh.mend()
    mesh.probe()
    check(down == {("n6", "n7"), ("n7", "n6")}, f"down: {sorted(down)}")
    truth = {("n6", "n7", "there"): there, ("n7", "n6", "back"): back}
    check(mesh.directions() == truth, f"{mesh.directions()}, not {truth}")
    return f"{there} lost there, {back} lost back"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What echoc says of a path that fails: how long it was down, and which router says why."""

import json
import os
import signal
import subprocess
import time

from lab import Echod, Host, Link, check, scale, test

INTERVAL = 0.2
NARROW = 1400
ECHOC = os.path.join(os.path.dirname(os.path.abspath(os.environ.get("ECHOD", ""))), "echoc")


class Ping:
    """An echoc ping on HOST, stopped by summary()."""

    def __init__(self, host, *arguments):
        with host:
            self.process = subprocess.Popen(
                [ECHOC, "ping", "--json", *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []

    def until(self, kind, **members):
        """Reads on to an object of KIND with these MEMBERS, and returns it."""
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1]["type"] == kind and members.items() <= self.lines[-1].items():
                return self.lines[-1]
        raise AssertionError(f"no {kind} with {members}: {self.lines[-3:]}")

    def summary(self):
        self.process.send_signal(signal.SIGINT)
        summary = self.until("summary")
        self.process.wait()
        return summary


class Routed:
    """A client, a router, and behind a narrow link a server."""

    def __init__(self):
        self.client, self.router, self.server = Host("client"), Host("router"), Host("server")
        Link(self.client, self.router, "10.0.0.{}/24", "fd00::{}/64")
        Link(self.router, self.server, "10.0.1.{}/24", "fd01::{}/64", mtu=NARROW)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.router.sysctl("net.ipv4.icmp_ratelimit", 0)
        self.router.sysctl("net.ipv6.icmp.ratelimit", 0)
        self.client.ip("route add default via 10.0.0.2")
        self.client.ip("-6 route add default via fd00::2")
        self.server.ip("route add default via 10.0.1.1")
        self.server.ip("-6 route add default via fd01::1")


@test(limit=40)
def an_outage_of_tcp_is_as_long_as_it_was():
    """A router loses all in silence. The kernel alone would send again after 0.2, 0.4, 0.8 ... s."""
    scene = Routed()
    echod = Echod(scene.server)
    ping = Ping(scene.client, "-i", f"{INTERVAL * 1000:.0f}ms", f"10.0.1.2:{echod.port}")
    ping.until("reply", seq=5)
    for address in ("10.0.0.1", "10.0.1.2"):
        scene.router.ip(f"route add blackhole {address}")
    down = time.monotonic()
    while time.monotonic() - down < scale(7, 20):
        ping.until("lost")
    for address in ("10.0.0.1", "10.0.1.2"):
        scene.router.ip(f"route delete blackhole {address}")
    was = time.monotonic() - down
    for _ in range(5):
        ping.until("reply")
    summary = ping.summary()
    read = summary["lost"] * INTERVAL
    check(abs(read - was) < 1, f"{was:.1f} s, read as {read:.1f} s: {summary}")
    check(summary["reconnects"] >= 1, f"{summary}")
    return f"{was:.1f} s, read as {read:.1f} s"

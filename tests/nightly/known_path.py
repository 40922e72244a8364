# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A path whose truth is known: a host, a router, a host far away. The router holds back what goes
there, in user space and for known times, and nft counts, and drops, what passes."""

import collections
import fcntl
import heapq
import itertools
import os
import re
import select
import struct
import subprocess
import sys
import threading
import time

from common import missing
from lab import Aside, Host, Link, check

NEAR, FAR = "10.0.0.2", "10.1.0.2"
# Of twenty packets of a flow: 14, 5 and 1. Each is early in a bucket of the exporters: on a busy machine
# it takes longer.
DELAYS = [0.0036] * 14 + [0.0145] * 5 + [0.115]
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PROTOCOL, ICMP, UDP = 9, 1, 17
# What tells flows apart, behind an IP header without options: identifier, destination port.
FLOW, NO_FLOW = {ICMP: slice(24, 26), UDP: slice(22, 24)}, slice(0)
HEADERS = 28  # of IPv4 and UDP
PAYLOAD = {"there": 64, "back": 64, "lost_there": 64, "lost_back": 64, "stamp_there": 68,
           "stamp_back": 68}
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
TABLE = """
table ip path {
    counter there { }
    counter back { }
    counter pings { }
    counter segments { }
    counter lost_there { }
    counter lost_back { }
    counter stamp_there { }
    counter stamp_back { }
    counter lost_pings { }
    counter lost_segments { }
    chain broken { }
    chain way {
        type filter hook forward priority 0;
        iifname "delay" accept
        iifname "near" udp dport 7 counter name there
        ip protocol icmp counter name pings
        tcp dport 7 counter name segments
        jump broken
        iifname "far" udp sport 7 counter name back
    }
}
"""
CUT = ['iifname "near" udp dport 7 counter name lost_there drop',
       'iifname "far" udp sport 7 counter name lost_back drop',
       "ip protocol icmp counter name lost_pings drop",
       "tcp dport 7 counter name lost_segments drop", "drop"]


def unavailable(*tools):
    """Why no path is possible here, or not with TOOLS, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in (*tools, "ip", "nft", "unshare"):
        if reason := missing(tool):
            return reason
    if not os.access("/dev/net/tun", os.W_OK):
        return "needs /dev/net/tun"
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode:
        return "namespaces are not to be had here"
    return None


def in_namespaces(script, *arguments):
    """Runs SCRIPT in namespaces that end with it, however it ends."""
    return subprocess.run([*UNSHARE, sys.executable, os.path.abspath(script), *arguments]).returncode


def datagrams(name, packets, size):
    """A train of replies that echod has sent at once is one packet, but has the bytes of all."""
    if name not in PAYLOAD:
        return packets
    return (size - HEADERS * packets) // PAYLOAD[name]


def hold_back(tun):
    """Each packet that comes in goes out again, datagrams and pings a while later."""
    delays = collections.defaultdict(lambda: itertools.cycle(DELAYS))
    held, order = [], itertools.count()
    while True:
        wait = max(0, held[0][0] - time.monotonic()) if held else None
        if select.select([tun], [], [], wait)[0]:
            packet = os.read(tun, 65536)
            flow = packet[PROTOCOL], packet[FLOW.get(packet[PROTOCOL], NO_FLOW)]
            delay = next(delays[flow]) if flow[1] else 0
            heapq.heappush(held, (time.monotonic() + delay, next(order), packet))
        while held and held[0][0] <= time.monotonic():
            os.write(tun, heapq.heappop(held)[2])


class Path:
    def __init__(self):
        self.near, self.router, self.far = Host("near"), Host("router"), Host("far")
        self.router.sysctl("net.ipv4.ip_forward", 1)
        Link(self.router, self.near, "10.0.0.{}/24")
        Link(self.router, self.far, "10.1.0.{}/24")
        self.near.ip("route add default via 10.0.0.1")
        self.far.ip("route add default via 10.1.0.1")
        self._delay()
        self.nft(TABLE)
        self.snapshots, self.ended = [], threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _delay(self):
        with self.router:
            tun = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"delay", IFF_TUN | IFF_NO_PI))
        self.router.ip("link set delay up")
        self.router.ip("route add default dev delay table 100")
        self.router.ip("rule add iif near lookup 100")
        Aside(hold_back, tun)
        os.close(tun)

    def nft(self, text):
        with self.router:
            done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True)
        check(done.returncode == 0, f"{text}: {done.stderr}")

    def counters(self):
        with self.router:
            said = subprocess.run(["nft", "list", "counters"], capture_output=True, text=True).stdout
        found = re.findall(r"counter (\w+) \{\s*packets (\d+) bytes (\d+)", said)
        return {name: datagrams(name, int(packets), int(size)) for name, packets, size in found}

    def _watch(self):
        """When was which count? Each is of a moment between the two times."""
        while not self.ended.wait(0.1):
            before = time.time()
            counters = self.counters()
            self.snapshots.append((before, counters, time.time()))

    def impair(self, rules):
        """Returns when it began to hold, at the earliest and at the latest."""
        before = time.time()
        self.nft("flush chain ip path broken\n"
                 + "".join(f"add rule ip path broken {rule}\n" for rule in rules))
        return before, time.time()

    def cut(self):
        return self.impair(CUT)

    def mend(self):
        return self.impair([])

    def between(self, counter, first, last):
        """The count was at least that at FIRST, and at most that at LAST; None: not known yet."""
        least = [seen[counter] for _, seen, end in self.snapshots if end <= first]
        most = [seen[counter] for begin, seen, _ in self.snapshots if begin >= last]
        return (least[-1], most[0]) if least and most else None

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Names that hang, fail, move and have many addresses: echom's probes go on, and it says what it
could not look up. The name server is ours, and answers as each test wants."""

import ipaddress
import os
import re
import socket
import struct
import subprocess
import threading
import time

from lab import CLIENT4, CLIENT6, SERVER4, Echod, Echom, check, pair, test, until

THREADS = 8
A, AAAA = 1, 28
FAST = {"interval": "50ms", "timeout": "1s", "resolve": "1s"}
SILENT, NO_NAME, FAILURE = "silent", 3, 2  # the others are codes of replies


class NameServer(threading.Thread):
    """Answers for NAMES: to addresses, a code, or SILENT; others are silent, too."""

    def __init__(self, host, names):
        super().__init__(daemon=True)
        self.names = names
        self.asked = {}  # name -> when first
        with host:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind((CLIENT4, 53))
        self.start()

    def run(self):
        while True:
            question, client = self.socket.recvfrom(512)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name, kind = ".".join(labels), struct.unpack_from(">H", question, at + 1)[0]
            self.asked.setdefault(name, time.monotonic())
            answer = self.names.get(name, SILENT)
            if answer != SILENT:
                self.socket.sendto(self.reply(question[:at + 5], kind, answer), client)

    @staticmethod
    def reply(question, kind, answer):
        code, addresses = (answer, []) if isinstance(answer, int) else (0, answer)
        wanted = [ipaddress.ip_address(address) for address in addresses]
        found = [address.packed for address in wanted
                 if address.version == {A: 4, AAAA: 6}.get(kind)]
        header = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        return header + question[12:] + b"".join(
            struct.pack(">HHHIH", 0xc00c, kind, 1, 0, len(address)) + address for address in found)


def replace_file(path, text):
    """For this test alone: its mount namespace ends with it."""
    name = os.path.abspath(os.path.basename(path))
    with open(name, "w") as file:
        file.write(text)
    subprocess.run(["mount", "--bind", name, path], check=True)


def scene(options="timeout:1 attempts:1", **names):
    """A host that watches, another that has an echod, and its name server."""
    near, far, _ = pair()
    replace_file("/etc/resolv.conf", f"nameserver {CLIENT4}\noptions {options}\n")
    replace_file("/etc/nsswitch.conf", "hosts: files dns\n")
    replace_file("/etc/hosts", f"127.0.0.1 localhost\n{CLIENT4} known\n")
    Echod(far, address="*:7")
    return near, far, NameServer(far, names)


def value(echom, family, target):
    return echom.figures()[family].get(target, 0)


def lateness(echom):
    """The bound below which all probes were sent."""
    buckets = re.findall(r'^echom_schedule_lateness_seconds_bucket\{le="(\S+)"\} (\d+)$',
                         echom.get("/metrics"), re.M)
    return next(bound for bound, count in buckets if count == buckets[-1][1])


def peers(host):
    """The addresses that the UDP sockets of HOST are connected to."""
    remote = (line.split()[2] for line in host.read("/proc/net/udp").splitlines()[1:])
    return [socket.inet_ntoa(struct.pack("=I", int(end.split(":")[0], 16))) for end in remote]


@test
def names_that_hang_hold_up_no_probe():
    """As many names as there are threads hang for three seconds; others wait for them, no probe
    does."""
    hanging = {f"h{number}": f"h{number}" for number in range(THREADS + 1)}
    near, _, server = scene("timeout:3 attempts:1")
    echom = Echom(near, {"ip": CLIENT4, **hanging, "late": "known"}, **FAST)
    until(lambda: len(server.asked) >= THREADS, "questions")
    threads = len(os.listdir(f"/proc/{echom.process.pid}/task"))
    check(threads == THREADS + 1, f"{threads} threads")
    sent = value(echom, "probes_received_total", "ip")
    until(lambda: value(echom, "probes_received_total", "ip") >= sent + 20, "replies")
    check(len(server.asked) == THREADS, f"asked: {server.asked}")
    check(value(echom, "up", "late") == 0, "the name behind those that hang is up")
    until(lambda: value(echom, "up", "late") == 1, "the name behind those that hang")
    until(lambda: all(value(echom, "resolve_failures_total", name) for name in hanging), "failures")
    waited = max(server.asked.values()) - min(server.asked.values())
    check(value(echom, "probes_lost_total", "ip") == 0, "probes were lost")
    return f"one more than {THREADS} names waited {waited:.1f} s; no probe later than {lateness(echom)} s"


@test
def an_address_stays_while_its_name_fails():
    near, _, server = scene(host=[CLIENT4])
    echom = Echom(near, {"host": "host"}, **FAST)
    until(lambda: value(echom, "up", "host") == 1, "the first address")
    for failure, why in ((NO_NAME, "unknown host"), (FAILURE, "cannot look up"), (SILENT, "")):
        before = value(echom, "resolve_failures_total", "host")
        server.names["host"] = failure
        until(lambda: value(echom, "resolve_failures_total", "host") > before, why, 30)
        received = value(echom, "probes_received_total", "host")
        until(lambda: value(echom, "probes_received_total", "host") >= received + 5, "replies")
    check(value(echom, "probes_lost_total", "host") == 0, "probes were lost")
    failures = value(echom, "resolve_failures_total", "host")
    server.names["host"] = [CLIENT4]
    return f"{failures:.0f} lookups failed, none of {echom.figures()['probes_sent_total']['host']:.0f} probes"


@test
def probes_follow_a_name_to_another_address():
    """The books go on: it is the same target."""
    near, far, server = scene(host=[CLIENT4])
    far.ip("addr add 10.0.0.3/24 dev server")
    echom = Echom(near, {"host": "host"}, **FAST)
    until(lambda: value(echom, "probes_received_total", "host") >= 5, "replies")
    server.names["host"] = ["10.0.0.3"]

    until(lambda: peers(near) == ["10.0.0.3"], "the other address", 30)
    received = value(echom, "probes_received_total", "host")
    check(received >= 5, "the books began anew")
    until(lambda: value(echom, "probes_received_total", "host") >= received + 5, "replies")
    return f"{value(echom, 'probes_lost_total', 'host'):.0f} probes lost on the way"


@test
def the_address_that_answers_is_found_among_others():
    """The resolver puts addresses of nobody before it: one of IPv6, our own, which refuses, and a
    neighbour's; or addresses without a route; or more than are tried."""
    near, _, _ = scene(refused=["fd00::99", SERVER4, "10.0.0.3", CLIENT4],
                       routeless=["2001:db8::1", "192.0.2.1", CLIENT6],
                       many=[f"10.0.0.{number}" for number in range(101, 128)] + [CLIENT4])
    echom = Echom(near, {name: name for name in ("refused", "routeless", "many")}, **FAST)
    start = time.monotonic()
    found = []
    for name in ("many", "routeless", "refused"):
        until(lambda: value(echom, "up", name) == 1, name, 50)
        found.append(f"{name} after {time.monotonic() - start:.1f} s")
    return ", ".join(found)

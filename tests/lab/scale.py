# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""echom at the size it is made for: ten thousand targets once a second from one file, one in ten of
them down, names that hang, and a scrape in the middle. Measures what that takes; in the long form for
an hour, in which its memory must not grow."""

import json
import os
import re
import shutil
import subprocess
import time

import daemon
from lab import CLIENT4, Echod, Echom, Skip, check, pair, scale, test
from names import NameServer, replace_file

TARGETS, REFUSED, SILENT = 10000, 500, 500
UP, DROPPED = "10.1.{}.{}", "10.2.{}.{}"
TICKS = os.sysconf("SC_CLK_TCK")
LATENESS = re.compile(r'^echom_schedule_lateness_seconds_bucket\{le="(\S+)"\} (\d+)$', re.M)


def write_targets(path):
    up = TARGETS - REFUSED - SILENT
    addresses = [(UP, "", number) for number in range(up)]
    addresses += [(UP, ":9", number) for number in range(REFUSED)]
    addresses += [(DROPPED, "", number) for number in range(SILENT)]
    names = [form.format(number // 256, number % 256) + port for form, port, number in addresses]
    daemon.replace(path, json.dumps([{"targets": names, "labels": {"site": "lab", "role": "core"}}]))


def scene():
    near, far, _ = pair()
    far.ip("route add local 10.1.0.0/16 dev lo")
    far.ip("route add blackhole 10.2.0.0/16")
    far.sysctl("net.ipv4.icmp_ratelimit", 0)
    near.ip(f"route replace default via {CLIENT4}")
    replace_file("/etc/resolv.conf", f"nameserver {CLIENT4}\n")
    replace_file("/etc/nsswitch.conf", "hosts: files dns\n")
    NameServer(far, {})
    Echod(far, address="*:7", workers=1, udp_rate=0)
    path = os.path.abspath("targets.json")
    write_targets(path)
    return Echom(near, {f"h{number}": f"hangs{number}" for number in range(9)},
                 server={"targets_file": path}, interval="1s", timeout="1s")


class Process:
    def __init__(self, pid):
        self.path = f"/proc/{pid}/"

    def cpu(self):
        """Seconds used."""
        with open(self.path + "stat") as file:
            words = file.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / TICKS

    def memory(self):
        """Resident KiB."""
        with open(self.path + "status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def buckets(metrics):
    return [(float(bound), int(count)) for bound, count in LATENESS.findall(metrics)]


def late(before, after, part):
    """The bound that PART of the probes between two scrapes kept, in milliseconds."""
    counts = [(bound, count - earlier) for (bound, count), (_, earlier) in zip(after, before)]
    return next(bound for bound, count in counts if count >= part * counts[-1][1]) * 1000


def watched(echom):
    """A scrape: its text, and how many seconds it took."""
    start = time.monotonic()
    return echom.get("/metrics"), time.monotonic() - start


def values(metrics, family):
    return {target: float(value) for target, value in re.findall(
        rf'^echom_{family}\{{target="([^"]*)",[^}}]*\}} (\S+)$', metrics, re.M)}


def expect_truth(metrics):
    """The books of each target balance; who answers is up, and nobody else."""
    sent, received = values(metrics, "probes_sent_total"), values(metrics, "probes_received_total")
    lost, waiting = values(metrics, "probes_lost_total"), values(metrics, "probes_outstanding")
    wrong = [name for name in sent if sent[name] != received[name] + lost[name] + waiting[name]]
    check(not wrong, f"out of balance: {wrong[:5]}")
    check(len(sent) == TARGETS + 9, f"{len(sent)} targets")
    up = values(metrics, "up")
    answering = {name for name in sent if name.startswith("10.1.") and name.endswith(":7")}
    down = sum(1 for name in answering if not up[name])
    check(not any(up[name] for name in set(up) - answering), "one is up that does not answer")
    return sum(lost[name] for name in answering), sum(sent[name] for name in answering), down


@test(limit=420)
def ten_thousand_targets_one_in_ten_down():
    echom = scene()
    process = Process(echom.process.pid)
    first, _ = watched(echom)
    while sum(values(first, "up").values()) < TARGETS - REFUSED - SILENT:
        time.sleep(2)  # a scrape of this size is not for free
        first, _ = watched(echom)
    used, memory, start = process.cpu(), process.memory(), time.monotonic()
    time.sleep(scale(20, 3600))
    passed = time.monotonic() - start
    cpu = (process.cpu() - used) / passed
    grown = process.memory() - memory
    quiet, scrape_took = watched(echom)
    after, _ = watched(echom)
    lost, sent, down = expect_truth(after)
    check(grown <= scale(4096, 1024), f"{grown} KiB more after {passed:.0f} s")
    lateness = [late(buckets(first), buckets(quiet), part) for part in (0.5, 0.99, 1)]
    during = late(buckets(quiet), buckets(after), 1)
    return (f"{passed:.0f} s: {cpu:.0%} of a core, {memory / TARGETS:.1f} KiB a target, {grown:+} KiB, "
            f"late at most {lateness[0]:g} ms (half), {lateness[1]:g} (99 %), {lateness[2]:g} (all), "
            f"{during:g} in a scrape of {len(quiet) >> 20} MiB that took {scrape_took:.2f} s; "
            f"{lost:.0f} of {sent:.0f} probes to hosts that answer lost, {down} of them down")


FASTER = 1000
HOSTS = 8
HOUR = 3600 / FASTER


def fast_clock():
    """What makes time pass FASTER for a program that is started with it."""
    if not shutil.which("cc"):
        raise Skip("needs cc")
    library = os.path.abspath("fast_clock.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fast_clock.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": library, "FAST_CLOCK": str(FASTER)}


@test(limit=240)
def a_day_in_minutes():
    """A day as echom sees it, with an outage of half an hour every two hours: its memory stays what
    it was after the first of them."""
    near, far, _ = pair()
    far.ip("route add local 10.1.0.0/16 dev lo")
    Echod(far, address="*:7", udp_rate=0)
    environment = fast_clock()
    os.environ.update(environment)
    echom = Echom(near, {f"t{number}": UP.format(0, number) for number in range(1, HOSTS + 1)},
                  interval="1s", timeout="1m")
    for name in environment:
        del os.environ[name]
    process = Process(echom.process.pid)
    start, memory = time.monotonic(), []
    for _ in range(12):
        time.sleep(1.5 * HOUR)
        far.ip("route add blackhole 10.1.0.0/24 table local")
        time.sleep(HOUR / 2)
        far.ip("route del blackhole 10.1.0.0/24 table local")
        echom.get("/")
        memory.append(process.memory())
    hours = (time.monotonic() - start) / HOUR
    metrics = echom.get("/metrics")
    outages, sent = values(metrics, "outages_total"), values(metrics, "probes_sent_total")
    check(all(count >= 12 for count in outages.values()), f"outages: {outages}")
    down = values(metrics, "outage_seconds_total")
    check(all(seconds > 12 * 600 for seconds in down.values()), f"seconds of outages: {down}")
    check(max(memory) - memory[0] <= 256, f"KiB: {memory}")
    check(all(count > 3600 * hours / 2 for count in sent.values()), f"sent in {hours:.1f} h: {sent}")
    return (f"{hours:.1f} h: {sum(sent.values()):.0f} probes, {sum(outages.values()):.0f} outages, "
            f"{memory[0]} KiB after the first, {memory[-1]} KiB after the last")

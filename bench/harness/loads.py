# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The loads, and how to apply one to a server: with echoc bench."""

import dataclasses
import json
import subprocess
import threading

from . import LOAD_CORE, Trouble

FORKING = ("socat", "ncat", "xinetd")
ALL_TCP = ("epoll", "bufferevent", "libuv", "go", "go-copy", "asyncio", *FORKING)
ALL_UDP = ("recvfrom", "recvmmsg", "libuv", "go", "asyncio", *FORKING)
FAST_UDP = ALL_UDP[:-len(FORKING)]


@dataclasses.dataclass(frozen=True)
class Load:
    name: str
    title: str
    protocol: str
    options: str  # of echoc bench
    peers: tuple
    size: int
    bulk: bool = False  # counted in MiB, not in messages

    @property
    def unit(self):
        return "MiB" if self.bulk else "connection" if "--connect" in self.options else "message"

    @property
    def units(self):
        return self.unit if self.bulk else self.unit + "s"

    def amount(self, messages):
        return messages * self.size / 2**20 if self.bulk else messages


def udp_load(size, flows, depth):
    return Load(f"udp-{size}-{flows}" + ("" if depth > 1 else "-single"),
                f"UDP {size} B, {flows} flows, {depth} deep", "udp",
                f"-u -s {size} -c {flows} -p {depth}",
                ALL_UDP if size == 64 and flows == 8 and depth > 1 else FAST_UDP, size)


def train_load(size, flows):
    """One train at a time on each flow: more would measure the size of socket buffers."""
    depth = min(64, 65507 // size)
    return Load(f"train-{size}-{flows}", f"UDP trains of {depth} x {size} B, {flows} flows", "udp",
                f"-u -g -s {size} -c {flows} -p {depth}", FAST_UDP, size)


LOADS = [
    Load("tcp-64-1", "TCP 64 B, 1 connection", "tcp", "-s 64 -c 1", ALL_TCP, 64),
    Load("tcp-64-50", "TCP 64 B, 50 connections", "tcp", "-s 64 -c 50", ALL_TCP, 64),
    Load("tcp-64-1000", "TCP 64 B, 1,000 connections", "tcp", "-s 64 -c 1000", ALL_TCP, 64),
    Load("tcp-512-1000", "TCP 512 B, 1,000 connections", "tcp", "-s 512 -c 1000", ("epoll",), 512),
    Load("tcp-deep", "TCP 64 B, 50 connections, 16 deep", "tcp", "-s 64 -c 50 -p 16", ALL_TCP, 64),
    Load("tcp-bulk", "TCP 1 MiB, 4 connections", "tcp", "-s 1m -c 4", ALL_TCP, 2**20, bulk=True),
    Load("tcp-connect", "TCP connect, echo 64 B, close", "tcp", "--connect -s 64 -c 8",
         ALL_TCP, 64),
    udp_load(64, 8, 16),
    udp_load(64, 50, 16),
    udp_load(64, 50, 1),
    udp_load(1400, 8, 16),
    udp_load(1400, 50, 16),
    train_load(64, 8),
    train_load(64, 50),
    train_load(1400, 8),
    train_load(1400, 50),
]


def command_line(build, load, port, seconds):
    argv = ["taskset", "-c", LOAD_CORE]
    return [*argv, f"{build}/echoc", "bench", "--json", *load.options.split(),
            "-d", f"{int(seconds * 1000)}ms", f"127.0.0.1:{port}"]


def apply(build, load, server, seconds):
    """Applies the load: the load generator's summary, and the server's CPU time."""
    before = server.cpu_seconds()
    summary = None
    client = subprocess.Popen(command_line(build, load, server.port, seconds), text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    watchdog = threading.Timer(seconds + 30, client.kill)
    watchdog.start()
    try:
        for line in client.stdout:
            report = json.loads(line)
            if report["type"] == "start":  # all connections are there
                before = server.cpu_seconds()
            elif report["type"] == "summary":
                after = server.cpu_seconds()
                summary = report
    finally:
        watchdog.cancel()
        client.kill()
        said = client.stderr.read().strip().splitlines()
        client.wait()
    if not summary or not summary["received"]:
        raise Trouble(f"{server.what.name}: no result: {said[-1] if said else 'nothing came back'}")
    return summary, after - before


def measure(build, load, server, seconds):
    """One round, as a plain dictionary, because it is stored as JSON."""
    summary, cpu = apply(build, load, server, seconds)
    elapsed = summary["duration_s"]
    amount = load.amount(summary["received"])
    return {
        "rate": amount / elapsed,
        "cpu": cpu / amount,
        "server_busy": cpu / elapsed,
        "client_busy": summary["cpu_percent"] / 100,
        "lost": summary["lost"] / (summary["received"] + summary["lost"]),
        "p99": summary.get("rtt_us", {}).get("p99"),
    }

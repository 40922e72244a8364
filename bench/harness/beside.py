# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""How long 100 clients with small messages wait on one worker, alone and beside a client at full
speed with large ones. That client runs at the lowest priority, but holds up the load's core, too:
what remains when another process serves it ("apart") is not the server's to change."""

import contextlib
import json
import shlex
import statistics
import subprocess

from . import Trouble, loads, servers

SMALL = loads.Load("", "", "tcp", "-c 100 -r 10000", (), 64)
LARGE = loads.Load("", "", "tcp", "-s 1m", (), 2**20, bulk=True)
NICE = ["nice", "-n", "19"]
SERVERS = ("echod", "epoll")
LONGER = 2  # seconds that the large messages last beyond the small ones, to be ended before


@contextlib.contextmanager
def large_messages(build, server, seconds):
    """Under way inside; what it yields holds MiB/s afterwards."""
    argv = [*NICE, *loads.command_line(build, LARGE, server.port, seconds + LONGER)]
    result = {}
    with subprocess.Popen(argv, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as client:
        try:
            for line in client.stdout:
                if json.loads(line)["type"] == "start":
                    break
            yield result
            client.terminate()
            reports = [json.loads(line) for line in client.stdout]
        finally:
            client.kill()
    if not reports or reports[-1]["type"] != "summary" or not reports[-1]["received"]:
        raise Trouble(f"{shlex.join(argv)}: no result")
    result["rate"] = LARGE.amount(reports[-1]["received"]) / reports[-1]["duration_s"]


def p99(build, server, seconds):
    summary, _ = loads.apply(build, SMALL, server, seconds)
    return summary["rtt_us"]["p99"]


def round_of(build, name, seconds):
    """One after the other, so that each can be divided by the first."""
    what = servers.command(name, "tcp")
    with servers.running(what, build) as server:
        figures = {"alone": p99(build, server, seconds)}
        with large_messages(build, server, seconds) as large:
            figures["beside"] = p99(build, server, seconds)
        figures["rate"] = large["rate"]
        with servers.running(what, build, prefix=NICE) as other, \
                large_messages(build, other, seconds):
            figures["apart"] = p99(build, server, seconds)
    return figures


def measure(build, rounds, seconds, say):
    """A row for each server: medians, and of the ratios of the rounds, too."""
    samples = {name: [] for name in SERVERS}
    for number in range(rounds):
        say(f"beside: round {number + 1} of {rounds}")
        for name in SERVERS:
            samples[name].append(round_of(build, name, seconds))
    rows = []
    for name, figures in samples.items():
        row = {"server": name}
        for what in ("alone", "beside", "apart", "rate"):
            row[what] = statistics.median(sample[what] for sample in figures)
        for what in ("beside", "apart"):
            row[f"{what}_ratio"] = statistics.median(s[what] / s["alone"] for s in figures)
        rows.append(row)
    return rows

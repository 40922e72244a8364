# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""One message of 64 bytes at a time: the median round trip with both sides polling, with both
asleep in between, and with other pairs that sleep."""

import pathlib
import re
import statistics
import subprocess
import time

from . import LOAD_CORE, SERVER_CORE, Trouble, loads, servers

BUSY_POLL = "100us"
PROTOCOLS = ("tcp", "udp")


def options(protocol, busy):
    words = ["-s 64", "-u" if protocol == "udp" else "", "--busy" if busy else ""]
    return " ".join(filter(None, words))


def busy_file(build):
    path = pathlib.Path(build, "peers", "busy.conf")
    path.write_text(f"[server]\nbusy_poll = {BUSY_POLL}\n")
    return ("-c", str(path))


def echoc(build, protocol, seconds, name="echod", busy=False):
    load = loads.Load("", "", protocol, options(protocol, busy), (), 64)
    with servers.running(servers.command(name, protocol), build,
                         extra=busy_file(build) if busy else ()) as server:
        summary, _ = loads.apply(build, load, server, seconds)
    return summary["rtt_us"]["p50"]


def wait_for(protocol, port):
    end = time.monotonic() + servers.START_SECONDS
    while f":{port:04X} " not in pathlib.Path(f"/proc/net/{protocol}").read_text():
        if time.monotonic() > end:
            raise Trouble("sockperf does not start")
        time.sleep(0.05)


def sockperf(_build, protocol, seconds):
    port = servers.free_port()
    where = ["-i", "127.0.0.1", "-p", str(port)] + (["--tcp"] if protocol == "tcp" else [])
    with subprocess.Popen(["taskset", "-c", SERVER_CORE, "sockperf", "server", *where],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(protocol, port)
            said = subprocess.run(["taskset", "-c", LOAD_CORE, "sockperf", "ping-pong", *where,
                                   "--full-rtt", "-m", "64", "-t", str(max(1, round(seconds)))],
                                  capture_output=True, text=True, timeout=seconds + 30).stdout
        finally:
            server.kill()
    if not (found := re.search(r"percentile 50\.000 = +([\d.]+)", said)):
        raise Trouble("sockperf: no result")
    return float(found[1])


PAIRS = {
    "echod with busy_poll, echoc --busy":
        lambda build, protocol, seconds: echoc(build, protocol, seconds, busy=True),
    "echod, echoc": echoc,
    "xinetd, echoc": lambda build, protocol, seconds: echoc(build, protocol, seconds, "xinetd"),
    "sockperf, both sides": sockperf,
}
BUSY = next(iter(PAIRS))


def measure(build, rounds, seconds, say):
    """A row for each pair and protocol: medians, and of the ratios of the rounds, too."""
    samples = {}
    for number in range(rounds):
        say(f"busy: round {number + 1} of {rounds}")
        for protocol in PROTOCOLS:
            for name, pair in PAIRS.items():
                samples.setdefault((protocol, name), []).append(pair(build, protocol, seconds))
    rows = []
    for (protocol, name), figures in samples.items():
        ratios = [ours / theirs for ours, theirs in zip(samples[protocol, BUSY], figures)]
        rows.append({"protocol": protocol, "pair": name, "p50": statistics.median(figures),
                     "ratio": statistics.median(ratios)})
    return rows

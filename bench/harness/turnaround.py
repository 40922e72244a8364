# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""How long a packet stays in the STAMP reflector, by its own time stamps, and in a bare loop."""

import contextlib
import os
import pathlib
import statistics
import subprocess
import time

from . import SERVER_CORE, servers, stamp

RATE = 10000  # a second
BUSY_POLL = "1ms"  # longer than the time between two requests
REAL_TIME = ["chrt", "--fifo", "1"]
# The kernel takes a twentieth of each second away from threads of that priority that never sleep.
MOST_SECONDS = 0.8
REST_SECONDS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")


def first():
    """What puts a command before all others, where we may."""
    allowed = subprocess.run([*REAL_TIME, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return REAL_TIME if allowed else []


@contextlib.contextmanager
def echod(build, busy_poll):
    with stamp.echod(build, [stamp.LISTENERS["stateless"]], busy_poll, first()) as (_, [port]):
        yield port


@contextlib.contextmanager
def bare(build, *options):
    port = servers.free_port()
    argv = [*first(), "taskset", "-c", SERVER_CORE, f"{build}/peers/reflector", *options, str(port)]
    with subprocess.Popen(argv) as process:
        try:
            end = time.monotonic() + servers.START_SECONDS
            while f":{port:04X} " not in pathlib.Path("/proc/net/udp").read_text():
                if time.monotonic() > end:
                    raise stamp.Trouble("reflector does not start")
                time.sleep(0.01)
            yield port
        finally:
            process.kill()


REFLECTORS = {
    "echod": lambda build: echod(build, "0"),
    "bare loop": bare,
    f"echod, busy_poll = {BUSY_POLL}": lambda build: echod(build, BUSY_POLL),
    "bare loop, polling": lambda build: bare(build, "--busy"),
}


def stolen():
    """Seconds that the hypervisor has taken from all processors."""
    return int(pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / TICKS


def measure(build, rounds, seconds, say):
    """Medians of the percentiles of T3 - T2, in microseconds."""
    samples = {name: [] for name in REFLECTORS}
    for number in range(rounds):
        say(f"turnaround: round {number + 1} of {rounds}")
        for name, reflector in REFLECTORS.items():
            time.sleep(REST_SECONDS)
            with reflector(build) as port:
                before = stolen()
                summary = stamp.load(build, port, RATE, min(seconds, MOST_SECONDS), first())
                samples[name].append({**summary["turnaround_us"], "stolen": stolen() - before,
                                      "seconds": summary["duration_s"]})
    return [{"reflector": name,
             **{part: statistics.median(sample[part] for sample in found)
                for part in ("p50", "p99", "p99.9")},
             "ratio": statistics.median(ours["p99"] / bare["p99"] for ours, bare in
                                        zip(found, samples["bare loop"])),
             "stolen": sum(sample["stolen"] for sample in found) /
             sum(sample["seconds"] for sample in found)} for name, found in samples.items()]

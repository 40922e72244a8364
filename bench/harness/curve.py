# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Bulk transfer by the size of the read buffer, with an echod built for each size."""

import statistics
import subprocess

from . import BENCH, Trouble, loads, memory, servers

SIZES_KIB = [64, 128, 256, 512, 1024]
BULK = next(load for load in loads.LOADS if load.name == "tcp-bulk")


def built_with(build, kib):
    source = BENCH.parent / "src"
    if "#ifndef INPUT_SIZE" not in (source / "echod/stream/streams.h").read_text():
        raise Trouble("streams.h lets nobody choose INPUT_SIZE")
    program = f"{build}/peers/echod-{kib}"
    files = [file for top in ("base", "daemon", "echod") for file in source.glob(f"{top}/**/*.c")]
    done = subprocess.run(["gcc", "-std=c11", "-O2", "-pthread", f"-DINPUT_SIZE={kib * 1024}",
                           '-DSYSCONFDIR="/etc"', f"-I{build}", f"-I{source}", *files,
                           "-levent_core", "-linih", "-o", program], capture_output=True, text=True)
    if done.returncode:
        raise Trouble(f"cannot build with INPUT_SIZE {kib} KiB: {done.stderr[-300:]}")
    return program


def measure(build, rounds, seconds, say):
    """A row for each size: bulk rate and cost of echod and of the bare loop, and memory."""
    commands = {}
    for kib in SIZES_KIB:
        commands["echod", kib] = f"{built_with(build, kib)} -l 127.0.0.1:PORT"
        commands["epoll", kib] = f"{build}/peers/epoll PORT {kib * 1024}"
    samples = {key: [] for key in commands}
    for number in range(rounds):
        say(f"curve: round {number + 1} of {rounds}")
        for key, text in commands.items():
            with servers.running(servers.Command(key[0], "tcp", text), build) as server:
                samples[key].append(loads.measure(build, BULK, server, seconds))
    rows = []
    for kib in SIZES_KIB:
        row = {"kib": kib, **memory.stalled(build, f"{build}/peers/echod-{kib}")}
        for name in ("echod", "epoll"):
            for what in ("rate", "cpu"):
                row[f"{name}_{what}"] = statistics.median(s[what] for s in samples[name, kib])
        rows.append(row)
    return rows

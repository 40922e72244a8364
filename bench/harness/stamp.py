# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The STAMP reflector beside plain UDP echo in the same process and under the same requests; and
what its sessions take."""

import contextlib
import json
import pathlib
import socket
import statistics
import struct
import subprocess
import time

from . import LOAD_CORE, SERVER_CORE, Trouble, servers

ECHO = "plain UDP echo"
LISTENERS = {ECHO: "protocol = udp\n",
             "stateless": "mode = stamp\n",
             "with sessions": "mode = stamp\nstamp_sessions = 4096\n"}
SESSIONS = (4096, 1048576)
FEW = 512
SOURCES = 16  # each may have a sixteenth of them
WINDOW = 32
WAIT_SECONDS = 10


@contextlib.contextmanager
def echod(build, listeners, busy_poll="0", prefix=()):
    """One worker on the server's core; yields its process and the ports of LISTENERS."""
    ports = [servers.free_port() for _ in listeners]
    text = f"[server]\nworkers = 1\nbusy_poll = {busy_poll}\n"
    for port, settings in zip(ports, listeners):
        text += f"[listener l{port}]\naddress = 127.0.0.1:{port}\n{settings}"
    file, log = (pathlib.Path(build, "peers", f"stamp.{end}") for end in ("conf", "log"))
    file.write_text(text)
    with open(log, "wb") as errors, subprocess.Popen(
            [*prefix, "taskset", "-c", SERVER_CORE, f"{build}/echod", "-c", file],
            stderr=errors) as process:
        try:
            end = time.monotonic() + WAIT_SECONDS
            while log.read_text().count("listening on udp") < len(ports):
                if process.poll() is not None or time.monotonic() > end:
                    raise Trouble(f"echod does not start; see {log}")
                time.sleep(0.05)
            yield process, ports
        finally:
            process.terminate()


def load(build, port, rate, seconds, prefix=()):
    """The summary of bench/stamp.c."""
    argv = [*prefix, "taskset", "-c", LOAD_CORE, f"{build}/peers/stamp", str(port), str(rate), str(seconds)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 30)
    if done.returncode:
        raise Trouble(f"stamp: {done.stderr.strip() or 'nothing came back'}")
    return json.loads(done.stdout)


def rates(build, rounds, seconds):
    """Of each listener: the median rate, and of its ratios to plain echo in the same round."""
    samples = {name: [] for name in LISTENERS}
    with echod(build, LISTENERS.values()) as (process, ports):
        for _ in range(rounds):
            for name, port in zip(LISTENERS, ports):
                before = servers.process_cpu(process.pid)
                summary = load(build, port, 0, seconds)
                cpu = servers.process_cpu(process.pid) - before
                samples[name].append((summary["received"] / summary["duration_s"],
                                      cpu / summary["received"]))
    return [{"listener": name,
             "rate": statistics.median(rate for rate, _ in values),
             "cpu": statistics.median(cpu for _, cpu in values),
             "ratio": statistics.median(a / b for (a, _), (b, _) in zip(values, samples[ECHO])),
             "capacity": statistics.median(b / a for (_, a), (_, b) in zip(values, samples[ECHO]))}
            for name, values in samples.items()]


def fill(port, count):
    """Begins COUNT sessions, from as many addresses as may have them."""
    for first in range(0, count, count // SOURCES):
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind((f"127.0.0.{2 + first * SOURCES // count}", 0))
            sock.connect(("127.0.0.1", port))
            sock.settimeout(WAIT_SECONDS)
            for ssid in range(count // SOURCES):
                sock.send(struct.pack("!LQHH28x", 7, 1, 1, ssid))
                if ssid % WINDOW == WINDOW - 1:
                    for _ in range(WINDOW):
                        sock.recv(64)


def resident(build, sessions):
    """Memory of an echod with so many sessions, all in use."""
    with echod(build, [f"mode = stamp\nstamp_sessions = {sessions}\n"]) as (process, [port]):
        fill(port, sessions)
        for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    raise Trouble("no RssAnon in /proc")


def measure(build, rounds, seconds, say):
    say("stamp")
    few = resident(build, FEW)
    tables = [(count, resident(build, count) - few) for count in SESSIONS]
    return {"rates": rates(build, rounds, seconds),
            "sessions": [{"sessions": count, "bytes": size} for count, size in tables]}

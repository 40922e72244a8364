# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Starts the servers listed in bench/commands, reads their CPU time, and stops them."""

import contextlib
import dataclasses
import os
import pathlib
import signal
import socket
import subprocess
import time

from . import BENCH, SERVER_CORE, Trouble

START_SECONDS = 20  # under valgrind it takes long
STOP_SECONDS = 5
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    protocol: str
    text: str  # with BUILD, BENCH and PORT in it

    def filled(self, build, port):
        text = self.text.replace("BUILD", str(build)).replace("BENCH", str(BENCH))
        return text.replace("PORT", str(port))


def all_commands():
    commands = []
    for line in (BENCH / "commands").read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        protocols = [word for word in words[1:3] if word in ("tcp", "udp")]
        text = " ".join(words[1 + len(protocols):])
        commands += [Command(words[0], protocol, text) for protocol in protocols]
    return commands


def command(name, protocol):
    return next(c for c in all_commands() if (c.name, c.protocol) == (name, protocol))


def free_port():
    """A port that is free for both protocols."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        return tcp.getsockname()[1]


def answers(protocol, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(type=kind) as client:
        client.settimeout(2)
        try:
            client.connect(("127.0.0.1", port))
            client.send(b"?")
            return client.recv(1) == b"?"
        except OSError:
            return False


class Server:
    """A running server; PREFIX goes before its command (strace, valgrind), as does taskset."""

    def __init__(self, what, build, prefix=(), pinned=True, extra=()):
        self.what = what
        self.port = free_port()
        if what.name == "xinetd":
            text = (BENCH / "peers/xinetd.conf").read_text().replace("PORT", str(self.port))
            pathlib.Path(build, f"peers/xinetd-{self.port}.conf").write_text(text)
        argv = [*prefix, *what.filled(build, self.port).split(), *extra]
        if pinned:
            argv = ["taskset", "-c", SERVER_CORE, *argv]
        self.log = open(os.path.join(build, "peers", f"{what.name}.log"), "wb")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, start_new_session=True)

    def wait_until_ready(self):
        end = time.monotonic() + START_SECONDS
        while not answers(self.what.protocol, self.port):
            if self.process.poll() is not None or time.monotonic() > end:
                raise Trouble(f"{self.what.name} does not answer; see {self.log.name}")
            time.sleep(0.05)

    def stop(self):
        """Stops it and all its descendants."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()
        pathlib.Path(self.log.name).parent.joinpath(f"xinetd-{self.port}.conf").unlink(True)

    def cpu_seconds(self):
        """User and system time of all its processes, including those that have exited."""
        return sum(map(process_cpu, tree(self.process.pid)))

    def status(self, field):
        """A size of /proc/PID/status in bytes."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise Trouble(f"no {field} in /proc/{self.process.pid}/status")


@contextlib.contextmanager
def running(what, build, **options):
    server = Server(what, build, **options)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def stat_fields(pid):
    """What follows the name in /proc/PID/stat: [0] is the state."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def tree(root):
    """The process and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat_fields(entry)):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def process_cpu(pid):
    """Seconds; from schedstat, which has nanoseconds where stat has hundredths of a second."""
    fields = stat_fields(pid)
    if not fields:
        return 0
    seconds = (int(fields[13]) + int(fields[14])) / TICKS  # of children that were waited for
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds

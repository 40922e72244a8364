# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Memory for an idle connection, for a stalled one, and after startup."""

import contextlib
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import tempfile
import time

from . import Trouble, exact, servers

SPARE = 1000  # descriptors that are not connections
PER_SOURCE = 20000  # of the 28,232 ports that a source address has
ONE_MIB = bytes(2**20)
STALLED = 20
WAIT_SECONDS = 60


def allow_descriptors(count):
    """Number of connections: COUNT for root, otherwise what the hard limit allows."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < count:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
            return count
        except (ValueError, OSError):
            count = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return count


def slab():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("Slab:"):
            return int(line.split()[1]) * 1024
    raise Trouble("no Slab in /proc/meminfo")


def connect(port, number):
    client = socket.socket()
    client.setsockopt(socket.SOL_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    client.bind((f"127.0.0.{2 + number // PER_SOURCE}", 0))
    client.connect(("127.0.0.1", port))
    return client


def wait_for_descriptors(server, count):
    end = time.monotonic() + WAIT_SECONDS
    while len(os.listdir(f"/proc/{server.process.pid}/fd")) < count:
        if time.monotonic() > end:
            raise Trouble("echod does not accept all connections")
        time.sleep(0.05)


def idle(build, count):
    """Bytes for each of up to COUNT connections that have echoed something and are idle."""
    count = allow_descriptors(count + SPARE) - SPARE
    what = servers.command("echod", "tcp")
    extra = exact.workers_file(build, 2)
    with servers.running(what, build, extra=extra, pinned=False) as server, \
            contextlib.ExitStack() as clients:
        server.cpu_seconds()
        user, kernel = server.status("RssAnon"), slab()
        connections = [clients.enter_context(connect(server.port, n)) for n in range(count)]
        wait_for_descriptors(server, count)
        for client in connections:
            client.send(b"?")
        for client in connections:
            client.recv(1)
        return {"connections": count, "user": (server.status("RssAnon") - user) / count,
                "kernel_both_ends": (slab() - kernel) / count}


def tcp_memory():
    """Bytes of data in the buffers of TCP sockets."""
    words = pathlib.Path("/proc/net/sockstat").read_text().split("TCP:")[1].split()
    return int(words[words.index("mem") + 1]) * resource.getpagesize()


def stall(port):
    """A client that sends until its socket is full, and does not read."""
    client = socket.create_connection(("127.0.0.1", port))
    client.setblocking(False)
    quiet = 0
    while quiet < 5:
        try:
            client.send(ONE_MIB)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            time.sleep(0.02)
    return client


def stalled(build, echod):
    """Cost of a client that does not read: bytes in the process and in the kernel."""
    what = servers.Command("echod", "tcp", f"{echod} -l 127.0.0.1:PORT")
    with servers.running(what, build) as server, contextlib.ExitStack() as clients:
        clients.enter_context(stall(server.port))  # the first one touches the input buffer, too
        user, kernel = server.status("RssAnon"), tcp_memory()
        for _ in range(STALLED):
            clients.enter_context(stall(server.port))
        return {"user": (server.status("RssAnon") - user) / STALLED,
                "kernel": (tcp_memory() - kernel) / STALLED}


def start(build, times):
    """Milliseconds from fork to READY=1, and resident memory after that, with two workers."""
    took, resident = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as where, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{where}/notify")
            manager.settimeout(10)
            port = servers.free_port()
            argv = [f"{build}/echod", *exact.workers_file(build, 2), "-l", f"127.0.0.1:{port}"]
            began = time.monotonic()
            process = subprocess.Popen(argv, stderr=subprocess.DEVNULL,
                                       env={"NOTIFY_SOCKET": f"{where}/notify"})
            try:
                while b"READY=1" not in manager.recv(4096):
                    pass
                took.append(1000 * (time.monotonic() - began))
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                resident.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)
            finally:
                process.terminate()
                process.wait(10)
    return {"ready_ms": statistics.median(took), "resident_mib": statistics.median(resident)}

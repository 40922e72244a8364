# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Steps common to several scenarios: installing, querying a port, changing the file, exposure."""

import contextlib
import os
import re
import socket
import subprocess
import time

from lab import Aside, ask, check, connect, udp_socket

CONFIG = "/etc/echod.conf"
LOCAL = ("127.0.0.1", "::1")


def install(guest):
    """make install, as an operator does it from a tarball."""
    done = subprocess.run(["make", "-s", "-C", os.environ["BUILD"], "install",
                           f"DESTDIR={guest.root}"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0, done.stdout)
    guest.systemctl("daemon-reload")


def configure(guest, *lines):
    guest.write(CONFIG, "\n".join(lines) + "\n")


def says_back(sock, data=b"hello"):
    sock.sendall(data)
    return sock.recv(len(data)) == data


def check_served(guest, port, addresses=LOCAL):
    """Checks that TCP and UDP reply immediately, without waiting for them to come up."""
    for address in addresses:
        with connect(guest, address, port) as sock:
            check(says_back(sock), f"tcp {address} {port}: not the same")
        with udp_socket(guest, address) as sock:
            data, source = ask(sock, (address, port))
            check(data == b"hello" and source[:2] == (address, port),
                  f"udp {address} {port}: {data} from {source}")


def refuses(guest, port, address="127.0.0.1"):
    try:
        with connect(guest, address, port):
            return False
    except ConnectionRefusedError:
        return True


def is_served(guest, port):
    """The same as a condition, for callers that wait."""
    with contextlib.suppress(OSError, AssertionError):
        check_served(guest, port)
        return True
    return False


def check_denied(guest, source, port):
    with udp_socket(guest, source, seconds=0.2) as sock:
        check(ask(sock, ("127.0.0.1", port)) == (None, None), "a denied source got an answer")
    with guest:
        sock = socket.create_connection(("127.0.0.1", port), 5, (source, 0))
    with sock, contextlib.suppress(ConnectionResetError):
        check(sock.recv(1) == b"", "a denied client was served")


def exposure(guest, unit):
    """Exposure of the running unit according to systemd: 0 is best, 10 worst."""
    last = guest.run("systemd-analyze", "security", "--no-pager", unit).strip().splitlines()[-1]
    return float(re.search(r"exposure level for \S+: (\d+\.\d)", last)[1])


def process_fields(pid):
    """Fields of a process's status in /proc, by name."""
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


@contextlib.contextmanager
def steady_connects(guest, port):
    """Connects continuously; returns the number of connections by result."""
    ours, theirs = socket.socketpair()
    load = Aside(_connect_until_told, guest, port, theirs)
    ends = {}
    try:
        yield ends
    finally:
        ours.send(b"x")
        ends.update(load.result())


def _connect_until_told(guest, port, stop, rate=500):
    stop.setblocking(False)
    ends, start, count = {}, time.monotonic(), 0
    while True:
        with contextlib.suppress(BlockingIOError):
            if stop.recv(1):
                return ends
        while count < (time.monotonic() - start) * rate:
            end = _one_connection(guest, port)
            ends[end] = ends.get(end, 0) + 1
            count += 1
        time.sleep(0.0005)


def _one_connection(guest, port):
    try:
        with connect(guest, "127.0.0.1", port) as sock:
            sock.send(b"hello")
            return "echoed" if sock.recv(10) == b"hello" else "closed"
    except OSError as error:
        return type(error).__name__


def check_nobody_refused(ends, restarts):
    """Connections accepted just before a stop, with nothing received, are closed, not reset."""
    check(set(ends) <= {"echoed", "closed"} and ends.get("closed", 0) <= restarts, ends)

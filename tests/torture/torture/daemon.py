# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""An echod with shim.c loaded, in its own directory: start, logs and notifications, end."""

import os
import random
import socket
import subprocess
import sys
import tempfile

from . import client
from .faults import Gate, Page

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../../support"))
import daemon  # noqa: E402

LIMIT = 10  # seconds for any step
SANITIZER_STATUS = 99


class Bad(Exception):
    """The echod misbehaved."""


def keep_low_descriptors():
    """Descriptors that are passed to echod must not be used for anything else here."""
    while os.open("/dev/null", os.O_RDONLY) < 16:
        pass


def free_ports(count):
    """An unused loopback address, and free ports on it."""
    dice = random.SystemRandom()
    address = f"127.{dice.randint(1, 97)}.{dice.randint(1, 254)}.{dice.randint(1, 254)}"
    sockets = [socket.create_server((address, 0)) for _ in range(count)]
    numbers = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return address, numbers


class Daemon(daemon.Daemon):
    """KIND: "own" sockets, sockets "handed" over, or a switch to another "user"."""

    def __init__(self, program, shim, kind="own"):
        self.kind = kind
        self.program = program
        self.shim = shim
        self.directory = tempfile.TemporaryDirectory(prefix="torture-")
        os.chmod(self.directory.name, 0o777)
        self.page = Page(self.path("page"))
        self.gate = None
        self.log = b""
        self.notified = b""
        self.address, numbers = free_ports(6)
        self.ports = dict(zip(("main", "once", "late", "metrics", "plus", "stamp"), numbers))
        with open(os.open(self.path("key"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(client.STAMP_KEY.hex())
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.path("notify"))
        self.notify.setblocking(False)
        os.chmod(self.path("notify"), 0o777)

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def place(self, name):
        """Where the listener NAME serves."""
        return self.address, self.ports[name]

    def refuse(self, refusals):
        """Before the start: sets the system calls that are counted and can be made to fail."""
        self.gate = Gate(refusals, self.page)

    def configure(self, text):
        words = {name + "_port": port for name, port in self.ports.items()}
        workers = "user = nobody" if self.kind == "user" else "workers = 2"
        daemon.replace(self.path("conf"),
                       text.format(address=self.address, directory=self.directory.name,
                                   workers=workers, **words))

    # Its start

    def _environment(self):
        # After a change of user, a process cannot read its own memory.
        leaks = 0 if self.kind == "user" else 1
        sanitizers = (f"log_path={self.path('sanitizer')}:exitcode={SANITIZER_STATUS}:"
                      f"detect_leaks={leaks}:verify_asan_link_order=0")
        return {"PATH": os.environ["PATH"], "LD_PRELOAD": self.shim,
                "TORTURE_PAGE": self.page.path, "NOTIFY_SOCKET": self.path("notify"),
                "WATCHDOG_USEC": "1000000",
                "ASAN_OPTIONS": sanitizers, "UBSAN_OPTIONS": sanitizers}

    def _sockets(self):
        """The passed sockets, by the names of listeners."""
        sockets = [("main", socket.create_server(self.place("main"))),
                   ("main", socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
                   ("main", socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
                   ("once", socket.create_server(self.place("once"))),
                   ("metrics", socket.create_server(self.place("metrics")))]
        sockets[1][1].bind(self.place("main"))
        sockets[2][1].bind(self.path("stream"))
        sockets[2][1].listen()
        return sockets

    def _leave_stale_socket(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.bind(self.path("stream"))
        os.chmod(self.path("stream"), 0o777)

    def start(self):
        sockets = self._sockets() if self.kind == "handed" else []
        if not sockets:
            self._leave_stale_socket()
        self.run([self.program, "-v", "-c", self.path("conf")], [sock for _, sock in sockets],
                 [name for name, _ in sockets], self._environment(),
                 self.gate.install if self.gate else None, stdout=subprocess.DEVNULL,
                 stderr=subprocess.PIPE)
        for _, sock in sockets:
            sock.close()
        os.set_blocking(self.process.stderr.fileno(), False)

    # Its log and notifications

    def listen(self):
        """Reads its log and its notifications."""
        self.log += self.process.stderr.read() or b""
        try:
            while True:
                self.notified += self.notify.recv(4096)
        except BlockingIOError:
            pass

    def logged(self, word):
        """Number of times it has logged WORD."""
        self.listen()
        return self.log.count(word)

    def ready(self):
        """Number of READY=1 notifications."""
        self.listen()
        return self.notified.count(b"READY=1")

    def until(self, condition, what, seconds=LIMIT):
        try:
            daemon.until(condition, what, seconds)
        except AssertionError as late:
            raise Bad(str(late)) from None

    # Its end

    def reports(self):
        """Findings of the sanitizers."""
        names = (name for name in os.listdir(self.directory.name) if name.startswith("sanitizer"))
        return "".join(open(self.path(name), errors="replace").read() for name in names)

    def clear(self):
        """Kills it if it still runs, and removes everything."""
        self.kill()
        if self.process:
            self.process.stderr.close()
        self.notify.close()
        if self.gate:
            self.gate.end()
        self.directory.cleanup()

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A daemon under test, for the lab, torture, valgrind and the nightly scripts: its file, the sockets
that are passed to it, its signals, and what its log and /proc say of it."""

import os
import re
import signal
import subprocess
import time


def check(truth, what):
    """An assertion with a message, which -O does not remove."""
    if not truth:
        raise AssertionError(what)


def until(condition, what, seconds=5):
    """Polls until CONDITION is true, and returns what it returned."""
    end = time.monotonic() + seconds
    pause = 0.0005
    while not (value := condition()):
        check(time.monotonic() < end, f"waited {seconds} s in vain: {what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    return value


def replace(path, text):
    """Writes a file that nobody sees half written."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def pass_sockets(sockets, names=()):
    """In the child, right before exec: as a service manager does."""
    for number, sock in enumerate(sockets, 3):
        os.dup2(sock.fileno(), number)
    if sockets:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(sockets))
    if names:
        os.environ["LISTEN_FDNAMES"] = ":".join(names)


class Daemon:
    """A process; one whose standard error is the file log_path."""

    process = None
    log_path = None

    def run(self, command, sockets=(), names=(), environment=None, prepare=None, **streams):
        """ENVIRONMENT is all of it, if given; PREPARE is called in the child, right before exec."""
        def become():
            if environment:
                os.environ.clear()
                os.environ.update(environment)
            pass_sockets(sockets, names)
            if prepare:
                prepare()

        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        close_fds=not sockets, preexec_fn=become, **streams)
        self.pid = self.process.pid

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def lines(self, text):
        """Log lines that contain TEXT."""
        return [line for line in self.log().splitlines() if text in line]

    def wait_log(self, pattern, seconds=10):
        """Waits for PATTERN in its log, and returns the match."""
        def match():
            found = re.search(pattern, self.log())
            check(found or not self.ended(), f"no {pattern} at its end: {self.log()}")
            return found
        return until(match, f"{pattern} in {self.log_path}", seconds)

    def ended(self):
        return not self.process or self.process.poll() is not None

    def signal(self, number):
        if not self.ended():
            self.process.send_signal(number)

    def kill(self):
        if not self.ended():
            self.signal(signal.SIGKILL)
            self.process.wait()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """Of its threads that are left."""
        folder = f"/proc/{self.pid}/task"
        total = 0
        for thread in os.listdir(folder):
            with open(f"{folder}/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self):
        """Resident anonymous memory in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read())[1]) * 1024

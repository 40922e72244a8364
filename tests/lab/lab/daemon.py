# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A running echod: start it, read its counters and memory, stop it."""

import os
import re
import signal
import subprocess

from .basics import check, until

SERVER_KEYS = {"workers", "log_level", "user", "max_clients", "drain_timeout", "metrics"}
started = 0


def config_text(address="*:0", more="", **settings):
    """A configuration with one listener; each setting goes into its section."""
    lines = {True: [], False: []}
    for key, value in settings.items():
        lines[key in SERVER_KEYS].append(f"{key} = {value}\n")
    return ("[server]\n" + "".join(lines[True]) + f"[listener lab]\naddress = {address}\n"
            + "".join(lines[False]) + more)


class Echod:
    """An echod on HOST. SOCKETS are passed to it as a service manager does."""

    def __init__(self, host, sockets=(), **settings):
        global started
        started += 1
        self.config = os.path.abspath(f"echod-{started}.conf")
        self.log_path = os.path.abspath(f"echod-{started}.log")
        self.configure(**settings)
        self.answers = 0

        def prepare():
            for number, sock in enumerate(sockets, 3):
                os.dup2(sock.fileno(), number)
            if sockets:
                os.environ["LISTEN_PID"] = str(os.getpid())
                os.environ["LISTEN_FDS"] = str(len(sockets))

        with host, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([os.environ["ECHOD"], "-c", self.config], stderr=log,
                                            close_fds=not sockets, preexec_fn=prepare)
        self.pid = self.process.pid
        text = until(lambda: self._text_once_listening(), f"start: {self.log()}", 10)
        self.port = int(re.search(r"listening on \w+ \S+:(\d+)", text)[1])

    def _text_once_listening(self):
        text = self.log()
        check(self.process.poll() is None, f"echod ended with {self.process.returncode}: {text}")
        return "listening on" in text and text

    def configure(self, **settings):
        """Writes the file; reload() applies it."""
        with open(self.config + ".new", "w") as file:
            file.write(config_text(**settings))
        os.rename(self.config + ".new", self.config)

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def lines(self, text):
        """Log lines that contain TEXT."""
        return [line for line in self.log().splitlines() if text in line]

    def figures(self):
        """All counters by name, from the line that SIGUSR1 logs."""
        self.signal(signal.SIGUSR1)
        until(lambda: len(self.lines("tcp_connections=")) > self.answers, "the counters")
        self.answers += 1
        line = self.lines("tcp_connections=")[self.answers - 1]
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}

    def reload(self, good=True):
        """Reloads with SIGHUP, and returns whether that succeeded."""
        words = ("notice: reloaded", "reload failed:")
        before = [len(self.lines(word)) for word in words]
        self.signal(signal.SIGHUP)
        until(lambda: sum(len(self.lines(word)) for word in words) > sum(before), "the reload")
        return len(self.lines(words[0 if good else 1])) > before[0 if good else 1]

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=15):
        """Stops with SIGTERM, and checks that the exit status is 0."""
        self.signal(signal.SIGTERM)
        self.ended(seconds)

    def ended(self, seconds=15):
        until(lambda: self.process.poll() is not None, "the end of echod", seconds)
        check(self.process.returncode == 0, f"exit {self.process.returncode}: {self.log()}")

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident anonymous memory in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read())[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A running echod: its file, its counters, its reloads, its end."""

import os
import re
import signal

import daemon
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


class Echod(daemon.Daemon):
    """An echod on HOST. SOCKETS are passed to it as a service manager does."""

    def __init__(self, host, sockets=(), **settings):
        global started
        started += 1
        self.config = os.path.abspath(f"echod-{started}.conf")
        self.log_path = os.path.abspath(f"echod-{started}.log")
        self.configure(**settings)
        self.answers = 0
        with host, open(self.log_path, "wb") as log:
            self.run([os.environ["ECHOD"], "-c", self.config], sockets, stderr=log)
        self.port = int(self.wait_log(r"listening on \w+ \S+:(\d+)")[1])

    def configure(self, **settings):
        """Writes the file; reload() applies it."""
        daemon.replace(self.config, config_text(**settings))

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

    def stop(self, seconds=15):
        """Stops with SIGTERM, and checks that the exit status is 0."""
        self.signal(signal.SIGTERM)
        self.wait(seconds)

    def wait(self, seconds=15):
        until(self.ended, "the end of echod", seconds)
        check(self.process.returncode == 0, f"exit {self.process.returncode}: {self.log()}")

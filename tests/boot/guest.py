# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A booted Debian. Commands are run and sockets opened from outside, through its namespaces, so
that it contains nothing that an operator's machine would not."""

import ctypes
import os
import signal
import subprocess

import debian
from lab.basics import check, until

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def _call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _read(path):
    with open(path) as file:
        return file.read()


class ControlGroup:
    """The control group of all processes of a guest. On a host with both versions there is a second
    tree, to which systemd-nspawn copies the first."""

    def __init__(self, name):
        self.trees = []
        for _, point, kind, options, *_ in map(str.split, _read("/proc/mounts").splitlines()):
            if kind == "cgroup2":
                self.trees.insert(0, f"{point}/{name}")
            elif kind == "cgroup" and "name=systemd" in options:
                self.trees.append(f"{point}/{name}")

    def __enter__(self):
        os.mkdir(self.trees[0])
        return self

    def join(self):
        with open(f"{self.trees[0]}/cgroup.procs", "w") as file:
            file.write("0")

    def __exit__(self, *_):
        with open(f"{self.trees[0]}/cgroup.kill", "w") as file:
            file.write("1")
        until(self._removed, "the end of all processes", 20)

    def _removed(self):
        try:
            for tree in self.trees:
                for path, _, _ in os.walk(tree, topdown=False):
                    os.rmdir(path)
        except OSError:  # still has processes
            return False
        return True


class Guest:
    """In `with guest:` sockets are opened inside the guest; see also lab.talk."""

    def __init__(self, root):
        self.root = root
        debian.copy(root)
        self.outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.boot()

    def boot(self):
        self.console = open(f"{self.root}.console", "ab")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", self.root, "-b", "--register=no", "--keep-unit",
             "--private-network"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        self.leader = until(self._leader, "a first process inside", 20)
        until(lambda: self.state() in ("running", "degraded"), "the end of the boot", 60)

    def _leader(self):
        pid = self.nspawn.pid
        check(self.nspawn.poll() is None, f"no boot: {self.console_text()}")
        for child in _read(f"/proc/{pid}/task/{pid}/children").split():
            try:
                if _read(f"/proc/{child}/comm") == "systemd\n":
                    return int(child)
            except OSError:  # it has already exited
                pass
        return None

    def console_text(self):
        return _read(self.console.name)

    def state(self):
        return self.run("systemctl", "is-system-running", good=None).strip()

    # Commands.

    def command(self, *words):
        return ["nsenter", "-t", str(self.leader), "-a", "env", "-i",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *words]

    def start(self, *words, **how):
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **how)

    def signal(self, process, number):
        """Signals the process that start() has started; start()'s own process only waits."""
        for child in _read(f"/proc/{process.pid}/task/{process.pid}/children").split():
            os.kill(int(child), number)

    def run(self, *words, good=True, input=None, seconds=30):
        """Runs a command and returns its output; GOOD is the required exit status, None: any."""
        done = subprocess.run(self.command(*words), input=input or "", stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if good is not None:
            check((done.returncode == 0) == good,
                  f"{' '.join(words)}: exit {done.returncode}: {done.stdout}")
        return done.stdout

    def systemctl(self, *words, good=True):
        return self.run("systemctl", *words, good=good)

    def show(self, unit, key):
        return self.systemctl("show", "-P", key, unit).strip()

    def journal(self, unit="echod*", *more):
        return self.run("journalctl", "--no-pager", "--quiet", "-o", "cat", "-n", "40", "-u", unit,
                        *more, good=None)

    # Files.

    def read(self, path):
        return _read(self.root + path)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as file:
            file.write(text)

    def exists(self, path):
        return os.path.lexists(self.root + path)

    # Processes: their IDs differ inside.

    def outside_pid(self, inside):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                numbers = next(line.split()[1:] for line in open(f"/proc/{pid}/status")
                               if line.startswith("NSpid:"))
            except OSError:
                continue
            if len(numbers) == 2 and numbers[1] == str(inside):
                return int(pid)
        return None

    def main_pid(self, unit):
        """The main process of UNIT, by its ID outside."""
        return self.outside_pid(self.show(unit, "MainPID"))

    # Sockets.

    def __enter__(self):
        namespace = os.open(f"/proc/{self.leader}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _call(libc.setns(namespace, CLONE_NEWNET))
        os.close(namespace)
        return self

    def __exit__(self, *_):
        _call(libc.setns(self.outside, CLONE_NEWNET))

    def power_off(self):
        try:
            self.run("systemctl", "poweroff", good=None, seconds=10)
            self.nspawn.wait(20)
        except subprocess.TimeoutExpired:
            os.kill(self.leader, signal.SIGKILL)
            self.nspawn.wait()

    def end(self):
        if self.nspawn.poll() is None:
            self.power_off()

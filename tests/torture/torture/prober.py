# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Runs of an echoc in which something fails, against an echod in which nothing does.

A run is good if echoc exits with 0 and its result says that all came back, or with 1 or 2 and says
why. A crash, a leak, a hang, silence and a success that is none are bad.
"""

import collections
import json
import os
import subprocess
import tempfile

from .calls import Call
from .daemon import SANITIZER_STATUS, Bad, daemon, free_ports
from .faults import FOR_EVER, NEVER, Gate, Page

LIMIT = 30      # seconds for a run; the last replies of a bench are awaited for five
STEP_SHORT = 9  # the short form fails one allocation in STEP_SHORT
SHORT, LONG = 2, 20  # moments at which a call or a lasting failure begins, in each form
TEXT = "bytes that come back"
SERVED = """\
[server]
workers = 1
[listener all]
address = {address}:{port}
address = unix:{directory}/stream
address = unixgram:{directory}/datagram
udp_rate = 0
[listener stamp]
address = {address}:{stamp_port}
mode = stamp
stamp_sessions = 64
udp_rate = 0
allow = 0.0.0.0/0
"""


def of_output(descriptor, *_):
    return descriptor == 1


def of_input(descriptor, *_):
    return descriptor == 0


CALLS = [
    Call("socket", "EACCES EAFNOSUPPORT EMFILE ENFILE ENOBUFS ENOMEM"),
    Call("bind", "EACCES EADDRINUSE EADDRNOTAVAIL EINVAL ENOMEM"),
    Call("connect", "EACCES EADDRNOTAVAIL EAGAIN ECONNREFUSED EINTR ENETUNREACH EPERM ETIMEDOUT"),
    Call("setsockopt", "EINVAL ENOBUFS ENOMEM ENOPROTOOPT EPERM"),
    Call("getsockopt", "EINVAL ENOBUFS ENOPROTOOPT EPERM"),
    Call("getsockname", "EINVAL ENOBUFS"),
    Call("poll", "EINVAL ENOMEM"),
    Call("poll", "EINTR", ways=["once"]),
    Call("sendto", "EACCES EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR EMSGSIZE ENOBUFS "
                   "ENOMEM EPERM EPIPE"),
    Call("recvfrom", "EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENOMEM ETIMEDOUT"),
    Call("sendmsg", "EAGAIN ECONNRESET EINTR ENOBUFS ENOMEM EPIPE"),
    Call("recvmsg", "EAGAIN ECONNREFUSED ECONNRESET EHOSTUNREACH EINTR ENOMEM ETIMEDOUT"),
    Call("sendmmsg", "EAGAIN ECONNREFUSED EINTR EINVAL EIO EMSGSIZE ENOBUFS ENOMEM EPERM"),
    Call("recvmmsg", "EAGAIN ECONNREFUSED EHOSTUNREACH EINTR ENOMEM"),
    Call("shutdown", "ENOTCONN"),
    Call("ioctl", "EINVAL ENOTTY"),
    Call("epoll_create1", "EINVAL EMFILE ENFILE ENOMEM"),
    Call("epoll_ctl", "ENOMEM ENOSPC EPERM"),
    Call("epoll_wait", "EBADF EINVAL"),
    Call("epoll_wait", "EINTR", ways=["once"]),
    Call("timerfd_create", "EINVAL EMFILE ENFILE ENOMEM"),
    Call("eventfd2", "EINVAL EMFILE ENFILE ENOMEM"),
    Call("pipe2", "EINVAL EMFILE ENFILE"),
    Call("socketpair", "EMFILE ENFILE ENOMEM"),
    Call("rt_sigaction", "EINVAL"),
    Call("getrandom", "EAGAIN EINTR ENOSYS"),
    Call("clone3", "EAGAIN EINVAL ENOMEM EPERM", plain=True),
    Call("mmap", "EAGAIN ENFILE ENOMEM EPERM", plain=True),
    Call("mprotect", "EACCES ENOMEM", plain=True),
    Call("prlimit64", "EINVAL EPERM"),
    Call("fcntl", "EBADF EINVAL"),
    Call("newfstatat", "EACCES EIO ENOMEM"),
    Call("read", "EIO", of_input, "of the input"),
    Call("read", "EAGAIN EINTR", of_input, "of the input", ways=["once"]),
    Call("write", "EAGAIN EIO ENOSPC", of_output, "of a result"),
    Call("write", "EINTR", of_output, "of a result", ways=["once"]),
]

PING = ["-c", "3", "-i", "5ms", "-W", "300ms"]
FLOWS = ["-n", "3", "-r", "300", "-d", "30ms", "-W", "300ms"]
MARKS = ["--dscp", "0,ef", "-c", "1", "-i", "1ms", "-W", "300ms"]
IDLE = ["--fresh", "--up-to", "1s"]
# Name, what kind of result it has, arguments; {tcp} stands for the address, and so on.
RUNS = [
    ("ping tcp", "text", ["ping", *PING, "{ip}"]),
    ("ping udp", "text", ["ping", "-u", "-v", *PING, "--report", "8ms", "{ip}"]),
    ("ping options", "json", ["ping", "--json", *PING, "-Q", "ef", "--ttl", "9", "-I", "lo", "{ip}"]),
    ("ping unixgram", "json", ["ping", "--json", *PING, "unixgram:{directory}/datagram"]),
    ("bench tcp", "json", ["bench", "--json", "-d", "40ms", "-c", "3", "-j", "2", "{ip}"]),
    ("bench tcp large", "json", ["bench", "--json", "-d", "20ms", "-s", "100k", "{ip}"]),
    ("bench udp", "json", ["bench", "--json", "-u", "-d", "40ms", "-r", "2000", "{ip}"]),
    ("bench trains", "json", ["bench", "--json", "-u", "-g", "-d", "20ms", "-p", "8", "{ip}"]),
    ("bench connect", "json", ["bench", "--json", "--connect", "-d", "40ms", "-c", "2", "{ip}"]),
    ("bench table", "table", ["bench", "-d", "20ms", "unix:{directory}/stream"]),
    ("flows udp", "json", ["flows", "--json", *FLOWS, "-I", "{address}", "{ip}"]),
    ("flows tcp", "json", ["flows", "--json", "-t", *FLOWS, "{ip}"]),
    ("mtu udp", "mtu", ["mtu", "-W", "300ms", "{ip}"]),
    ("mtu tcp", "mtu", ["mtu", "-t", "-W", "300ms", "{ip}"]),
    ("flows text", "flows", ["flows", *FLOWS, "{ip}"]),
    ("ping stamp", "json", ["ping", "--json", "--stamp", *PING, "{stamp}"]),
    ("marks", "marks", ["marks", "--json", *MARKS, "{stamp}"]),
    ("marks text", "marks text", ["marks", *MARKS, "{stamp}"]),
    ("send tcp", "echo", ["send", "-w", "300ms", "{ip}"]),
    ("send udp", "echo", ["send", "-u", "-w", "300ms", "-I", "{address}", "{ip}"]),
    ("send text", "echo", ["send", "-w", "300ms", "{ip}", TEXT]),
]
# As above, for the long form only, but with the moments of the short one: each run takes a second.
SLOW_RUNS = [
    ("idle udp", "idle", ["idle", "--json", *IDLE, "{ip}"]),
    ("idle tcp", "idle", ["idle", "--json", "-t", *IDLE, "{ip}"]),
    ("idle stamp", "idle text", ["idle", *IDLE, "{stamp}"]),
]


class Server(daemon.Daemon):
    """An echod for the runs of a group."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="torture-")
        address, (port, stamp_port) = free_ports(2)
        self.words = {"address": address, "port": port, "ip": f"{address}:{port}",
                      "stamp_port": stamp_port, "stamp": f"{address}:{stamp_port}",
                      "directory": self.directory.name}
        self.log_path = os.path.join(self.directory.name, "log")
        with open(os.path.join(self.directory.name, "conf"), "w") as file:
            file.write(SERVED.format(**self.words))
        with open(self.log_path, "w") as log:
            self.run([os.environ["ECHOD_PLAIN"], "-c", file.name], stderr=log)
        self.wait_log("listening on .*datagram")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.directory.cleanup()


class Prober:
    """One run of an echoc. REFUSALS: the system calls that are counted; none: allocations are."""

    def __init__(self, server, arguments, plain, refusals, first=NEVER, way="once"):
        self.directory = tempfile.TemporaryDirectory(prefix="torture-")
        self.page = Page(os.path.join(self.directory.name, "page"))
        gate = Gate(refusals, self.page) if refusals else None
        self.fault = refusals[0] if refusals else self.page.allocation
        self.fault.arm(first, first if way == "once" else FOR_EVER)
        program = os.environ["ECHOC_PLAIN" if plain else "ECHOC"]
        command = [program, *(word.format(**server.words) for word in arguments)]
        try:
            done = subprocess.run(command, input=TEXT.encode(), capture_output=True,
                                  timeout=LIMIT, env=self._environment(),
                                  preexec_fn=gate and gate.install)
        except subprocess.TimeoutExpired as late:
            raise Bad(f"hangs; it wrote {late.stdout} {late.stderr}") from None
        finally:
            if gate:
                gate.end()
        self.status = done.returncode
        self.output = done.stdout.decode(errors="replace")
        self.errors = done.stderr.decode(errors="replace")
        self.reports = self._reports()
        self.directory.cleanup()

    def _environment(self):
        sanitizers = (f"log_path={os.path.join(self.directory.name, 'sanitizer')}:"
                      f"exitcode={SANITIZER_STATUS}:detect_leaks=1:verify_asan_link_order=0")
        # The locale is C: glibc 2.36 leaks the name of another one if it runs out of memory.
        return {"PATH": os.environ["PATH"], "LD_PRELOAD": os.environ["TORTURE_SHIM"],
                "TORTURE_PAGE": self.page.path, "LC_ALL": "C",
                "ASAN_OPTIONS": sanitizers, "UBSAN_OPTIONS": sanitizers}

    def _reports(self):
        names = (name for name in os.listdir(self.directory.name) if name.startswith("sanitizer"))
        return "".join(open(os.path.join(self.directory.name, name), errors="replace").read()
                       for name in names)

    def wrote(self):
        return f"exit {self.status}\n{self.output[-400:]}\n{self.errors[-400:]}\n{self.reports}"


def summary_of(output):
    """Every line of JSON output must be an object; the last one is the summary."""
    objects = [json.loads(line) for line in output.splitlines()]
    return objects[-1] if objects and objects[-1]["type"] == "summary" else {}


def is_success(kind, output):
    """Whether the result says that everything came back, and is whole."""
    if kind == "echo":
        return output == TEXT
    if kind == "text":
        return "3 sent, 3 received, 0 lost (0.0%)" in output and "jitter (RFC 3550) = " in output
    if kind == "mtu":
        return output.count("\n") == 3 and "\nthere " in output and "\nback " in output
    if kind == "flows":
        return "No flow lost anything." in output
    if kind == "table":
        return "echoc used" in output and "corrupt                       0" in output
    if kind == "idle text":
        return "silent     1.0 s: kept" in output and "No flow was forgotten" in output
    if kind == "marks text":
        return "DSCP back: 2 of 2 unchanged" in output and "5 sent, 5 received" in output
    books = summary_of(output)
    if kind == "idle":
        # A failed recvfrom may look like a reset.
        return books.get("complete") and books["answered"] == 1 and \
            1 in (books["kept_s"], books["forgotten_s"])
    if kind == "marks":
        return books.get("received") == books.get("sent") == 5 and books["l4s_there"] and \
            not books["marks_changed_there"] and not books["marks_changed_back"]
    return books.get("received", 0) > 0 and books["sent"] == books["received"] and \
        not any(books[name] for name in ("lost", "corrupt", "truncated"))


def judge(prober, kind):
    """The outcome in a word or two."""
    if prober.reports:
        raise Bad("a sanitizer's report")
    if prober.status not in (0, 1, 2):
        raise Bad("crashed")
    if prober.status != 0:
        if not prober.errors and (kind == "echo" or not prober.output):
            raise Bad("no reason")
        return "could not start" if prober.status == 2 else "something was lost"
    try:
        good = is_success(kind, prober.output)
    except ValueError:
        good = False
    if not good:
        raise Bad("success, but the result is none")
    return "went well"


class Command:
    """Runs of one command in which something fails, each time something else or at another time."""

    kind = "own"

    def __init__(self, title, result, arguments, place, long):
        self.name = f"echoc {title}"
        self.result = result
        self.arguments = arguments
        self.place = place
        self.long = long

    def _clean(self, server, refusals):
        prober = Prober(server, self.arguments, bool(refusals), refusals)
        if judge(prober, self.result) != "went well":
            raise Bad("fails by itself\n" + prober.wrote())
        return prober

    def _moments(self, count):
        """Which of COUNT calls may be the first to fail."""
        return range(1, count + 1, max(1, -(-count // (LONG if self.long else SHORT))))

    def _strikes(self, server):
        """(call, error, first, way); the short form takes the errors of a call in turn."""
        count = self._clean(server, []).fault.count
        for first in range(1, count + 1, 1 if self.long else STEP_SHORT):
            yield None, None, first, "once"
        for first in self._moments(count):
            yield None, None, first, "for good"
        refusals = [call.refusal() for call in CALLS]
        self._clean(server, refusals)
        for call, refusal in zip(CALLS, refusals):
            errors = call.errors if self.long else [call.errors[self.place % len(call.errors)]]
            for error in errors:
                for way in call.ways or ("once", "for good"):
                    for first in self._moments(refusal.count):
                        yield call, error, first, way

    def _outcome(self, server, call, error, first, way):
        refusals = [call.refusal(error)] if call else []
        prober = None
        try:
            prober = Prober(server, self.arguments, call and call.plain, refusals, first, way)
            outcome = judge(prober, self.result)
            return outcome if prober.fault.failed else "not reached"
        except Bad as reason:
            wrote = prober.wrote() if prober else ""
            what = f"{call.title} {error}" if call else "allocation"
            raise Bad(f"{what}, call {first}, {way}: {reason}\n{wrote}".rstrip()) from None

    def run(self, _clean):
        outcomes, wrong = collections.Counter(), []
        with Server() as server:
            try:
                strikes = list(self._strikes(server))
            except Bad as reason:
                return collections.Counter({"BAD": 1}), [str(reason)]
            for strike in strikes:
                try:
                    outcomes[self._outcome(server, *strike)] += 1
                except Bad as reason:
                    outcomes["BAD"] += 1
                    wrong.append(str(reason))
        return outcomes, wrong


def all_commands(long):
    runs = [Command(*run, place, long) for place, run in enumerate(RUNS)]
    return runs + [Command(*run, place, False) for place, run in enumerate(SLOW_RUNS) if long]

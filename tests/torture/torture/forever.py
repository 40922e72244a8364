# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A system call that is refused for ever, as a system call filter may do it.

The refusal starts when everything is served and clients of every kind are active. Whatever echod
cannot do then, it must not spin, and must log the reason. When the refusal ends the counters must
balance, and when it starts again echod must stop when signalled.
"""

import collections
import os
import re
import signal
import socket
import time

from . import client
from .calls import of_counter, to_client, to_manager
from .daemon import Bad, Daemon
from .faults import FOR_EVER, NEVER, Refusal
from .life import FIRST, SECOND

ERRORS = ("EPERM", "ENOSYS", "EIO", "ENOMEM")
SETTLE = 0.5       # seconds until pending work is done
WATCH = 1.0        # seconds without new requests
BUSY = 0.2         # seconds of CPU time it may use meanwhile
REFUSALS_MAX = 1500  # 64 for each attempt to accept, at most ten attempts a second


class Lasting:
    """A call, if CONCERNS returns true. SAYS: the log must give the reason; STOPS: echod can be
    stopped without it; BESIDE: another call to refuse, without which this one is never made."""

    def __init__(self, name, concerns=None, note="", says=True, stops=True, beside=None):
        self.name = name
        self.concerns = concerns
        self.title = f"{name} {note}".rstrip()
        self.says = says
        self.stops = stops
        self.beside = beside


LASTING = [
    Lasting("accept4"),
    Lasting("recvfrom"),
    Lasting("sendto", to_client, "to a client"),
    Lasting("shutdown", says=False),  # close ends the connection, too
    Lasting("ioctl", says=False),  # bytes unread; if unknown, none is assumed
    Lasting("recvmmsg"),
    Lasting("sendmmsg"),
    Lasting("sendmsg", beside="sendmmsg"),  # the pieces of a train
    Lasting("epoll_ctl"),
    Lasting("epoll_wait"),
    Lasting("read", of_counter, "of an eventfd"),
    # Threads cannot be woken then; the supervisor has to kill it.
    Lasting("write", of_counter, "to an eventfd", stops=False),
    Lasting("setsockopt"),
    Lasting("getsockopt", says=False),  # kernel drops; their count stays unchanged
    Lasting("bind"),
    Lasting("openat"),
    Lasting("sendto", to_manager, "to the manager"),
    Lasting("pwritev2", says=False),  # the log itself
]


def ignore_failure(function, *arguments):
    try:
        return function(*arguments)
    except OSError:
        return None


def total(page, family):
    """Of all counters of FAMILY on a page of metrics."""
    return sum(int(line.rsplit(" ", 1)[1]) for line in page.splitlines()
               if re.match(rf"echod_{family}[ {{]", line))


def adds_up(page):
    """What came is what went and what was left out, and no client is connected."""
    return (total(page, "tcp_connections") == 0
            and total(page, "tcp_accepted_total") == total(page, "tcp_closed_total") > 0
            and total(page, "udp_received_datagrams_total")
            == total(page, "udp_echoed_datagrams_total")
            + total(page, "udp_dropped_datagrams_total"))


class ForEver:
    """A group like those of groups.py, with a single life."""

    kind = "own"

    def __init__(self, call, error):
        self.name = f"{call.title} {error} for ever"
        self.call = call
        self.error = error

    def run(self, _clean):
        self.daemon = Daemon(os.environ["ECHOD_PLAIN"], os.environ["TORTURE_SHIM"])
        self.refusal = Refusal(self.call.name, self.call.concerns, self.error)
        self.refusals = [self.refusal]
        if self.call.beside:
            self.refusals.append(Refusal(self.call.beside))
        self.clients = []
        try:
            return collections.Counter([self._live()]), []
        except (Bad, OSError) as reason:
            self.daemon.listen()
            log = self.daemon.log.decode(errors="replace").splitlines()
            return collections.Counter(["BAD"]), ["\n".join([str(reason)] + [line[:160] for line in log[-6:]])]
        finally:
            self._disconnect()
            self.daemon.clear()

    def _live(self):
        """Returns the outcome."""
        daemon, refusal = self.daemon, self.refusal
        daemon.refuse(self.refusals)
        daemon.configure(FIRST)
        daemon.start()
        daemon.until(daemon.ready, "its start")
        self._connect()
        self._arm(1, FOR_EVER)
        self._keep_busy()
        time.sleep(SETTLE)
        self._must_not_spin()
        if not refusal.failed:
            raise Bad("that call is never made")
        if self.call.says:
            self._must_say(os.strerror(refusal.error))
        if not daemon.ended():
            self._arm(NEVER, NEVER)
            self._must_add_up()
            self._connect()
            self._arm(1, FOR_EVER)
        return self._stop()

    def _must_say(self, reason):
        """As long as there is something to say it of: datagrams may not have been refused yet."""
        def said():
            if not self.daemon.logged(reason.encode()):
                self._send_datagrams(socket.AF_INET, self.daemon.place("main"))
            return self.daemon.logged(reason.encode())
        if self.daemon.ended() and not said():
            raise Bad(f"not a word of {reason}")
        self.daemon.until(said, f"a word of {reason}")

    def _arm(self, first, last):
        for refusal in self.refusals:
            refusal.arm(first, last)

    def _disconnect(self):
        for sock in self.clients:
            sock.close()
        self.clients = []

    def _must_add_up(self):
        """Soon: what was put off meanwhile is done first."""
        page = ""

        def settled():
            nonlocal page
            page = ignore_failure(client.page_of, self.daemon.place("metrics"), "metrics") or ""
            return adds_up(page)
        self._disconnect()
        client.patience = 1
        try:
            self.daemon.until(settled, "counters that add up")
        except Bad as reason:
            counters = [line for line in page.splitlines() if re.match("echod_(tcp|udp)", line)]
            raise Bad("\n".join([str(reason)] + counters)) from None

    def _connect(self):
        """Before the refusal starts."""
        for _ in range(4):
            sock = client.stream(self.daemon.place("main"))
            self.clients.append(sock)
            client.exchange(sock)

    def _keep_busy(self):
        """A client that sends, one that closes, one that does not read; and new ones."""
        asks, ends, deaf, _ = self.clients
        ignore_failure(asks.sendall, b"hello")
        ignore_failure(ends.shutdown, socket.SHUT_WR)
        deaf.setblocking(False)
        while ignore_failure(deaf.send, client.MUCH):
            pass
        client.patience = 0.1
        for place in (self.daemon.place("main"), self.daemon.path("stream"),
                      self.daemon.place("metrics")):
            if sock := ignore_failure(client.stream, place):
                self.clients.append(sock)
                ignore_failure(sock.sendall, b"GET / HTTP/1.0\r\n\r\n")
        self._send_datagrams(socket.AF_INET, self.daemon.place("main"))
        self._send_datagrams(socket.AF_UNIX, self.daemon.path("datagrams"))
        self.daemon.signal(signal.SIGUSR1)
        self.daemon.configure(SECOND)
        self.daemon.signal(signal.SIGHUP)

    def _send_datagrams(self, family, place):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        self.clients.append(sock)
        if family == socket.AF_UNIX:
            sock.bind("")
        for _ in range(3):
            ignore_failure(sock.sendto, b"hello", place)
        if family == socket.AF_INET:
            ignore_failure(client.send_train, sock, place)

    def _must_not_spin(self):
        if self.daemon.ended():
            return
        refused, ran = self.refusal.failed, self.daemon.cpu_seconds()
        time.sleep(WATCH)
        if self.daemon.ended():
            return
        refused, ran = self.refusal.failed - refused, self.daemon.cpu_seconds() - ran
        if refused > REFUSALS_MAX or ran > BUSY:
            raise Bad(f"spins: {refused} calls refused and {ran:.2f} s run in {WATCH:.0f} s")

    def _stop(self):
        if self.daemon.ended():
            if self.daemon.process.returncode != 1:
                raise Bad(f"gave up with exit {self.daemon.process.returncode}")
            return "gave up"
        self.daemon.signal(signal.SIGTERM)
        if self.call.stops:
            self.daemon.until(self.daemon.ended, "its stop")
            if self.daemon.process.returncode not in (0, 1):
                raise Bad(f"stopped with exit {self.daemon.process.returncode}")
        return "went on"


def all_for_ever(long):
    """In the short form, each call with one of its errors."""
    return [ForEver(call, error) for number, call in enumerate(LASTING)
            for error in (ERRORS if long else [ERRORS[number % len(ERRORS)]])]

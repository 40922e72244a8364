# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""One life: start, echo over every protocol, good and bad reloads, echo, stop; was it good?

Whatever fails meanwhile, it is good if echod either refused to start and logged why, or served
again once the failure was over, and then stopped properly. A crash, a leak, a hang and an exit
without a message are bad.
"""

import signal
import time

from . import client
from .daemon import Bad
from .faults import FOR_EVER, NEVER

REFUSALS = (1, 2, 4, 6)
FAILURE = 1
PATIENCE = 5  # seconds until service must be back
QUIET = 0.05  # seconds without requests

FIRST = """\
[server]
{workers}
metrics = {address}:{metrics_port}
drain_timeout = 1s
[defaults]
allow = 127.0.0.0/8
deny = 127.99.0.0/16 127.98.0.0/16
[listener main]
address = {address}:{main_port}
address = unix:{directory}/stream
address = unixgram:{directory}/datagrams
max_clients_per_ip = 100
[listener once]
address = {address}:{once_port}
protocol = tcp
greeting = hello
reply_once = yes
proxy_from = 127.0.0.0/8
[listener plus]
address = {address}:{plus_port}
mode = echoplus
stamp_sessions = 1000
[listener stamp]
address = {address}:{stamp_port}
mode = stamp
stamp_sessions = 64
stamp_key = {directory}/key
"""
SECOND = FIRST.replace("address = unixgram:{directory}/datagrams\n", "reflect_dscp = yes\n"
                       ).replace("1000\n", "2000\n") + """\
[listener late]
address = {address}:{late_port}
address = unix:{directory}/late
"""
BROKEN = FIRST + "unknown = yes\nport = 7\n"

WAYS = ("once", "for a while", "for good")


class Life:
    """A life of a DAEMON in which FAULT occurs from call FIRST on, in one of WAYS.

    DESCRIPTORS: the most it may have at the end. QUIET: without requests it must not use CPU time,
    not even during the failure. MAY_END: it may exit, with a message.
    """

    def __init__(self, daemon, fault, first=NEVER, way="once", descriptors=None, quiet=False,
                 may_end=True):
        self.daemon = daemon
        self.fault = fault
        self.way = way
        self.descriptors = descriptors
        self.quiet = quiet
        self.may_end = may_end
        self.lasting = None
        self.reloads = 0
        fault.arm(first, first if way == "once" else FOR_EVER)

    # Its service

    def _places(self, late):
        """The requests, and their addresses."""
        daemon = self.daemon
        handed = daemon.kind == "handed"
        places = [(client.everywhere, daemon.place("main")),
                  (client.echo, daemon.place("main")), (client.echo, daemon.path("stream")),
                  (client.datagrams, daemon.place("main")),
                  (client.one_reply, daemon.place("once")), (client.page, daemon.place("metrics"))]
        if not handed:
            places += [(client.stamp, daemon.place("stamp"))]
        if late and not handed:
            places += [(client.echo, daemon.place("late")), (client.echo, daemon.path("late"))]
        elif not handed:
            places += [(client.unix_datagram, daemon.path("datagrams"))]
        if not handed:
            places += [(client.echoplus, daemon.place("plus"))]
        return places

    def _ask(self, question, where, patience):
        client.patience = patience
        try:
            question(where)
            return None
        except (OSError, client.Wrong) as reason:
            return f"{question.__name__} at {where}: {reason}"

    def _talk(self, late):
        """During a failure, requests may go without a reply."""
        if self.way == "once":
            self._must_serve(late)
            return
        for question, where in self._places(late):
            self._ask(question, where, patience=0.05)

    def _must_serve(self, late):
        """Repeats requests without a reply; they must get one soon."""
        for question, where in self._places(late):
            reason = []

            def answered():
                reason[:] = [self._ask(question, where, patience=0.5)]
                return reason == [None] or self.daemon.ended()
            try:
                self.daemon.until(answered, "an answer", PATIENCE)
            except Bad:
                raise Bad(f"no service: {reason[0]}") from None

    def _reload(self, text):
        """Returns whether it succeeded."""
        daemon = self.daemon
        failures = daemon.logged(b"reload failed")
        self.reloads += 1
        daemon.configure(text)
        daemon.signal(signal.SIGHUP)

        def over():
            """Each is logged and then sent to the manager; one of the two may fail."""
            logged = daemon.logged(b"notice: reloaded") + daemon.logged(b"reload failed")
            return daemon.ended() or max(logged, daemon.ready() - 1) >= self.reloads
        daemon.until(over, "the end of a reload")
        return daemon.logged(b"reload failed") == failures

    def _hold(self):
        """A connection that lasts until the stop, if it can."""
        try:
            self.lasting = client.stream(self.daemon.place("main"))
            client.exchange(self.lasting)
        except (OSError, client.Wrong):
            pass

    # Its course

    def _started(self):
        daemon = self.daemon
        daemon.configure(FIRST)
        daemon.start()
        daemon.until(lambda: daemon.ended() or daemon.ready() or daemon.logged(b"listening on"),
                     "its start")
        return not daemon.ended()

    def _live(self):
        self._talk(late=False)
        self._hold()
        self._reload(BROKEN)
        reloaded = self._reload(SECOND)
        self._talk(late=reloaded)
        self.daemon.signal(signal.SIGUSR1)
        if self.quiet and not self.daemon.ended():
            self._must_be_quiet()

    def _is_quiet(self):
        before = self.daemon.cpu_seconds()
        time.sleep(QUIET)
        return self.daemon.cpu_seconds() - before < QUIET / 2

    def _must_be_quiet(self):
        """Work left by the last requests may take a moment; spinning does not end."""
        self.daemon.until(self._is_quiet, "quiet, with nothing to do")

    def _must_have_closed(self):
        def few():
            return self.daemon.ended() or self.daemon.descriptors() <= self.descriptors
        try:
            self.daemon.until(few, "descriptors to be closed")
        except Bad:
            raise Bad(f"{self.daemon.descriptors()} descriptors left, not "
                      f"{self.descriptors}") from None

    def _recover(self):
        """The failure is over, or will be after it has occurred once."""
        if self.way == "for a while":
            self.fault.arm(NEVER, NEVER)
        if not self._reload(SECOND) and not self._reload(SECOND) and not self.daemon.ended():
            raise Bad("a reload fails although nothing else does")
        self._must_serve(late=True)
        if self.descriptors:
            self._must_have_closed()

    def _stop(self):
        self.daemon.signal(signal.SIGTERM)
        self.daemon.until(self.daemon.ended, "its stop")

    def _judge(self, served, stopping):
        """The outcome, in a word or two."""
        status = self.daemon.process.returncode
        self.daemon.listen()
        if self.daemon.reports():
            raise Bad("a sanitizer's report")
        if status < 0:
            raise Bad(f"ended by {signal.Signals(-status).name}")
        if not served:
            if status not in REFUSALS or not self.daemon.log:
                raise Bad(f"did not start, exit {status}, said {self.daemon.log}")
            return "refused to start"
        # It may also have exited just before the signal to stop arrived.
        if not stopping or b"error: stopping: " in self.daemon.log:
            if status != FAILURE or b" error: " not in self.daemon.log or not self.may_end:
                raise Bad(f"gave up with exit {status}")
            return "gave up"
        if status != 0:
            raise Bad(f"stopped with exit {status}")
        return "went on"

    def _course(self):
        """The whole life; at its end the process has exited."""
        served = self._started()
        stopping = False
        if served:
            self._live()
            if self.way != "for good":
                self._recover()
            stopping = not self.daemon.ended()
            self._stop()
        return self._judge(served, stopping)

    def _told(self):
        """Its log and the findings of the sanitizers, abridged."""
        daemon = self.daemon
        daemon.listen()
        log = daemon.log.decode(errors="replace").splitlines()
        log = [line[:200] for line in log if " info: " not in line]
        return "\n".join(log[:4] + log[4:][-8:] + daemon.reports().splitlines()[:30])

    def run(self):
        """Returns the outcome; raises Bad for a bad life."""
        try:
            return self._course()
        except (Bad, OSError) as reason:
            raise Bad(f"{reason}\n{self._told()}".rstrip()) from None
        finally:
            if self.lasting:
                self.lasting.close()
            self.daemon.clear()

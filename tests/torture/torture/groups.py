# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The lives to run: a group of them for each thing that can fail."""

import collections
import errno
import os
import time

from .calls import CALLS, CLOSE_ERRORS
from .daemon import Bad, Daemon
from .forever import all_for_ever
from .life import WAYS, Life

KINDS = ("own", "handed", "user")
STEP_SHORT = 9  # the short form fails one allocation in STEP_SHORT
MOMENTS = 5     # at which a lasting error starts, in the long form


def new_daemon(kind, plain):
    program = os.environ["ECHOD_PLAIN" if plain else "ECHOD"]
    return Daemon(program, os.environ["TORTURE_SHIM"], kind)


class CleanLife(Life):
    """Nothing fails; records how often each of the FAULTS could have."""

    def __init__(self, daemon, faults):
        super().__init__(daemon, daemon.page.allocation)
        self.faults = faults

    def _counts(self):
        return {name: fault.count for name, fault in self.faults.items()}

    def _descriptors(self):
        time.sleep(0.01)  # the last client may still be connected
        return self.daemon.descriptors()

    def _recover(self):
        self.lasting_counts = self._counts()
        super()._recover()

    def _stop(self):
        self.settled = min(self._descriptors() for _ in range(10))
        super()._stop()
        self.counts = self._counts()


class Clean:
    """Measurements of a life in which nothing fails.

    The descriptors at its end; and the number of each call, of allocations and of closes in the
    whole life, and before the end of a temporary failure.
    """

    def __init__(self, kind):
        daemon = new_daemon(kind, plain=True)
        refusals = {call: call.refusal() for call in CALLS if call.kind == kind}
        daemon.refuse(list(refusals.values()))
        life = CleanLife(daemon, refusals)
        life.run()
        self.descriptors = life.settled
        self.counts, self.lasting = life.counts, life.lasting_counts
        daemon = new_daemon(kind, plain=kind == "user")
        life = CleanLife(daemon, {"allocation": daemon.page.allocation,
                                  "close": daemon.page.closing})
        life.run()
        self.counts |= life.counts
        self.lasting |= life.lasting_counts

    def strikes(self, what, way, step, start=0):
        """Every STEP-th of the calls of WHAT that can fail, and at least one."""
        last = max((self.lasting if way == "for a while" else self.counts)[what], 1)
        return [(first, way) for first in range(start % min(step, last) + 1, last + 1, step)]


class Group:
    """Lives in which the same thing fails at different times and in different ways."""

    def __init__(self, name, kind, plain=False):
        self.name = name
        self.kind = kind
        self.plain = plain or kind == "user"
        self.strikes = []  # (which call is the first to fail, way)
        self.quiet = False
        self.may_end = True
        self.one_is_enough = False

    def fault(self, daemon):
        raise NotImplementedError

    def _life(self, first, way, clean):
        daemon = new_daemon(self.kind, self.plain)
        fault = self.fault(daemon)
        life = Life(daemon, fault, first, way, clean.descriptors, self.quiet, self.may_end)
        try:
            outcome = life.run()
        except Bad as reason:
            raise Bad(f"call {first}, {way}: {reason}") from None
        return outcome if fault.failed else "not reached"

    def run(self, clean):
        """Number of lives by outcome, and the errors of the bad ones."""
        outcomes, wrong = collections.Counter(), []
        for first, way in self.strikes:
            try:
                outcomes[self._life(first, way, clean)] += 1
            except Bad as reason:
                outcomes["BAD"] += 1
                wrong.append(str(reason))
            if self.one_is_enough and set(outcomes) != {"not reached"}:
                break
        return outcomes, wrong


class Allocations(Group):
    def __init__(self, kind, way, clean, long):
        super().__init__(f"allocation {way}, becoming a user" if kind == "user" else
                         f"allocation {way}, sockets {kind}", kind)
        step = 1 if long else STEP_SHORT
        self.strikes = clean.strikes("allocation", way, step, WAYS.index(way) * step // 3)
        self.quiet = way != "once"
        self.may_end = False

    def fault(self, daemon):
        return daemon.page.allocation


class Closes(Group):
    def __init__(self, error, clean, long):
        super().__init__(f"close {error}", "own")
        self.error = getattr(errno, error)
        self.strikes = clean.strikes("close", "once", 1 if long else 60)
        self.strikes += [(1, "for a while"), (1, "for good")]

    def fault(self, daemon):
        daemon.page.set_close_error(self.error)
        return daemon.page.closing


class Calls(Group):
    """NUMBER: of the error. In the long form, each call fails once with one of its errors."""

    def __init__(self, call, error, clean, long, number):
        super().__init__(f"{call.title} {error}", call.kind, call.plain)
        self.call = call
        self.error = error
        for way in call.ways or WAYS:
            step = len(call.errors) if way == "once" else -(-clean.counts[call] // MOMENTS) or 1
            self.strikes += clean.strikes(call, way, step, number)
        if not long:
            # Each at a different time in a different way; if that is not reached, the first.
            self.strikes = [self.strikes[number * 7 % len(self.strikes)], self.strikes[0]]
            self.one_is_enough = True

    def fault(self, daemon):
        refusal = self.call.refusal(self.error)
        daemon.refuse([refusal])
        return refusal


def all_groups(clean, long):
    """CLEAN: a Clean for each kind."""
    groups = [Allocations(kind, way, clean[kind], long)
              for kind in (KINDS if long else KINDS[:2]) if kind in clean for way in WAYS]
    groups += all_for_ever(long)
    groups += [Closes(error, clean["own"], long) for error in CLOSE_ERRORS]
    for call in CALLS:
        if call.kind in clean:
            groups += [Calls(call, error, clean[call.kind], long, number)
                       for number, error in enumerate(call.errors)]
    return groups

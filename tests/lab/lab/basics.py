# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Tests and how they are found, waiting without sleeping, work in a process beside."""

import os
import pickle
import time
import traceback

all_tests = {}  # name -> function, in the order of the files
long_form = False


class Skip(Exception):
    """What the test needs is not there."""


def test(function=None, *, limit=60):
    """Marks a test. It returns the figures to be shown; LIMIT is its time in seconds."""
    def mark(function):
        function.limit = limit
        all_tests[f"{function.__module__}.{function.__name__}"] = function
        return function
    return mark(function) if function else mark


def scale(short, long):
    """How much to do in the short form and in the long one."""
    return long if long_form else short


def check(truth, what):
    """An assertion that says what it saw, and that -O does not remove."""
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


class Aside:
    """FUNCTION in a process of its own; result() waits for what it returns."""

    def __init__(self, function, *args):
        self.reader, writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.reader)
            self._run(writer, function, args)
        os.close(writer)

    @staticmethod
    def _run(writer, function, args):
        try:
            answer = (True, function(*args))
        except BaseException:  # whatever it was, the parent shall hear of it
            answer = (False, traceback.format_exc())
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)

    def result(self):
        with os.fdopen(self.reader, "rb") as pipe:
            good, value = pickle.load(pipe)
        os.waitpid(self.pid, 0)
        check(good, value)
        return value

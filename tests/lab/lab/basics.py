# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Registration of tests, and work in a separate process."""

import os
import pickle
import sys
import traceback

sys.path.insert(1, os.path.join(os.path.dirname(__file__), "../../support"))
from daemon import check, until  # noqa: E402, F401

# Beside echod; a host of ours may have another directory.
ECHOC = os.path.join(os.path.dirname(os.path.abspath(os.environ.get("ECHOD", ""))), "echoc")

all_tests = {}  # name -> function, in the order of the files
long_form = False


class Skip(Exception):
    """A requirement of the test is missing."""


def test(function=None, *, limit=60):
    """Marks a test, which returns the results to print; LIMIT is its timeout in seconds."""
    def mark(function):
        function.limit = limit
        all_tests[f"{function.__module__}.{function.__name__}"] = function
        return function
    return mark(function) if function else mark


def scale(short, long):
    """Amount of work in the short form and in the long form."""
    return long if long_form else short


class Aside:
    """Runs FUNCTION in a separate process; result() waits for its return value."""

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
        except BaseException:  # reported to the parent, whatever it is
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

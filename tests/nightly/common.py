# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Common part of the scripts here: an echod with metrics on free loopback ports."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CONTRIB = os.path.join(HERE, "../../contrib")
sys.path.insert(1, os.path.join(HERE, "../lab"))
from lab import Echod, check, until  # noqa: E402, F401

SKIPPED = 77
THIS_HOST = contextlib.nullcontext()


class Daemon(Echod):
    """echod on this host."""

    def __init__(self, **settings):
        super().__init__(THIS_HOST, address="localhost:0", metrics="127.0.0.1:0", **settings)
        self.target = f"127.0.0.1:{self.port}"
        pattern = r"serving metrics on http://(\S+)/metrics"
        self.metrics = until(lambda: re.search(pattern, self.log()), "metrics")[1]


def echoc():
    return os.path.join(os.path.dirname(os.environ["ECHOD"]), "echoc")


def bench(daemon, *options):
    """The counters of an `echoc bench`, and its parameters."""
    done = subprocess.run([echoc(), "bench", "--json", *options, daemon.target],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    check(done.returncode == 0, f"echoc: {done.stdout}{done.stderr}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {key: value for line in lines for key, value in line.items()}


def missing(tool):
    """Why no test with TOOL is possible here, or None."""
    if not shutil.which(tool):
        return f"needs {tool}"
    if not os.access(os.environ.get("ECHOD", ""), os.X_OK) or not os.access(echoc(), os.X_OK):
        return "ECHOD does not name an echod with echoc beside it"
    return None


def take(number, name, step, arguments):
    """Whether it passed."""
    start, word = time.monotonic(), "ok"
    try:
        said = step(*arguments) or ""
    except (AssertionError, OSError, ValueError, KeyError, TypeError) as failure:
        word, said = "not ok", f"{type(failure).__name__}: {failure}"
    print(f"{word} {number} - {name}.{step.__name__} # {said} [{time.monotonic() - start:.1f} s]",
          flush=True)
    return word == "ok"


def run_steps(name, steps, *arguments):
    """Each starts where the previous one ended. Returns whether one has failed."""
    failed = sum(not take(number, name, step, arguments) for number, step in enumerate(steps, 1))
    print(f"{len(steps) - failed} passed, {failed} failed")
    return failed > 0


@contextlib.contextmanager
def scene(seconds):
    """A working directory. At the end it is removed and all processes in STARTED are stopped."""
    def late(*_):
        raise AssertionError(f"not done in {seconds} s")

    os.environ["ECHOD"] = os.path.abspath(os.environ["ECHOD"])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    before, started = os.getcwd(), []
    with tempfile.TemporaryDirectory(prefix="echod-nightly-", ignore_cleanup_errors=True) as work:
        os.chdir(work)
        try:
            yield started
        finally:
            signal.alarm(0)
            for process in started:
                end(process)
            os.chdir(before)


def end(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

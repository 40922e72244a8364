# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What mutation has learned so far: which test noticed which code, and how long a test takes.

Lines are only ever added, so that a run may be interrupted at any moment, and the next one goes on.
Code and tests are known by their contents: what is changed is tried again.
"""

import collections
import threading


class Ledger:
    def __init__(self, path):
        self.path = path
        self.results = {}
        self.durations = {}
        self.killed = collections.Counter()
        self.lock = threading.Lock()
        for line in path.read_text().splitlines() if path.exists() else ():
            self.take(line.split())

    def take(self, words):
        if len(words) == 4 and words[0] == "passes":
            self.durations[words[1], words[2]] = float(words[3])
        elif len(words) == 5:
            word, path, code, test, version = words
            self.results[code, test, version] = word == "noticed"
            self.killed[path, test] += word == "noticed"

    def add(self, *words):
        with self.lock:
            self.take(words)
            with self.path.open("a") as file:
                file.write(" ".join(words) + "\n")

    def known(self, code, test, version):
        """Whether the test noticed the code; None if it was never tried."""
        return self.results.get((code, test, version))

    def enter(self, path, code, test, version, noticed):
        self.add("noticed" if noticed else "missed", path, code, test, version)

    def kills(self, path, test):
        return self.killed[path, test]

    def seconds(self, test, version):
        return self.durations.get((test, version))

    def enter_seconds(self, test, version, seconds):
        self.add("passes", test, version, f"{seconds:.2f}")

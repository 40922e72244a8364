# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Builds a mutant beside what was built already, and runs the tests that may notice it.

A trial compiles one file, links one test at a time and stops at the first that fails. Everything it
makes is in a temporary directory; only the ledger stays, in the build folder.
"""

import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import threading
import time

from ledger import Ledger
from mutants import Mutant

PROGRAMS = ("echod", "echoc")
OVERLAY = "sources"
SKIPPED = 77
# A mutant may want all the memory there is; sanitizers reserve more than that from the start.
MOST_MB = 4000
BOUNDED = ["sh", "-c", f'ulimit -v {MOST_MB}000; exec "$0"']
SANITIZED = {"ASAN_OPTIONS": f"hard_rss_limit_mb={MOST_MB}"}
LEAST_SECONDS = 10  # before a test counts as hanging, beside five times what it takes
QUIETLY = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
           "stderr": subprocess.DEVNULL}


class Trouble(Exception):
    """Without a mutant it does not work either."""


class Stopped(Exception):
    """The user wants no more results."""


def is_integration(test):
    return test.startswith("tests/integration/")


def digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]


class Bench:
    """What was built, and what is known about its tests."""

    def __init__(self, top, build, sanitized=False):
        self.top = top
        self.build = build
        self.bounds = [] if sanitized else BOUNDED
        self.environment = {**os.environ, **SANITIZED} if sanitized else os.environ
        self.ledger = Ledger(build / "mutation-ledger")
        self.commands = {}
        self.originals = {}  # of each source: the digest of its object, and what it defines
        self.versions = {}
        self.defined = {}
        self.lock = threading.RLock()
        self.running = set()
        self.stopping = False

    def stop(self):
        """Ends what runs; nothing more is entered."""
        with self.lock:
            self.stopping = True
            for process in self.running:
                self.end(process)

    def end(self, process):
        """Kills all that PROCESS started: libcheck gives each test a process group of its own."""
        subprocess.run(["pkill", "-KILL", "--session", str(process.pid)], check=False)

    def succeeds(self, program, limit, env):
        """Whether PROGRAM ends well within LIMIT seconds; nothing it started is left."""
        with self.lock:
            if self.stopping:
                raise Stopped
            process = subprocess.Popen([*self.bounds, program], env=env, start_new_session=True,
                                       **QUIETLY)
            self.running.add(process)
        try:
            return process.wait(limit) in (0, SKIPPED)
        except subprocess.TimeoutExpired:
            return False
        finally:
            with self.lock:
                self.running.remove(process)
                self.end(process)
            process.kill()
            process.wait()
            if self.stopping:
                raise Stopped

    # Compiling and linking

    def command(self, target, changed):
        """How make would make TARGET if CHANGED were newer."""
        with self.lock:
            if target not in self.commands:
                text = subprocess.run(["make", "-n", "V=1", "-W", changed, target],
                                      cwd=self.build, check=True, capture_output=True,
                                      text=True).stdout
                text = text.replace("\\\n", " ")
                found = [line for line in re.split(r"[\n;]|&&", text)
                         if re.search(rf" -o {re.escape(target)}\s", line + " ")]
                if not found:
                    raise Trouble(f"make does not say how it makes {target}")
                self.commands[target] = shlex.split(re.sub(r"`.*?`", "", found[-1]))
            return self.commands[target]

    def execute(self, command):
        return subprocess.run(command, cwd=self.build, capture_output=True,
                              env={**os.environ, "CCACHE_DISABLE": "1"}).returncode == 0

    def compilation(self, path, source, output, directory):
        """How make would compile PATH, but SOURCE into OUTPUT; equal code is an equal object."""
        known = self.command(str(pathlib.Path(path).with_suffix(".o")), str(self.top / path))
        notes = [place for place, part in enumerate(known) if part in ("-MF", "-MT")]
        command = [part for place, part in enumerate(known)
                   if not part.startswith("-M") and place - 1 not in notes]
        command[command.index("-o") + 1] = str(output)
        return [*command[:-1], "-w", "-g0", f"-ffile-prefix-map={directory}=.", str(source)]

    def compile(self, mutant, directory):
        """The object of the mutant, None if it does not compile; its source is in DIRECTORY too."""
        source = (self.top / mutant.path).read_text()
        changed = directory / OVERLAY / pathlib.Path(mutant.path).relative_to("src")
        changed.parent.mkdir(parents=True)
        # Lines keep their numbers, which assert() prints.
        lines = source[mutant.start:mutant.end].count("\n") - mutant.text.count("\n")
        changed.write_text(source[:mutant.start] + mutant.text + "\n" * lines +
                           source[mutant.end:])
        output = directory / f"{changed.stem}.o"
        command = self.compilation(mutant.path, changed, output, directory)
        return output if self.execute(command) else None

    def original(self, path):
        """The digest of the object of PATH as it is, and the names it defines."""
        with self.lock:
            if path not in self.originals:
                with tempfile.TemporaryDirectory() as name:
                    same = self.compile(Mutant(path, 0, 0, "", ""), pathlib.Path(name))
                    if not same:
                        raise Trouble(f"{path} does not compile")
                    self.originals[path] = digest(same), self.names(same)
            return self.originals[path]

    def names(self, path):
        """The global names that an object or a program defines."""
        text = subprocess.run(["nm", "-g", "--defined-only", str(path)], check=True,
                              capture_output=True, text=True).stdout
        return {line.split()[-1] for line in text.splitlines() if line}

    def has(self, test, path):
        """Whether the object of PATH is in the program TEST itself."""
        with self.lock:
            if test not in self.defined:
                self.defined[test] = self.names(self.build / test)
            return not self.original(path)[1].isdisjoint(self.defined[test])

    def link(self, target, directory, changed):
        """TARGET with the object CHANGED in front of the libraries, or as it is without one."""
        output = directory / target
        output.parent.mkdir(parents=True, exist_ok=True)
        if changed is None:
            output.symlink_to(self.build / target)
            return output
        command = list(self.command(target, "libbase.a"))
        place = command.index("-o") + 1
        command[place] = str(output)
        if self.has_inside(target, changed):
            command[place + 1] = self.recompile(target, directory)
        else:
            command.insert(place + 1, str(changed))
        if not self.execute(command):
            raise Trouble(f"{target} cannot be linked")
        return output

    def has_inside(self, test, changed):
        """Whether TEST includes the source itself, to reach what is static in it."""
        source = self.top / f"{test}.c"
        return source.exists() and f'/{changed.stem}.c"' in source.read_text()

    def recompile(self, test, directory):
        """The object of TEST, which includes the mutant instead of the source."""
        output = directory / "test.o"
        command = self.compilation(f"{test}.c", self.top / f"{test}.c", output, directory)
        command.insert(1, f"-I{directory / OVERLAY}")
        if not self.execute(command):
            raise Trouble(f"{test} cannot be compiled")
        return str(output)

    def link_programs(self, path, directory, changed):
        for program in PROGRAMS:
            has_it = not path.startswith("src/echo") or path.startswith(f"src/{program}/")
            has_it = has_it and not path.startswith(
                "src/probe/" if program == "echod" else "src/daemon/")
            self.link(program, directory, changed if has_it else None)

    # Running

    def version(self, test):
        """What of TEST itself may change: not the libraries that it is linked with."""
        with self.lock:
            if test not in self.versions:
                corpus = self.top / test.replace("fuzz/fuzz_", "fuzz/corpus/")
                self.versions[test] = digest(self.build / f"{test}.o", *sorted(corpus.glob("*")))
            return self.versions[test]

    def notices(self, test, path, changed, directory):
        """Whether TEST fails with the object CHANGED in place of that of PATH."""
        programs = {name.upper(): str(directory / name) for name in PROGRAMS}
        environment = {**self.environment, "TOP_SRCDIR": str(self.top), **programs}
        limit = self.limit(test)
        program = self.link(test, directory, changed if self.has(test, path) else None)
        if is_integration(test) and not (directory / PROGRAMS[0]).exists():
            self.link_programs(path, directory, changed)
        # Those of the programs twice: one may have failed because the machine was busy.
        return all(not self.succeeds(program, limit, environment)
                   for _ in range(1 + is_integration(test)))

    def limit(self, test):
        """How many seconds TEST may take: it must pass once with nothing changed."""
        with self.lock:
            seconds = self.ledger.seconds(test, self.version(test))
        if seconds is None:
            environment = {**self.environment, "TOP_SRCDIR": str(self.top),
                           **{name.upper(): str(self.build / name) for name in PROGRAMS}}
            begun = time.monotonic()
            if not self.succeeds(self.build / test, 300, environment):
                raise Trouble(f"{test} fails without a mutant")
            seconds = time.monotonic() - begun
            self.ledger.enter_seconds(test, self.version(test), seconds)
        return LEAST_SECONDS + 5 * seconds

    def order(self, mutant, tests):
        """Those of TESTS that have the file in them: what has killed most, and nearest, first."""
        stem = pathlib.Path(mutant.path).stem
        able = [test for test in tests if is_integration(test) or self.has(test, mutant.path)]
        return sorted(able, key=lambda test: (
            is_integration(test), -self.ledger.kills(mutant.path, test),
            not pathlib.Path(test).stem.startswith(f"test_{stem}"), tests.index(test)))

    def fate(self, mutant, tests):
        """"killed", "survived", "equivalent" (the same code) or "invalid", and by which test."""
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            changed = self.compile(mutant, directory)
            if changed is None:
                return "invalid", None
            code = digest(changed)
            if code == self.original(mutant.path)[0]:
                return "equivalent", None
            for test in self.order(mutant, tests):
                known = self.ledger.known(code, test, self.version(test))
                if known is None:
                    known = self.notices(test, mutant.path, changed, directory)
                    self.ledger.enter(mutant.path, code, test, self.version(test), known)
                if known:
                    return "killed", test
            return "survived", None



# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Builds a mutant beside what was built already, and runs the tests that may notice it."""

import os
import pathlib
import re
import shlex
import subprocess
import tempfile
import time

from mutants import Mutant

PROGRAMS = ("echod", "echoc")
OVERLAY = "sources"
SKIPPED = 77


class Trouble(Exception):
    """Without a mutant it does not work either."""


def run(command, limit, env):
    """Whether COMMAND ended well within LIMIT seconds; nothing it started is left."""
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    try:
        return process.wait(limit) in (0, SKIPPED)
    except subprocess.TimeoutExpired:
        return False
    finally:
        # libcheck gives each test a process group of its own.
        subprocess.run(["pkill", "-KILL", "--session", str(process.pid)], check=False)
        process.kill()
        process.wait()


class Bench:
    """What was built, and how long each test takes."""

    def __init__(self, top, build):
        self.top = top
        self.build = build
        self.commands = {}
        self.limits = {}

    def command(self, target, changed):
        """How make would make TARGET if CHANGED were newer."""
        if target not in self.commands:
            text = subprocess.run(["make", "-n", "V=1", "-W", changed, target], cwd=self.build,
                                  check=True, capture_output=True, text=True).stdout
            text = text.replace("\\\n", " ")
            found = [line for line in re.split(r"[\n;]|&&", text)
                     if re.search(rf" -o {re.escape(target)}\s", line + " ")]
            if not found:
                raise Trouble(f"make does not say how it makes {target}")
            self.commands[target] = shlex.split(re.sub(r"`.*?`", "", found[-1]))
        return self.commands[target]

    def unit_tests(self, path):
        folder = "tests/unit" / pathlib.Path(path).relative_to("src").parent
        names = sorted((self.top / folder).glob("test_*.c"))
        stem = pathlib.Path(path).stem
        names.sort(key=lambda name: not name.stem.startswith(f"test_{stem}"))
        return [str(folder / name.stem) for name in names]

    def environment(self, directory):
        programs = {name.upper(): str(directory / name) for name in PROGRAMS}
        return {**os.environ, "TOP_SRCDIR": str(self.top), **programs}

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
        subprocess.run(command, cwd=self.build, check=True, capture_output=True)
        return output

    def has_inside(self, test, changed):
        """Whether TEST includes the source itself, to reach what is static in it."""
        source = self.top / f"{test}.c"
        return source.exists() and f'/{changed.stem}.c"' in source.read_text()

    def recompile(self, test, directory):
        """The object of TEST, which includes the mutant instead of the source."""
        output = directory / "test.o"
        command = self.compilation(f"{test}.c", output)
        command.insert(1, f"-I{directory / OVERLAY}")
        subprocess.run(command, cwd=self.build, check=True, capture_output=True)
        return str(output)

    def rehearse(self, found):
        """Every test with nothing changed: it must pass, and its time is the measure of a hang."""
        paths = {test: mutant.path for mutant, tests in found
                 for test in [*self.unit_tests(mutant.path), *tests]}
        for test, path in paths.items():
            with tempfile.TemporaryDirectory() as name:
                directory = pathlib.Path(name)
                same = self.compile(Mutant(path, 0, 0, "", ""), directory)
                self.link_programs(path, directory, same)
                begun = time.monotonic()
                self.limits[test] = 300
                if self.notices(test, directory, same if test.startswith("tests/unit") else None):
                    raise Trouble(f"{test} fails without a mutant")
                self.limits[test] = 10 + 3 * (time.monotonic() - begun)

    def link_programs(self, path, directory, changed):
        for program in PROGRAMS:
            has_it = not path.startswith("src/echo") or path.startswith(f"src/{program}/")
            has_it = has_it and not path.startswith(
                "src/probe/" if program == "echod" else "src/daemon/")
            self.link(program, directory, changed if has_it else None)

    def fate(self, mutant, tests):
        """"killed", "survived" or "invalid"."""
        with tempfile.TemporaryDirectory() as name:
            directory = pathlib.Path(name)
            changed = self.compile(mutant, directory)
            if changed is None:
                return "invalid"
            for test in self.unit_tests(mutant.path):
                if self.notices(test, directory, changed):
                    return "killed"
            self.link_programs(mutant.path, directory, changed)
            for test in tests:
                if self.notices(test, directory, None):
                    return "killed"
            return "survived"

    def compilation(self, path, output):
        """How make would compile PATH, but into OUTPUT and without its notes on dependencies."""
        known = self.command(str(pathlib.Path(path).with_suffix(".o")), str(self.top / path))
        notes = [place for place, part in enumerate(known) if part in ("-MF", "-MT")]
        command = [part for place, part in enumerate(known)
                   if not part.startswith("-M") and place - 1 not in notes]
        command[command.index("-o") + 1] = str(output)
        return [*command[:-1], "-Wno-error", str(self.top / path)]

    def compile(self, mutant, directory):
        """The object of the mutant, None if it does not compile; its source is in DIRECTORY too."""
        source = (self.top / mutant.path).read_text()
        changed = directory / OVERLAY / pathlib.Path(mutant.path).relative_to("src")
        changed.parent.mkdir(parents=True)
        changed.write_text(source[:mutant.start] + mutant.text + source[mutant.end:])
        output = directory / f"{changed.stem}.o"
        command = [*self.compilation(mutant.path, output)[:-1], str(changed)]
        done = subprocess.run(command, cwd=self.build, capture_output=True)
        return output if done.returncode == 0 else None

    def notices(self, test, directory, changed):
        program = self.link(test, directory, changed)
        return not run([program], self.limits[test], self.environment(directory))

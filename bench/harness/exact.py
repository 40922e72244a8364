# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Figures that do not depend on load on the machine: system calls and instructions per message.

What starting, connecting and ending cost is taken out by two runs of different length.
"""

import os
import pathlib
import re
import signal
import subprocess
import time

from . import Trouble, loads, servers

LIMIT_SECONDS = 60
TRIES = 3  # a machine that pauses may make the shorter run the longer one


def load_of(connections):
    return loads.Load("", "", "tcp", f"-s 64 -c {connections}", (), 64)


def workers_file(build, workers):
    """A configuration with this many workers."""
    path = pathlib.Path(build, "peers", f"workers-{workers}.conf")
    path.write_text(f"[server]\nworkers = {workers}\n")
    return ("-c", str(path))


def first_child(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def end(server):
    """Signals the server only, so that the tool around it can write its results."""
    os.kill(first_child(server.process.pid) or server.process.pid, signal.SIGTERM)
    try:
        server.process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{server.what.name} does not end") from None


def run(build, name, connections, seconds, prefix, extra):
    """Number of messages a server echoed under the tool PREFIX."""
    what = servers.command(name, "tcp")
    with servers.running(what, build, prefix=prefix, extra=extra, pinned=False) as server:
        summary, _ = loads.apply(build, load_of(connections), server, seconds)
        time.sleep(0.2)  # until the connections are closed
        end(server)
    return summary["received"]


def counted(build, name, connections, seconds, tool, extra):
    """Number of messages, and what the tool counted meanwhile."""
    output = pathlib.Path(build, "peers", f"{tool.__name__}.out")
    output.unlink(missing_ok=True)
    prefix, read = tool(output)
    return run(build, name, connections, seconds, prefix, extra), read(output)


def per_message(build, name, connections, times, tool, extra=()):
    """Difference between the counts of the longer and the shorter run, per message."""
    for _ in range(TRIES):
        (messages, short), (more_messages, long) = (
            counted(build, name, connections, seconds, tool, extra) for seconds in times)
        more = more_messages - messages
        if more >= messages / 2:
            return {key: (value - short.get(key, 0)) / more for key, value in long.items()}
    raise Trouble("the longer run was not longer")


def strace(output):
    return ["strace", "-f", "-c", "-U", "calls,name", "-o", str(output)], read_strace


def read_strace(output):
    rows = re.findall(r"^\s*(\d+)\s+(\w+)$", output.read_text(), re.M)
    return {name: int(calls) for calls, name in rows if name != "total"}


def callgrind(output):
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={output}"], read_callgrind


def read_callgrind(output):
    return {"instructions": int(re.search(r"^(?:totals|summary): (\d+)", output.read_text(),
                                          re.M)[1])}


def measure(build, quick, say):
    """Rows of (server, connections) with the cost of each message."""
    times = (0.5, 2) if quick else (1, 5)
    rows = []
    # Two workers get twice the connections, so that each has as much to do as the one.
    cases = [("echod", 10, 1), ("epoll", 10, 0), ("echod", 1000, 1), ("epoll", 1000, 0),
             ("echod", 50, 1), ("echod", 100, 2)]
    for name, connections, workers in cases:
        say(f"exact: {name}, {connections} connections, {workers or 'no'} workers")
        extra = workers_file(build, workers) if workers else ()
        calls = per_message(build, name, connections, times, strace, extra)
        cost = per_message(build, name, connections, times, callgrind, extra)
        rows.append({"server": name, "connections": connections, "workers": workers,
                     "instructions": cost["instructions"],
                     "calls": {key: value for key, value in calls.items() if value > 0.0005}})
    return rows

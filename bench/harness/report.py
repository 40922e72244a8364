# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Writes RESULTS.md, and lets chart.py draw, from the measurements."""

import pathlib
import statistics

from . import BENCH, chart, loads

SATURATED = 0.97  # of a core: a server at least this busy is the bottleneck

# Load, peer, metric, and its bound: the least ratio (rate, "best") or the largest (cost, tail).
GOALS = [
    ("tcp-64-50", "epoll", "best", 0.97), ("tcp-64-50", "bufferevent", "best", 1.35),
    ("tcp-64-50", "go", "best", 1.05), ("tcp-64-50", "asyncio", "best", 1.15),
    ("tcp-64-50", "libuv", "best", 1.5), ("tcp-64-50", "socat", "best", 3),
    ("tcp-64-50", "ncat", "best", 3), ("tcp-deep", "epoll", "best", 0.97),
    ("tcp-512-1000", "epoll", "best", 0.95), ("tcp-512-1000", "epoll", "p99", 1.25),
    ("tcp-connect", "epoll", "capacity", 0.97), ("tcp-bulk", "epoll", "rate", 1.2),
    ("tcp-bulk", "epoll", "cpu", 0.7), ("udp-64-8", "recvfrom", "best", 1.04),
    ("udp-64-50", "recvfrom", "best", 1.04), ("train-64-8", "recvfrom", "best", 4),
    ("train-1400-8", "recvfrom", "best", 4),
]
NAMES = {"rate": "rate", "cpu": "CPU", "p99": "p99", "capacity": "per CPU second"}


def median(samples, what):
    values = [sample[what] for sample in samples if sample[what] is not None]
    return statistics.median(values) if values else None


def ratios(row, peer, what):
    """echod divided by the peer, for each round, in which they ran one after the other."""
    pairs = zip(row["echod"], row[peer])
    if what == "capacity":
        return [theirs["cpu"] / ours["cpu"] for ours, theirs in pairs]
    return [ours[what] / theirs[what] for ours, theirs in pairs]


def ratio(row, peer, what):
    return statistics.median(ratios(row, peer, what))


def best(row, peer):
    """Compare rates if both servers were the bottleneck, otherwise work per CPU second."""
    both = min(median(row["echod"], "server_busy"), median(row[peer], "server_busy"))
    return "rate" if both >= SATURATED else "capacity"


def number(value):
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(head, rows):
    lines = [head, ["---" if not i else "---:" for i in range(len(head))], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def load_table(load, row):
    rows = []
    for name, samples in row.items():
        cells = [name, number(median(samples, "rate")), number(1e6 * median(samples, "cpu")),
                 f"{median(samples, 'server_busy'):.0%}", f"{median(samples, 'client_busy'):.0%}",
                 number(median(samples, "p99")), f"{100 * median(samples, 'lost'):.2g} %"]
        same = name == "echod"
        cells += ["", ""] if same else [f"{ratio(row, name, 'rate'):.2f}",
                                        f"{ratio(row, name, 'capacity'):.2f}"]
        rows.append(cells)
    head = ["server", f"{load.units}/s", f"CPU us/{load.unit}", "server busy", "client busy",
            "p99 us", "lost", "echod: rate", "per CPU second"]
    return table(head, rows)


def goal_rows(rows):
    for load, peer, what, bound in GOALS:
        row = rows.get(load, {})
        if not row.get("echod") or not row.get(peer):
            continue
        what = best(row, peer) if what == "best" else what
        sign = ">=" if what in ("rate", "capacity") else "<="
        yield check(f"{load}, {peer}, {NAMES[what]}", ratio(row, peer, what), sign, bound, 2)


def losses(rows):
    """Loads on which a peer is faster or cheaper by more than the noise of 1 %."""
    for load in loads.LOADS:
        row = rows.get(load.name, {})
        for peer in row:
            if peer == "echod" or not row["echod"]:
                continue
            what = best(row, peer)
            value = ratio(row, peer, what)
            if value < 0.99:
                yield f"- {load.title}: {value:.2f} of {peer} ({NAMES[what]})"


def beside_table(rows):
    head = ["server", "p99 us alone", "beside large ones", "ratio", "apart", "ratio",
            "large ones MiB/s"]
    return table(head, [[row["server"], number(row["alone"]), number(row["beside"]),
                         f"{row['beside_ratio']:.2f}", number(row["apart"]),
                         f"{row['apart_ratio']:.2f}", number(row["rate"])] for row in rows])


def beside_goals(rows):
    ratio_of = {row["server"]: row["beside_ratio"] for row in rows}
    yield check("p99 beside large messages by p99 alone", ratio_of["echod"], "<=", 3, 2)


def busy_table(rows):
    return table(["pair", "p50 us", "busy by this"],
                 [[f"{row['protocol'].upper()}: {row['pair']}", f"{row['p50']:.1f}",
                   f"{row['ratio']:.2f}"] for row in rows])


def busy_goals(rows):
    for row in rows:
        if row["ratio"] != 1:
            yield check(f"p50, {row['protocol'].upper()}, busy by {row['pair']}", row["ratio"],
                        "<=", 0.5, 2)


def stamp_tables(figures):
    yield table(["listener", "replies/s", "CPU us/reply", "ratio to plain echo", "per CPU second"],
                [[row["listener"], number(row["rate"]), number(1e6 * row["cpu"]),
                  f"{row['ratio']:.2f}", f"{row['capacity']:.2f}"] for row in figures["rates"]])
    yield table(["sessions", "resident memory"], [[f"{row['sessions']:,}",
                                                   f"{row['bytes'] / 2**20:.1f} MiB"]
                                                  for row in figures["sessions"]])
    ratios = {row["listener"]: row["ratio"] for row in figures["rates"]}
    yield table(["echod", "goal", "measured", "reached"],
                [check("rate, stateless, relative to plain echo", ratios["stateless"], ">=", 0.7, 2)])


def turnaround_tables(rows):
    yield table(["reflector", "p50 us", "p99 us", "p99.9 us", "p99 by the bare loop's", "stolen"],
                [[row["reflector"], *(f"{row[part]:.1f}" for part in ("p50", "p99", "p99.9")),
                  f"{row['ratio']:.2f}", f"{row['stolen']:.1%}"] for row in rows])
    ours, _, busy = rows[:3]
    yield table(["echod", "goal", "measured", "reached"],
                [check("turnaround p99 us", ours["p99"], "<=", 50, 1),
                 check("the same by the bare loop's", ours["ratio"], "<=", 1.1, 2),
                 check("turnaround p99 us with busy_poll", busy["p99"], "<=", 10, 1)])


def exact_table(rows):
    cells = []
    for row in rows:
        calls = ", ".join(f"{name} {value:.3f}" for name, value in sorted(row["calls"].items()))
        workers = str(row["workers"]) if row["workers"] else ""
        cells.append([row["server"], workers, f"{row['connections']:,}",
                      f"{row['instructions']:.0f}", f"{sum(row['calls'].values()):.3f}", calls])
    return table(["server", "workers", "connections", "instructions", "system calls", "which"],
                 cells)


def exact_goals(rows):
    """Goals relative to the bare loop and to one worker, from counts instead of times."""
    found = {(row["server"], row["connections"]): row for row in rows}
    for count in (10, 1000):
        ours, bare = found["echod", count], found["epoll", count]
        waits = [row["calls"].get("epoll_wait", 0) for row in (ours, bare)]
        others = sum(ours["calls"].values()) - waits[0]
        yield check(f"instructions, {count:,} connections", ours["instructions"], "<=", 480, 0)
        yield check(f"epoll_wait, {count:,} connections", waits[0], "<=", waits[1] + 0.02, 3)
        yield check(f"all other system calls, {count:,} connections", others, "<=", 2.01, 3)
    one, two = found["echod", 50], found["echod", 100]
    both = two["instructions"] / one["instructions"]
    yield check("instructions, two workers relative to one", both, "<=", 1.02, 3)
    calls = [sum(row["calls"].values()) - row["calls"].get("epoll_wait", 0) for row in (one, two)]
    yield check("system calls except epoll_wait, two workers relative to one",
                calls[1] / calls[0], "<=", 1.02, 3)
    yield check("futex, two workers", two["calls"].get("futex", 0), "<=", 0, 3)


def check(what, value, sign, bound, digits):
    good = value >= bound if sign == ">=" else value <= bound
    return [what, f"{sign} {bound:.{digits}f}", f"{value:.{digits}f}", "yes" if good else "**no**"]


def memory_table(figures):
    idle, start = figures["idle"], figures["start"]
    return table(["what", "measured", "goal"], [
        [f"idle connection, user memory ({idle['connections']:,} connections)",
         f"{idle['user']:.0f} B", "<= 384 B"],
        ["the same, kernel memory (slab, both ends together)",
         f"{idle['kernel_both_ends']:,.0f} B", ""],
        ["start to READY=1, two workers", f"{start['ready_ms']:.1f} ms", "<= 20 ms"],
        ["resident memory after that", f"{start['resident_mib']:.1f} MiB", "<= 4 MiB"]])


def curve_table(rows):
    head = ["read at most", "echod MiB/s", "CPU us/MiB", "bare loop MiB/s", "CPU us/MiB",
            "stalled client", "and in the kernel"]
    return table(head, [[f"{row['kib']} KiB", number(row["echod_rate"]),
                         number(1e6 * row["echod_cpu"]), number(row["epoll_rate"]),
                         number(1e6 * row["epoll_cpu"]), f"{row['user'] / 1024:.0f} KiB",
                         f"{row['kernel'] / 2**20:.1f} MiB"] for row in rows])


def sections(results):
    rows = results["rows"]
    if goals := list(goal_rows(rows)):
        yield "Goals", (BENCH / "harness/goals.md").read_text() + "\n" + \
            table(["ratio of echod to", "goal", "measured", "reached"], goals)
        lost = "\n".join(losses(rows)) or "On no load by more than the noise of 1 %."
        yield "Where echod loses", lost + "\n"
    for load in loads.LOADS:
        if load.name in rows:
            yield f"{load.title} (`{load.name}`)", load_table(load, rows[load.name])
    if "beside" in results:
        yield "TCP 64 B, 100 connections at 10,000/s, beside 1 MiB (`beside`)", \
            (BENCH / "harness/beside.md").read_text() + "\n" + \
            beside_table(results["beside"]) + "\n" + table(
                ["echod", "goal", "measured", "reached"], list(beside_goals(results["beside"])))
    if "busy" in results:
        yield "Round trip of one message at a time, polling (`busy`)", \
            (BENCH / "harness/busy.md").read_text() + "\n" + busy_table(results["busy"]) + \
            "\n" + table(["echod", "goal", "measured", "reached"],
                         list(busy_goals(results["busy"])))
    if "stamp" in results:
        yield "STAMP (`stamp`)", (BENCH / "harness/stamp.md").read_text() + "\n" + \
            "\n".join(stamp_tables(results["stamp"]))
    if "turnaround" in results:
        yield "Turnaround of STAMP (`turnaround`)", \
            (BENCH / "harness/turnaround.md").read_text() + "\n" + \
            "\n".join(turnaround_tables(results["turnaround"]))
    if "exact" in results:
        yield "Cost of a TCP message, whatever else the machine does", \
            exact_table(results["exact"]) + "\n" + table(
                ["for each message", "goal", "measured", "reached"],
                list(exact_goals(results["exact"])))
    if "memory" in results:
        yield "Memory and start", memory_table(results["memory"])
    if "curve" in results:
        yield "Size of one read", curve_table(results["curve"])


def write(results, note, where, name):
    """Returns the path of the report. Only that of everything has a chart."""
    runs = dict.fromkeys(results["runs"].values())
    facts = [*results["about"].items(), *(("command", run) for run in runs)]
    text = ["# echod beside its peers\n", f"{note}\n" if note else None]
    if name == "RESULTS":
        text.append(chart.markdown())
    text.append("\n".join(f"- {name}: {value}" for name, value in facts) + "\n")
    text += [f"## {title}\n\n{body}" for title, body in sections(results)]
    path = pathlib.Path(where, f"{name}.md")
    path.write_text("\n".join(filter(None, text)))
    if name == "RESULTS":
        chart.write(where)
    return path

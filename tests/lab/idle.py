# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""How long a router remembers a silent flow: conntrack with timeouts that are known, behind NAT whose
ports change and behind a firewall that takes only what it knows."""

import json

from each_way import THERE, Path
from lab import Aside, check, scale, test, until

NAT = ("table ip nat { chain c { type nat hook postrouting priority 100;"
       " oifname server masquerade fully-random; }; }")
# All from one address: more than a table of sessions has room for.
STATELESS = {"mode": "stamp"}

# What begins without a SYN is not let through.
STRICT = ("table inet strict { chain c { type filter hook forward priority 0; policy drop;"
          " ct state established accept; tcp flags syn / syn,ack,rst,fin accept; }; }")


def idle(path, *arguments):
    """The status and the lines of an echoc idle."""
    done = path.run("idle", "--json", *arguments, path.targets[4])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(lines and lines[-1]["type"] == "summary", done.stderr)
    return done.returncode, lines


def prepared(prepare, seconds, **settings):
    path = Path(**settings)
    prepare(path, seconds)
    return path


def read(path, seconds, *arguments):
    """The timeout of SECONDS is found to 3 s; what was found."""
    status, lines = idle(path, *arguments)
    summary = lines[-1]
    kept, forgotten = summary["kept_s"], summary["forgotten_s"]
    check(status == 0 and forgotten, summary)
    check(kept - 0.5 <= seconds <= forgotten + 1 and forgotten - kept < 3, summary)
    check(summary["keep_alive_s"] <= kept / 2, summary)
    return f"{seconds} s: {kept:.1f} to {forgotten:.1f} s"


def nat(path, seconds):
    """Established flows; fresh ones have another timeout."""
    path.nft(NAT)
    path.router.sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", seconds)
    path.router.sysctl("net.netfilter.nf_conntrack_udp_timeout", 8)


def fresh_nat(path, seconds):
    path.nft(NAT)
    path.router.sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", 100)
    path.router.sysctl("net.netfilter.nf_conntrack_udp_timeout", seconds)


def firewall(path, seconds):
    path.nft(STRICT)
    path.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", seconds)
    path.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)


@test(limit=400)
def timeouts_of_nat_are_read():
    """All at once, each behind a router of its own."""
    paths = {seconds: prepared(nat, seconds, **STATELESS) for seconds in scale([12], [20, 45, 60])}
    runs = [Aside(read, path, seconds, "--up-to", "75s") for seconds, path in paths.items()]
    return "; ".join(run.result() for run in runs)


@test(limit=200)
def fresh_flows_have_a_timeout_of_their_own():
    return read(prepared(fresh_nat, 8, **STATELESS), 8, "--fresh", "--up-to", "30s")


@test(limit=200)
def a_firewall_forgets_connections():
    return read(prepared(firewall, 8), 8, "-t", "--up-to", "30s")


@test(limit=100)
def what_is_remembered_is_kept():
    path = Path(**STATELESS)
    nat(path, 100)
    status, lines = idle(path, "--up-to", "7s")
    summary = lines[-1]
    check(status == 0 and summary["forgotten_s"] is None and summary["kept_s"] == 7, summary)
    check(summary["keep_alive_s"] is None and summary["address_seen"], summary)


@test(limit=100)
def a_path_that_is_down_forgets_nothing():
    path = Path(**STATELESS)
    path.rule(THERE, "counter")
    run = Aside(idle, path, "--up-to", "6s")
    # Two flows and one that is never silent have sent all that they send at first.
    until(lambda: path.counted(THERE) >= 3 * 4, "the first probes")
    path.rule(THERE, "drop")
    status, lines = run.result()
    check(status == 1 and lines[-1]["path_down"] == 2 and not lines[-1]["forgotten_s"], lines)

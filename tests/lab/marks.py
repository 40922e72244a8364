# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What echoc marks finds on paths that clear, set or drop DSCPs and ECN codepoints on one way."""

import json

from each_way import BACK, STATEFUL, THERE, Path
from lab import check, test

IP = {4: "ip", 6: "ip6"}
DSCPS = 23  # those in use


def marks(path, version, *arguments):
    """The status, the marks by (DSCP, ECN), and the summary."""
    done = path.run("marks", "--json", "-i", "2ms", "-W", "1s", *arguments,
                    path.targets[version])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(lines and lines[-1]["type"] == "summary", done.stderr)
    return (done.returncode,
            {(line["dscp"], line["ecn"]): line for line in lines if line["type"] == "mark"},
            lines[-1])


def both(rules, expect, **settings):
    """Over IPv4 and IPv6: RULES by way, IP in them for the family; EXPECT checks the result."""
    for version in (4, 6):
        path = Path(**(settings or STATEFUL))
        for way, rule in rules.items():
            path.rule(way, rule.replace("IP", IP[version]))
        expect(*marks(path, version))
        for way in rules:
            check(path.counted(way) > 0, "the rule met nothing")


def only(found, name, expected):
    """The marks whose NAME is not 0 are those EXPECTED."""
    changed = {mark for mark, line in found.items() if line[name] > 0}
    check(changed == set(expected), f"{name}: {sorted(changed)}")


def coloured(found):
    return [mark for mark in found if mark[0] != 0]


@test
def a_clean_path_has_no_findings():
    path = Path(**STATEFUL)
    for version in (4, 6):
        status, found, summary = marks(path, version)
        check(status == 0 and summary["l4s_there"] is True and summary["lost"] == 0, summary)
        for name in ("lost", "changed_there", "changed_back"):
            only(found, name, [])
    return f"{len(found)} marks"


@test
def dscps_cleared_on_the_way_there():
    def expect(status, found, summary):
        check(status == 1 and summary["l4s_there"] is True, summary)
        only(found, "changed_there", coloured(found))
        only(found, "changed_back", [])
        check(all(found[mark]["dscp_seen"] == 0 for mark in coloured(found)), found)
    both({THERE: "IP dscp set cs0 counter"}, expect)


@test
def dscps_cleared_on_the_way_back():
    def expect(status, found, summary):
        check(status == 1 and summary["l4s_there"] is True, summary)
        only(found, "changed_there", [])
        only(found, "changed_back", coloured(found))
        check(all(found[mark]["dscp_back"] == 0 for mark in coloured(found)), found)
    both({BACK: "IP dscp set cs0 counter"}, expect)


@test
def one_dscp_set_to_another():
    def expect(status, found, summary):
        check(status == 1 and found[(46, 0)]["dscp_seen"] == 8, found[(46, 0)])
        only(found, "changed_there", [(46, 0)])
        only(found, "changed_back", [])
    both({THERE: "IP dscp ef IP dscp set cs1 counter"}, expect)


@test
def ecn_cleared():
    def expect(status, found, summary):
        check(status == 1 and summary["l4s_there"] is False, summary)
        only(found, "changed_there", [(0, 1), (0, 2), (0, 3)])
        check(all(found[(0, ecn)]["ecn_seen"] == 0 for ecn in (1, 2, 3)), found)
    both({THERE: "IP ecn set not-ect counter"}, expect)


@test
def ect1_taken_for_ect0():
    def expect(status, found, summary):
        check(status == 1 and summary["l4s_there"] is False, summary)
        only(found, "changed_there", [(0, 1)])
    both({THERE: "IP ecn ect1 IP ecn set ect0 counter"}, expect)


@test
def marks_dropped_on_each_way():
    """The reply to EF leaves as EF."""
    def expect(status, found, summary):
        check(status == 1 and summary["marks_lost"] == 3 and summary["lost"] == 9, summary)
        only(found, "lost", [(46, 0), (8, 0), (0, 3)])
        ways = {mark: line["lost_way"] for mark, line in found.items() if line["lost_way"]}
        check(ways == {(46, 0): "back", (8, 0): "there", (0, 3): "there"}, ways)
        check(found[(46, 0)]["dscp_seen"] == 46, found[(46, 0)])
    there = f"IP ecn ce counter drop; iifname {THERE} meta l4proto udp IP dscp cs1 counter drop"
    both({THERE: there, BACK: "IP dscp ef counter drop"}, expect)


@test
def an_echo_server_shows_the_round_trip():
    def expect(status, found, summary):
        check(status == 1 and summary["far_side"] == "echo", summary)
        check(summary["dscp_returned"] is True and summary["l4s_there"] is None, summary)
        only(found, "changed_back", [(46, 0)])
    both({BACK: "IP dscp ef IP dscp set cs0 counter"}, expect, protocol="udp", reflect_dscp="yes")

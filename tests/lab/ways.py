# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What echom says about each direction and each of several paths, beside what routers did."""

import re

from each_way import BACK, STATEFUL, THERE, Path, lengthen_way_back
from flows import Fan, SERVER
from lab import check, test
from lab.basics import until
from lab.monitor import Echom

IP = {4: "ip", 6: "ip6"}
RULES = {THERE: "numgen inc mod 8 == 1 counter drop", BACK: "numgen inc mod 9 == 3 counter drop"}


def watch(path, version, protocol="stamp", **settings):
    return Echom(path.client, {"t": {"address": path.targets[version], "protocol": protocol,
                                     **settings}}, interval="50ms", timeout="300ms")


def losses(version):
    path = Path(**STATEFUL)
    for way, rule in RULES.items():
        path.rule(way, rule)
    echom = watch(path, version, flows=3)

    def truth():
        return {"there": path.counted(THERE), "back": path.counted(BACK)}

    until(lambda: min(truth().values()) >= 6 and
          echom.each_way("lost_direction_total", "t") == truth(), "the routers' counts")
    found = echom.each_way("lost_direction_total", "t")
    check(sum(found.values()) <= echom.figures()["probes_lost_total"]["t"], found)
    return f"IPv{version}: {found['there']} there, {found['back']} back"


@test
def losses_are_those_of_each_direction():
    return "; ".join(losses(version) for version in (4, 6))


def expect_hops(expected, protocol="stamp", version=4, **settings):
    path = Path(**settings)
    lengthen_way_back(path)
    echom = watch(path, version, protocol)
    until(lambda: echom.figures()["probes_received_total"]["t"] >= 20, "20 replies")
    check(echom.figures()["probes_lost_total"]["t"] == 0, echom.figures())
    found = echom.each_way("hops", "t")
    check(found == expected, found)


@test
def hops_are_known_however_replies_begin():
    for guard in ("yes", "no"):
        expect_hops({"there": 1, "back": 2}, **STATEFUL, udp_ttl_guard=guard)
        expect_hops({"there": 1, "back": 1}, version=6, **STATEFUL, udp_ttl_guard=guard)
    expect_hops({"back": 2}, "udp", udp_ttl_guard="no", udp_rate=0)
    expect_hops({}, "udp", udp_ttl_guard="yes", udp_rate=0)


@test
def dscps_are_changed_on_the_way_that_changes_them():
    for version in (4, 6):
        for way, expected in ((THERE, {"there": 1, "back": 0}), (BACK, {"there": 0, "back": 1}),
                              (None, {"there": 0, "back": 0})):
            path = Path(**STATEFUL)
            if way:
                path.rule(way, f"{IP[version]} dscp set cs1 counter")
            echom = watch(path, version, dscp=46)
            until(lambda: echom.figures()["probes_received_total"]["t"] >= 3, "3 replies")
            found = echom.each_way("dscp_changed", "t")
            check(found == expected, f"{way}: {found}")


def ports(host):
    """Of the UDP sockets there."""
    with host, open("/proc/thread-self/net/udp") as table:
        return [int(port, 16) for port in re.findall(r"^ *\d+: \w+:(\w+) ", table.read(), re.M)]


@test
def flows_over_a_bad_path_are_counted():
    fan = Fan()
    fan.lose(2)
    echom = Echom(fan.client, {"t": {"address": f"{SERVER}:{fan.echod.port}", "flows": 24}},
                  interval="10ms", timeout="300ms")
    until(lambda: len(ports(fan.client)) == 24, "24 sockets")
    guilty = sum(fan.path_of(port, "udp") == 2 for port in ports(fan.client))
    until(lambda: echom.figures()["flows_lossy"]["t"] == guilty, f"{guilty} lossy flows", 30)
    return f"{guilty} of 24"

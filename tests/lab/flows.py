# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""echoc flows over four equal paths, of which some lose."""

import json
import re
import subprocess

from lab import ECHOC, Echod, Host, Link, check, scale, test

CLIENT, SERVER = "10.8.0.1", "10.9.0.1"
PATHS = 4


def drop(host, hook, rule):
    """HOST drops what RULE matches."""
    with host:
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
add table ip lossy
add chain ip lossy {hook} {{ type filter hook {hook} priority 0; }}
add rule ip lossy {hook} {rule} drop
""")


class Fan:
    """A client and a server, and between them four routers among which the client chooses by
    addresses and ports. Replies go over the first one."""

    def __init__(self):
        self.client, self.server = Host("client"), Host("server")
        self.routers = [Host(f"r{number}") for number in range(PATHS)]
        self.client.ip(f"addr add {CLIENT}/32 dev lo")
        self.server.ip(f"addr add {SERVER}/32 dev lo")
        for number, router in enumerate(self.routers):
            Link(self.client, router, f"10.0.{number}.{{}}/24")
            Link(router, self.server, f"10.1.{number}.{{}}/24")
            router.sysctl("net.ipv4.ip_forward", 1)
            router.ip(f"route add {SERVER} via 10.1.{number}.2")
            router.ip(f"route add {CLIENT} via 10.0.{number}.1")
        self.client.sysctl("net.ipv4.fib_multipath_hash_policy", 1)
        hops = " ".join(f"nexthop via 10.0.{number}.2" for number in range(PATHS))
        self.client.ip(f"route add {SERVER} src {CLIENT} {hops}")
        self.server.ip(f"route add {CLIENT} via 10.1.0.1")
        self.echod = Echod(self.server, address=f"{SERVER}:0", udp_rate=0)

    def lose(self, path, rule=""):
        """Router PATH drops what it forwards to the server, as far as RULE says."""
        drop(self.routers[path], "forward", f"ip daddr {SERVER} {rule}")

    def path_of(self, port, protocol):
        """Which path the kernel chooses for packets from PORT."""
        with self.client:
            text = subprocess.run(
                ["ip", "route", "get", SERVER, "from", CLIENT, "ipproto", protocol, "sport",
                 str(port), "dport", str(self.echod.port)],
                check=True, capture_output=True, text=True).stdout
        return int(re.search(r" dev r(\d)", text)[1])

    def flows(self, *arguments):
        """The JSON objects of a run, and its exit status."""
        with self.client:
            done = subprocess.run([ECHOC, "flows", "--json", *arguments,
                                   f"{SERVER}:{self.echod.port}"], capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines()], done.returncode

    def expect_guilty(self, objects, paths, protocol="udp"):
        """The lossy ports are those that take PATHS. Returns them, and all ports."""
        flows = [line for line in objects if line["type"] == "flow"]
        found = {flow["port"] for flow in flows if flow["lossy"]}
        guilty = {flow["port"] for flow in flows if self.path_of(flow["port"], protocol) in paths}
        check(found == guilty, f"found {sorted(found)}, not {sorted(guilty)}: {objects[-1]}")
        return guilty, {flow["port"] for flow in flows}


def run_time():
    return "-d", f"{scale(3, 20)}s"


@test
def nothing_is_found_where_nothing_is_lost():
    fan = Fan()
    objects, status = fan.flows("-r", "1000", *run_time())
    summary = objects[-1]
    check(status == 0 and summary["lost"] == 0, f"exit {status}: {summary}")
    check(summary["lossy_flows"] == 0 and summary["paths"] is None, f"{summary}")
    used = {fan.path_of(line["port"], "udp") for line in objects if line["type"] == "flow"}
    check(len(used) == PATHS, f"only the paths {used} were used, so this test cannot fail")
    return f"{summary['sent']} sent over {len(used)} paths"


@test
def the_flows_of_a_path_that_loses_all_are_named():
    fan = Fan()
    fan.lose(2)
    objects, status = fan.flows("-r", "1000", *run_time())
    guilty, _ = fan.expect_guilty(objects, {2})
    summary = objects[-1]
    check(status == 1 and summary["lossy_flows"] == len(guilty), f"exit {status}: {summary}")
    check(summary["paths_at_least"] == 2, f"{summary}")
    check(1.5 < summary["paths"] < 16, f"{summary}")
    return (f"{len(guilty)} of {summary['flows']} flows, about {summary['paths']} paths"
            f" ({summary['paths_low']} to {summary['paths_high']})")


@test
def paths_that_lose_some_are_two_classes():
    fan = Fan()
    fan.lose(1, "numgen random mod 100 < 70")
    fan.lose(3, "numgen random mod 100 < 20")
    objects, status = fan.flows("-n", "64", "-r", "2000", *run_time())
    guilty, _ = fan.expect_guilty(objects, {1, 3})
    for line in objects:
        if line["type"] == "flow" and line["lossy"]:
            expected = 1 if fan.path_of(line["port"], "udp") == 1 else 2
            check(line["class"] == expected, f"{line}")
    check(status == 1 and objects[-1]["lossy_classes"] == 2, f"{objects[-1]}")
    return f"{len(guilty)} of 64 flows"


@test
def what_every_path_loses_is_no_flows_fault():
    """Every fourth packet: in turn, it would hit the same flows each time."""
    fan = Fan()
    drop(fan.server, "input", f"ip daddr {SERVER} numgen inc mod 4 == 0")
    objects, status = fan.flows("-r", "1000", *run_time())
    summary = objects[-1]
    check(status == 1 and 24 < summary["loss_percent"] < 26, f"exit {status}: {summary}")
    check(summary["lossy_flows"] == 0, f"{summary}")
    return f"{summary['loss_percent']} % lost, no flow found"


@test
def the_text_names_guilty_ports_and_no_others():
    fan = Fan()
    fan.lose(0)
    with fan.client:
        done = subprocess.run([ECHOC, "flows", "-v", "-n", "200", "-r", "4000", *run_time(),
                               f"{SERVER}:{fan.echod.port}"], capture_output=True, text=True)
    named = {int(word) for word in re.findall(r"(?<![\d.])\d{5}(?![\d.])", done.stdout)}
    named -= {fan.echod.port}
    check(done.returncode == 1 and named, f"exit {done.returncode}: {done.stdout}{done.stderr}")
    base = min(named)
    ports = range(max(49152, base - 199), min(65536, base + 200))
    guilty = {port for port in ports if fan.path_of(port, "udp") == 0}
    check(named <= guilty, f"{sorted(named - guilty)} are not guilty: {done.stdout}")
    count = int(re.search(r"(\d+) of 200 flows lose", done.stdout)[1])
    check(len(named) == count, f"{len(named)} named of {count}: {done.stdout}")
    command = re.search(r"echoc (ping .*)", done.stdout)[1].split()
    check(fan.path_of(int(command[command.index("-I") + 1].rpartition(":")[2]), "udp") == 0,
          f"{command}")
    return f"{len(named)} of 200 flows"


@test
def connections_over_a_dead_path_are_named():
    fan = Fan()
    fan.lose(2)
    objects, status = fan.flows("-t", "-n", "64", "-W", "500ms", *run_time())
    guilty, _ = fan.expect_guilty(objects, {2}, "tcp")
    check(status == 1, f"exit {status}: {objects[-1]}")
    return f"{len(guilty)} of 64 connections"


@test
def connections_over_a_lossy_path_are_named():
    """What is lost is sent again: no reply is missing."""
    fan = Fan()
    objects, status = fan.flows("-t", "-n", "48", *run_time())
    check(status == 0 and objects[-1]["lossy_flows"] == 0, f"exit {status}: {objects[-1]}")
    fan.lose(1, "numgen random mod 100 < 30")
    objects, status = fan.flows("-t", "-n", "48", "-W", "10s", "-d", f"{scale(5, 20)}s")
    guilty, _ = fan.expect_guilty(objects, {1}, "tcp")
    check(status == 1, f"exit {status}: {objects[-1]}")
    return f"{len(guilty)} of 48 connections, {objects[-1]['lost']} replies missing"


@test
def two_hundred_fifty_six_flows_lose_nothing_of_their_own():
    fan = Fan()
    objects, status = fan.flows("-n", "256", "-r", "10000", *run_time())
    summary = objects[-1]
    check(status == 0 and summary["lost"] == summary["own_drops"] == 0, f"exit {status}: {summary}")
    return (f"{summary['sent']} sent, {summary['skipped']} skipped,"
            f" p99 {summary['rtt_us']['p99']:.0f} us")


@test
def the_flows_that_a_hash_of_ports_picks_are_named():
    """Whoever loses need not be a router with paths: one that balances load, or a broken queue."""
    client, server = Host("client"), Host("server")
    Link(client, server, "10.0.0.{}/24")
    echod = Echod(server, address="10.0.0.2:0", udp_rate=0)
    with server:
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""
table ip lossy {
	set picked { type inet_service; flags dynamic; size 1024; }
	chain input {
		type filter hook input priority 0;
		ip protocol udp jhash udp sport mod 8 seed 0x2a == 3 jump lose
	}
	chain lose {
		update @picked { udp sport }
		numgen random mod 100 < 40 drop
	}
}
""")
    with client:
        done = subprocess.run([ECHOC, "flows", "--json", "-n", "64", "-r", "2000", *run_time(),
                               f"10.0.0.2:{echod.port}"], capture_output=True, text=True)
    with server:
        text = subprocess.run(["nft", "list", "set", "ip", "lossy", "picked"], check=True,
                              capture_output=True, text=True).stdout
    picked = {int(port) for port in re.findall(r"\b\d{4,5}\b", text.split("elements")[-1])}
    flows = [json.loads(line) for line in done.stdout.splitlines()]
    found = {flow["port"] for flow in flows if flow["type"] == "flow" and flow["lossy"]}
    check(picked, "the rule picked no flow, so this test cannot fail")
    check(found == picked, f"found {sorted(found)}, not {sorted(picked)}: {text}")
    check(done.returncode == 1, done.returncode)
    return f"{len(found)} of 64 flows"

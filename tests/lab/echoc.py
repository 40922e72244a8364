# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What echoc reports about a failing path: the length of the outage, and the router's reason."""

import asyncio
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import time

from lab import ECHOC, Echod, Host, Link, Skip, check, scale, test, until

INTERVAL = 0.2
NARROW = 1400


class Ping:
    """An echoc ping on HOST, stopped by summary()."""

    def __init__(self, host, *arguments):
        with host:
            self.process = subprocess.Popen(
                [ECHOC, "ping", "--json", *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []

    def until(self, kind, **members):
        """Reads up to an object of KIND with these MEMBERS, and returns it."""
        for line in self.process.stdout:
            self.lines.append(json.loads(line))
            if self.lines[-1]["type"] == kind and members.items() <= self.lines[-1].items():
                return self.lines[-1]
        raise AssertionError(f"no {kind} with {members}: {self.lines[-3:]}")

    def summary(self):
        self.process.send_signal(signal.SIGINT)
        summary = self.until("summary")
        self.process.wait()
        return summary


class Routed:
    """A client, a router, and a server behind a link with a small MTU."""

    def __init__(self):
        self.client, self.router, self.server = Host("client"), Host("router"), Host("server")
        Link(self.client, self.router, "10.0.0.{}/24", "fd00::{}/64")
        Link(self.router, self.server, "10.0.1.{}/24", "fd01::{}/64", mtu=NARROW)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.router.sysctl("net.ipv4.icmp_ratelimit", 0)
        self.router.sysctl("net.ipv6.icmp.ratelimit", 0)
        self.client.ip("route add default via 10.0.0.2")
        self.client.ip("-6 route add default via fd00::2")
        self.server.ip("route add default via 10.0.1.1")
        self.server.ip("-6 route add default via fd01::1")

    def ping(self, *arguments):
        """The JSON objects of a ping that ends by itself, over UDP unless it has -t, and its CPU
        time in seconds."""
        transport = () if "-t" in arguments else ("-u",)
        before = os.times()
        with self.client:
            done = subprocess.run([ECHOC, "ping", "--json", *transport, *arguments],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        after = os.times()
        return ([json.loads(line) for line in done.stdout.splitlines()],
                after.children_user + after.children_system
                - before.children_user - before.children_system)


@test(limit=40)
def an_outage_of_tcp_is_as_long_as_it_was():
    """A router silently drops everything. The kernel would retransmit after 0.2, 0.4, 0.8 ... s."""
    scene = Routed()
    echod = Echod(scene.server)
    ping = Ping(scene.client, "-i", f"{INTERVAL * 1000:.0f}ms", f"10.0.1.2:{echod.port}")
    ping.until("reply", seq=5)
    for address in ("10.0.0.1", "10.0.1.2"):
        scene.router.ip(f"route add blackhole {address}")
    down = time.monotonic()
    while time.monotonic() - down < scale(7, 20):
        ping.until("lost")
    for address in ("10.0.0.1", "10.0.1.2"):
        scene.router.ip(f"route delete blackhole {address}")
    was = time.monotonic() - down
    for _ in range(5):
        ping.until("reply")
    summary = ping.summary()
    read = summary["lost"] * INTERVAL
    check(abs(read - was) < 1, f"{was:.1f} s, read as {read:.1f} s: {summary}")
    check(summary["reconnects"] >= 1, f"{summary}")
    check(summary["tcp"]["retransmits"] >= 1 and summary["connect_us"]["min"] > 0, f"{summary}")
    return f"{was:.1f} s, read as {read:.1f} s"


def broken_for(scene, seconds):
    """Lets the router drop what goes to the server; returns the least and the most that it took."""
    before = time.monotonic()
    scene.router.ip("route add blackhole 10.0.1.2")
    down = time.monotonic()
    time.sleep(seconds)
    ending = time.monotonic()
    scene.router.ip("route delete blackhole 10.0.1.2")
    return ending - down, time.monotonic() - before


@test
def an_outage_of_udp_is_measured_within_an_interval():
    """A probe each 20 ms; beside it fping(8) counts what it lost at the same rate."""
    scene = Routed()
    echod = Echod(scene.server)
    ping = Ping(scene.client, "-u", "-i", "20ms", "-W", "500ms", f"10.0.1.2:{echod.port}")
    ping.until("reply", seq=5)
    with scene.client:
        fping = subprocess.Popen(["fping", "-o", "-q", "-p", "20", "-c", "120", "10.0.1.2"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    ping.until("reply", seq=20)
    least, most = broken_for(scene, 1.0)
    outage = ping.until("outage")
    summary = ping.summary()
    others = re.search(r"outage\(ms\) = (\d+)", fping.communicate()[1])
    read = outage["duration_s"]
    bounds = outage["duration_min_s"], outage["duration_max_s"]
    within = bounds[1] - bounds[0]
    check(bounds[0] <= most and least <= bounds[1], f"{least} to {most}, read as {outage}")
    check(least - within <= read <= most + within, f"{least} to {most}, read as {outage}")
    check(summary["outages"] == 1 and summary["outage_s"] == read, f"{summary}")
    return (f"{least:.3f} to {most:.3f} s, read as {read:.3f} ({bounds[0]:.3f} to {bounds[1]:.3f}); "
            f"fping {int(others[1]) / 1000:.3f}")


def reasons(lines):
    return [line["reason"] for line in lines if line["type"] == "lost"]


@test
def the_router_that_refuses_is_named():
    scene = Routed()
    for kind, network in (("unreachable", "10.9.0.0/24"), ("prohibit", "10.9.1.0/24"),
                          ("unreachable", "fd09::/64"), ("prohibit", "fd09:0:0:1::/64")):
        scene.router.ip(f"route add {kind} {network}")
    said = []
    for target, words in (("10.9.0.1", "from 10.0.0.2: host unreachable"),
                          ("10.9.1.1", "from 10.0.0.2: administratively prohibited"),
                          ("fd09::1", "from fd00::2: no route"),
                          ("fd09:0:0:1::1", "from fd00::2: administratively prohibited")):
        lines, cpu = scene.ping("-c", "2", "-i", "100ms", target)  # routers send five in a burst
        check(reasons(lines) == 2 * [words], f"{target}: {lines}")
        check(lines[-1]["icmp_errors"] == 2 and lines[-1]["refused"] == 0, f"{lines[-1]}")
        check(cpu < 0.1, f"{target}: {cpu:.2f} s of CPU")
        said.append(words)
    return "; ".join(said)


@test
def a_port_that_the_target_refuses_is_not_a_routers():
    scene = Routed()
    for target in ("10.0.1.2:9", "[fd01::2]:9"):
        lines, _ = scene.ping("-c", "3", "-i", "50ms", target)
        check(reasons(lines) == 3 * ["refused: nothing listens there"], f"{target}: {lines}")
        check(lines[-1]["icmp_errors"] == 0 and lines[-1]["refused"] == 3, f"{lines[-1]}")


@test
def an_error_does_not_make_it_spin():
    """The router reports a missing host some time after the probe has timed out."""
    scene = Routed()
    lines, cpu = scene.ping("-c", "10", "-i", "500ms", "-W", "400ms", "10.0.1.77")
    check(lines[-1]["lost"] == 10 and lines[-1]["icmp_errors"] > 0, f"{lines[-1]}")
    check(cpu < 0.1, f"{cpu:.2f} s of CPU")
    return f"{lines[-1]['icmp_errors']} errors, {cpu * 1000:.0f} ms of CPU"


@test
def what_may_not_be_fragmented_is_lost_each_time():
    """Without -M do the kernel sends fragments once it knows the path MTU."""
    scene = Routed()
    echod = Echod(scene.server)
    for address, reported in (("10.0.1.2", f"from 10.0.0.2: fragmentation needed, MTU {NARROW}"),
                              ("[fd01::2]", f"from fd00::2: packet too big, MTU {NARROW}")):
        to = ("-i", "100ms", "-s", "1440", f"{address}:{echod.port}")
        first, _ = scene.ping("-c", "1", "-M", "do", *to)
        check(reasons(first) == [reported], f"{first}")
        second, _ = scene.ping("-c", "2", "-M", "do", *to)
        check(reasons(second) == 2 * ["Message too long"], f"{second}")
        check(second[-1]["icmp_errors"] == 0, f"{second[-1]}")
        third, _ = scene.ping("-c", "2", *to)
        check(third[-1]["received"] == 2, f"{third}")


@test
def the_router_at_which_the_ttl_runs_out_is_named():
    scene = Routed()
    echod = Echod(scene.server)
    for address, router in (("10.0.1.2", "10.0.0.2"), ("[fd01::2]", "fd00::2")):
        to = ("-c", "2", "-i", "100ms", f"{address}:{echod.port}")
        lines, _ = scene.ping("--ttl", "1", *to)
        check(all(router in reason and "exceeded" in reason for reason in reasons(lines))
              and lines[-1]["icmp_errors"] == 2, f"{lines}")
        lines, _ = scene.ping("--ttl", "8", *to)
        check(lines[-1]["received"] == 2, f"{lines}")


@test
def an_interface_is_the_way_out():
    """Of two routers the one behind the interface that is named carries the packets."""
    scene = Routed()
    echod = Echod(scene.server)
    detour = Host("detour")
    Link(scene.client, detour, "10.0.2.{}/24", "fd02::{}/64")
    Link(detour, scene.server, "10.0.3.{}/24", "fd03::{}/64")
    detour.sysctl("net.ipv4.ip_forward", 1)
    detour.sysctl("net.ipv6.conf.all.forwarding", 1)
    detour.ip("route add 10.0.1.2 via 10.0.3.2")
    detour.ip("-6 route add fd01::2 via fd03::2")
    scene.client.ip("route add default via 10.0.2.2 metric 9999")
    scene.client.ip("-6 route add default via fd02::2 metric 9999")
    scene.server.ip("route add 10.0.2.0/24 via 10.0.3.1")
    scene.server.ip("-6 route add fd02::/64 via fd03::1")
    for address, source in (("10.0.1.2", "10.0.2.1"), ("[fd01::2]", "[fd02::1]")):
        for transport in ((), ("-t",)):
            lines, _ = scene.ping(*transport, "-c", "1", "-I", detour.name,
                                  f"{address}:{echod.port}")
            check(lines[0]["source"].rpartition(":")[0] == source
                  and lines[0]["interface"] == detour.name
                  and lines[-1]["received"] == 1, f"{transport} {address}: {lines}")


HAPROXY = """
defaults
    mode tcp
    timeout connect 2s
    timeout client 1m
    timeout server 1m
listen near
    bind 10.0.0.2:7001
    server echod 10.0.1.2:{near}
listen far
    bind 10.0.0.2:7002
    server relay 10.0.1.2:7009
"""
FAR_MS = 30


async def relay_slowly(port):
    """To PORT and back, as far away as no link here is: FAR_MS each way."""
    async def carry(reader, writer):
        loop = asyncio.get_running_loop()
        while data := await reader.read(65536):
            loop.call_later(FAR_MS / 1000, writer.write, data)

    async def serve(reader, writer):
        back, on = await asyncio.open_connection("10.0.1.2", port)
        await asyncio.gather(carry(reader, on), carry(back, writer))

    server = await asyncio.start_server(serve, "10.0.1.2", 7009)
    await server.serve_forever()


@test
def a_proxy_that_answers_for_the_server_is_recognised():
    """haproxy connects at once; the server is near, or far behind it."""
    if not shutil.which("haproxy"):
        raise Skip("needs haproxy")
    scene = Routed()
    echod = Echod(scene.server)
    with open("haproxy.cfg", "w") as file:
        file.write(HAPROXY.format(near=echod.port))
    with scene.server:
        multiprocessing.Process(target=lambda: asyncio.run(relay_slowly(echod.port)),
                                daemon=True).start()
    with scene.router:
        subprocess.Popen(["haproxy", "-q", "-db", "-f", "haproxy.cfg"])
    said = []
    for port, answered in ((7001, False), (7002, True)):
        until(lambda: scene.ping("-t", "-c", "1", f"10.0.0.2:{port}")[0][-1]["received"] == 1,
              "haproxy and the server behind it are up")
        lines, _ = scene.ping("-t", "-c", "8", "-i", "100ms", f"10.0.0.2:{port}")
        summary = lines[-1]
        check(summary["received"] == 8 and summary["answered_on_the_way"] is answered,
              f"{port}: {summary}")
        said.append(f"connect {summary['connect_us']['min'] / 1000:.1f} ms, echo "
                    f"{summary['rtt_us']['min'] / 1000:.1f} ms: {answered}")
    return "; ".join(said)


@test
def a_name_with_several_addresses_finds_the_one_that_answers():
    scene = Routed()
    echod = Echod(scene.server, address="10.0.1.2:0")
    scene.router.ip("route add blackhole fd09::/64")
    with open("hosts", "w") as file:
        file.write("10.0.1.2 refused silent closed\nfd01::2 refused\nfd09::1 silent\n")
    subprocess.run(["mount", "--bind", "hosts", "/etc/hosts"], check=True)
    for name in ("refused", "silent"):
        for transport in ("-u", "-v"):
            with scene.client:
                done = subprocess.run(
                    [ECHOC, "ping", transport, "-v", "-c", "2", "-i", "50ms",
                     f"{name}:{echod.port}"], capture_output=True, text=True)
            check("(10.0.1.2:" in done.stdout and "2 received" in done.stdout
                  and "]:" in done.stderr and done.returncode == 0,
                  f"{name} {transport}: {done.stdout}{done.stderr}")
    lines, _ = scene.ping("-c", "1", "-s", "65520", f"refused:{echod.port}")
    check(lines[0]["address"].startswith("[fd01::2]"), f"too large for IPv4: {lines}")
    with scene.client:
        done = subprocess.run([ECHOC, "ping", "-c", "1", "refused:9"], capture_output=True,
                              text=True)
    check(done.returncode == 1 and "[fd01::2]:9" in done.stderr and "10.0.1.2:9" in done.stderr,
          done.stderr)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Three echods behind haproxy with contrib/haproxy.cfg: under load, one is drained and stopped, one
is stopped without notice, one is killed."""

import csv
import json
import os
import pwd
import shutil
import signal
import subprocess

from lab import Echod, Host, Link, Skip, check, test, until

SERVERS = ("echod1", "echod2", "echod3")
CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib/haproxy.cfg")
ADMIN = "/run/haproxy/admin.sock"
# The user and the directory that Debian's package creates, and replacements for them.
PACKAGED = {"user haproxy": "user nobody", "group haproxy": "group nogroup",
            "chroot /var/lib/haproxy": "chroot /run/haproxy"}
BALANCER = "10.0.0.1"
CONNECTIONS = 12


def configuration():
    """CONFIG, or a version of it for a haproxy that was unpacked but not installed."""
    try:
        pwd.getpwnam("haproxy")
        return CONFIG
    except KeyError:
        with open(CONFIG) as file:
            text = file.read()
    for packaged, instead in PACKAGED.items():
        check(packaged in text, f"{CONFIG} does not have: {packaged}")
        text = text.replace(packaged, instead)
    with open("haproxy.cfg", "w") as file:
        file.write(text)
    return "haproxy.cfg"


class Farm:
    """A client, a balancer, and behind it hosts with one echod each at the addresses in CONFIG."""

    def __init__(self):
        self.echoc = os.path.join(os.path.dirname(os.environ["ECHOD"]), "echoc")
        if not shutil.which("haproxy") or not os.access(self.echoc, os.X_OK):
            raise Skip("needs haproxy, and echoc beside echod")
        self.client, self.balancer = Host("client"), Host("balancer")
        Link(self.balancer, self.client, "10.0.0.{}/24")
        self.hosts = {name: self.host(name, number) for number, name in enumerate(SERVERS, 1)}
        self.echods = {name: Echod(host, address="*:7") for name, host in self.hosts.items()}
        os.makedirs(os.path.dirname(ADMIN))
        with self.balancer:
            self.haproxy = subprocess.Popen(["haproxy", "-q", "-db", "-f", configuration()])
        until(self.all_up, "haproxy has found all of them", 60)

    def host(self, name, number):
        host = Host(name)
        Link(self.balancer, host, f"10.0.{number}.{{}}/24")
        host.ip(f"addr add 192.0.2.1{number}/32 dev lo")
        self.balancer.ip(f"route add 192.0.2.1{number} via 10.0.{number}.2")
        return host

    def command(self, text):
        """haproxy's response to a command on its socket."""
        done = subprocess.run(["nc", "-N", "-U", ADMIN], input=text + "\n", text=True,
                              capture_output=True)
        return done.stdout

    def servers(self):
        """haproxy's statistics, one row for each server."""
        rows = csv.DictReader(self.command("show stat echo 4 -1").lstrip("# ").splitlines())
        return {row["svname"]: row for row in rows}

    def all_up(self):
        rows = self.servers()
        return len(rows) == 3 and all(row["check_status"] == "L7OK" for row in rows.values())

    def load(self):
        """Runs echoc bench through the balancer until summary()."""
        with self.client:
            return subprocess.Popen([self.echoc, "bench", "--json", "-c", str(CONNECTIONS), "-d",
                                     "5m", BALANCER], stdout=subprocess.PIPE)

    def sessions(self):
        return {name: int(row["scur"]) for name, row in self.servers().items()}

    def received(self, name):
        return self.echods[name].figures()["received_bytes_tcp"]

    def is_up(self, name):
        return self.servers()[name]["status"] == "UP"

    def spread_over(self, names):
        sessions = self.sessions()
        return (sum(sessions.values()) == CONNECTIONS
                and all((count > 0) == (name in names) for name, count in sessions.items()))

    def wait_for_load(self, names):
        """Waits until the bench has all its connections, only to NAMES, and messages on them."""
        until(lambda: self.spread_over(names), f"connections to {names}", 10)
        before = {name: self.received(name) for name in names}
        until(lambda: all(self.received(name) > before[name] + 1000 for name in names), "messages")


def summary(bench):
    """Stops a bench, and checks that its counters add up and that no data is corrupt."""
    bench.send_signal(signal.SIGINT)
    lines = [json.loads(line) for line in bench.communicate(timeout=30)[0].splitlines()]
    books = lines[-1]
    check(books["type"] == "summary", books)
    check(books["sent"] == books["received"] + books["lost"], books)
    check(books["corrupt"] == books["truncated"] == books["duplicates"] == 0, books)
    return books


def words(books):
    return (f"of {books['sent']} messages {books['lost']} lost,"
            f" {books['reconnects']} of {CONNECTIONS} connections made again")


@test
def every_byte_passes():
    farm = Farm()
    data = os.urandom(1 << 20)
    with farm.client:
        done = subprocess.run([farm.echoc, "send", BALANCER], input=data, capture_output=True)
    check(done.returncode == 0 and done.stdout == data, f"{len(done.stdout)} bytes; {done.stderr}")


@test
def one_that_was_drained_stops_without_a_message_lost():
    farm = Farm()
    first = farm.load()
    farm.wait_for_load(SERVERS)
    farm.command("set server echo/echod2 state drain")
    lost = summary(first)["lost"]
    second = farm.load()
    farm.wait_for_load(["echod1", "echod3"])
    farm.echods["echod2"].stop()
    books = summary(second)
    check(lost == books["lost"] == books["reconnects"] == 0, words(books))

    farm.echods["echod2"] = Echod(farm.hosts["echod2"], address="*:7")
    farm.command("set server echo/echod2 state ready")
    until(lambda: farm.is_up("echod2"), "haproxy has found it again")
    third = farm.load()
    farm.wait_for_load(SERVERS)
    check(summary(third)["lost"] == 0, "after it was back")
    return words(books)


def lose_one(farm, how):
    """Ends echod3 under load. Only its connections are re-established elsewhere. haproxy may
    try echod3 again for one of them, and close it later: that one is re-established twice."""
    bench = farm.load()
    farm.wait_for_load(SERVERS)
    concerned = farm.sessions()["echod3"]
    how(farm.echods["echod3"])
    farm.wait_for_load(["echod1", "echod2"])
    books = summary(bench)
    check(concerned <= books["reconnects"] <= 2 * concerned, words(books))
    check(books["lost"] <= books["reconnects"], words(books))
    return words(books)


@test
def one_that_stops_without_notice_costs_a_message_a_connection_at_most():
    return lose_one(Farm(), lambda echod: echod.stop())


@test
def the_clients_of_one_that_was_killed_connect_again():
    return lose_one(Farm(), lambda echod: echod.signal(signal.SIGKILL))


@test
def those_of_a_host_that_fell_silent_do_too():
    farm = Farm()
    return lose_one(farm, lambda _: farm.hosts["echod3"].ip("link set balancer down"))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Scenario of echod-restricted.socket: systemd holds port 7, echod has only those sockets."""

import os
import re
import shutil
import signal

from common import (check_nobody_refused, check_served, configure, exposure, install,
                    process_fields, refuses, says_back, steady_connects)
from lab import ask, check, connect, test, udp_socket, until

RESTARTS = 10
METRICS_UNIT = "echod-restricted-metrics.socket"
METRICS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib", METRICS_UNIT)
UNITS = "/etc/systemd/system/"


@test
def the_first_datagram_starts_it_and_is_answered(guest):
    install(guest)
    guest.systemctl("start", "echod-restricted.socket")
    check(guest.show("echod-restricted", "ActiveState") == "inactive", "running before it is asked")
    with udp_socket(guest, "127.0.0.1", seconds=10) as sock:
        check(ask(sock, ("127.0.0.1", 7))[0] == b"hello", "no answer")
    check_served(guest, 7)


@test
def it_has_no_privilege_and_no_network(guest):
    pid = guest.main_pid("echod-restricted")
    fields = process_fields(pid)
    check(fields["Uid"].split()[0] != "0", f"runs as root: {fields['Uid']}")
    for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(int(fields[name], 16) == 0, f"{name} {fields[name]}")
    check(fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2", "no_new_privs or seccomp")
    networks = [os.readlink(f"/proc/{process}/ns/net") for process in (pid, guest.leader)]
    check(networks[0] != networks[1], "it has the network of the machine")
    level = exposure(guest, "echod-restricted.service")
    check(level <= 0.2, f"exposure {level}")
    return f"exposure {level}"


@test
def the_listener_of_its_name_lends_its_settings(guest):
    configure(guest, "[listener echo]", "address = *:7007", "greeting = welcome")
    guest.systemctl("reload", "echod-restricted")
    with connect(guest, "127.0.0.1", 7) as sock:
        check(sock.recv(100) == b"welcome", "the reload is not in force")
    check(refuses(guest, 7007), "it opened a port")
    configure(guest, "[listener echo]", "address = *:7")
    guest.systemctl("reload", "echod-restricted")


@test
def a_bad_file_fails_the_reload_and_nothing_else(guest):
    with connect(guest, "127.0.0.1", 7) as held:
        configure(guest, "[listener echo]", "address = *:7", "udp_rate = many")
        guest.systemctl("reload", "echod-restricted", good=False)
        check(says_back(held), "the open connection lost its echo")
    check_served(guest, 7)
    status = guest.systemctl("status", "--no-pager", "echod-restricted")
    check("/etc/echod.conf:3:" in status, f"the reason is not in the status:\n{status}")
    configure(guest, "[listener echo]", "address = *:7")


@test
def restarts_under_load_refuse_nobody(guest):
    with steady_connects(guest, 7) as ends:
        ping = guest.start("echoc", "ping", "-u", "-q", "-i", "5ms", "-W", "5s", "127.0.0.1")
        for _ in range(RESTARTS):
            guest.systemctl("restart", "echod-restricted")
            until(lambda: accepted(guest) > 20, "clients of the new process", 20)
        guest.signal(ping, signal.SIGINT)
        books = re.search(r"\d+ sent, .* lost", ping.communicate(timeout=20)[0])[0]
    check_nobody_refused(ends, RESTARTS)
    check(ping.returncode == 0, f"datagrams: {books}")
    return f"{RESTARTS} restarts, connections: {ends}, datagrams: {books}"


def accepted(guest):
    """Number of connections accepted by the running process."""
    guest.systemctl("kill", "--signal=USR1", "--kill-whom=main", "echod-restricted")
    lines = guest.journal("echod-restricted").splitlines()
    counts = [line for line in lines if "tcp_accepted=" in line]
    return int(counts[-1].partition("tcp_accepted=")[2].split()[0]) if counts else 0


@test
def killed_it_leaves_nobody_without_an_answer(guest):
    before = guest.main_pid("echod-restricted")
    os.kill(before, 9)
    check_served(guest, 7)
    check(guest.main_pid("echod-restricted") != before, "it was not killed")


@test
def metrics_join_it_with_a_socket_of_their_own(guest):
    shutil.copy(METRICS, guest.root + UNITS)
    with steady_connects(guest, 7) as ends:
        for words in re.findall(r"(?m)^#     systemctl (.*)$", guest.read(UNITS + METRICS_UNIT)):
            guest.systemctl(*words.split())
        with connect(guest, "127.0.0.1", 9107) as sock:
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            check(sock.recv(100).startswith(b"HTTP/1.0 200 "), "not healthy")
    check_nobody_refused(ends, 1)
    check_served(guest, 7)


@test
def either_service_takes_port_7_from_the_other(guest):
    guest.systemctl("start", "echod")
    check_served(guest, 7)
    for unit in ("echod-restricted.socket", METRICS_UNIT):
        check(guest.show(unit, "ActiveState") == "inactive", f"{unit} as well")
    guest.systemctl("start", "echod-restricted.socket")
    check_served(guest, 7)
    check(guest.show("echod", "ActiveState") == "inactive", "both at a time")


@test
def stopping_the_socket_ends_the_service(guest):
    guest.systemctl("stop", "echod-restricted.socket")
    check(refuses(guest, 7), "port 7 is still open")
    check(guest.show("echod-restricted", "ActiveState") == "inactive", "it still runs")


@test
def enabled_the_socket_is_there_after_a_reboot(guest):
    guest.systemctl("enable", "echod-restricted.socket")
    guest.power_off()
    guest.boot()
    check_served(guest, 7)

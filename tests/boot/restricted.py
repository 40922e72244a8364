# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Scenario of echod-restricted.socket: systemd holds port 7, echod has only those sockets."""

import hashlib
import hmac
import os
import re
import shutil
import signal
import struct
import time

from common import (check_nobody_refused, check_served, configure, exposure, install,
                    process_fields, refuses, says_back, steady_connects)
from lab import ask, check, connect, test, udp_socket, until

RESTARTS = 10
METRICS_UNIT = "echod-restricted-metrics.socket"
STAMP_UNIT = "echod-restricted-stamp.socket"
CONTRIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../contrib")
UNITS = "/etc/systemd/system/"
REUSE_PORT = UNITS + "echod-restricted.socket.d/reuse.conf"
CREDENTIALS = "/run/credentials/echod-restricted.service"
CREDENTIAL = UNITS + "echod-restricted.service.d/key.conf"
FIRST_HANDED = 3
TO_1970 = 2208988800  # from NTP's epoch, in seconds
KEY = bytes(range(0x40, 0x50))
STAMP_LISTENER = ("[listener echo]", "address = *:7", "[listener stamp]", "address = *:862",
                  "mode = stamp")


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


def add_unit(guest, unit):
    """As its comment says."""
    shutil.copy(os.path.join(CONTRIB, unit), guest.root + UNITS)
    for words in re.findall(r"(?m)^#     systemctl (.*)$", guest.read(UNITS + unit)):
        guest.systemctl(*words.split())


@test
def metrics_join_it_with_a_socket_of_their_own(guest):
    with steady_connects(guest, 7) as ends:
        add_unit(guest, METRICS_UNIT)
        with connect(guest, "127.0.0.1", 9107) as sock:
            sock.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            check(sock.recv(100).startswith(b"HTTP/1.0 200 "), "not healthy")
    check_nobody_refused(ends, 1)
    check_served(guest, 7)


def reflected(guest, request, address="127.0.0.1"):
    """What STAMP's port replies, and how long that took by its own times."""
    with udp_socket(guest, address) as sock:
        reply = ask(sock, (address, 862), request)[0]
    check(reply and len(reply) == len(request) and reply[:4] == request[:4], f"reply: {reply}")
    sent, received = (ntp(reply, at) for at in ((16, 32) if len(reply) == 112 else (4, 16)))
    check(0 <= sent - received < 10 and abs(time.time() - sent) < 10, f"{received} to {sent}")
    return reply, sent - received


def ntp(packet, at):
    seconds, fraction = struct.unpack_from("!II", packet, at)
    return seconds - TO_1970 + fraction / 2**32


@test
def stamp_joins_it_with_a_socket_of_its_own(guest):
    request = struct.pack("!IQHH28x", 1, 1 << 60, 1, 0x2a)
    configure(guest, *STAMP_LISTENER)
    add_unit(guest, STAMP_UNIT)
    for address in ("127.0.0.1", "::1"):
        reply, _ = reflected(guest, request, address)
        check(reply[24:36] == request[:12] and reply[14:16] == b"\0\x2a", reply)
    check_served(guest, 7)


@test
def a_request_that_starts_it_keeps_its_time_of_arrival(guest):
    guest.systemctl("stop", "echod-restricted")
    _, took = reflected(guest, struct.pack("!IQHH28x", 2, 1 << 60, 1, 0))
    started = guest.show("echod-restricted", "ActiveState")
    check(started == "active" and took > 0.001, f"{started}, {took} s")
    return f"{1000 * took:.0f} ms from its arrival to the reply"


@test
def its_key_may_be_a_credential(guest):
    guest.write("/etc/stamp.key", KEY.hex())
    os.chmod(guest.root + "/etc/stamp.key", 0o600)
    guest.write(CREDENTIAL, "[Service]\nLoadCredential=stamp.key:/etc/stamp.key\n")
    configure(guest, *STAMP_LISTENER,
              f"stamp_key = {CREDENTIALS}/stamp.key")
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", "echod-restricted")
    request = struct.pack("!I12xQHH68x", 1, 1 << 60, 1, 0)
    reply, _ = reflected(guest, request + digest(request))
    check(reply[96:] == digest(reply[:96]), "not authentic")
    mode = guest.run("stat", "-c", "%a", f"{CREDENTIALS}/stamp.key").strip()
    os.unlink(guest.root + CREDENTIAL)
    configure(guest, *STAMP_LISTENER)
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", "echod-restricted")
    return f"its mode there is {mode}"


def digest(packet):
    return hmac.new(KEY, packet, hashlib.sha256).digest()[:16]


def handed(pid, name):
    """The sockets that PID was handed for the listener NAME."""
    with open(f"/proc/{pid}/environ") as file:
        names = re.search(r"LISTEN_FDNAMES=([^\0]*)", file.read())[1].split(":")
    return {FIRST_HANDED + number for number, its in enumerate(names) if its == name}


def watched(pid, sockets):
    """For each loop of PID that watches any of the SOCKETS: which."""
    loops = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{fd}") != "anon_inode:[eventpoll]":
            continue
        with open(f"/proc/{pid}/fdinfo/{fd}") as file:
            found = set(map(int, re.findall(r"(?m)^tfd: +(\d+)", file.read())))
        loops += [found & sockets] if found & sockets else []
    return loops


@test
def sockets_that_share_a_port_are_spread_over_the_workers(guest):
    """As the comment in the unit suggests, for both protocols."""
    configure(guest, "[server]", "workers = 2", *STAMP_LISTENER)
    guest.write(REUSE_PORT, "[Socket]\nReusePort=yes\nListenStream=\n"
                + 2 * "ListenStream=7\n" + 2 * "ListenDatagram=7\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", "echod-restricted.socket")
    check_served(guest, 7)
    sockets = guest.show("echod-restricted.socket", "Listen")
    check(sockets.count("(Stream)") == sockets.count("(Datagram)") == 2, sockets)
    pid = guest.main_pid("echod-restricted")
    loops = watched(pid, handed(pid, "echo"))
    check(list(map(len, loops)) == [2, 2] and not loops[0] & loops[1], loops)
    for _ in range(10):  # the kernel chooses by port
        check_served(guest, 7)
    os.unlink(guest.root + REUSE_PORT)
    configure(guest, *STAMP_LISTENER)
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", "echod-restricted.socket")
    return f"{loops[0]} and {loops[1]}"


@test
def either_service_takes_port_7_from_the_other(guest):
    guest.systemctl("start", "echod")
    check_served(guest, 7)
    for unit in ("echod-restricted.socket", METRICS_UNIT, STAMP_UNIT):
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

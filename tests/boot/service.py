# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Scenario of echod.service, installed with make install. Each step starts with the machine as the
previous one left it."""

import ctypes
import os
import signal
import socket

from common import (LOCAL, check_denied, check_served, configure, exposure, install, is_served,
                    process_fields, refuses, says_back)
from lab import Streams, check, connect, stall, test, until

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000
SIGHUP_BIT = 1 << (signal.SIGHUP - 1)
libc = ctypes.CDLL(None, use_errno=True)


@test
def make_install_is_all_it_takes(guest):
    install(guest)
    for path in ("/usr/sbin/echod", "/usr/bin/echoc", "/etc/echod.conf",
                 "/usr/share/man/man8/echod.8"):
        check(guest.exists(path), f"no {path}")
    check("/etc/echod.conf: ok" in guest.run("echod", "-t"), "the shipped file is not in order")
    guest.run("systemd-analyze", "verify", "--man=no", "echod.service", "echod-restricted.socket")
    return guest.run("echod", "-V").strip()


@test
def start_returns_once_port_7_is_served(guest):
    guest.systemctl("start", "echod")
    check_served(guest, 7)


@test
def nc_and_telnet_get_their_echo(guest):
    for address in LOCAL:
        check(guest.run("nc", "-N", address, "7", input="hello\n") == "hello\n", "nc")
        check(guest.run("nc", "-u", "-W", "1", address, "7", input="hello\n") == "hello\n", "nc -u")
    with guest.start("telnet", "127.0.0.1", "7", stdin=-1) as telnet:
        telnet.stdin.write("hello\n")
        telnet.stdin.flush()
        while (line := telnet.stdout.readline()) != "hello\n":
            check(line, "telnet ended without the echo")
        telnet.stdin.close()


@test
def status_says_how_it_is_doing(guest):
    """The status sent at startup, before any client, is updated every ten seconds."""
    until(lambda: " 0 accepted" not in guest.show("echod", "StatusText"),
          "the status of now", 30)
    status = guest.systemctl("status", "--no-pager", "echod")
    line = next((line for line in status.splitlines() if "Status:" in line), "")
    check("TCP clients" in line and " 0 accepted" not in line, status)
    return line.strip()


@test
def it_has_no_privilege_but_low_ports(guest):
    fields = process_fields(guest.main_pid("echod"))
    check(fields["Uid"].split()[0] != "0", f"runs as root: {fields['Uid']}")
    for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check(int(fields[name], 16) == 1 << 10, f"{name} {fields[name]}")
    check(fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2", "no_new_privs or seccomp")
    level = exposure(guest, "echod.service")
    check(level <= 1.4, f"exposure {level}")
    return f"exposure {level}"


@test
def reload_changes_ports_and_lists_under_an_open_connection(guest):
    before = guest.show("echod", "MainPID")
    with connect(guest, "127.0.0.1", 7) as held:
        check(says_back(held), "before")
        configure(guest, "[listener echo]", "address = *:7007", "deny = 127.0.0.9",
                  "[listener second]", "address = localhost:77")
        guest.systemctl("reload", "echod")
        check_served(guest, 7007)
        check_served(guest, 77)
        check(refuses(guest, 7), "port 7 is still open")
        check(says_back(held), "the open connection lost its echo")
    check_denied(guest, "127.0.0.9", 7007)
    check(guest.show("echod", "MainPID") == before, "it was another process that served them")


@test
def reload_lasts_until_the_change_is_in_force(guest):
    pid = guest.main_pid("echod")
    configure(guest, "[listener echo]", "address = *:7")
    os.kill(pid, signal.SIGSTOP)
    try:
        reload = guest.start("systemctl", "reload", "echod")
        until(lambda: int(process_fields(pid)["ShdPnd"], 16) & SIGHUP_BIT, "the signal to reload")
        until(lambda: guest.show("echod", "ControlPID") == "0", "the end of the commands")
        check(guest.show("echod", "ActiveState") == "reloading", "over before anything was done")
        check(reload.poll() is None, "systemctl reload has returned already")
    finally:
        os.kill(pid, signal.SIGCONT)
    check(reload.wait(10) == 0, "the reload failed")
    check_served(guest, 7)
    check(refuses(guest, 7007), "port 7007 is still open")


@test
def twenty_reloads_are_each_in_force_when_they_return(guest):
    for turn in range(20):
        port, other = (1007, 1008) if turn % 2 else (1008, 1007)
        configure(guest, "[listener echo]", f"address = 127.0.0.1:{port}")
        guest.systemctl("reload", "echod")
        check_served(guest, port, ["127.0.0.1"])
        check(refuses(guest, other), f"port {other} is still open after reload {turn}")


@test
def a_bad_file_fails_the_reload_and_nothing_else(guest):
    before = guest.show("echod", "MainPID")
    configure(guest, "[listener echo]", "address = *:7")
    guest.systemctl("reload", "echod")
    with connect(guest, "127.0.0.1", 7) as held:
        configure(guest, "[listener echo]", "address = *:7", "udp_rate = many")
        guest.systemctl("reload", "echod", good=False)
        check(says_back(held), "the open connection lost its echo")
    check_served(guest, 7)
    check(guest.show("echod", "ActiveState") == "active", "not active")
    check(guest.show("echod", "MainPID") == before, "it was restarted")
    status = guest.systemctl("status", "--no-pager", "echod")
    check("/etc/echod.conf:3:" in status, f"the reason is not in the status:\n{status}")
    errors = guest.journal("echod", "-p", "err")
    check("/etc/echod.conf:3:" in errors, f"the reason is no error in the journal:\n{errors}")
    check("listening on" not in errors, f"what is no error is one in the journal:\n{errors}")
    return next(line for line in errors.splitlines() if "/etc/echod.conf:3:" in line)


@test
def an_address_in_use_changes_nothing(guest):
    with guest:
        other = socket.create_server(("127.0.0.1", 79))
    with other:
        configure(guest, "[listener echo]", "address = *:1007", "address = 127.0.0.1:79")
        said = guest.systemctl("reload", "echod", good=None)
        check_served(guest, 7)
        check(refuses(guest, 1007), "half of a bad change came into force")
        status = guest.systemctl("status", "--no-pager", "echod")
        check("127.0.0.1:79" in status, f"the reason is not in the status:\n{status}")
    configure(guest, "[listener echo]", "address = *:7")
    guest.systemctl("reload", "echod")
    return "systemctl reload said: " + (said.strip() or "nothing")


@test
def restart_closes_connections_in_good_order(guest):
    before = guest.show("echod", "MainPID")
    with connect(guest, "127.0.0.1", 7) as held:
        check(says_back(held), "before")
        guest.systemctl("restart", "echod")
        check(held.recv(1) == b"", "not closed")
    check_served(guest, 7)
    check(guest.show("echod", "MainPID") != before, "still the same process")


@test
def killed_it_is_back(guest):
    guest.systemctl("kill", "--signal=KILL", "--kill-whom=main", "echod")
    until(lambda: guest.show("echod", "NRestarts") == "1", "the restart", 10)
    until(lambda: is_served(guest, 7), "port 7", 10)
    check(guest.show("echod", "ActiveState") == "active", "not active")


@test
def a_stalled_worker_is_noticed(guest):
    guest.write("/etc/systemd/system/echod.service.d/watchdog.conf", "[Service]\nWatchdogSec=4s\n")
    guest.systemctl("daemon-reload")
    guest.systemctl("restart", "echod")
    pid = guest.main_pid("echod")
    worker = max(map(int, os.listdir(f"/proc/{pid}/task")))
    check(worker != pid, "there is no worker")
    ptrace(PTRACE_SEIZE, worker)
    try:
        ptrace(PTRACE_INTERRUPT, worker)
        until(lambda: thread_has_ended(worker), "the end of the process", 20)
    finally:
        libc.ptrace(PTRACE_DETACH, worker, None, None)
    until(lambda: is_served(guest, 7), "port 7", 10)
    check("Watchdog timeout" in guest.journal("echod"), "systemd does not speak of the watchdog")
    restarts = guest.show("echod", "NRestarts")
    os.unlink(guest.root + "/etc/systemd/system/echod.service.d/watchdog.conf")
    guest.systemctl("daemon-reload")
    check(guest.show("echod", "NRestarts") == restarts == "1", "restarted without a reason")


def thread_has_ended(thread):
    """Called by its tracer: for the process the thread exists until its tracer has reaped it."""
    pid, status = os.waitpid(thread, os.WNOHANG | WALL)
    return pid == thread and (os.WIFSIGNALED(status) or os.WIFEXITED(status))


def ptrace(request, thread):
    check(libc.ptrace(request, thread, None, None) == 0,
          f"ptrace: {os.strerror(ctypes.get_errno())}")


@test
def stop_sends_what_was_accepted(guest):
    guest.systemctl("restart", "echod")
    streams = Streams(guest, "127.0.0.1", 7, 4)
    for stream in streams.all:
        streams.deaf(stream)
    stall(streams.all)
    accepted = {stream: stream.acknowledged() for stream in streams.all}
    with guest.start("systemctl", "stop", "echod") as stop:
        until(lambda: refuses(guest, 7), "the end of listening")
        check(guest.show("echod", "ActiveState") == "deactivating", "it did not wait")
        check(stop.poll() is None, "systemctl stop did not wait")
        for stream in streams.all:
            streams.deaf(stream, False)
        until(lambda: streams.turn() is None or streams.ended(), "the end of all streams", 20)
        check(stop.wait(20) == 0, "the stop failed")
    lost = sum(max(0, accepted[stream] - stream.received) for stream in streams.all)
    ends = {stream.end for stream in streams.all}
    check(lost == 0 and ends == {"closed"}, f"{lost} bytes lost, ends: {ends}")
    check(guest.show("echod", "Result") == "success", guest.show("echod", "Result"))
    return f"{sum(accepted.values()) / 1e6:.1f} MB were on their way"


@test
def a_bad_file_at_start_is_not_tried_again(guest):
    configure(guest, "[listener echo]", "address = *:7", "udp_rate = many")
    guest.systemctl("start", "echod", good=False)
    state = [guest.show("echod", key) for key in ("ActiveState", "ExecMainStatus", "NRestarts")]
    check(state == ["failed", "6", "0"], state)
    status = guest.systemctl("status", "--no-pager", "echod", good=False)
    check("/etc/echod.conf:3:" in status, f"the reason is not in the status:\n{status}")


@test
def enabled_it_is_there_after_a_reboot(guest):
    configure(guest, "[listener echo]", "address = *:7")
    guest.systemctl("enable", "echod")
    guest.power_off()
    guest.boot()
    check_served(guest, 7)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""What ping sums up, against what a capture of the client's packets says: the two know nothing of
each other but the bytes of each probe."""

import datetime
import json
import socket
import struct
import subprocess
import threading
import time

from each_way import BACK, THERE, Path
from lab import ECHOC, check, test, until

COUNT = 150
INTERVAL = 0.02
PATIENCE = 0.4
SLACK = 0.1  # between the clock of a program and its packet, on a busy machine
SO_TIMESTAMPNS = 35
ETH_P_IP = 0x0800


class Capture:
    """The payload and the time of each UDP datagram at HOST's INTERFACE."""

    def __init__(self, host, interface):
        with host:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(0x0003))
        self.socket.bind((interface, 0x0003))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(PATIENCE)
        self.over = False
        self.ways = {}, {}
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        """At once: the first packets have no time of arrival, but that at which they are read."""
        while True:
            try:
                packet, control, _, name = self.socket.recvmsg(65536, 128)
            except TimeoutError:
                if self.over:
                    return
                continue
            if name[1] != ETH_P_IP or packet[9] != socket.IPPROTO_UDP:
                continue
            seconds, nanoseconds = struct.unpack("qq", control[0][2])
            way = self.ways[0 if name[2] == socket.PACKET_OUTGOING else 1]
            way.setdefault(packet[28:], []).append(seconds + nanoseconds / 1e9)

    def await_replies(self, more):
        """Until so many MORE have come."""
        wanted = len(self.ways[1]) + more
        until(lambda: len(self.ways[1]) >= wanted, "no replies")

    def result(self):
        """Two dictionaries from payload to the times: sent, and received."""
        self.over = True
        self.reader.join()
        return self.ways


def fates(capture):
    """The send time of each probe, in order, and whether its first reply came in time."""
    sent, received = capture.result()
    return [(times[0], received.get(payload, [float("inf")])[0] - times[0] <= PATIENCE)
            for payload, times in sorted(sent.items(), key=lambda item: item[1][0])]


def losses_in_a_row(probes):
    """(first lost, first answered after, how many) of each run; no run is at the end."""
    runs, first, count = [], None, 0
    for when, answered in probes:
        if not answered:
            first, count = when if count == 0 else first, count + 1
        elif count > 0:
            runs.append((first, when, count))
            count = 0
    check(count == 0, "the last probe was lost")
    return runs


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def watch(path, disturb):
    """DISTURB the path during a ping: its probes by the capture, and what ping said."""
    capture = Capture(path.client, "router")
    with path.client:
        ping = subprocess.Popen([ECHOC, "ping", "--json", "-u", "-c", str(COUNT), "-i",
                                 f"{INTERVAL}", "-W", f"{PATIENCE}", path.targets[4]],
                                stdout=subprocess.PIPE, text=True)
    disturb(path, capture)
    lines = [json.loads(line) for line in ping.communicate()[0].splitlines()]
    return fates(capture), lines


def compare(probes, lines):
    summary = lines[-1]
    lost = sum(not answered for _, answered in probes)
    runs = losses_in_a_row(probes)
    found = summary["sent"], summary["lost"], summary["loss_runs"], summary["loss_run_longest"]
    check(found == (len(probes), lost, len(runs), max([run[2] for run in runs], default=0)),
          f"{found}, the capture has {len(probes)}, {lost} lost in {runs}")
    outages = [run for run in runs if run[2] >= 2]
    said = [line for line in lines if line["type"] == "outage"]
    check([line["lost"] for line in said] == [run[2] for run in outages], f"{said} {outages}")
    for line, (first, after, _) in zip(said, outages):
        check(abs(seconds_of(line["begin"]) - first) < SLACK, f"{line} {first}")
        check(abs(seconds_of(line["end"]) - after) < SLACK, f"{line} {after}")
        check(abs(line["duration_s"] - (after - first)) < SLACK, f"{line} {after - first}")
    return f"{lost} of {len(probes)} lost in {len(runs)} runs, {len(outages)} outages"


def break_for(path, capture, way, seconds):
    capture.await_replies(10)
    path.rule(way, "drop")
    time.sleep(seconds)
    path.nft(f"delete table inet {way}forward")


def break_both_ways(path, capture):
    break_for(path, capture, THERE, 0.5)
    break_for(path, capture, BACK, 0.9)


@test
def outages_are_those_of_a_capture():
    said = compare(*watch(Path(udp_rate=0), break_both_ways))
    check(said.endswith(" 2 outages"), said)
    return said


@test
def scattered_losses_are_those_of_a_capture():
    def scatter(path, _):
        path.rule(BACK, "numgen inc mod 7 < 2 drop")
        time.sleep(COUNT * INTERVAL / 2)
        path.nft("delete table inet serverforward")

    return compare(*watch(Path(udp_rate=0), scatter))


@test
def a_good_path_has_no_losses_in_either():
    probes, lines = watch(Path(udp_rate=0), lambda path, capture: None)
    said = compare(probes, lines)
    check(lines[-1]["lost"] == 0 and len(probes) == COUNT, said)
    return said

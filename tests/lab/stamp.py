# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""STAMP reflectors that a forged datagram makes answer each other, or an echo server, and what ends
that: a reply of a reflector without sessions shows that it is one; of those with sessions each costs
a hop. Then other people's STAMP: scapy asks and reads the replies, and tshark takes them apart."""

import importlib
import os
import shutil
import struct
import subprocess
import sys

from lab import CLIENT4, SERVER4, Echod, Skip, check, datagram, pair, test, udp_socket
from loop import MOST_REPLIES, Scene

STATELESS = {"mode": "stamp", "udp_rate": 0}
# Sessions without a rate need a list.
STATEFUL = {"mode": "stamp", "stamp_sessions": 64, "udp_rate": 0, "allow": "0.0.0.0/0 ::/0"}
ECHO = {"mode": "echo", "protocol": "udp", "udp_rate": 0}
ECHOPLUS = {"mode": "echoplus", "udp_rate": 0}
HOPS = 255

TIME = 0xEC4E8C4580000000


def request(number=1, ssid=42, tlvs=b"", sent=TIME):
    return struct.pack("!LQHH28x", number, sent, 1, ssid) + tlvs


def loop(alice, bob, expected, dropped, data=None, **both):
    """A forged request to alice: at most EXPECTED replies of both, then drops as DROPPED."""
    said = []
    for version in (4, 6):
        scene = Scene(bobs={**bob, **both}, **alice, **both)
        scene.forge(version, data=data or request())
        replies = scene.replies_until_silence(dropped)
        check(0 < replies <= expected, f"IPv{version}: {replies} replies, not up to {expected}")
        said.append(f"IPv{version}: {replies} replies")
    return "; ".join(said)


@test
def two_without_sessions_exchange_one_reply():
    return loop(STATELESS, STATELESS, 1, "looped")


@test
def from_port_862_to_port_862_too():
    return loop(STATELESS, STATELESS, 1, "looped", address="*:862")


@test
def a_forged_request_without_a_time_is_no_way_around_that():
    """Its reply repeats no time, but has that of its arrival."""
    return loop(STATELESS, STATELESS, 1, "looped", request(sent=0))


@test
def an_echo_server_returns_one_reply():
    return loop(STATELESS, ECHO, 2, "looped")


@test
def one_with_sessions_notices_one_without():
    return loop(STATEFUL, STATELESS, 2, "looped") + "; " + loop(STATELESS, STATEFUL, 3, "looped")


def endless(alice, bob, prepare, **both):
    """As loop(), when PREPARE has brought the counts of both out of step: from then on no packet has
    the number that it repeats, so that only hops end the loop."""
    said = []
    for version in (4, 6):
        scene = Scene(bobs={**bob, **both}, **alice, **both)
        dropped = prepare(scene, version)
        before = scene.replies()
        scene.forge(version, data=request(9))
        replies = scene.replies_until_silence("ttl", dropped + 1) - before
        check(16 < replies <= HOPS, f"IPv{version}: {replies} replies")
        said.append(f"IPv{version}: {replies} replies")
    return "; ".join(said)


def out_of_step(scene, version):
    """A loop that is noticed at once leaves both with a session; then one reply has no hops left."""
    scene.forge(version, data=request(9))
    scene.replies_until_silence("looped")
    scene.forge(version, 2, request(9))
    scene.replies_until_silence("ttl")
    return 1


def one_ahead(scene, version):
    scene.forge(version, data=request(9))
    scene.replies_until_silence("looped")
    return 0


@test
def two_with_sessions_run_out_of_hops():
    return endless(STATEFUL, STATEFUL, out_of_step)


@test
def from_port_862_to_port_862_they_do_too():
    return endless(STATEFUL, STATEFUL, out_of_step, address="*:862")


@test
def one_with_sessions_and_an_echo_server_run_out_of_hops():
    return endless(STATEFUL, ECHO, one_ahead)


@test
def two_echoplus_run_out_of_hops():
    return loop(ECHOPLUS, ECHOPLUS, MOST_REPLIES, "ttl", bytes(64))


@test
def with_a_key_a_forged_request_has_no_reply():
    with open("key", "w") as file:
        file.write("40" * 16)
    os.chmod("key", 0o600)
    keyed = {**STATELESS, "stamp_key": os.path.abspath("key")}
    scene = Scene(**keyed)
    scene.forge(4, data=request() + bytes(68))
    check(scene.replies_until_silence("auth") == 0, "a reply")


def scapy():
    """Its module for STAMP, from Debian's python3-scapy, whichever Python this is."""
    sys.path.append("/usr/lib/python3/dist-packages")
    try:
        return importlib.import_module("scapy.contrib.stamp")
    except ImportError:
        raise Skip("needs python3-scapy") from None


@test
def scapy_asks_and_reads_the_replies():
    stamp = scapy()
    server, client, _ = pair()
    echod = Echod(server, address="*:862", **STATEFUL)
    sock = udp_socket(client, CLIENT4, seconds=5)
    tlvs = [stamp.STAMPTestTLV(flags=0x80, type=1, len=3, value=b"abc"),
            stamp.STAMPTestTLV(flags=0x80, type=2, len=4, value=bytes(4)),
            stamp.STAMPTestTLV(flags=0x80, type=3, len=4, value=bytes(4)),
            stamp.STAMPTestTLV(flags=0x80, type=200, len=2, value=b"??")]
    for number in range(3):
        asked = stamp.STAMPSessionSenderTestUnauthenticated(
            seq=number + 7, ts=TIME / 2**32, err_estimate=stamp.ErrorEstimate(S=1, multiplier=9),
            ssid=42, tlv_objects=tlvs)
        sock.sendto(bytes(asked), (SERVER4, echod.port))
        came = sock.recv(65536)
        check(len(came) == len(bytes(asked)), f"{len(came)} bytes")
        # It takes the length from the datagram around it.
        around = stamp.UDP(len=8 + len(came))
        reply = stamp.STAMPSessionReflectorTestUnauthenticated(came, _parent=around)
        check((reply.seq, reply.seq_sender, reply.ssid) == (number, number + 7, 42), reply.summary())
        check(reply.err_estimate.multiplier > 0 and reply.err_estimate.Z == 0, "error estimate")
        check((reply.err_estimate_sender.S, reply.err_estimate_sender.multiplier) == (1, 9), "theirs")
        check(reply.ttl_sender == 64 and reply.mbz1 == reply.mbz2 == 0, f"TTL {reply.ttl_sender}")
        check(came[28:36] == bytes(asked)[4:12], "T1")
        check(reply.ts_rx < reply.ts, "T2 is not before T3")
        flags = [(int(tlv.type), int(tlv.flags) != 0) for tlv in reply.tlv_objects]
        check(flags == [(1, False), (2, False), (3, False), (200, True)], flags)
        seen = struct.unpack("!HH", reply.tlv_objects[1].value)
        check(seen == (echod.port, sock.getsockname()[1]), seen)
    return "3 of 3 replies are as scapy has them"


def write_capture(path, packets):
    """A file of PACKETS, whole ones of IPv4 (link type 101)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<LHHlLLL", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, packet in enumerate(packets):
            file.write(struct.pack("<LLLL", number, 0, len(packet), len(packet)) + packet)


def tshark(path, *fields):
    """One row for each packet."""
    options = [option for field in fields for option in ("-e", field)]
    done = subprocess.run(["tshark", "-r", path, "-d", "udp.port==862,twamp.test", "-T", "fields",
                           *options], capture_output=True, text=True, check=True)
    return [row.split("\t") for row in done.stdout.splitlines()]


@test
def tshark_finds_nothing_malformed():
    if not shutil.which("tshark"):
        raise Skip("needs tshark")
    server, client, _ = pair()
    echod = Echod(server, address="*:862", **STATELESS)
    sock = udp_socket(client, CLIENT4, seconds=5)
    packets = []
    for data in (request(), request()[:41], request(tlvs=b"\x80\x01\x00\x02ab"), request() + bytes(60)):
        sock.sendto(data, (SERVER4, echod.port))
        packets.append(datagram(SERVER4, 862, CLIENT4, sock.getsockname()[1], sock.recv(65536)))
    write_capture("replies.pcap", packets)
    rows = tshark("replies.pcap", "twamp.test.seq_number", "twamp.test.sender_seq_number",
                  "twamp.test.sender_ttl", "_ws.malformed")
    check(rows == [["1", "1", "64", ""]] * len(packets), rows)
    return f"{len(rows)} replies"

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Sends forged datagrams on a link, one by one or as a flood, and captures what arrives."""

import ctypes
import ipaddress
import random
import select
import socket
import struct
import time
from array import array
from collections import namedtuple

from .network import libc

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
BATCH = 256

Seen = namedtuple("Seen", "source sport destination dport hops data")


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(array("H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return socket.htons(~total & 0xFFFF)


def datagram(source, sport, destination, dport, data=b"forged", hops=64):
    """An IP packet with a UDP datagram, from any source."""
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    ends = source.packed + destination.packed
    size = 8 + len(data)
    header = struct.pack("!HHH", sport, dport, size)
    pseudo = ends + struct.pack("!LL", size, socket.IPPROTO_UDP)
    udp = header + struct.pack("!H", _checksum(pseudo + header + b"\0\0" + data) or 0xFFFF) + data
    if destination.version == 6:
        return struct.pack("!LHBB", 6 << 28, size, socket.IPPROTO_UDP, hops) + ends + udp
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + size, 0, 0, hops, socket.IPPROTO_UDP)
    return start + struct.pack("!H", _checksum(start + b"\0\0" + ends)) + ends + udp


def _ethernet(link, host, packet):
    kind = ETH_P_IP if packet[0] >> 4 == 4 else ETH_P_IPV6
    macs = bytes.fromhex((link.mac(link.peer(host)) + link.mac(host)).replace(":", ""))
    return macs + struct.pack("!H", kind) + packet


def _packet_socket(link, host, kind, protocol):
    with host:
        sock = socket.socket(socket.AF_PACKET, kind, socket.htons(protocol))
    sock.bind((link.peer(host).name, protocol))
    return sock


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("vector", ctypes.POINTER(_Vector)), ("vectors", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]


class Flood:
    """Forged packets that HOST sends on LINK, as fast as sendmmsg can."""

    def __init__(self, link, host, packets):
        self.socket = _packet_socket(link, host, socket.SOCK_RAW, 0)
        frames = [_ethernet(link, host, packet) for packet in packets]
        self.count = len(frames)
        self.vectors = (_Vector * self.count)(*[_Vector(frame, len(frame)) for frame in frames])
        self.messages = (_Message * self.count)()
        for message, vector in zip(self.messages, self.vectors):
            message.vector = ctypes.pointer(vector)
            message.vectors = 1
        self.at = 0

    def send(self, wanted):
        """Sends the next WANTED packets, wrapping around, and returns how many were sent."""
        done = 0
        while done < wanted:
            step = min(wanted - done, self.count - self.at, BATCH)
            first = ctypes.byref(self.messages, self.at * ctypes.sizeof(_Message))
            sent = libc.sendmmsg(self.socket.fileno(), first, step, 0)
            if sent <= 0:
                break
            done += sent
            self.at = (self.at + sent) % self.count
        return done

    def run(self, seconds, rate=0):
        """Sends for SECONDS, at RATE a second or at full speed: (packets, seconds). With a rate,
        steps has (time, packets) for each step."""
        start = now = time.monotonic()
        sent = 0
        self.steps = []
        while now - start < seconds:
            due = int((now - start) * rate) - sent if rate else BATCH
            step = self.send(due)
            sent += step
            if rate:
                self.steps.append((now, step))
                time.sleep(0.001)
            now = time.monotonic()
        return sent, now - start


class Capture:
    """The UDP datagrams that HOST receives from LINK."""

    def __init__(self, link, host):
        self.socket = _packet_socket(link, host, socket.SOCK_DGRAM, ETH_P_ALL)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)

    def next(self, seconds=0.3):
        """The next one, or None if none arrives in SECONDS."""
        end = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
            if seen := self._parse(self.socket.recv(65536)):
                return seen
        return None

    def rest(self, seconds=0.3):
        """All that arrive until none does for SECONDS."""
        found = []
        while seen := self.next(seconds):
            found.append(seen)
        return found

    @staticmethod
    def _parse(packet):
        if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP:
            hops, ends, udp = packet[8], packet[12:20], packet[(packet[0] & 15) * 4:]
        elif packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_UDP:
            hops, ends, udp = packet[7], packet[8:40], packet[40:]
        else:
            return None
        half = len(ends) // 2
        source, destination = map(str, map(ipaddress.ip_address, (ends[:half], ends[half:])))
        sport, dport, size = struct.unpack("!HHH", udp[:6])
        return Seen(source, sport, destination, dport, hops, udp[8:size])


def random_sources(count):
    """Addresses from 16.0.0.0/5, which has none of ours."""
    return [str(ipaddress.IPv4Address(random.randrange(16 << 24, 24 << 24)))
            for _ in range(count)]

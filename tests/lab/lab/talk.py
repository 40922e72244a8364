# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Clients: sockets that belong to a host, and exchanges over them."""

import socket
import struct

UDP_SEGMENT = 103


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def udp_socket(host, source, port=0, seconds=10):
    """A datagram socket of HOST bound to SOURCE. Use few SECONDS if no reply is expected."""
    with host:
        sock = socket.socket(family_of(source), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((source, port))
    sock.settimeout(seconds)
    return sock


def dual_stack_socket(host):
    """A dual-stack datagram socket, as a service manager passes it."""
    with host:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", 0))
    return sock


def ask(sock, to, data=b"hello"):
    """Sends DATA to (address, port), and returns the reply and its source, or (None, None)."""
    sock.sendto(data, to)
    try:
        return sock.recvfrom(65536)
    except TimeoutError:
        return None, None


def connect(host, address, port):
    """A TCP connection from HOST."""
    with host:
        sock = socket.socket(family_of(address), socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.connect((address, port))
    return sock


def send_train(sock, to, data, segment):
    """Sends DATA as one train of datagrams of SEGMENT bytes: one send, segmented late (GSO)."""
    note = (socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", segment))
    return sock.sendmsg([data], [note], 0, to)

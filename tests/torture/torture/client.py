# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Requests to an echod over every protocol; every byte of the reply is checked.

Each function raises what socket functions raise, or Wrong for an incorrect reply.
"""

import hashlib
import hmac
import os
import socket
import struct

SOL_UDP, UDP_SEGMENT = 17, 103
MUCH = os.urandom(1 << 16) * 8  # more than one read takes, and than is buffered for an idle client
STAMP_KEY = bytes(range(32))
patience = 0.5  # seconds; set by the caller


class Wrong(Exception):
    """A reply, but not the expected one."""


def expect(answer, due, what):
    if answer != due:
        raise Wrong(f"{what}: {len(answer)} bytes of {len(due)}, or others than these")


def read_all(sock):
    """Reads until the peer closes its side."""
    pieces = []
    while piece := sock.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def stream(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(patience)
    if family == socket.AF_INET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def exchange(sock, data=b"one message"):
    """Sends DATA on a connection and waits for its echo."""
    sock.sendall(data)
    answer = b""
    while len(answer) < len(data):
        piece = sock.recv(len(data))
        if not piece:
            raise Wrong(f"closed after {len(answer)} bytes of {len(data)}")
        answer += piece
    expect(answer, data, "exchange")


def everywhere(address):
    """Enough connections and senders for each worker to get some."""
    for _ in range(10):
        with stream(address) as sock:
            exchange(sock)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(patience)
            sock.sendto(b"datagram", address)
            expect(sock.recv(65536), b"datagram", "datagram")


def echo(address):
    """A message, then so much unread data that echod has to buffer some, then all of its echo."""
    with stream(address) as sock:
        exchange(sock)
        sock.setblocking(False)
        sent = 0
        try:
            while sent < len(MUCH):
                sent += sock.send(MUCH[sent:])
        except BlockingIOError:
            pass
        sock.settimeout(patience)
        sock.shutdown(socket.SHUT_WR)
        expect(read_all(sock), MUCH[:sent], "echo")


def one_reply(address):
    """The listener with a greeting, reply_once and proxy_from; echod may have to keep half a header."""
    with stream(address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"PROXY TCP4 127.0.0.9 ")
        sock.sendall(b"127.0.0.1 9 7\r\n")
        due = b"hello"
        while due:
            piece = sock.recv(len(due))
            expect(piece, due[:len(piece)] or due, "greeting")
            due = due[len(piece):]
        sock.sendall(b"ping")
        expect(read_all(sock), b"ping", "the one reply")


def send_train(sock, address):
    """Ten datagrams of 100 bytes."""
    train = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", 100))]
    sock.sendmsg([MUCH[:1000]], train, 0, address)


def datagrams(address):
    """An empty one, a large one, and a train."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        for size in 1, 20000:
            sock.sendto(MUCH[:size], address)
            expect(sock.recv(65536), MUCH[:size], "datagram")
        send_train(sock, address)
        for at in range(0, 1000, 100):
            expect(sock.recv(65536), MUCH[at:at + 100], "a train's datagram")


def echoplus(address):
    """Its reply has the first and the last field of the request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.sendto(MUCH[:24], address)
        answer = sock.recv(65536)
        expect(answer[:4] + bytes(16) + answer[20:], MUCH[:4] + bytes(16) + MUCH[20:24], "echoplus")


def stamp(address):
    """An authenticated request of STAMP."""
    request = struct.pack("!L12xQHH68x", 7, 1 << 60, 1, 42)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.sendto(request + sign(request), address)
        reply = sock.recv(65536)
    expect(reply[96:], sign(reply[:96]), "HMAC")
    expect(reply[48:52] + reply[64:74], request[:4] + request[16:26], "what a reply repeats")


def sign(packet):
    return hmac.new(STAMP_KEY, packet, hashlib.sha256).digest()[:16]


def unix_datagram(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.bind("")  # the kernel chooses a name
        sock.sendto(b"unixgram", address)
        expect(sock.recv(65536), b"unixgram", "unix datagram")


def page_of(address, path):
    with stream(address) as sock:
        sock.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        return read_all(sock).decode()


def page(address):
    """A page of the metrics endpoint."""
    for path in "metrics", "":
        expect(page_of(address, path)[:12], "HTTP/1.0 200", "page")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""haproxy and nginx in front of an echod with proxy_from: whom its log and its limits name, and that
no byte is altered."""

import os
import re
import shutil
import socket
import subprocess

from lab import Echod, Host, Link, Skip, check, scale, test, until

BALANCER = "10.0.1.1"  # as echod sees it
BALANCER6 = "fd00:1::1"
CLIENTS = {socket.AF_INET: ("10.0.0.2", "10.0.0.1"), socket.AF_INET6: ("fd00::2", "fd00::1")}

# A port for each way in which haproxy sends a header.
WAYS = {
    7001: "send-proxy",
    7002: "send-proxy-v2",
    7003: "send-proxy-v2 proxy-v2-options crc32c",
    7004: "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    7005: "send-proxy-v2 proxy-v2-options ssl,cert-cn,authority,crc32c",
}
HAPROXY = """
global
    maxconn 100
    stats socket /run/admin.sock mode 600 level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
    timeout check 1s
    unique-id-format %{+X}o%ci:%cp_%fi:%fp
"""
LISTEN = """
listen way{port}
    bind :::{port} v4v6
    option tcp-check
    tcp-check connect {checked}
    tcp-check send ready?
    tcp-check expect string ready?
    server echod {server}:7 {way}
"""
NGINX = """
load_module {modules}/ngx_stream_module.so;
daemon off;
master_process off;
pid /run/nginx.pid;
error_log stderr;
events {{ }}
stream {{
    server {{
        listen [::]:7001 ipv6only=off;
        proxy_pass {server}:7;
        proxy_protocol on;
    }}
}}
"""


def modules():
    """Where nginx's modules are: installed, or unpacked beside it by ./dev."""
    program = shutil.which("nginx")
    if not program:
        raise Skip("needs nginx and its stream module")
    for folder in ("/usr/lib/nginx/modules",
                   os.path.join(os.path.dirname(os.path.dirname(program)),
                                "libnginx-mod-stream/usr/lib/nginx/modules")):
        if os.path.exists(f"{folder}/ngx_stream_module.so"):
            return folder
    raise Skip("needs nginx's stream module")


class Front:
    """A client, a balancer, and an echod that the balancer alone may reach."""

    def __init__(self, **settings):
        self.client, self.balancer, self.server = Host("client"), Host("balancer"), Host("server")
        Link(self.balancer, self.client, "10.0.0.{}/24", "fd00::{}/64")
        Link(self.balancer, self.server, "10.0.1.{}/24", "fd00:1::{}/64")
        self.client.ip("addr add 10.0.0.3/24 dev balancer")
        self.client.ip("route add 10.0.1.0/24 via 10.0.0.1")
        self.server.ip("route add 10.0.0.0/24 via 10.0.1.1")
        self.balancer.sysctl("net.ipv4.ip_forward", 1)
        self.echod = Echod(self.server, address="*:7", protocol="tcp", log_level="info",
                           proxy_from=f"{BALANCER} {BALANCER6}", **settings)

    def run(self, command, config):
        with open("balancer.cfg", "w") as file:
            file.write(config)
        with self.balancer:
            return subprocess.Popen(command)

    def haproxy(self, server="10.0.1.2", ways=None, checked="", more=""):
        if not shutil.which("haproxy"):
            raise Skip("needs haproxy")
        config = HAPROXY + "".join(
            LISTEN.format(port=port, way=f"{way} {more}", server=server, checked=checked)
            for port, way in (ways or WAYS).items())
        self.run(["haproxy", "-q", "-db", "-f", "balancer.cfg"], config)

    def nginx(self):
        self.run(["nginx", "-e", "stderr", "-c", os.path.abspath("balancer.cfg")],
                 NGINX.format(modules=modules(), server="10.0.1.2"))

    def connect(self, port, family=socket.AF_INET, own=None):
        """A connection of the client to the balancer, as soon as that listens."""
        address, balancer = CLIENTS[family]

        def attempt():
            with self.client:
                sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(10)
            sock.bind((own or address, 0))
            try:
                sock.connect((balancer, port))
                return sock
            except ConnectionRefusedError:
                sock.close()
                return None
        return until(attempt, f"a connection to port {port}", 20)


def exchange(sock, size):
    """Sends SIZE random bytes, ends, and checks that they come back, and the end."""
    data, got = os.urandom(size), bytearray()
    sent = 0
    while sent < size:
        sent += sock.send(data[sent:sent + 5000])
        while len(got) < sent:
            piece = sock.recv(1 << 16)
            check(piece, f"the end came after {len(got)} of {sent} bytes")
            got += piece
    sock.shutdown(socket.SHUT_WR)
    check(sock.recv(1) == b"" and got == data, "something else came back")


def name_of(sock):
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def expect_named(front, sock, proxy=BALANCER):
    """The log names the client and the balancer."""
    via = f"[{proxy}]" if ":" in proxy else proxy
    front.echod.wait_log(re.escape(f"info: tcp {name_of(sock)} via {via}:") + r"\d+ on lab opened")


def expect_books(front, accepted):
    figures = until(lambda: (books := front.echod.figures())["tcp_connections"] == 0 and books,
                    "the end of all connections")
    check(figures["tcp_rejected_proxy"] == 0, figures)
    check(figures["tcp_accepted"] >= accepted, figures)
    check(figures["received_bytes_tcp"] == figures["sent_bytes_tcp"], figures)
    check(figures["tcp_headers_pending"] == 0, figures)


def pass_through(front, ports, proxy=BALANCER):
    size = scale(200000, 5000000)
    for port in ports:
        for family in CLIENTS:
            with front.connect(port, family) as sock:
                exchange(sock, size)
                expect_named(front, sock, proxy)
    expect_books(front, len(ports) * len(CLIENTS))
    return f"{len(ports) * len(CLIENTS)} times {size} bytes"


@test
def haproxy_names_the_clients_and_no_byte_is_altered():
    front = Front()
    front.haproxy()
    return pass_through(front, WAYS)


@test
def it_does_over_ipv6_too():
    front = Front()
    front.haproxy(server="fd00:1::2")
    return pass_through(front, WAYS, BALANCER6)


@test
def nginx_names_the_clients_and_no_byte_is_altered():
    front = Front()
    front.nginx()
    return pass_through(front, [7001])


def checked(way, proxy, **settings):
    """haproxy finds the echod well by checks with a header, which name PROXY in the log."""
    front = Front(**settings)
    front.haproxy(ways={7001: way}, checked="send-proxy", more="check inter 100ms")

    def state():
        done = subprocess.run(["nc", "-N", "-U", "/run/admin.sock"], input="show stat -1 4 -1\n",
                              text=True, capture_output=True)
        return done.stdout
    until(lambda: ",L7OK," in state(), "a good check", 10)
    front.echod.wait_log(rf"info: tcp {proxy} on lab opened")
    figures = front.echod.figures()
    check(figures["tcp_rejected_proxy"] == figures["tcp_rejected_denied"] == 0, figures)


@test
def checks_of_version_2_speak_for_haproxy_which_no_list_concerns():
    checked("send-proxy-v2 check-send-proxy", r"10\.0\.1\.1:\d+", deny=BALANCER)


@test
def checks_of_version_1_name_haproxy_as_the_source():
    checked("send-proxy check-send-proxy", r"10\.0\.1\.1:(\d+) via 10\.0\.1\.1:\1")


@test
def limits_are_for_the_clients():
    front = Front(max_clients_per_ip=1, deny="10.0.0.9")
    front.haproxy(ways={7001: "send-proxy-v2"})
    with front.connect(7001) as first, front.connect(7001, own="10.0.0.3") as other:
        for sock in (first, other):
            sock.send(b"hello")
            check(sock.recv(10) == b"hello", "no echo")
        with front.connect(7001) as second:
            try:
                check(second.recv(1) == b"", "one too many was served")
            except ConnectionResetError:
                pass
        check(front.echod.figures()["tcp_rejected_per_ip"] == 1, front.echod.figures())


@test
def without_a_header_it_is_refused_and_the_log_asks_for_one():
    front = Front()
    front.haproxy(ways={7001: ""})
    with front.connect(7001) as sock:
        try:
            sock.send(b"hello")
            check(sock.recv(1) == b"", "an echo without a header")
        except ConnectionResetError:
            pass
    front.echod.wait_log(r"notice: tcp 10\.0\.1\.1:\d+ on lab refused: proxy: no PROXY header: does "
                         r"the load balancer send one\? \(proxy_from\)")


@test
def a_client_that_goes_around_the_balancer_is_refused():
    front = Front()
    with front.client:
        sock = socket.create_connection(("10.0.1.2", 7), timeout=10)
    with sock:
        try:
            sock.send(b"PROXY TCP4 10.0.0.99 10.0.1.2 1 7\r\nhello")
            check(sock.recv(1) == b"", "an echo for who is no proxy")
        except ConnectionResetError:
            pass
    front.echod.wait_log(r"info: tcp 10\.0\.0\.2:\d+ on lab refused: proxy: not in proxy_from")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Hosts are unnamed network namespaces, links are veth pairs: they disappear with the last
process of a test."""

import ctypes
import itertools
import os
import subprocess

from .basics import until

CLONE_NEWNET = 0x40000000
indices = itertools.count(10, 2)
libc = ctypes.CDLL(None, use_errno=True)

SERVER4, CLIENT4 = "10.0.0.1", "10.0.0.2"
SERVER6, CLIENT6 = "fd00::1", "fd00::2"


def _call(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _here():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Host:
    """A network namespace. Sockets and processes created in `with host:` belong to it."""

    def __init__(self, name):
        self.name = name
        self.before = _here()
        _call(libc.unshare(CLONE_NEWNET))
        self.namespace = _here()
        _call(libc.setns(self.before, CLONE_NEWNET))
        self.sysctl("net.ipv4.conf.all.rp_filter", 0)
        self.sysctl("net.ipv4.conf.default.rp_filter", 0)  # let forged sources through
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)  # addresses usable at once
        self.sysctl("net.ipv6.conf.all.keep_addr_on_down", 1)
        self.ip("link set lo up")

    def __enter__(self):
        _call(libc.setns(self.namespace, CLONE_NEWNET))
        return self

    def __exit__(self, *_):
        _call(libc.setns(self.before, CLONE_NEWNET))

    def ip(self, command):
        with self:
            done = subprocess.run(["ip", *command.split()], capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"{self.name}: ip {command}: {done.stderr.strip()}")

    def sysctl(self, name, value):
        with self, open("/proc/sys/" + name.replace(".", "/"), "w") as file:
            file.write(str(value))

    def read(self, path, start=""):
        """Lines that begin with START in a file of this host's /proc or /sys."""
        with self, open(path) as file:
            return "".join(line for line in file if line.startswith(start))


class Link:
    """A cable from HOST to OTHER. Each end is named after the host at the other end; in the
    addresses, {} is 1 for HOST and 2 for OTHER."""

    def __init__(self, host, other, *networks, mtu=1500):
        self.ends = {host: 1, other: 2}
        namespace = f"/proc/{os.getpid()}/fd/{other.namespace}"
        # Two ends with the same index would come up a second later.
        index = next(indices)
        host.ip(f"link add {other.name} index {index} mtu {mtu} address {self.mac(host)} type veth"
                f" peer name {host.name} index {index + 1} mtu {mtu} address {self.mac(other)}"
                f" netns {namespace}")
        for end, peer in ((host, other), (other, host)):
            for network in networks:
                nodad = "nodad" if ":" in network else "brd +"
                address = network.format(self.ends[end])
                end.ip(f"addr add {address} dev {peer.name} {nodad}")
            end.ip(f"link set {peer.name} up")
        self.wait()

    def wait(self):
        """Waits until both ends are up; the link-local address comes last."""
        for host in self.ends:
            until(lambda: self.peer(host).name in host.read("/proc/net/if_inet6", "fe80"), "link")

    def mac(self, host):
        return f"02:00:00:00:00:{self.ends[host]:02x}"

    def local(self, host):
        """Link-local address of HOST, derived from the MAC."""
        return f"fe80::ff:fe00:{self.ends[host]}"

    def peer(self, host):
        return next(other for other in self.ends if other is not host)


def pair(mtu=1500):
    """The usual setup: a server, a client that is its default route, and the link between them."""
    server, client = Host("server"), Host("client")
    link = Link(server, client, "10.0.0.{}/24", "fd00::{}/64", mtu=mtu)
    server.ip(f"route add default via {CLIENT4}")
    server.ip(f"-6 route add default via {CLIENT6}")
    return server, client, link

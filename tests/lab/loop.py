# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Two echods that a forged datagram makes answer one another, and what ends it: alice and bob serve
different high ports, mallory sends alice what seems to come from bob."""

from lab import (Echod, Flood, Host, Link, check, datagram, dual_stack_socket, send_train, test,
                 udp_socket, until)

ALICE = {4: "10.0.1.1", 6: "fd01::1"}
BOB = {4: "10.0.1.2", 6: "fd01::2"}
MOST_REPLIES = 64


class Scene:
    def __init__(self, handed=False, **settings):
        self.hosts = alice, bob, self.mallory = Host("alice"), Host("bob"), Host("mallory")
        Link(alice, bob, "10.0.1.{}/24", "fd01::{}/64")
        self.way_in = Link(alice, self.mallory, "10.0.2.{}/24", "fd02::{}/64")
        alice.sysctl("net.ipv4.ip_local_port_range", "20000 29999")
        bob.sysctl("net.ipv4.ip_local_port_range", "30000 39999")
        sockets = [dual_stack_socket(alice)] if handed else []
        self.alice = Echod(alice, sockets=sockets, **settings)
        self.bob = Echod(bob, **settings)

    def forge(self, version, hops=255):
        packet = datagram(BOB[version], self.bob.port, ALICE[version], self.alice.port, hops=hops)
        Flood(self.way_in, self.mallory, [packet]).send(1)

    def sum(self, counter):
        return sum(daemon.figures()[counter] for daemon in (self.alice, self.bob))

    def replies(self):
        return self.sum("udp_echoed_datagrams")

    def replies_until_silence(self, dropped, count=1):
        """How many there were once COUNT datagrams were dropped as DROPPED, and none after that."""
        until(lambda: self.sum(f"udp_dropped_datagrams_{dropped}") >= count, f"a drop: {dropped}")
        replies = self.replies()
        try:
            until(lambda: self.replies() != replies, "", seconds=0.3)
        except AssertionError:
            return replies
        raise AssertionError(f"more than {replies} replies, no silence")


def loop_ends(**settings):
    said = []
    for version in (4, 6):
        scene = Scene(udp_rate=0, **settings)
        scene.forge(version)
        replies = scene.replies_until_silence("ttl")
        check(0 < replies <= MOST_REPLIES, f"IPv{version}: {replies} replies")
        said.append(f"IPv{version}: {replies} replies, then silence")
    return "; ".join(said)


@test
def the_ttl_guard_ends_a_loop_after_64_replies():
    return loop_ends()


@test
def on_a_handed_dual_stack_socket_too():
    return loop_ends(handed=True)


@test
def a_train_ends_as_a_datagram_does():
    size, count = 100, 32
    said = []
    for version in (4, 6):
        scene = Scene(udp_rate=0)
        bits = 32 if version == 4 else 128
        nodad = "nodad" if version == 6 else ""  # there at once, not when the kernel gets to it
        scene.mallory.ip(f"addr add {BOB[version]}/{bits} dev lo {nodad}")
        # Behind a route, as bob's own address is on another link.
        scene.mallory.ip(f"route add {ALICE[version]}/{bits} dev alice via "
                         + ("10.0.2.1" if version == 4 else "fd02::1"))
        sender = udp_socket(scene.mallory, BOB[version], scene.bob.port)
        send_train(sender, (ALICE[version], scene.alice.port), bytes(size * count), size)
        replies = scene.replies_until_silence("ttl", count)
        check(replies % count == 0 and 0 < replies <= MOST_REPLIES * count,
              f"IPv{version}: {replies} replies to a train of {count}")
        said.append(f"IPv{version}: {replies} replies to a train of {count}")
    return "; ".join(said)


@test
def the_rate_alone_ends_a_loop_too():
    scene = Scene(udp_ttl_guard="no")
    scene.forge(4)
    return f"{scene.replies_until_silence('rate')} replies"


@test
def without_both_rules_it_goes_on():
    said = []
    for version in (4, 6):
        scene = Scene(udp_ttl_guard="no", udp_rate=0)
        scene.forge(version)
        until(lambda: scene.replies() > 100 * MOST_REPLIES, f"IPv{version}: a loop")
        said.append(f"IPv{version}: {scene.replies()} replies and no end")
    return "; ".join(said)

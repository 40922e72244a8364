# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Two echods that a forged datagram makes reply to each other, and what ends the loop: alice and
bob serve different high ports, mallory sends alice a datagram that seems to come from bob. Then an
echod and an echo server of another kind, which sends each reply with a fresh TTL."""

import time

from lab import (CLIENT4, SERVER4, Aside, Echod, Flood, Host, Link, ask, check, datagram,
                 dual_stack_socket, pair, scale, send_train, test, udp_socket, until)

ALICE = {4: "10.0.1.1", 6: "fd01::1"}
BOB = {4: "10.0.1.2", 6: "fd01::2"}
MOST_REPLIES = 64


class Scene:
    """Both have SETTINGS, unless BOBS are bob's own."""

    def __init__(self, handed=False, bobs=None, **settings):
        self.hosts = alice, bob, self.mallory = Host("alice"), Host("bob"), Host("mallory")
        Link(alice, bob, "10.0.1.{}/24", "fd01::{}/64")
        self.way_in = Link(alice, self.mallory, "10.0.2.{}/24", "fd02::{}/64")
        alice.sysctl("net.ipv4.ip_local_port_range", "20000 29999")
        bob.sysctl("net.ipv4.ip_local_port_range", "30000 39999")
        sockets = [dual_stack_socket(alice)] if handed else []
        self.alice = Echod(alice, sockets=sockets, **settings)
        self.bob = Echod(bob, **(bobs or settings))

    def forge(self, version, hops=255, data=b"forged"):
        packet = datagram(BOB[version], self.bob.port, ALICE[version], self.alice.port, data, hops)
        Flood(self.way_in, self.mallory, [packet]).send(1)

    def sum(self, counter):
        return sum(daemon.figures()[counter] for daemon in (self.alice, self.bob))

    def replies(self):
        return self.sum("udp_echoed_datagrams")

    def replies_until_silence(self, dropped, count=1):
        """Number of replies until COUNT datagrams are dropped as DROPPED and no more arrive."""
        until(lambda: self.sum(f"udp_dropped_datagrams_{dropped}") >= count, f"a drop: {dropped}")
        replies = self.replies()
        try:
            until(lambda: self.replies() != replies, "", seconds=0.3)
        except AssertionError:
            return replies
        raise AssertionError(f"more than {replies} replies, no silence")


def loop_ends(data=b"forged", **settings):
    said = []
    for version in (4, 6):
        scene = Scene(udp_rate=0, **settings)
        scene.forge(version, data=data)
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
def replies_with_counts_end_too():
    """Each differs from the one before, so that only the hops are the same."""
    return loop_ends(data=bytes(24), mode="echoplus")


@test
def a_train_ends_as_a_datagram_does():
    size, count = 100, 32
    said = []
    for version in (4, 6):
        scene = Scene(udp_rate=0)
        bits = 32 if version == 4 else 128
        nodad = "nodad" if version == 6 else ""  # usable at once
        scene.mallory.ip(f"addr add {BOB[version]}/{bits} dev lo {nodad}")
        # Behind a route, because bob's own address is on another link.
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


def mirror(sock, pause):
    """An echo server that counts no hops, until nothing arrives: (bytes sent, time of the end)."""
    sent = 0
    while True:
        try:
            data, peer = sock.recvfrom(65536)
        except TimeoutError:
            return sent, time.monotonic() - sock.gettimeout()
        time.sleep(pause)
        sent += sock.sendto(data, peer)


def mirror_ends(payloads, pause=0, **settings):
    """An echod and such a server reply to each other for a while, each payload separately."""
    server, client, _ = pair(mtu=9000)
    echod = Echod(server, workers=1, **settings)
    sock = udp_socket(client, CLIENT4, 20000, seconds=2)
    start = time.monotonic()
    for payload in payloads:
        sock.sendto(payload, (SERVER4, echod.port))
    sent, end = Aside(mirror, sock, pause).result()
    figures = echod.figures()
    looped = figures["udp_dropped_datagrams_looped"]
    check(looped == len(payloads), f"{looped} of {len(payloads)} loops ended: {figures}")
    return (f"{len(payloads)} of {len(payloads[0])} bytes: {figures['udp_echoed_datagrams']} replies,"
            f" {sent >> 20} MiB, {end - start:.1f} s")


@test
def a_server_that_resets_the_ttl_is_noticed():
    return mirror_ends([bytes(60000)], udp_rate=0)


@test
def below_the_rate_too():
    """A loop faster than 1000 a second would be ended by the rate limit."""
    return mirror_ends([bytes(60000)], pause=0.001)


@test(limit=120)
def several_loops_end_one_by_one():
    count = scale(2, 8)
    alike = mirror_ends([bytes(60000)] * count, udp_rate=0)
    return alike + "; " + mirror_ends([bytes([n]) * 60000 for n in range(count)], udp_rate=0)


def unanswered(payloads):
    """Number of datagrams without a reply for a client with at most 32 in flight."""
    server, client, _ = pair()
    echod = Echod(server, workers=1, udp_rate=0)
    sock = udp_socket(client, CLIENT4, seconds=1)
    for start in range(0, len(payloads), 32):
        batch = payloads[start:start + 32]
        for payload in batch:
            sock.sendto(payload, (SERVER4, echod.port))
        try:
            for _ in batch:
                sock.recv(100)
        except TimeoutError:
            pass
    figures = echod.figures()
    return len(payloads) - figures["udp_echoed_datagrams"], figures["udp_dropped_datagrams_looped"]


@test(limit=300)
def a_client_with_payloads_of_its_own_loses_nothing():
    count = scale(20_000, 1_000_000)
    lost, _ = unanswered([b"%064d" % n for n in range(count)])
    check(lost == 0, f"{lost} of {count} not answered")
    return f"{count} answered"


@test(limit=300)
def a_client_that_repeats_itself_loses_one_in_a_million():
    count = scale(100_000, 4_000_000)
    lost, looped = unanswered([bytes(64)] * count)
    check(lost == looped, f"{lost} of {count} not answered, {looped} as looped")
    each = 1 << 20
    check(count < each * (lost + 1) * 1.2 and each * lost < 1.2 * count, f"{lost} of {count}")
    return f"{lost} of {count} not answered"

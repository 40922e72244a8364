# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Exhaustive tests: every datagram size, every source port."""

import random
import time

from lab import (CLIENT4, CLIENT6, SERVER4, SERVER6, Capture, Echod, Flood, Host, ask, check,
                 datagram, pair, scale, test, udp_socket, until)

LARGEST = {"127.0.0.1": 65507, "::1": 65527}
WINDOW = 512  # ports tried at once


@test
def every_size_comes_back_whole():
    host = Host("host")
    echod = Echod(host)
    data = random.Random(1).randbytes(65536)
    said = []
    for address, largest in LARGEST.items():
        step = scale(29, 1)
        sizes = sorted({*range(0, largest, step), *range(100), *range(largest - 99, largest + 1)})
        sock = udp_socket(host, address)
        for size in sizes:
            answer, _ = ask(sock, (address, echod.port), data[:size])
            check(answer == data[:size], f"{address}: {size} bytes did not come back")
        said.append(f"{address}: {len(sizes)} sizes up to {largest}")
    return "; ".join(said)


def answered_ports(echod, link, client, source, to, ports):
    """Sends from each of PORTS, and returns those that got a reply."""
    capture = Capture(link, client)
    found = set()
    for at in range(0, len(ports), WINDOW):
        window = ports[at:at + WINDOW]
        received = echod.figures()["udp_received_datagrams"] + len(window)
        packets = [datagram(source, port, to, echod.port, b"%d" % port) for port in window]
        Flood(link, client, packets).send(len(window))
        until(lambda: echod.figures()["udp_received_datagrams"] >= received, "the datagrams")
        for seen in capture.all_there():
            check(seen.data == b"%d" % seen.dport and seen.sport == echod.port, f"{seen}")
            found.add(seen.dport)
    return found


@test
def every_source_port_gets_what_it_should():
    server, client, link = pair()
    echod = Echod(server, udp_rate=0)
    refused = {*range(1024), 2049, echod.port}
    ports = [*range(3000), echod.port, *range(3000, 65536, scale(23, 1))]
    start = time.monotonic()
    for source, to in ((CLIENT4, SERVER4), (CLIENT6, SERVER6)):
        found = answered_ports(echod, link, client, source, to, ports)
        wrong = found ^ (set(ports) - refused)
        check(not wrong, f"{to}: {len(wrong)} ports, {sorted(wrong)[:10]}")
    return (f"{len(set(ports))} ports of both families in {time.monotonic() - start:.1f} s,"
            f" no answer to {len(refused)}")

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Every datagram size comes back."""

import random

from lab import Echod, Host, ask, check, scale, test, udp_socket

LARGEST = {"127.0.0.1": 65507, "::1": 65527}


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

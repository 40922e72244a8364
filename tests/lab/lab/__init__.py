# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Common parts of the lab tests: hosts, links, the daemon, forged packets, clients."""

from .basics import ECHOC, Aside, Skip, all_tests, check, scale, test, until
from .daemon import Echod
from .monitor import Echom
from .network import CLIENT4, CLIENT6, SERVER4, SERVER6, Host, Link, pair
from .packets import Capture, Flood, datagram, random_sources
from .streams import Streams, small_buffers, stall
from .talk import ask, connect, dual_stack_socket, family_of, send_train, udp_socket

__all__ = ["CLIENT4", "CLIENT6", "ECHOC", "SERVER4", "SERVER6", "Aside", "Capture", "Echod", "Echom",
           "Flood", "Host", "Link", "Skip", "Streams", "all_tests", "ask", "check", "connect",
           "datagram", "dual_stack_socket", "family_of", "pair", "random_sources", "scale",
           "send_train", "small_buffers", "stall", "test", "udp_socket", "until"]

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""echod and its peers: one module for each kind of figure; bench/run combines them."""

import pathlib

BENCH = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE = "0"
LOAD_CORE = "1"


class Trouble(Exception):
    """A figure could not be measured; the text says why."""

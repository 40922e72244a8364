# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""echod beside its peers, one module a kind of figure; bench/run puts them together."""

import pathlib

BENCH = pathlib.Path(__file__).resolve().parent.parent
SERVER_CORE = "0"
LOAD_CORE = "1"


class Trouble(Exception):
    """A figure could not be measured; the text says why."""

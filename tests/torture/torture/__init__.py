# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Lives of an echod in which something fails: the faults, the daemon, the clients."""

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Lives of an echod in which something fails: what fails, how it lives, what is asked of it."""

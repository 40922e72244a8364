# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Packages of npm's in a temporary directory: what the publishers of a format check it with, and a
browser's driver. Nothing of them is kept, and none of their install scripts is run."""

import subprocess

from common import check

PINNED = {"@grafana/schema": "13.2.3", "axe-core": "4.14.1", "html-validate": "9.0.0",
          "kubernetes-models": "4.5.1", "puppeteer-core": "24.43.1", "typescript": "7.0.2", "yaml": "2.8.1"}


def fetch(*names):
    """Into the working directory."""
    done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                           *[f"{name}@{PINNED[name]}" for name in names]], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    check(done.returncode == 0, f"npm: {done.stdout}")

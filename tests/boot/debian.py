# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The small Debian that is booted: made once by debootstrap, kept, and copied for each boot."""

import os
import subprocess

SUITE = "bookworm"
PACKAGES = ["systemd", "systemd-sysv", "netcat-openbsd", "inetutils-telnet", "libevent-core-2.1-7",
            "libinih1"]


def base():
    return os.path.abspath(os.environ.get("BOOT_BASE") or os.path.join("build", "boot-base"))


def make_base():
    """Makes it unless it is there; returns why that was not possible, or None."""
    if os.path.isdir(base()):
        return None
    new = f"{base()}.new"
    subprocess.run(["rm", "-rf", new], check=True)
    os.makedirs(os.path.dirname(new), exist_ok=True)
    include = f"--include={','.join(PACKAGES)}"
    with open(f"{base()}.log", "wb") as log:
        done = subprocess.run(["debootstrap", "--variant=minbase", include, SUITE, new],
                              stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    if done.returncode:
        return f"debootstrap failed, see {base()}.log"
    os.rename(new, base())
    return None


def copy(root):
    subprocess.run(["cp", "-a", "--reflink=auto", base(), root], check=True)

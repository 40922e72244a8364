# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The minimal Debian that is booted: made once by debootstrap, kept, never changed by a boot."""

import glob
import os
import subprocess

SUITE = "bookworm"
PACKAGES = ["systemd", "systemd-sysv", "netcat-openbsd", "inetutils-telnet", "libevent-core-2.1-7",
            "libinih1"]
KEPT = "/var/cache/apt/archives"
# Only while it is created; after a crash it is created anew.
UNSAFE_IO = "/etc/dpkg/dpkg.cfg.d/unsafe-io"
USED_UP = [KEPT, "/var/lib/apt/lists"]
# Processes and mounts in these namespaces disappear with them.
UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def base():
    return os.path.abspath(os.environ.get("BOOT_BASE") or os.path.join("build", "boot-base"))


def make_base():
    """Creates it unless it exists; returns why that was not possible, or None."""
    if os.path.isdir(base()):
        return None
    new = f"{base()}.new"
    subprocess.run(["rm", "-rf", new], check=True)
    os.makedirs(os.path.dirname(f"{new}{UNSAFE_IO}"))
    with open(f"{new}{UNSAFE_IO}", "w") as file:
        file.write("force-unsafe-io\n")
    if reason := debootstrap(new):
        return reason
    for path in (UNSAFE_IO, *USED_UP):
        subprocess.run(["rm", "-r", new + path], check=True)
    os.rename(new, base())
    return None


def debootstrap(new):
    """Why it failed, or None. Packages in this machine's apt cache are not downloaded again."""
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    if glob.glob(f"{KEPT}/*.deb"):
        command.append(f"--cache-dir={KEPT}")
    with open(f"{base()}.log", "w+") as log:
        try:
            done = subprocess.run([*UNSHARE, *command, SUITE, new], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, timeout=600)
        except subprocess.TimeoutExpired:
            return f"debootstrap was not done in 10 minutes, see {log.name}"
        log.seek(0)
        said = log.read().splitlines() or [""]
    return f"debootstrap: {said[-1]}, see {log.name}" if done.returncode else None


def copy(root):
    """A copy for one boot, in an overlay beside the minimal Debian. A full copy takes seconds
    longer and is used if overlayfs cannot be mounted. The mount ends with our namespace."""
    changed = [f"{root}.{part}" for part in ("changes", "work")]
    for path in (root, *changed):
        os.mkdir(path)
    options = "lowerdir={},upperdir={},workdir={}".format(base(), *changed)
    mount = ["mount", "-t", "overlay", "-o", options, "overlay", root]
    if subprocess.run(mount, capture_output=True).returncode:
        subprocess.run(["cp", "-a", "--reflink=auto", f"{base()}/.", root], check=True)

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The life cycle of the Debian packages: install, upgrade with an edited file, remove, purge."""

import glob
import os
import re
import shutil
import subprocess

from common import (CONFIG, check_nobody_refused, check_served, configure, refuses,
                    steady_connects)
from lab import check, connect, test, until

LEFT_BEHIND = "/etc /usr /lib /var/lib/systemd /var/lib/private /run".split()


def packages():
    return sorted(glob.glob(os.path.join(os.environ.get("DEBS", "/none"), "echo[cdm]_*.deb")))


def missing():
    return None if packages() else "DEBS names no directory with the packages"


def install(guest, paths, *options):
    """Runs dpkg without a terminal, so that a question fails. Returns its output."""
    inside = []
    for path in paths:
        shutil.copy(path, guest.root)
        inside.append("/" + os.path.basename(path))
    return guest.run("dpkg", *options, "--install", *inside)


def newer(guest, number, more=""):
    """A later version of the package echod: NUMBER after the dash, MORE added to its file."""
    path = next(path for path in packages() if "echod_" in path)
    tree = f"{guest.root}.deb"
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    with open(f"{tree}/DEBIAN/control") as file:
        control = re.sub(r"(?m)^(Version: .*)-\d+$", rf"\1-{number}", file.read())
    with open(f"{tree}/DEBIAN/control", "w") as file:
        file.write(control)
    with open(tree + CONFIG, "a") as file:
        file.write(more)
    new = f"{guest.root}-{number}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, new], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return [new]


def version(guest):
    return guest.run("dpkg-query", "-W", "-f", "${Version}", "echod")


def enabled(guest, unit):
    return guest.systemctl("is-enabled", unit, good=None).strip()


@test
def installed_it_serves(guest):
    install(guest, packages())
    check_served(guest, 7)
    check(enabled(guest, "echod") == "enabled", "not enabled")
    check(enabled(guest, "echod-restricted.socket") == "disabled", "the restricted one is enabled")
    return version(guest)


def watches(guest, figure):
    """Whether echom's metrics of its only target say that."""
    line = f'echom_{figure.split()[0]}{{target="here",address="127.0.0.1:7",protocol="tcp"}} '
    return line + figure.split()[1] in guest.run(
        "nc", "127.0.0.1", "9108", input="GET /metrics HTTP/1.0\r\n\r\n")


@test
def echom_runs_and_watches_what_it_is_told(guest):
    check(enabled(guest, "echom") == "enabled", "not enabled")
    check("watching 0 targets" in guest.show("echom", "StatusText"),
          guest.show("echom", "StatusText"))
    guest.write("/etc/echom.conf", "[target here]\naddress = 127.0.0.1\nprotocol = tcp\n")
    guest.systemctl("reload", "echom")
    until(lambda: watches(guest, "up 1"), "the target does not get up")
    guest.systemctl("stop", "echod")
    until(lambda: watches(guest, "outages_total 1"), "the outage is not seen")
    guest.systemctl("start", "echod")
    until(lambda: watches(guest, "up 1"), "the target stays down")
    guest.write("/etc/echom.conf", "[target here]\n")
    guest.systemctl("reload", "echom", good=False)
    check(watches(guest, "outages_total 1"), "its books are gone")


@test
def its_own_test_passes(guest):
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../debian/tests/serves")
    shutil.copy(source, guest.root)
    guest.run("/serves")


@test
def an_upgrade_keeps_an_edited_file(guest):
    configure(guest, "[listener echo]", "address = *:1007")
    edited = guest.read(CONFIG)
    guest.systemctl("reload", "echod")
    before = guest.show("echod", "MainPID")
    said = install(guest, newer(guest, 2))
    check(version(guest).endswith("-2"), version(guest))
    check(guest.read(CONFIG) == edited, "the file was replaced")
    check(guest.show("echod", "MainPID") != before, f"still the old one runs: {said}")
    check_served(guest, 1007)


@test
def a_new_shipped_file_is_put_beside_it(guest):
    edited = guest.read(CONFIG)
    install(guest, newer(guest, 3, "\n# News.\n"), "--force-confold")
    check(guest.read(CONFIG) == edited, "the file was replaced")
    check("# News." in guest.read(CONFIG + ".dpkg-dist"), "the new one is not there")
    check_served(guest, 1007)


@test
def an_upgrade_starts_nothing_that_was_disabled(guest):
    guest.systemctl("disable", "--now", "echod")
    install(guest, newer(guest, 4, "\n# News.\n"))
    check(guest.show("echod", "ActiveState") == "inactive", "it was started")
    check(enabled(guest, "echod") == "disabled", "it was enabled")
    check(refuses(guest, 1007), "it is served")


@test
def an_upgrade_of_the_restricted_one_refuses_nobody(guest):
    guest.systemctl("enable", "--now", "echod-restricted.socket")
    check_served(guest, 7)
    before = guest.show("echod-restricted", "MainPID")
    with steady_connects(guest, 7) as ends:
        install(guest, newer(guest, 5, "\n# News.\n"))
    check_nobody_refused(ends, 1)
    check(guest.show("echod-restricted", "MainPID") != before, "still the old one runs")
    return ends


@test
def removed_it_serves_no_more_and_leaves_the_file(guest):
    check_served(guest, 7)
    edited = guest.read(CONFIG)
    guest.run("dpkg", "--remove", "echod")
    check(refuses(guest, 7), "port 7 is still open")
    check(not guest.exists("/usr/sbin/echod"), "the program is still there")
    check(guest.read(CONFIG) == edited, "the file is not as it was")


@test
def installed_again_it_goes_on_as_before(guest):
    install(guest, newer(guest, 6, "\n# News.\n"))
    check(enabled(guest, "echod") == "disabled", "what was disabled is enabled")
    check(enabled(guest, "echod-restricted.socket") == "enabled", "what was enabled is disabled")
    guest.systemctl("disable", "--now", "echod-restricted.socket")
    guest.systemctl("enable", "--now", "echod")
    check_served(guest, 1007)


@test
def purged_nothing_is_left(guest):
    with connect(guest, "127.0.0.1", 1007) as held:
        guest.run("dpkg", "--purge", "echod", "echoc", "echom")
        check(held.recv(1) == b"", "the connection was not closed in good order")
    check(refuses(guest, 1007), "port 1007 is still open")
    left = guest.run("find", *filter(guest.exists, LEFT_BEHIND), "-name", "echo[cdm]*", good=None)
    check(not left, f"left behind:\n{left}")
    check(guest.systemctl("--failed", "--quiet", "--no-legend") == "", "a unit is left as failed")

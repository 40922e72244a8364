# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A running echom: its file, its metrics, its page."""

import os
import re
import urllib.request

import daemon

ECHOM = os.path.join(os.path.dirname(os.path.abspath(os.environ.get("ECHOD", ""))), "echom")
LINE = re.compile(r'^(\w+)\{target="([^"]*)",[^}]*\} (\S+)$', re.M)
DIRECTION = re.compile(r'^echom_lost_direction_total\{target="([^"]*)",[^}]*,direction="(\w+)"\} (\d+)$',
                       re.M)
ROW = re.compile(r'<tr><th scope=row>([^<]*)<.*?<td class=(?:"state \w+"|state)>([\w ]+)<', re.S)
started = 0


def section(name, settings):
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())


class Echom(daemon.Daemon):
    """An echom on HOST that watches TARGETS: name to address, or to all of its settings. DEFAULTS
    apply to each of them, SERVER is of the process."""

    def __init__(self, host, targets, server=(), **defaults):
        global started
        started += 1
        self.host, self.defaults = host, defaults
        self.server = {"listen": "127.0.0.1:0", **dict(server)}
        self.config = os.path.abspath(f"echom-{started}.conf")
        self.log_path = os.path.abspath(f"echom-{started}.log")
        self.configure(targets)
        with host, open(self.log_path, "wb") as log:
            self.run([ECHOM, "-c", self.config], stderr=log)
        self.address = self.wait_log(r"serving metrics on http://(\S+)/metrics")[1]

    def configure(self, targets):
        """Writes the file."""
        texts = [section("server", self.server), section("defaults", self.defaults)]
        for name, settings in targets.items():
            settings = settings if isinstance(settings, dict) else {"address": settings}
            texts.append(section(f"target {name}", settings))
        daemon.replace(self.config, "".join(texts))

    def get(self, path):
        with self.host, urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
            return answer.read().decode()

    def figures(self):
        """Family to target to value, of all families that have one value a target."""
        found = {}
        for family, target, value in LINE.findall(self.get("/metrics")):
            found.setdefault(family.removeprefix("echom_"), {})[target] = float(value)
        return found

    def lost_directions(self):
        """Target, direction, how many."""
        return [(target, direction, int(lost)) for target, direction, lost in
                DIRECTION.findall(self.get("/metrics"))]

    def each_way(self, family, target):
        """Direction to value."""
        lines = re.findall(rf'^echom_{family}\{{target="{target}",.*,direction="(\w+)"\}} (\d+)$',
                           self.get("/metrics"), re.M)
        return {direction: int(value) for direction, value in lines}

    def states(self):
        """Target to state, as the page has them."""
        return dict(ROW.findall(self.get("/")))

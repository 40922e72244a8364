# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""A real Prometheus server, started on a free port and asked through its API."""

import json
import re
import subprocess
import urllib.parse
import urllib.request

from common import THIS_HOST, check, until

SOON = 30  # seconds: several scrapes, on a busy machine


class Prometheus:
    """A server on HOST with JOBS, as scrape_configs has them, and RULES, a list of files. It scrapes
    and evaluates every INTERVAL seconds. JSON is YAML."""

    def __init__(self, jobs, rules=(), interval=1, host=THIS_HOST, name="prometheus"):
        self.host, self.name = host, name
        every = {"scrape_interval": f"{interval}s", "evaluation_interval": f"{interval}s"}
        with open(f"{name}.yml", "w") as file:
            json.dump({"global": every, "rule_files": list(rules), "scrape_configs": jobs}, file)
        with open(f"{name}.log", "wb") as log, host:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={name}.yml", f"--storage.tsdb.path={name}",
                 "--web.listen-address=127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        with open(f"{self.name}.log", errors="replace") as file:
            return file.read()

    def wait(self):
        """Waits until it responds; it logs the port it got."""
        def ready():
            check(self.process.poll() is None, f"prometheus has ended: {self.log()}")
            return "Server is ready" in self.log()

        until(ready, "prometheus", SOON)
        self.url = "http://" + re.search(r'"Listening on" address=(\S+)', self.log())[1]

    def ask(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with self.host, urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def find(self, query):
        """The series that QUERY finds."""
        return self.ask("query", query=query)["result"]

    def value(self, query):
        """The value of the only series that QUERY finds, or None."""
        found = self.find(query)
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def alert(self, name):
        """Its state: pending, firing or None."""
        return next((alert["state"] for alert in self.ask("alerts")["alerts"]
                     if alert["labels"]["alertname"] == name), None)

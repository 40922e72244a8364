# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""The queries of contrib/echom-dashboard.json, as Grafana would send them, and those of the pages in
docs/."""

import json
import os
import re

from common import CONTRIB, HERE

PATH = os.path.abspath(os.path.join(CONTRIB, "echom-dashboard.json"))
ALL = {"instance": ".*", "target": ".*", "site": ".*", "__range": "10m", "__rate_interval": "30s"}


def _fill_in(query, **chosen):
    for name, value in {**ALL, **chosen}.items():
        query = re.sub(rf"\${name}\b", value, query)
    return query


def _load():
    with open(PATH) as file:
        return json.load(file)


def queries(**chosen):
    """Title of the panel and query, with CHOSEN values of variables."""
    return [(panel["title"], _fill_in(target["expr"], **chosen))
            for panel in _load()["panels"] for target in panel.get("targets", [])]


def variables():
    """Name, selector of series, label of each variable that is filled by label_values()."""
    for variable in _load()["templating"]["list"]:
        if variable["type"] == "query":
            pattern = r"label_values\((.*), (\w+)\)"
            selector, label = re.fullmatch(pattern, variable["query"]["query"]).groups()
            yield variable["name"], _fill_in(selector), label


def documented():
    """Page and query: what stands in the last column of tables."""
    for page in ("echom.md", "fleet.md"):
        with open(os.path.join(HERE, "../../docs", page)) as file:
            for query in re.findall(r"^\|.*`([^`|]*echom_[^`|]*)`[^`|]*\|$", file.read(), re.M):
                yield page, query

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers

"""Draws the charts from the tables of RESULTS.md: how much work each server does in one second of its
CPU's time. One picture for each load, for light and dark pages, as wide as a phone.

    bench/harness/chart.py [DIRECTORY]
"""

import pathlib
import re
import sys

LOADS = {"tcp-64-50": "TCP 64 B, 50 connections", "udp-64-8": "UDP 64 B, 8 flows",
         "tcp-deep": "TCP 64 B, 16 deep", "train-1400-8": "UDP trains of 1400 B",
         "tcp-bulk": "TCP 1 MiB, 4 connections", "tcp-connect": "TCP connect, echo, close"}
# Of text, echod, other bars.
THEMES = {"light": ("#1b2026", "#0a5fb4", "#9aa7b4"), "dark": ("#e4e9ee", "#6fb3fb", "#56626f")}
WIDTH, TOP, ROW, LEFT, LONGEST = 390, 52, 24, 96, 220


def bars(text, load):
    """The unit, and the servers with their work for each CPU second, most first."""
    found = re.search(rf"^## [^\n]*\(`{load}`\)\n\n(\|.*?)\n\n", text, re.M | re.S)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found[1].splitlines()]
    unit = lines[0][1].removesuffix("/s")
    work = [(1e6 / float(line[2].replace(",", "")), line[0]) for line in lines[2:]]
    return {"conns": "connections"}.get(unit, unit), sorted(work, reverse=True)


def number(value):
    return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value:,.0f}"


def draw(title, unit, rows, theme):
    ink, ours, others = THEMES[theme]
    height = TOP + ROW * len(rows)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" role="img" aria-label="{title}: {unit} for each '
             'second of CPU time: ' + ", ".join(f"{name} {number(value)}" for value, name in rows)
             + f'"><g font-family="system-ui,sans-serif" font-size="14" fill="{ink}">',
             f'<text x="0" y="17" font-size="16" font-weight="600">{title}</text>',
             f'<text x="0" y="37">{unit} for each second of CPU time</text>']
    for place, (value, name) in enumerate(rows):
        y, length = TOP + ROW * place, LONGEST * value / rows[0][0]
        weight = ' font-weight="600"' if name == "echod" else ""
        lines += [f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end"{weight}>{name}</text>',
                  f'<rect x="{LEFT}" y="{y + 2}" width="{length:.1f}" height="{ROW - 6}" rx="2" '
                  f'fill="{ours if name == "echod" else others}"/>',
                  f'<text x="{LEFT + length + 6:.1f}" y="{y + 15}"{weight}>{number(value)}</text>']
    return "\n".join([*lines, "</g></svg>\n"])


def write(directory):
    """Draws all of RESULTS.md in DIRECTORY into its charts/."""
    text = pathlib.Path(directory, "RESULTS.md").read_text()
    charts = pathlib.Path(directory, "charts")
    charts.mkdir(exist_ok=True)
    for load, title in LOADS.items():
        for theme in THEMES:
            pathlib.Path(charts, f"{load}-{theme}.svg").write_text(
                draw(title, *bars(text, load), theme))


def markdown():
    """The pictures, for RESULTS.md."""
    return "\n".join(
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="charts/{load}-dark.svg">'
        f'<img src="charts/{load}-light.svg" alt="{title}: work of each server for each second of '
        'CPU time"></picture>' for load, title in LOADS.items()) + "\n"


if __name__ == "__main__":
    write(*(sys.argv[1:] or [pathlib.Path(__file__).parents[1]]))

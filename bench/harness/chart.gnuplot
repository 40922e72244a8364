# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# The look of the chart; harness/report.py appends a plot for each load.
set terminal svg size 960,760 font "sans,12" background rgb "white"
set output "OUTPUT"
set linetype 1 lc rgb "#1f5fa8"
set linetype 2 lc rgb "#b9c2cc"
set style fill solid 1.0 noborder
set border 0
unset xtics
set ytics scale 0
unset key
set lmargin 11
set rmargin 2
set multiplot layout 3,2 title "Work done in one second of the server's CPU, more is better"

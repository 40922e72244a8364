#!/bin/sh
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# What `make install` leaves behind is readable by everybody, even when root's umask is 077.

set -eu

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# The make that runs this test has options and a job server of its own.
unset MAKEFLAGS MAKELEVEL MFLAGS
(umask 077 && "${MAKE:-make}" -s install DESTDIR="$root/stage")

test -n "$(find "$root/stage" -name echod.conf)"
test -n "$(find "$root/stage" -name echom.conf)"
for kind in d f; do
	mode=0444
	test "$kind" = f || mode=0555
	closed=$(find "$root/stage" -mindepth 1 -type "$kind" ! -perm "-$mode")
	if test -n "$closed"; then
		printf 'closed to others:\n%s\n' "$closed"
		exit 1
	fi
done

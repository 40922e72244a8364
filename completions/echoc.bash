# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Written by completions/generate.

_echoc_target()
{
	local cur=$1 kind=${1%%:*}

	case $cur in
	unix:* | unixgram:*)
		# With ":" among COMP_WORDBREAKS bash completes only what is behind it.
		mapfile -t COMPREPLY < <(compgen -f -- "${cur#*:}")
		[[ $COMP_WORDBREAKS == *:* ]] || COMPREPLY=("${COMPREPLY[@]/#/$kind:}")
		compopt -o filenames 2>/dev/null
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -A hostname -W 'unix: unixgram:' -- "$cur")
		[[ ${COMPREPLY[*]} == unix*: ]] && compopt -o nospace 2>/dev/null
		;;
	esac
}

_echoc()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options

	COMPREPLY=()
	# unix:/path is three words to bash.
	if [[ $prev == : && ${COMP_WORDS[COMP_CWORD - 2]} == unix* ]]; then
		_echoc_target "unix:$cur"
		return
	fi
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'ping bench send flows marks idle mtu --help --version' -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]}:$prev in
	ping:-I | ping:--ttl | ping:-c | ping:--outage | ping:--ssid | \
		bench:-I | bench:--ttl | bench:-c | bench:-p | bench:-r | \
		bench:-j | send:-I | send:--ttl | flows:-I | flows:--ttl | \
		flows:-n | flows:-r | marks:-I | marks:--ttl | marks:-c | \
		marks:--ssid | idle:-I | idle:--ttl | idle:--ssid | mtu:-I | \
		mtu:--ttl)
		return
		;;
	ping:-M | bench:-M | send:-M | flows:-M)
		mapfile -t COMPREPLY < <(compgen -W 'do want dont' -- "$cur")
		return
		;;
	ping:-Q | bench:-Q | send:-Q | flows:-Q | idle:-Q | \
		mtu:-Q)
		mapfile -t COMPREPLY < <(compgen -W 'ef le va af11 af21 af31 af41 cs0 cs1' -- "$cur")
		return
		;;
	ping:--proxy | bench:--proxy | send:--proxy | flows:--proxy | idle:--proxy | \
		mtu:--proxy)
		mapfile -t COMPREPLY < <(compgen -W 'v1 v2' -- "$cur")
		return
		;;
	ping:-i | ping:-W | ping:-w | ping:--report | bench:-d | \
		bench:-W | send:-w | flows:-W | flows:-d | marks:-W | \
		marks:-i | idle:--up-to | mtu:-W)
		mapfile -t COMPREPLY < <(compgen -W '10ms 100ms 1s 10s 1m' -- "$cur")
		return
		;;
	ping:-s | bench:-s | flows:-s)
		mapfile -t COMPREPLY < <(compgen -W '64 512 1400 1472 8k 64k 1m' -- "$cur")
		return
		;;
	ping:--key-file | marks:--key-file | idle:--key-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	marks:--dscp)
		mapfile -t COMPREPLY < <(compgen -W 'all 0,ef,af41,le 0-63' -- "$cur")
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	ping)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -M -Q --ttl --proxy -c'
		options+=' -i -W -w -D --report --outage -q -s --busy --stamp --plus --key-file'
		options+=' --ssid --ttl-guarded --ttl-fresh'
		;;
	bench)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -M -Q --ttl --proxy -s'
		options+=' --busy -c -p -r -d -j -g --connect -W'
		;;
	send)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -M -Q --ttl --proxy -w'
		;;
	flows)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -M -Q --ttl --proxy -W'
		options+=' -s -n -r -d'
		;;
	marks)
		options='-4 -6 -u -v -V --version -h --help --json -I --ttl -W -c -i --dscp'
		options+=' --stamp --key-file --ssid'
		;;
	idle)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -Q --ttl --proxy'
		options+=' --up-to --fresh --stamp --key-file --ssid'
		;;
	mtu)
		options='-4 -6 -u -t -v -V --version -h --help --json -I -Q --ttl --proxy -W'
		;;
	*)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	else
		_echoc_target "$cur"
	fi
}

complete -F _echoc echoc

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Completion of echoc(1) for bash: modes, the options of each, host names and unix paths.

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
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-4 -6 -I -M -Q -t -u -v --json --proxy --ttl --help --version'
	local values='-I -M -Q --proxy --ttl'

	COMPREPLY=()
	# unix:/path is three words to bash.
	if [[ $prev == : && ${COMP_WORDS[COMP_CWORD - 2]} == unix* ]]; then
		_echoc_target "unix:$cur"
		return
	fi
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'ping bench send flows mtu marks idle --help --version' -- "$cur")
		return
	fi
	case ${COMP_WORDS[1]} in
	ping)
		options+=' -c -i -q -s -w -D -W --busy --outage --report --stamp --plus --key-file --ssid'
		options+=' --ttl-guarded --ttl-fresh'
		values+=' -c -i -s -w -W --outage --report --key-file --ssid'
		;;
	bench)
		options+=' -c -d -g -j -p -r -s -W --busy --connect'
		values+=' -c -d -j -p -r -s -W'
		;;
	flows)
		options+=' -d -n -r -s -W'
		values+=' -d -n -r -s -W'
		;;
	idle)
		options+=' --fresh --key-file --ssid --stamp --up-to'
		values+=' --key-file --ssid --up-to'
		;;
	marks)
		options+=' -c -i -W --dscp --key-file --ssid --stamp'
		values+=' -c -i -W --dscp --key-file --ssid'
		;;
	mtu)
		options+=' -W'
		values+=' -W'
		;;
	send)
		options+=' -w'
		values+=' -w'
		;;
	*)
		return
		;;
	esac
	if [[ " $values " == *" $prev "* ]]; then
		case $prev in
		-M)
			mapfile -t COMPREPLY < <(compgen -W 'do want dont' -- "$cur")
			;;
		-Q)
			mapfile -t COMPREPLY < <(compgen -W 'ef le af11 af21 af31 af41 cs0 cs1' -- "$cur")
			;;
		--proxy)
			mapfile -t COMPREPLY < <(compgen -W 'v1 v2' -- "$cur")
			;;
		--dscp)
			mapfile -t COMPREPLY < <(compgen -W 'all 0,ef,af41,le 0-63' -- "$cur")
			;;
		--key-file)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			compopt -o filenames 2>/dev/null
			;;
		-i | -W | -w | -d | --report | --up-to)
			mapfile -t COMPREPLY < <(compgen -W '10ms 100ms 1s 10s 1m' -- "$cur")
			;;
		-s)
			mapfile -t COMPREPLY < <(compgen -W '64 512 1400 1472 8k 64k 1m' -- "$cur")
			;;
		esac
		return
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	_echoc_target "$cur"
}

complete -F _echoc echoc

# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Written by completions/generate.

_echod()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options

	COMPREPLY=()
	case echod:$prev in
	echod:-c | echod:--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	echod:-l | echod:--listen)
		return
		;;
	esac
	options='-c --config -t --test -T --dump -v --verbose -V --version -h --help -l'
	options+=' --listen'
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _echod echod

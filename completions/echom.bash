# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Written by completions/generate.

_echom()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} options

	COMPREPLY=()
	case echom:$prev in
	echom:-c | echom:--config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	esac
	options='-c --config -t --test -T --dump -v --verbose -V --version -h --help'
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _echom echom

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Written by completions/generate.

complete -c echom -f
complete -c echom -s c -r -F -d 'configuration file'
complete -c echom -l config -r -F -d 'configuration file'
complete -c echom -s t -d 'check the file'
complete -c echom -l test -d 'check the file'
complete -c echom -s T -d 'print the configuration'
complete -c echom -l dump -d 'print the configuration'
complete -c echom -s v -d 'verbose'
complete -c echom -l verbose -d 'verbose'
complete -c echom -s V -d 'version'
complete -c echom -l version -d 'version'
complete -c echom -s h -d 'help'
complete -c echom -l help -d 'help'

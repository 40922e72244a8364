# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The echod developers
#
# Written by completions/generate.

complete -c echod -f
complete -c echod -s c -r -F -d 'configuration file'
complete -c echod -l config -r -F -d 'configuration file'
complete -c echod -s t -d 'check the file'
complete -c echod -l test -d 'check the file'
complete -c echod -s T -d 'print the configuration'
complete -c echod -l dump -d 'print the configuration'
complete -c echod -s v -d 'verbose'
complete -c echod -l verbose -d 'verbose'
complete -c echod -s V -d 'version'
complete -c echod -l version -d 'version'
complete -c echod -s h -d 'help'
complete -c echod -l help -d 'help'
complete -c echod -s l -x -d 'address to serve'
complete -c echod -l listen -x -d 'address to serve'

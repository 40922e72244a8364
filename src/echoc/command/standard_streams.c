/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Standard streams that may be closed or full. Owns nothing; main calls it first and last.
 */

#include "config.h"

#include "echoc/command/standard_streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/*
 * So that no socket takes the number of a stream that we were started without. To read from or to
 * print on such a stream must fail all the same, hence the wrong direction; errors may get lost.
 */
int open_missing_streams(void)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || open("/dev/null", modes[fd]) >= 0)
			continue;
		perror("echoc: /dev/null");
		return -1;
	}
	return 0;
}

int flush_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fputs("echoc: cannot write all of it to standard output\n", stderr);
	return -1;
}

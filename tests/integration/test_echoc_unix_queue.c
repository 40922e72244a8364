/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A unix socket whose queue of connections is full: echoc waits for the server, for a while. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/harness.h"
#include "integration/net.h"

static int full_unix_server(char *path, size_t size, int *filler)
{
	static unsigned count;
	struct address address;
	int server;

	snprintf(path, size, "%s/full%d-%u", test_directory(), (int)getpid(), count++);
	address = at(path, 0);
	server = new_socket(&address, SOCK_STREAM);
	ck_assert_int_eq(bind(server, &address.sa, address.length), 0);
	ck_assert_int_eq(listen(server, 0), 0);
	*filler = connect_to(path, 0);
	return server;
}

static char state_of(pid_t pid)
{
	char path[32], state = '?';
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	stat = fopen(path, "r");
	ck_assert_ptr_nonnull(stat);
	ck_assert_int_eq(fscanf(stat, "%*d %*s %c", &state), 1);
	fclose(stat);
	return state;
}

/* Echoes what one client says. */
static void serve(int server, size_t size)
{
	char text[16];
	int fd = accept(server, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	recv_exact(fd, text, size);
	send_all(fd, text, size);
	expect_end(fd);
	close(fd);
}

TEST(a_full_queue_of_a_unix_socket_is_waited_for)
{
	char path[100], target[120];
	int filler;
	int server = full_unix_server(path, sizeof(path), &filler);
	struct echoc echoc;

	snprintf(target, sizeof(target), "unix:%s", path);
	echoc = echoc_start(ECHOC_ARGS("send", "-w", "20s", target, "hello"));
	WAIT_UNTIL(state_of(echoc.pid) != 'R');
	close(filler);
	close(accept(server, NULL, NULL));
	serve(server, 5);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "hello");
	close(server);
}

TEST(a_queue_that_stays_full_is_named)
{
	char path[100], target[120];
	int filler;
	int server = full_unix_server(path, sizeof(path), &filler);
	struct echoc echoc;

	snprintf(target, sizeof(target), "unix:%s", path);
	echoc = echoc_run(ECHOC_ARGS("send", "-w", "50ms", target, "hello"));
	EXPECT_ERRORS(&echoc, 2, "the queue of the server is full");
	close(filler);
	close(server);
}

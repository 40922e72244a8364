/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The end of a socket that is never empty: poll() is the test's, and always finds one more. */

#include "config.h"

#include "echod/serving/endpoint.h"

#include <poll.h>

#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/loop_scene.h"

#define TURN_MS 7
#define TURNS_TOO_MANY 1000

static int sender = -1; /* of the flood; -1: there is none */
static struct address target;
static unsigned turns;

/* As the compiler fortifies it. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room UNUSED)
{
	return poll(fds, count, timeout);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct timespec most = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};

	if (sender < 0)
		return ppoll(fds, count, timeout < 0 ? NULL : &most, NULL);
	ck_assert_uint_lt(++turns, TURNS_TOO_MANY);
	send_datagram(sender, &target, "more", 4);
	fake_ms += TURN_MS;
	fds->revents = POLLIN;
	return 1;
}

TEST_CASE("stop", scene_open, scene_close);

TEST(a_flood_does_not_hold_up_a_stop)
{
	struct service *service = scene_service("[listener x]\naddress = 127.0.0.1:0\n", "x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_UDP, "127.0.0.1");
	int64_t begun = fake_ms;

	target = endpoint->socket->address;
	sender = datagram_socket("127.0.0.1");
	scene_end_serving(endpoint);
	ck_assert_int_le(fake_ms - begun, 100 + TURN_MS);
	ck_assert_uint_ge(scene_count(UDP_ECHOED_DATAGRAMS), turns - 1);
	ck_assert_uint_gt(turns, 1);
	close(sender);
	sender = -1;
}

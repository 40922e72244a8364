/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How a loop waits. Time passes only where it does: each epoll_wait takes LOOK_US, and what happens
 * meanwhile is the test's. So every look is counted, at any speed.
 */

#include "config.h"

#include "echod/serving/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "daemon/bell.h"
#include "support/test.h"
#include "unit/kernel_clock.h"
#include "unit/loop_scene.h"

#define LOOK_US 10
#define LOOKS 10 /* that fit into BUSY_POLL_US */
#define BUSY_POLL_US (LOOKS * LOOK_US)
#define WAITS_MAX 1000

/* What the loop did, in order: "0" for a look that does not sleep, "z" for one that does. */
static char waits[WAITS_MAX + 1];
static size_t waited;
static uint64_t now_ns;
static void (*happens)(void); /* before each wait */
static int epoll_fails;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC)
		return kernel_clock(clock, now);
	now->tv_sec = (time_t)(now_ns / NS_PER_S);
	now->tv_nsec = (long)(now_ns % NS_PER_S);
	return 0;
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	ck_assert_uint_lt(waited, WAITS_MAX);
	waits[waited++] = timeout == 0 ? '0' : 'z';
	now_ns += LOOK_US * NS_PER_US;
	if (happens != NULL)
		happens();
	if (epoll_fails != 0) {
		errno = epoll_fails;
		return -1;
	}
	if (scene_loop.over) /* nothing would wake it */
		timeout = 0;
	return (int)syscall(SYS_epoll_pwait, epoll, events, room, timeout, NULL, 0);
}

static struct service *service;
static struct endpoint *udp, *tcp;
static int datagram, stream, called = -1;

static void set_up(void)
{
	scene_open();
	service = scene_service("[listener x]\naddress = 127.0.0.1:0\n", "x");
	udp = scene_serve(service, SOCKET_UDP, "127.0.0.1");
	tcp = scene_serve(service, SOCKET_TCP, "127.0.0.1");
	datagram = datagram_socket("127.0.0.1");
	stream = scene_connect_unix(service, 0);
	scene_turn();
	memset(waits, 0, sizeof(waits));
	waited = 0;
}

static void tear_down(void)
{
	happens = NULL;
	close(datagram);
	close(stream);
	if (called >= 0)
		close(called);
	scene_close();
}

static void send_datagram_to_it(void)
{
	send_datagram(datagram, &udp->socket->address, "x", 1);
}

static void send_message_to_it(void)
{
	send_all(stream, "x", 1);
}

static void call_it(void)
{
	called = connect_to("127.0.0.1", address_port(&tcp->socket->address));
}

static void (*const comings[])(void) = {send_datagram_to_it, send_message_to_it, call_it};
static void (*comes)(void);
static size_t comes_again; /* before this wait; 0: not */

/* Something comes in the first wait and perhaps once more; when it sleeps after that it ends. */
static void come(void)
{
	if (waited == 1 || waited == comes_again)
		comes();
	else if (waits[waited - 1] == 'z')
		loop_end(&scene_loop);
}

static void expect_waits(unsigned looks, const char *end)
{
	char expected[WAITS_MAX + 1] = "z";

	memset(expected + 1, '0', looks);
	strcpy(expected + 1 + looks, end);
	ck_assert_str_eq(waits, expected);
}

TEST_CASE("waiting", set_up, tear_down);

TEST(without_busy_poll_it_only_sleeps)
{
	happens = come;
	comes = send_datagram_to_it;
	comes_again = 2;
	loop_run(&scene_loop);
	ck_assert_str_eq(waits, "zzz");
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), 2);
}

TEST_EACH(it_looks_for_busy_poll_and_sleeps_again, ARRAY_SIZE(comings))
{
	happens = come;
	comes = comings[_i];
	loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	loop_run(&scene_loop);
	expect_waits(LOOKS, "z");
}

/* The look that finds something is followed by one to see that it was all. */
TEST(what_comes_meanwhile_begins_it_anew)
{
	happens = come;
	comes = send_datagram_to_it;
	comes_again = 6;
	loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	loop_run(&scene_loop);
	expect_waits(5 + 1 + LOOKS, "z");
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), 2);
}

static int bell_fd;

static void ring(void)
{
	bell_ring(bell_fd);
}

static unsigned heard;

static void hear(void *arg UNUSED)
{
	heard++;
}

TEST(a_question_of_control_is_answered_in_between_and_keeps_nobody_awake)
{
	struct bell bell;

	bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ck_assert_int_eq(bell_hang(&bell, scene_loop.base, bell_fd, hear, NULL), 0);
	happens = come;
	comes = ring;
	loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	loop_run(&scene_loop);
	ck_assert_str_eq(waits, "zz");
	ck_assert_uint_eq(heard, 1);
	bell_remove(&bell);
	close(bell_fd);
}

static void end_at_third_look(void)
{
	if (waited == 1)
		send_datagram_to_it();
	else if (waited == 4)
		loop_end(&scene_loop);
}

TEST(it_ends_while_it_looks)
{
	happens = end_at_third_look;
	loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	loop_run(&scene_loop);
	expect_waits(3, "");
}

static void turn_off_at_third_look(void)
{
	if (waited == 1)
		send_datagram_to_it();
	else if (waited == 4)
		loop_set_busy_poll(&scene_loop, 0);
	else if (waited == 5)
		loop_end(&scene_loop);
}

TEST(it_can_be_turned_off_while_it_looks)
{
	happens = turn_off_at_third_look;
	loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	loop_run(&scene_loop);
	expect_waits(3, "z");
}

static void turn_on_while_it_sleeps(void)
{
	if (waited == 1)
		loop_set_busy_poll(&scene_loop, BUSY_POLL_US);
	else if (waited == 2)
		send_datagram_to_it();
	else if (waits[waited - 1] == 'z')
		loop_end(&scene_loop);
	if (waited == 1)
		send_datagram_to_it(); /* something that ends the sleep */
}

TEST(it_can_be_turned_on_while_it_sleeps)
{
	happens = turn_on_while_it_sleeps;
	loop_run(&scene_loop);
	ck_assert_ptr_nonnull(strstr(waits, "z0000000000z"));
}

TEST_EACH(a_kernel_that_refuses_to_wait_ends_it, 2)
{
	epoll_fails = EINVAL;
	loop_set_busy_poll(&scene_loop, _i == 0 ? 0 : BUSY_POLL_US);
	loop_run(&scene_loop);
	epoll_fails = 0;
	ck_assert(!scene_loop.over);
	ck_assert_str_eq(waits, "z");
}

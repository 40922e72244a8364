/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo server of libevent's book: evconnlistener and bufferevents. bufferevent PORT */

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static void on_read(struct bufferevent *bev, void *context)
{
	(void)context;
	evbuffer_add_buffer(bufferevent_get_output(bev), bufferevent_get_input(bev));
}

static void on_event(struct bufferevent *bev, short events, void *context)
{
	(void)context;
	if (events & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *context)
{
	struct event_base *base = evconnlistener_get_base(listener);
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)address;
	(void)length;
	(void)context;
	bufferevent_setcb(bev, on_read, NULL, on_event, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct event_base *base = event_base_new();

	address.sin_port = htons((unsigned short)strtoul(argv[argc - 1], NULL, 10));
	if (!evconnlistener_new_bind(base, on_accept, NULL,
				     LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, -1,
				     (struct sockaddr *)&address, sizeof(address))) {
		perror("bufferevent: listen");
		return 1;
	}
	return event_base_dispatch(base);
}

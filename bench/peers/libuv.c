/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo servers of libuv's guide, TCP and UDP. libuv PORT */

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct write {
	uv_write_t request;
	uv_buf_t buffer;
};

struct datagram {
	uv_udp_send_t request;
	uv_buf_t buffer;
};

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
	(void)handle;
	buffer->base = malloc(size);
	buffer->len = size;
}

static void on_close(uv_handle_t *handle)
{
	free(handle);
}

static void on_written(uv_write_t *request, int status)
{
	struct write *write = (struct write *)request;

	(void)status;
	free(write->buffer.base);
	free(write);
}

static void on_read(uv_stream_t *client, ssize_t size, const uv_buf_t *buffer)
{
	if (size > 0) {
		struct write *write = malloc(sizeof(*write));

		write->buffer = uv_buf_init(buffer->base, (unsigned)size);
		uv_write(&write->request, client, &write->buffer, 1, on_written);
		return;
	}
	if (size < 0)
		uv_close((uv_handle_t *)client, on_close);
	free(buffer->base);
}

static void on_connection(uv_stream_t *server, int status)
{
	uv_tcp_t *client = malloc(sizeof(*client));

	if (status < 0)
		return;
	uv_tcp_init(server->loop, client);
	if (uv_accept(server, (uv_stream_t *)client) == 0)
		uv_read_start((uv_stream_t *)client, allocate, on_read);
	else
		uv_close((uv_handle_t *)client, on_close);
}

static void on_sent(uv_udp_send_t *request, int status)
{
	struct datagram *datagram = (struct datagram *)request;

	(void)status;
	free(datagram->buffer.base);
	free(datagram);
}

static void on_datagram(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer,
			const struct sockaddr *peer, unsigned flags)
{
	struct datagram *datagram;

	(void)flags;
	if (size < 0 || !peer) {
		free(buffer->base);
		return;
	}
	datagram = malloc(sizeof(*datagram));
	datagram->buffer = uv_buf_init(buffer->base, (unsigned)size);
	uv_udp_send(&datagram->request, socket, &datagram->buffer, 1, peer, on_sent);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_in address;
	uv_tcp_t tcp;
	uv_udp_t udp;

	uv_ip4_addr("127.0.0.1", atoi(argv[argc - 1]), &address);
	uv_tcp_init(loop, &tcp);
	uv_udp_init(loop, &udp);
	if (uv_tcp_bind(&tcp, (struct sockaddr *)&address, 0) < 0 ||
	    uv_listen((uv_stream_t *)&tcp, 4096, on_connection) < 0 ||
	    uv_udp_bind(&udp, (struct sockaddr *)&address, 0) < 0 ||
	    uv_udp_recv_start(&udp, allocate, on_datagram) < 0) {
		fputs("libuv: cannot listen\n", stderr);
		return 1;
	}
	return uv_run(loop, UV_RUN_DEFAULT);
}

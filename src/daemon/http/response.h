/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What one client is sent: the reply of a page to its request, piece by piece, through a buffer of
 * fixed size. Knows no events: http.c calls it when there is something to do. Owns the stream of
 * the reply until its end.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "daemon/http/site.h"

struct http_service {
	struct http *http;
	const struct http_site *site;
	void *arg;	    /* of the pages */
	bool loopback_only; /* requests for another host are refused */
};

struct http_response {
	struct http_reply reply;
	bool begun; /* the headers are in the buffer, or were sent */
	size_t sent;
	size_t end;
	char buffer[HTTP_HEADER_MAX + HTTP_BODY_MAX]; /* not backed by memory until written to */
};

/* What to do next about a response. */
enum http_delivery {
	HTTP_TO_SEND,	 /* http_response_send */
	HTTP_TO_PRODUCE, /* http_response_produce, in a later turn of the loop */
	HTTP_TO_WAIT,	 /* the same, but only once it is resumed */
	HTTP_DELIVERED,
	HTTP_BROKEN /* the connection is of no use any more */
};

/* Responds to TEXT: a whole request, which is taken apart, or one that is refused with STATUS. */
enum http_delivery http_response_answer(struct http_response *response,
					const struct http_service *service,
					const struct address *peer, char *text) WARN_UNUSED;
enum http_delivery http_response_refuse(struct http_response *response, const char *text,
					const char *status) WARN_UNUSED;

enum http_delivery http_response_send(struct http_response *response, int fd) WARN_UNUSED;

/* Lets the stream write its next piece. */
enum http_delivery http_response_produce(struct http_response *response) WARN_UNUSED;

/* Ends the stream, if there is one. */
void http_response_end(struct http_response *response);

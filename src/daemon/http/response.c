/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See response.h. The headers are written right before the first piece, once that is there. */

#include "config.h"

#include "daemon/http/response.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/http/host.h"

static void begin(struct http_response *response, const char *status)
{
	response->reply =
		(struct http_reply){.status = status, .type = "text/plain; charset=utf-8"};
	response->begun = false;
	bounded_text_begin(&response->reply.body, response->buffer + HTTP_HEADER_MAX,
			   HTTP_BODY_MAX);
}

static void write_headers(struct http_response *response)
{
	char header[HTTP_HEADER_MAX];
	size_t length = http_header_write(header, &response->reply);

	response->begun = true;
	response->sent = HTTP_HEADER_MAX - length;
	memcpy(response->buffer + response->sent, header, length);
}

/* Sends the piece in the buffer, if it has anything. */
static enum http_delivery deliver(struct http_response *response, bool with_body)
{
	struct http_reply *reply = &response->reply;

	if (with_body && reply->stream.more && reply->body.length == 0)
		return HTTP_TO_PRODUCE;
	response->sent = HTTP_HEADER_MAX;
	if (!response->begun) {
		if (!reply->stream.more && reply->body.length == 0)
			bounded_text_add(&reply->body, "%s\n", reply->status);
		write_headers(response);
	}
	response->end = HTTP_HEADER_MAX + (with_body ? reply->body.length : 0);
	if (!with_body)
		http_response_end(response);
	return response->sent < response->end ? HTTP_TO_SEND : HTTP_DELIVERED;
}

static bool wants_body(const char *text)
{
	return strncmp(text, "HEAD ", 5) != 0;
}

static const char *judge(const struct http_service *service, char *text,
			 struct http_request *request)
{
	const char *status = http_request_parse(text, request);

	if (strcmp(status, HTTP_OK) == 0 && service->loopback_only &&
	    !http_host_is_loopback(request))
		return HTTP_FORBIDDEN;
	return status;
}

static void write_page(const struct http_service *service, const struct http_request *request,
		       struct http_reply *reply)
{
	const struct http_path *known = service->site->paths;

	while (known->path && strcmp(known->path, request->path) != 0)
		known++;
	if (known->page)
		known->page(service->arg, request, reply);
	else
		reply->status = HTTP_NOT_FOUND;
}

enum http_delivery http_response_answer(struct http_response *response,
					const struct http_service *service,
					const struct address *peer, char *text)
{
	bool with_body = wants_body(text);
	struct http_request request;
	const char *status = judge(service, text, &request);

	begin(response, status);
	request.peer = peer;
	request.http = service->http;
	if (strcmp(status, HTTP_OK) == 0)
		write_page(service, &request, &response->reply);
	else if (strcmp(status, HTTP_FORBIDDEN) == 0)
		bounded_text_add(&response->reply.body,
				 "Served on a loopback address: ask for localhost or "
				 "that address, not for another host.\n");
	return deliver(response, with_body);
}

enum http_delivery http_response_refuse(struct http_response *response, const char *text,
					const char *status)
{
	begin(response, status);
	return deliver(response, wants_body(text));
}

enum http_delivery http_response_send(struct http_response *response, int fd)
{
	const char *rest = response->buffer + response->sent;
	ssize_t size = send(fd, rest, response->end - response->sent, MSG_NOSIGNAL);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? HTTP_TO_SEND : HTTP_BROKEN;
	response->sent += (size_t)size;
	if (response->sent < response->end)
		return HTTP_TO_SEND;
	return response->reply.stream.more ? HTTP_TO_PRODUCE : HTTP_DELIVERED;
}

enum http_delivery http_response_produce(struct http_response *response)
{
	struct http_reply *reply = &response->reply;

	enum http_stream_state state;

	bounded_text_begin(&reply->body, response->buffer + HTTP_HEADER_MAX, HTTP_BODY_MAX);
	state = reply->stream.more(reply->stream.context, reply);
	if (state == HTTP_STREAM_WAIT)
		return HTTP_TO_WAIT;
	if (state == HTTP_STREAM_END)
		http_response_end(response);
	return deliver(response, true);
}

void http_response_end(struct http_response *response)
{
	struct http_stream stream = response->reply.stream;

	response->reply.stream = (struct http_stream){0};
	if (stream.more)
		stream.done(stream.context);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See endpoint.h. */

#include "config.h"

#include "integration/endpoint.h"

#include "integration/harness.h"
#include "integration/net.h"

#define OVERDUE_MS 900
#define TRIES 5

static char answer[256 * 1024];

uint16_t endpoint_port(struct echod *echod)
{
	static const char mark[] = "serving metrics on http://127.0.0.1:";
	const char *found = strstr(echod_log(echod), mark);

	return found != NULL ? (uint16_t)strtoul(found + strlen(mark), NULL, 10) : 0;
}

const char *endpoint_hear(int fd, int *status)
{
	size_t length = 0;
	ssize_t got;

	while ((got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0)) > 0)
		length += (size_t)got;
	ck_assert_int_eq(got, 0);
	close(fd);
	answer[length] = '\0';
	ck_assert_int_eq(strncmp(answer, "HTTP/1.0 ", 9), 0);
	*status = (int)strtol(answer + 9, NULL, 10);
	return answer;
}

const char *endpoint_get_over(int fd, const char *path, int *status)
{
	char request[256];
	const char *body;
	int code;

	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	send_all(fd, request, strlen(request));
	(void)endpoint_hear(fd, &code);
	if (status != NULL)
		*status = code;
	else
		ck_assert_int_eq(code, 200);
	body = strstr(answer, "\r\n\r\n");
	ck_assert_ptr_nonnull(body);
	return body + 4;
}

const char *endpoint_get(struct echod *echod, const char *path, int *status)
{
	return endpoint_get_over(connect_to("127.0.0.1", endpoint_port(echod)), path, status);
}

int endpoint_status(struct echod *echod, const char *path)
{
	int status;

	(void)endpoint_get(echod, path, &status);
	return status;
}

uint64_t value_in(const char *metrics, const char *series)
{
	char line[128];
	const char *found;

	snprintf(line, sizeof(line), "\nechod_%s ", series);
	found = strstr(metrics, line);
	ck_assert_msg(found != NULL, "no %s in %s", series, metrics);
	return strtoull(found + strlen(line), NULL, 10);
}

/* A second after the question echod no longer waits for workers, and reports what it had. */
static const char *fresh_metrics(struct echod *echod)
{
	const char *metrics;
	int64_t asked;
	int tries = 0;

	do {
		asked = now_ms();
		metrics = endpoint_get(echod, "/metrics", NULL);
	} while (now_ms() - asked >= OVERDUE_MS && ++tries < TRIES);
	return metrics;
}

uint64_t metric_value(struct echod *echod, const char *series)
{
	return value_in(fresh_metrics(echod), series);
}

struct udp_books udp_books(struct echod *echod)
{
	static const char *const reasons[] = {"denied", "guard", "ttl", "rate", "looped", "send"};
	const char *metrics = fresh_metrics(echod);
	struct udp_books books = {
		.received = value_in(metrics, "udp_received_datagrams_total"),
		.echoed = value_in(metrics, "udp_echoed_datagrams_total"),
		.kernel_drops = value_in(metrics, "udp_kernel_drops_total"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		char series[64];

		snprintf(series, sizeof(series), "udp_dropped_datagrams_total{reason=\"%s\"}",
			 reasons[i]);
		books.dropped += value_in(metrics, series);
	}
	return books;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Any query and any headers of a request for /probe: what it asks for is within all limits and can
 * be put into metrics as it is, or the reason why not is a line of text. The input is the query up
 * to the first line break, then the headers.
 */

#include "config.h"

#include <stdbool.h>

#include "daemon/http/message.h"
#include "echom/on_demand/demand.h"
#include "fuzz/fuzz.h"
#include "probe/target.h"

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			return false;
	}
	return true;
}

static void check_address(const char *address)
{
	char host[TARGET_NAME_MAX];
	struct reason reason;
	uint16_t port, other;

	FUZZ_CHECK(memchr(address, '\0', WATCH_ADDRESS_MAX));
	FUZZ_CHECK(is_printable(address) && !strpbrk(address, " \"\\"));
	FUZZ_CHECK(target_split(address, 1, host, &port, &reason) == 0);
	FUZZ_CHECK(target_split(address, 2, host, &other, &reason) == 0 && port == other);
}

static void check_demand(const struct demand *demand)
{
	check_address(demand->address);
	FUZZ_CHECK(demand->protocol < WATCH_PROTOCOLS);
	FUZZ_CHECK(demand->count >= 1 && demand->count <= 1000);
	FUZZ_CHECK(demand->interval >= 10 && demand->timeout >= 10 && demand->timeout <= 30000);
	FUZZ_CHECK((demand->count - 1) * demand->interval + demand->timeout <= DEMAND_MAX_MS);
	FUZZ_CHECK(demand->limit <= DEMAND_MAX_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *query = fuzz_text(data, size), *headers = query + strcspn(query, "\n");
	struct demand demand;
	struct reason reason = {.text = ""};
	struct http_request request = {.path = "/probe", .query = query, .headers = headers};

	if (*headers) {
		*headers = '\0';
		request.headers = headers + 1;
	}
	if (demand_read(&demand, &request, &reason) == 0)
		check_demand(&demand);
	else
		FUZZ_CHECK(reason.text[0] && is_printable(reason.text));
	free(query);
	return 0;
}

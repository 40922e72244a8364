/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See site.h. A long response takes a copy of all figures, so only a few are in progress at a time.
 */

#include "config.h"

#include "echom/status/site.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/http/http.h"
#include "daemon/log.h"
#include "echom/status/page.h"
#include "echom/status/scrape.h"

#define STREAMS_MAX 4 /* at a time */
#define HOST_MAX 64

struct site {
	const struct watches *watches; /* not owned */
	struct http *http;
	struct http_site pages;
	struct site_probe probe;
	uint64_t started_at; /* on the wall clock */
	unsigned streams;
	char host[HOST_MAX];
};

/* One answer that is being written: a scrape or a page. */
struct answer {
	struct site *site;
	struct scrape *scrape;
	struct page *page;
};

static enum http_stream_state on_more(void *context, struct http_reply *reply)
{
	struct answer *answer = context;
	bool more = answer->scrape ? scrape_write(answer->scrape, &reply->body)
				   : page_write(answer->page, &reply->body);

	/* Another list that there was no memory for. The status counts if nothing was sent yet. */
	if (!more && reply->body.length == 0)
		reply->status = HTTP_UNAVAILABLE;
	return more ? HTTP_STREAM_MORE : HTTP_STREAM_END;
}

static void on_done(void *context)
{
	struct answer *answer = context;

	answer->site->streams--;
	scrape_free(answer->scrape);
	page_free(answer->page);
	free(answer);
}

/* Takes over the scrape, or else the page; without either there is no memory. */
static void answer_with(struct site *site, struct scrape *scrape, struct page *page,
			struct http_reply *reply)
{
	struct answer *answer = scrape || page ? malloc(sizeof(*answer)) : NULL;

	if (!answer) {
		scrape_free(scrape);
		page_free(page);
		reply->status = HTTP_UNAVAILABLE;
		return;
	}
	*answer = (struct answer){site, scrape, page};
	site->streams++;
	reply->stream = (struct http_stream){.more = on_more, .done = on_done, .context = answer};
}

static bool is_busy(const struct site *site, struct http_reply *reply)
{
	if (site->streams < STREAMS_MAX)
		return false;
	reply->status = HTTP_UNAVAILABLE;
	bounded_text_add(&reply->body, "Others are being answered: ask again later.\n");
	return true;
}

static void write_metrics(void *arg, const struct http_request *request UNUSED,
			  struct http_reply *reply)
{
	struct site *site = arg;

	if (is_busy(site, reply))
		return;
	reply->type = SCRAPE_TYPE;
	answer_with(site, scrape_new(site->watches, site->started_at), NULL, reply);
}

static void write_page(void *arg, const struct http_request *request UNUSED,
		       struct http_reply *reply)
{
	struct site *site = arg;

	if (is_busy(site, reply))
		return;
	reply->type = PAGE_TYPE;
	answer_with(site, NULL, page_new(site->watches, site->host), reply);
}

static void write_health(void *arg UNUSED, const struct http_request *request UNUSED,
			 struct http_reply *reply)
{
	bounded_text_add(&reply->body, "ok\n");
}

static void write_probe(void *arg, const struct http_request *request, struct http_reply *reply)
{
	const struct site *site = arg;

	site->probe.page(site->probe.arg, request, reply);
}

static const struct http_path paths[] = {{"/metrics", write_metrics},
					 {"/healthz", write_health},
					 {"/probe", write_probe},
					 {"/", write_page},
					 {NULL, NULL}};

static void announce(const struct address *bound)
{
	char text[ADDRESS_TEXT_MAX];

	log_notice("serving metrics on http://%s/metrics", address_format(bound, text));
	if (!address_is_local(bound))
		log_warning("metrics on %s are readable by anyone who can reach that address",
			    text);
}

struct site *site_new(struct event_base *base, int fd, const struct address *bound,
		      const struct watches *watches, const struct site_probe *probe)
{
	struct site *site = calloc(1, sizeof(*site));

	if (!site)
		return NULL;
	site->watches = watches;
	site->probe = *probe;
	site->pages = (struct http_site){.paths = paths, .waiting_max = probe->max};
	site->started_at = clock_read(CLOCK_REALTIME);
	if (gethostname(site->host, sizeof(site->host)) < 0)
		site->host[0] = '?';
	site->host[sizeof(site->host) - 1] = '\0';
	site->http = http_new(base, fd, address_is_local(bound), &site->pages, site);
	if (!site->http) {
		free(site);
		return NULL;
	}
	announce(bound);
	return site;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	http_free(site->http);
	free(site);
}

bool site_is_sending(const struct site *site)
{
	return http_is_sending(site->http);
}

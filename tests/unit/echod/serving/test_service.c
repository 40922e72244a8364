/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A listener as a worker serves it: found by name, held by its users, holding its configuration. */

#include "config.h"

#include "echod/serving/service.h"

#include "support/test.h"
#include "unit/config_text.h"

static struct service_list list;

static struct service *filed(const char *name)
{
	struct config *config =
		load_good("[listener a]\naddress = *:1\n[listener b]\naddress = *:2\n");
	struct service *service = service_new(config, config_listener(config, name), NULL);

	ck_assert_ptr_nonnull(service);
	config_release(config);
	LIST_INSERT_HEAD(&list, service, link);
	return service;
}

TEST(services_are_found_by_name)
{
	struct service *a = filed("a"), *b = filed("b");

	ck_assert_ptr_eq(service_find(&list, "a"), a);
	ck_assert_ptr_eq(service_find(&list, "b"), b);
	ck_assert_ptr_null(service_find(&list, "c"));
	ck_assert_ptr_null(service_find(&list, ""));
	service_free(a);
	service_free(b);
}

TEST(the_last_user_frees_it)
{
	struct service *a = filed("a");

	ck_assert_ptr_eq(service_join(a), a);
	service_join(a);
	service_leave(a);
	ck_assert_ptr_eq(service_find(&list, "a"), a);
	service_leave(a);
	ck_assert_ptr_null(service_find(&list, "a"));
}

TEST(a_service_holds_the_configuration_it_points_into)
{
	struct config *first = load_good("[listener a]\naddress = 127.0.0.1:0\nprefix = 1\n");
	struct config *second = load_good("[listener a]\naddress = 127.0.0.1:0\nprefix = 2\n");
	struct service *service = service_new(first, config_listener(first, "a"), NULL);
	struct service *next = service_new(second, config_listener(second, "a"), NULL);

	ck_assert_uint_eq(atomic_load(&first->references), 2);
	service_follow(service, next);
	ck_assert_uint_eq(atomic_load(&first->references), 1);
	ck_assert_uint_eq(atomic_load(&second->references), 3);
	ck_assert_uint_eq(service->tag, config_listener(first, "a")->tag);
	config_release(first);
	service_free(next);
	config_release(second);
	ck_assert_int_eq(service->settings->prefix.bytes[0], '2');
	service_free(service);
	service_free(NULL);
}

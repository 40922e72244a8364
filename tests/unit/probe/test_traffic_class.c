/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The words of -Q, and what is none. */

#include "config.h"

#include "probe/traffic_class.h"
#include "support/test.h"

#define REFUSED (-1)

static const struct {
	const char *text;
	int value;
} classes[] = {
	{"0", 0},
	{"255", 255},
	{"0x0", 0},
	{"0xff", 255},
	{"0xB8", 0xb8},
	{"184", 184},
	{"ef", 46 << 2},
	{"le", 1 << 2},
	{"va", 44 << 2},
	{"va+ect1", 44 << 2 | 1},
	{"cs0", 0},
	{"cs1", 8 << 2},
	{"cs7", 56 << 2},
	{"af11", 10 << 2},
	{"af13", 14 << 2},
	{"af31", 26 << 2},
	{"af43", 38 << 2},
	{"ef+ect0", 46 << 2 | 2},
	{"0+ect1", 1},
	{"cs0+ect0", 2},
	{"0xb8+ect1", 185},
	{"185", 185},
	{"000000000000184", 184}, /* as long as any may be */
	{"256", REFUSED},
	{"0x100", REFUSED},
	{"0x", REFUSED},
	{"0xg0", REFUSED},
	{"0x1g", REFUSED},
	{"0x-1", REFUSED},
	{"-1", REFUSED},
	{"", REFUSED},
	{"+ect0", REFUSED},
	{"EF", REFUSED},
	{"cs8", REFUSED},
	{"cs", REFUSED},
	{"cs11", REFUSED},
	{"af10", REFUSED},
	{"af14", REFUSED},
	{"af51", REFUSED},
	{"af01", REFUSED},
	{"af1", REFUSED},
	{"af111", REFUSED},
	{"ef+ce", REFUSED},
	{"ef+", REFUSED},
	{"ef+ect01", REFUSED},
	{"185+ect0", REFUSED},
	{"185+ect1", REFUSED},
	{"ef ", REFUSED},
	{"00000000000000000000000000000184", REFUSED},
};

TEST_EACH(a_class_is_a_number_or_a_name, ARRAY_SIZE(classes))
{
	struct reason reason;
	uint8_t value = 77;

	if (classes[_i].value == REFUSED) {
		ck_assert_msg(traffic_class_parse(classes[_i].text, &value, &reason) < 0, "%s",
			      classes[_i].text);
		ck_assert_ptr_nonnull(strstr(reason.text, "af11 to af43"));
		ck_assert_uint_eq(value, 77);
		return;
	}
	ck_assert_msg(traffic_class_parse(classes[_i].text, &value, &reason) == 0, "%s",
		      classes[_i].text);
	ck_assert_int_eq(value, classes[_i].value);
}

static const struct {
	unsigned dscp;
	const char *name;
} names[] = {
	{0, "df"},    {1, "le"},    {46, "ef"},	  {44, "va"},	{8, "cs1"}, {56, "cs7"},
	{10, "af11"}, {14, "af13"}, {34, "af41"}, {38, "af43"}, {2, ""},    {9, ""},
	{11, ""},     {35, ""},	    {42, ""},	  {63, ""},
};

TEST_EACH(a_dscp_has_a_name_or_none, ARRAY_SIZE(names))
{
	char text[DSCP_NAME_MAX] = "?";

	ck_assert_str_eq(dscp_name(names[_i].dscp, text), names[_i].name);
}

TEST(an_ecn_codepoint_has_its_name)
{
	ck_assert_str_eq(ecn_name(0), "not-ECT");
	ck_assert_str_eq(ecn_name(1), "ECT(1)");
	ck_assert_str_eq(ecn_name(2), "ECT(0)");
	ck_assert_str_eq(ecn_name(3), "CE");
}

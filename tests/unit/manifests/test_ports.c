/* SPDX-License-Identifier: Apache-2.0 */
#include "main.h"

#include <stdlib.h>

#include "manifests/ports.h"

static const struct {
	const char *text, *want;
	bool is_mapping;
} cases[] = {
	{"80", "80/tcp", false},
	{"0", "0/tcp", false},
	{"65535", "65535/tcp", false},
	{"80/tcp", "80/tcp", false},
	{"80/", "80/tcp", false},
	{"53/udp", "53/udp", false},
	{"53/UDP", "53/udp", false},
	{"9/Sctp", "9/sctp", false},
	{"080", "80/tcp", false},
	{"7000-7002", "7000/tcp 7001/tcp 7002/tcp", false},
	{"7000-7001/udp", "7000/udp 7001/udp", false},
	{"5-5", "5/tcp", false},
	{"8080:80", "80/tcp", true},
	{":80", "80/tcp", true},
	{"1-2:3-4", "3/tcp 4/tcp", true},
	{"8000-9000:80", "80/tcp", true},
	{"127.0.0.1:8080:80/udp", "80/udp", true},
	{"127.0.0.1::80", "80/tcp", true},
	{"[::1]:8080:80", "80/tcp", true},
	{"::1:8080:80", "80/tcp", true},
};

START_TEST(parses)
{
	struct err e = ERR_INIT;
	SCOPE(str) struct str text = STR_INIT;
	struct port_range range;

	ck_assert_int_eq(ports_parse(&range, cases[_i].text, &e), 0);
	ck_assert_int_eq(ports_format(&range, &text, &e), 0);
	ck_assert_str_eq(str_text(&text), cases[_i].want);
	ck_assert(range.is_mapping == cases[_i].is_mapping);
}
END_TEST

static const struct {
	const char *text, *word;
} refused[] = {
	{"", "numbers"},
	{"/tcp", "numbers"},
	{"http", "numbers"},
	{"65536", "numbers"},
	{"-1", "numbers"},
	{"1-", "numbers"},
	{"-", "numbers"},
	{"2-1", "numbers"},
	{"1-2-3", "numbers"},
	{"80/icmp", "protocol"},
	{"80/tcp/udp", "protocol"},
	{"80 ", "numbers"},
	{"x:80", "numbers"},
	{"80:", "numbers"},
	{"1-2:3-5", "differ"},
	{"1.2.3:1:80", "address"},
	{"[::1:1:80", "address"},
	/* Longer than any address. */
	{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:8080:80", "address"},
	{"1.2.3.4:x:80", "numbers"},
	{"99999999999999999999", "numbers"},
};

START_TEST(refuses)
{
	struct err e = ERR_INIT;
	struct port_range range = {PORTS_UDP, 7, 7, true};

	ck_assert_msg(ports_parse(&range, refused[_i].text, &e) < 0, "accepted '%s'",
		      refused[_i].text);
	ck_assert_err(&e, ERR_SYNTAX, refused[_i].word);
	ck_assert_uint_eq(range.first, 7);
}
END_TEST

START_TEST(merges_sets_with_what_is_there)
{
	static const char *const want[] = {"80/tcp", "8080/tcp", "9/udp", "90/tcp", "odd"};
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap map = STRMAP_INIT;
	SCOPE_FREE struct port_set *set = calloc(1, sizeof(*set));
	struct port_range range;

	ck_assert_ptr_nonnull(set);
	ck_assert_int_eq(strmap_set(&map, "odd", "", &e), 0);
	ck_assert_int_eq(strmap_set(&map, "90/tcp", "", &e), 0);
	static const char *const added[] = {"9/udp", "8080", "80/tcp", "90"};
	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		ck_assert_int_eq(ports_parse(&range, added[i], &e), 0);
		ports_add(set, &range);
	}
	ck_assert_int_eq(ports_merge(set, &map, &e), 0);
	ck_assert_uint_eq(map.count, ARRAY_LEN(want));
	for (size_t i = 0; i < map.count; i++)
		ck_assert_str_eq(map.items[i].key, want[i]);
}
END_TEST

START_TEST(takes_all_ports_of_all_protocols)
{
	static const char *const texts[] = {"0-65535/tcp", "0-65535/udp", "0-65535/sctp"};
	struct err e = ERR_INIT;
	SCOPE(strmap) struct strmap map = STRMAP_INIT;
	SCOPE_FREE struct port_set *set = calloc(1, sizeof(*set));
	struct port_range range;

	ck_assert_ptr_nonnull(set);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert_int_eq(ports_parse(&range, texts[i], &e), 0);
		ports_add(set, &range);
	}
	ck_assert_int_eq(ports_merge(set, &map, &e), 0);
	ck_assert_uint_eq(map.count, 3 * 65536);
	ck_assert_ptr_nonnull(strmap_get(&map, "65535/sctp"));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("manifests/ports");
	TCase *tc = tcase_create("ports");
	tcase_add_loop_test(tc, parses, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(tc, refuses, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, merges_sets_with_what_is_there);
	tcase_add_test(tc, takes_all_ports_of_all_protocols);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)

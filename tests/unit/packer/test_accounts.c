/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/accounts.h"

#include "base/array.h"
#include "main.h"
#include "packer/stages.h"

/* Broken lines, a user of the same start, a second of the same name, none at the end of a line. */
#define PASSWD                            \
	"# a comment\n"                   \
	"\n"                              \
	":x:1:1::/:\n"                    \
	"short\n"                         \
	"broken:x\n"                      \
	"words:x:ten:10::/:\n"            \
	"large:x:4294967295:1::/:\n"      \
	"negative:x:-1:1::/:\n"           \
	"apple:x:1:1::/:\n"               \
	"app:x:100:200::/:\n"             \
	"app:x:7:7::/:\n"                 \
	"0day:x:33:34::/:\n"              \
	"root:x:0:0:root:/root:/bin/sh\n" \
	"odd:x:501:ten::/:\n"             \
	"last:x:500"
#define GROUP "root:x:0:\nstaff:x:50:app,last\nend:x:60"

static const struct stages_file files[] = {
	{ENTRY_DIR, "etc", NULL},
	{ENTRY_REG, "etc/group", GROUP},
	{ENTRY_SYMLINK, "etc/passwd", "../usr/lib/passwd"},
	{ENTRY_DIR, "usr", NULL},
	{ENTRY_DIR, "usr/lib", NULL},
	{ENTRY_REG, "usr/lib/passwd", PASSWD},
	{ENTRY_REG, NULL, NULL},
};

static const struct {
	const char *text;
	uint32_t uid, gid;
} accepted[] = {
	{NULL, 0, 0},
	{"", 0, 0},
	{"0", 0, 0},
	{"5", 5, 5},
	{"5:6", 5, 6},
	{"4294967294:4294967294", 4294967294, 4294967294},
	{"app", 100, 200},
	{"app:staff", 100, 50},
	{"app:9", 100, 9},
	{"9:staff", 9, 50},
	{"apple:end", 1, 60},
	{"last:staff", 500, 50},
	{"root:root", 0, 0},
	/* Not a number, so a name. */
	{"0day", 33, 34},
};

START_TEST(finds_names_in_the_image)
{
	const struct stage *st = stages_new(files);
	struct err e = ERR_INIT;
	struct owner o = {77, 77};

	ck_assert_int_eq(accounts_owner(st, accepted[_i].text, &o, &e), 0);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(o.uid, accepted[_i].uid);
	ck_assert_uint_eq(o.gid, accepted[_i].gid);
}
END_TEST

static const struct {
	const char *text;
	const char *word;
} refused[] = {
	{"nobody", "no user 'nobody' in /etc/passwd of the image"},
	{"app:none", "no group 'none' in /etc/group of the image"},
	{"appp", "no user 'appp' in /etc/passwd of the image (did you mean 'app'?)"},
	{"app:stuff", "no group 'stuff' in /etc/group of the image (did you mean 'staff'?)"},
	{"last", "user 'last' has no group in /etc/passwd of the image"},
	{"odd", "user 'odd' has no group"},
	{"ap", "no user 'ap'"},
	{"appl", "no user 'appl'"},
	{"broken", "no user 'broken'"},
	{"short", "no user 'short'"},
	{"words", "no user 'words'"},
	{"large", "no user 'large'"},
	{"negative", "no user 'negative'"},
	{"4294967295", "no user '4294967295'"},
	{"-1", "no user '-1'"},
	{"app:", "no group ''"},
	{"app:staff:x", "no group 'staff:x'"},
	{"a\033", "no user 'a\\x1b'"},
};

START_TEST(refuses_what_is_not_there)
{
	const struct stage *st = stages_new(files);
	struct err e = ERR_INIT;
	struct owner o = {77, 78};

	ck_assert_int_eq(accounts_owner(st, refused[_i].text, &o, &e), -1);
	ck_assert_err(&e, ERR_NOT_FOUND, refused[_i].word);
	ck_assert_uint_eq(o.uid, 77);
	ck_assert_uint_eq(o.gid, 78);
}
END_TEST

START_TEST(an_image_without_accounts_takes_numbers_alone)
{
	static const struct stages_file odd[] = {
		{ENTRY_DIR, "etc", NULL},
		{ENTRY_DIR, "etc/passwd", NULL},
		{ENTRY_REG, NULL, NULL},
	};
	const struct stage *const stages[] = {stages_new(NULL), stages_new(odd)};
	struct err e = ERR_INIT;
	struct owner o;

	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		ck_assert_int_eq(accounts_owner(stages[i], "1:2", &o, &e), 0);
		ck_assert_int_eq(accounts_owner(stages[i], "app", &o, &e), -1);
		ck_assert_err(&e, ERR_NOT_FOUND, "no user 'app'");
	}
}
END_TEST

START_TEST(a_huge_passwd_is_over_the_limit)
{
	enum { SIZE = 4 * 1024 * 1024 + 1 };
	struct err e = ERR_INIT;
	struct owner o;
	SCOPE_FREE char *text = malloc(SIZE + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '\n', SIZE);
	text[SIZE] = '\0';
	const struct stages_file huge[] = {
		{ENTRY_DIR, "etc", NULL},
		{ENTRY_REG, "etc/passwd", text},
		{ENTRY_REG, NULL, NULL},
	};
	const struct stage *st = stages_new(huge);
	ck_assert_int_eq(accounts_owner(st, "app", &o, &e), -1);
	ck_assert_err(&e, ERR_LIMIT, "/etc/passwd");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("packer/accounts");
	TCase *tc = tcase_create("owners");

	tcase_add_checked_fixture(tc, stages_setup, stages_teardown);
	tcase_add_loop_test(tc, finds_names_in_the_image, 0, ARRAY_LEN(accepted));
	tcase_add_loop_test(tc, refuses_what_is_not_there, 0, ARRAY_LEN(refused));
	tcase_add_test(tc, an_image_without_accounts_takes_numbers_alone);
	tcase_add_test(tc, a_huge_passwd_is_over_the_limit);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)

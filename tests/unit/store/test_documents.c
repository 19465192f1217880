/* SPDX-License-Identifier: Apache-2.0 */
#include "store/documents.h"

#include "base/hasher.h"
#include "base/limits.h"
#include "store/blobs.h"
#include "tests/unit/store/fixture.h"

/* A document of exactly `len` bytes. */
static void make_long(size_t len, struct str *out)
{
	static const char head[] = "{\"x\":\"", tail[] = "\"}";
	const size_t rest = len - (sizeof(head) - 1) - (sizeof(tail) - 1);
	struct err e = ERR_INIT;

	str_append_z(out, head, &e);
	str_reserve(out, rest, &e);
	memset(out->data + out->len, 'x', rest);
	out->len += rest;
	str_append_z(out, tail, &e);
	ck_assert_no_err(&e);
	ck_assert_uint_eq(out->len, len);
}

START_TEST(as_long_as_can_be_read)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str back = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	make_long(LIMIT_DOCUMENT, &text);
	documents_put(fixture_store(), fixture_lease(), MEDIATYPE_INDEX, &text, &d, &e);
	ck_assert_no_err(&e);
	ck_assert_str_eq(d.media_type, MEDIATYPE_INDEX);
	ck_assert_uint_eq(d.size, LIMIT_DOCUMENT);
	blobs_read(fixture_store(), &d.digest, d.size, LIMIT_DOCUMENT, &back, &e);
	ck_assert_no_err(&e);
	ck_assert_mem_eq(back.data, text.data, text.len);
}
END_TEST

static const struct {
	const char *media_type, *name;
} kinds[] = {
	{MEDIATYPE_INDEX, "image index: JSON of 4194305 bytes, more than 4194304 bytes"},
	{MEDIATYPE_MANIFEST, "image manifest: JSON of 4194305 bytes"},
	{MEDIATYPE_CONFIG, "image config: JSON of 4194305 bytes"},
};

START_TEST(longer_is_not_written)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	make_long(LIMIT_DOCUMENT + 1, &text);
	ck_assert_int_eq(documents_put(fixture_store(), fixture_lease(), kinds[_i].media_type,
				       &text, &d, &e),
			 -1);
	ck_assert_err(&e, ERR_LIMIT, kinds[_i].name);
	ck_assert_ptr_null(d.media_type);
	const struct digest digest = hasher_sha256(text.data, text.len);
	ck_assert(!fixture_has(&digest));
}
END_TEST

START_TEST(more_values_are_not_written)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(descriptor) struct descriptor d = DESCRIPTOR_INIT;
	struct err e = ERR_INIT;

	str_append_z(&text, "{\"x\":[0", &e);
	for (int i = 0; i < LIMIT_JSON_VALUES; i++)
		str_append_z(&text, ",0", &e);
	str_append_z(&text, "]}", &e);
	ck_assert_no_err(&e);
	ck_assert_uint_lt(text.len, LIMIT_DOCUMENT);
	ck_assert_int_eq(
		documents_put(fixture_store(), fixture_lease(), MEDIATYPE_CONFIG, &text, &d, &e),
		-1);
	ck_assert_err(&e, ERR_LIMIT, "image config: JSON of more than 524288 values");
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("store/documents");
	TCase *tc = tcase_create("documents");

	tcase_add_checked_fixture(tc, fixture_make_leased, fixture_remove_leased);
	tcase_add_test(tc, as_long_as_can_be_read);
	tcase_add_loop_test(tc, longer_is_not_written, 0, ARRAY_LEN(kinds));
	tcase_add_test(tc, more_values_are_not_written);
	suite_add_tcase(s, tc);
	return s;
}
UNIT_MAIN(suite_new)

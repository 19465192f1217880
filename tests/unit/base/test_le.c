/* SPDX-License-Identifier: Apache-2.0 */
#include "base/le.h"

#include "main.h"

/* By Python's struct.pack("<HIQ", ...), one byte off any alignment. */
static const uint8_t bytes[] = {0xff, 0x02, 0x01, 0x06, 0x05, 0x04, 0x03, 0x0e,
				0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08, 0x07};

START_TEST(puts_the_least_byte_first)
{
	uint8_t out[sizeof(bytes)] = {0xff};
	uint8_t *at = out + 1;

	le_put16(&at, 0x0102);
	le_put32(&at, 0x03040506);
	le_put64(&at, UINT64_C(0x0708090a0b0c0d0e));
	ck_assert_ptr_eq(at, out + sizeof(out));
	ck_assert_mem_eq(out, bytes, sizeof(bytes));
}
END_TEST

START_TEST(gets_the_least_byte_first)
{
	const uint8_t *at = bytes + 1;

	ck_assert_uint_eq(le_get16(&at), 0x0102);
	ck_assert_uint_eq(le_load32(at), 0x03040506);
	ck_assert_uint_eq(le_get32(&at), 0x03040506);
	ck_assert_uint_eq(le_get64(&at), UINT64_C(0x0708090a0b0c0d0e));
	ck_assert_ptr_eq(at, bytes + sizeof(bytes));
}
END_TEST

static Suite *suite_new(void)
{
	Suite *s = suite_create("base/le");
	TCase *tc = tcase_create("numbers");

	tcase_add_test(tc, puts_the_least_byte_first);
	tcase_add_test(tc, gets_the_least_byte_first);
	suite_add_tcase(s, tc);
	return s;
}

UNIT_MAIN(suite_new)

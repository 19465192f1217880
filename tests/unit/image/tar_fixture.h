/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of tar_read share: one archive that a test makes, and the reader over it.  Each
 * includes it once, and adds setup and teardown as a checked fixture.
 */
#ifndef TESTS_UNIT_IMAGE_TAR_FIXTURE_H
#define TESTS_UNIT_IMAGE_TAR_FIXTURE_H

#include "image/tar_read.h"
#include "image/tar_write.h"
#include "tests/unit/image/tar_make.h"

#define TEN(x)      x x x x x x x x x x
#define HUNDRED(x)  TEN(TEN(x))
#define THOUSAND(x) TEN(HUNDRED(x))

static struct err e;
static struct str bytes;
static struct make_input input;
static struct tar_reader *reader;
static struct entry en;

static void setup(void)
{
	e = (struct err)ERR_INIT;
	bytes = (struct str)STR_INIT;
	reader = NULL;
}

static void teardown(void)
{
	tar_reader_free(reader);
	str_fini(&bytes);
	err_clear(&e);
}

/* A reader over what was made. */
static inline void begin(void)
{
	input = (struct make_input){.bytes = bytes.data, .len = bytes.len};
	reader = make_reader(&input, &e);
	ck_assert_ptr_nonnull(reader);
}

/* At most `count` members up to the first that is none, and the end; then a reader. */
static inline void make_archive(const struct make *members, size_t count)
{
	for (size_t i = 0; i < count && (members[i].type || members[i].name); i++)
		make_member(&bytes, &members[i]);
	make_zeros(&bytes, TAR_END_SIZE);
	begin();
}

static inline void make_all(const struct make members[MAKE_MEMBERS])
{
	make_archive(members, MAKE_MEMBERS);
}

#endif

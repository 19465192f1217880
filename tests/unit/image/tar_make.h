/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar archives byte by byte, right or wrong, for the tests of their reader.  Knows nothing of the
 * code under test.
 */
#ifndef TESTS_UNIT_IMAGE_TAR_MAKE_H
#define TESTS_UNIT_IMAGE_TAR_MAKE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "image/tar_read.h"
#include "tests/unit/main.h"

enum { MAKE_BLOCK = 512, MAKE_MEMBERS = 6 };

/* A header with what follows it.  What is NULL gets a sensible value. */
struct make {
	char type; /* 0: '0' */
	const char *name;
	const char *prefix;
	const char *link;
	const char *mode, *uid, *gid, *size, *mtime, *major, *minor; /* the field's text */
	const char *magic;                                           /* 8 bytes, version included */
	const char *tail; /* instead of the prefix: tail_len bytes */
	size_t tail_len;
	const char *checksum;
	const char *data; /* the payload: data_len bytes */
	size_t data_len;
	const char *pax; /* instead: "key=value\n..." without lengths */
	bool is_v7;
	bool is_signed; /* checksum */
	bool is_unpadded;
	bool has_old_type; /* '\0' */
};

static inline void make_text(char *field, size_t width, const char *text)
{
	ck_assert_uint_le(strlen(text), width);
	memcpy(field, text, strlen(text));
}

static inline void make_bytes(struct str *out, const void *bytes, size_t len)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append(out, bytes, len, &e), 0);
}

static inline void make_zeros(struct str *out, size_t len)
{
	struct err e = ERR_INIT;

	ck_assert_int_eq(str_append_zeros(out, len, &e), 0);
}

/* "key=value\n" with its length in front. */
static inline void make_record(struct str *out, const char *text, size_t len)
{
	char digits[24];
	size_t total = len + 2;

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + 1 + len != total)
		total++;
	make_bytes(out, digits, strlen(digits));
	make_bytes(out, " ", 1);
	make_bytes(out, text, len);
}

static inline void make_checksum(char block[static MAKE_BLOCK], const struct make *m)
{
	int sum = 0;

	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < MAKE_BLOCK; i++)
		sum += m->is_signed ? (signed char)block[i] : (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", (unsigned)sum & 0777777);
	block[155] = ' ';
	if (m->checksum)
		make_text(block + 148, 8, m->checksum);
}

static inline const char *make_or(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

/* One member; a type of 0 and no name: nothing. */
static inline void make_member(struct str *out, const struct make *m)
{
	char block[MAKE_BLOCK] = {0};
	char size[13];
	SCOPE(str) struct str records = STR_INIT;
	const char *data = m->data;
	size_t len = m->data_len;

	if (m->pax) {
		for (const char *at = m->pax; *at; at += strcspn(at, "\n") + 1)
			make_record(&records, at, strcspn(at, "\n") + 1);
		data = records.data;
		len = records.len;
	}
	snprintf(size, sizeof(size), "%011zo", len);
	make_text(block, 100, make_or(m->name, "x"));
	make_text(block + 100, 8, make_or(m->mode, "0000644"));
	make_text(block + 108, 8, make_or(m->uid, "0000000"));
	make_text(block + 116, 8, make_or(m->gid, "0000000"));
	make_text(block + 124, 12, make_or(m->size, size));
	make_text(block + 136, 12, make_or(m->mtime, "00000000000"));
	block[156] = m->has_old_type ? '\0' : m->type ? m->type : '0';
	make_text(block + 157, 100, make_or(m->link, ""));
	if (!m->is_v7) {
		memcpy(block + 257, m->magic ? m->magic : "ustar\00000", 8);
		make_text(block + 329, 8, make_or(m->major, ""));
		make_text(block + 337, 8, make_or(m->minor, ""));
		make_text(block + 345, 155, make_or(m->prefix, ""));
		if (m->tail)
			memcpy(block + 345, m->tail, m->tail_len);
	}
	make_checksum(block, m);
	make_bytes(out, block, sizeof(block));
	make_bytes(out, data, len);
	if (!m->is_unpadded)
		make_zeros(out, -len % MAKE_BLOCK);
}

/* An input that gives at most `step` bytes a time, and may fail at `fails_at`. */
struct make_input {
	const char *bytes;
	size_t len;
	size_t at;
	size_t step;
	size_t fails_at; /* 0: never */
};

static inline ssize_t make_read(void *ctx, void *buf, size_t len, struct err *e)
{
	struct make_input *in = ctx;
	size_t n = in->len - in->at;

	if (in->fails_at > 0 && in->at >= in->fails_at)
		return err_set(e, ERR_NET, "the wire broke");
	if (n > len)
		n = len;
	if (in->step > 0 && n > in->step)
		n = in->step;
	if (n > 0)
		memcpy(buf, in->bytes + in->at, n);
	in->at += n;
	return (ssize_t)n;
}

static inline struct tar_reader *make_reader(struct make_input *in, struct err *e)
{
	const struct tar_input input = {make_read, in, NULL};

	return tar_reader_new(&input, e);
}

#endif

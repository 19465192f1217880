/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_sparse.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/scope.h"
#include "base/str.h"
#include "image/holes.h"

/* Writers end a map with an empty range when the file ends with a hole. */
#define RANGES_MAX (LIMIT_SPARSE_EXTENTS + 1)

enum { DECIMAL = 10 };

void tar_sparse_clear(struct tar_sparse *s)
{
	struct extent *extents = s->extents;
	const size_t cap = s->cap;

	memset(s, 0, sizeof(*s));
	s->extents = extents;
	s->cap = cap;
}

void tar_sparse_fini(struct tar_sparse *s)
{
	free(s->extents);
	memset(s, 0, sizeof(*s));
}

static int malformed(struct err *e)
{
	return err_set(e, ERR_FORMAT, "malformed sparse map");
}

static int add(struct tar_sparse *s, uint64_t offset, uint64_t length, struct err *e)
{
	uint64_t end;

	if (++s->seen > RANGES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d ranges in a sparse map",
			       LIMIT_SPARSE_EXTENTS);
	if (offset < s->end || add_overflows(offset, length, &end))
		return err_set(e, ERR_FORMAT, "sparse map that is out of order");
	if (length == 0)
		return 0;
	/* Ranges that touch are one. */
	if (s->count > 0 && offset == s->end) {
		s->extents[s->count - 1].length += length;
	} else {
		if (array_reserve(&s->extents, &s->cap, s->count + 1, sizeof(*s->extents), e) < 0)
			return -1;
		s->extents[s->count++] = (struct extent){offset, s->stored, length};
	}
	/* Cannot overflow: ranges are disjoint. */
	s->stored += length;
	s->end = end;
	return 0;
}

int tar_sparse_add_offset(struct tar_sparse *s, uint64_t offset, struct err *e)
{
	if (s->has_offset)
		return malformed(e);
	s->has_offset = true;
	s->offset = offset;
	return 0;
}

int tar_sparse_add_length(struct tar_sparse *s, uint64_t length, struct err *e)
{
	if (!s->has_offset)
		return malformed(e);
	s->has_offset = false;
	return add(s, s->offset, length, e);
}

static int add_number(struct tar_sparse *s, uint64_t number, struct err *e)
{
	return s->has_offset ? tar_sparse_add_length(s, number, e)
			     : tar_sparse_add_offset(s, number, e);
}

int tar_sparse_add_list(struct tar_sparse *s, const char *text, size_t len, struct err *e)
{
	const char *end = text + len;

	for (;;) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma ? comma : end;
		uint64_t number;
		if (str_to_u64(text, (size_t)(stop - text), DECIMAL, INT64_MAX, &number) < 0)
			return malformed(e);
		if (add_number(s, number, e) < 0)
			return -1;
		if (!comma)
			return 0;
		text = comma + 1;
	}
}

int tar_sparse_add_fields(struct tar_sparse *s, const struct tar_sparse_field *fields, size_t count,
			  struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct tar_sparse_field *f = &fields[i];
		uint64_t offset, length;
		if (f->length[0] == '\0') {
			if (!holes_is_zero(f, (count - i) * sizeof(*f)))
				return malformed(e);
			return 0;
		}
		if (tar_number(f->offset, sizeof(f->offset), INT64_MAX, &offset) < 0 ||
		    tar_number(f->length, sizeof(f->length), INT64_MAX, &length) < 0)
			return malformed(e);
		if (add(s, offset, length, e) < 0)
			return -1;
	}
	return 0;
}

/* A line of a 1.0 map has ended. */
static int end_line(struct tar_sparse *s, struct err *e)
{
	const uint64_t number = s->number;

	if (!s->has_digits)
		return malformed(e);
	s->has_digits = false;
	s->number = 0;
	if (s->has_total) {
		s->numbers_left--;
		return add_number(s, number, e);
	}
	if (number > RANGES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d ranges in a sparse map",
			       LIMIT_SPARSE_EXTENTS);
	s->has_total = true;
	s->numbers_left = 2 * number;
	return 0;
}

static int add_digit(struct tar_sparse *s, char c, struct err *e)
{
	if (c < '0' || c > '9' || mul_overflows(s->number, DECIMAL, &s->number) ||
	    add_overflows(s->number, (uint64_t)(c - '0'), &s->number) || s->number > INT64_MAX)
		return malformed(e);
	s->has_digits = true;
	return 0;
}

int tar_sparse_read_block(struct tar_sparse *s, const char *block, size_t len, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		if (s->has_total && s->numbers_left == 0) {
			if (!holes_is_zero(block + i, len - i))
				return malformed(e);
			return 0;
		}
		if ((block[i] == '\n' ? end_line(s, e) : add_digit(s, block[i], e)) < 0)
			return -1;
	}
	return s->has_total && s->numbers_left == 0 ? 0 : 1;
}

int tar_sparse_finish(struct tar_sparse *s, uint64_t size, uint64_t data_offset, uint64_t data_size,
		      struct err *e)
{
	if (s->has_offset)
		return malformed(e);
	if (s->end > size)
		return err_set(e, ERR_FORMAT, "sparse map that goes beyond the end of the file");
	if (s->stored != data_size)
		return err_set(e, ERR_FORMAT, "sparse map that does not fit the data");
	for (size_t i = 0; i < s->count; i++)
		s->extents[i].tar_offset += data_offset;
	return 0;
}

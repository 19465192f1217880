/* SPDX-License-Identifier: Apache-2.0 */
#include "base/subids.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/str.h"

/* SUB_UID_MIN of login.defs(5), as useradd(8) has it when nothing is set. */
#define FIRST_OF_ALL UINT32_C(100000)

struct field {
	const char *text;
	size_t len;
};

/* Up to the next colon, or the end; takes it from `rest`. */
static struct field next_field(struct field *rest)
{
	const char *colon = memchr(rest->text, ':', rest->len);
	const struct field f = {rest->text, colon ? (size_t)(colon - rest->text) : rest->len};
	const size_t taken = f.len + (colon != NULL);

	rest->text += taken;
	rest->len -= taken;
	return f;
}

static bool is_text(struct field f, const char *text)
{
	return text && strlen(text) == f.len && memcmp(f.text, text, f.len) == 0;
}

static int parse_number(struct field f, uint64_t *out)
{
	if (f.len > 1 && f.text[0] == '0')
		return -1;
	return str_to_u64(f.text, f.len, 10, SUBIDS_MAX, out);
}

/* "START:COUNT" */
static int parse_range(struct field rest, struct subid_range *out)
{
	uint64_t start, count;
	const struct field first = next_field(&rest);

	if (parse_number(first, &start) < 0 || parse_number(rest, &count) < 0)
		return -1;
	if (start == 0 || count == 0 || count - 1 > SUBIDS_MAX - start)
		return -1;
	*out = (struct subid_range){(uint32_t)start, (uint32_t)count};
	return 0;
}

static int add(struct subids *s, struct subid_range r, struct err *e)
{
	if (s->count == LIMIT_IDMAP_EXTENTS)
		return err_set(e, ERR_LIMIT, "more than %d ranges of one user",
			       LIMIT_IDMAP_EXTENTS);
	if (array_reserve(&s->ranges, &s->cap, s->count + 1, sizeof(*s->ranges), e) < 0)
		return -1;
	s->ranges[s->count++] = r;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct subid_range *x = a;
	const struct subid_range *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->count > y->count) - (x->count < y->count);
}

int subids_parse(struct subids *out, const char *text, size_t len, const char *name, uint32_t uid,
		 struct err *e)
{
	const char *const end = text + len;
	uint64_t unused = FIRST_OF_ALL;
	char digits[sizeof("4294967295")];

	(void)snprintf(digits, sizeof(digits), "%" PRIu32, uid);
	for (size_t number = 1; text < end; number++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct field line = {text, (size_t)((newline ? newline : end) - text)};
		struct subid_range r;

		text = newline ? newline + 1 : end;
		const struct field owner = next_field(&line);
		const bool is_his = is_text(owner, name) || is_text(owner, digits);
		const bool is_good = parse_range(line, &r) == 0;
		if (is_good && unused < (uint64_t)r.start + r.count)
			unused = (uint64_t)r.start + r.count;
		if (is_his && is_good && add(out, r, e) < 0)
			goto fail;
		if (is_his && !is_good && out->bad_line == 0)
			out->bad_line = number;
	}
	if (out->count)
		qsort(out->ranges, out->count, sizeof(*out->ranges), compare);
	if (unused + SUBIDS_COUNT - 1 <= SUBIDS_MAX)
		out->unused = (uint32_t)unused;
	return 0;
fail:
	subids_fini(out);
	return -1;
}

void subids_fini(struct subids *s)
{
	free(s->ranges);
	*s = (struct subids)SUBIDS_INIT;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/idmap.h"

#include <inttypes.h>

#include "base/array.h"
#include "base/limits.h"

/* The ids from `start` up to `end`, if that is any. */
static int add_extent(struct idmap *m, uint64_t start, uint64_t end, struct err *e)
{
	uint64_t inside = 0;

	if (start >= end)
		return 0;
	if (m->count == LIMIT_IDMAP_EXTENTS)
		return err_set(e, ERR_LIMIT, "a map of more than %d ranges", LIMIT_IDMAP_EXTENTS);
	if (array_reserve(&m->extents, &m->cap, m->count + 1, sizeof(*m->extents), e) < 0)
		return -1;
	if (m->count) {
		const struct idmap_extent *last = &m->extents[m->count - 1];
		inside = (uint64_t)last->inside + last->count;
	}
	/* No id of the outside is mapped twice, so those of the inside are no more than there are.
	 */
	m->extents[m->count++] =
		(struct idmap_extent){(uint32_t)inside, (uint32_t)start, (uint32_t)(end - start)};
	return 0;
}

static int check_length(const struct idmap *m, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (idmap_format(m, &text, e) < 0)
		return -1;
	if (text.len > LIMIT_IDMAP_TEXT)
		return err_set(e, ERR_LIMIT, "a map of %zu ranges is longer than %d bytes",
			       m->count, LIMIT_IDMAP_TEXT);
	return 0;
}

int idmap_build(struct idmap *out, uint32_t own, const struct subids *ids, struct err *e)
{
	uint64_t mapped = 0; /* the end of what is mapped of the ranges */

	if (add_extent(out, own, (uint64_t)own + 1, e) < 0)
		goto fail;
	for (size_t i = 0; i < ids->count; i++) {
		uint64_t start = ids->ranges[i].start;
		const uint64_t end = start + ids->ranges[i].count;
		if (start < mapped)
			start = mapped;
		if (end > mapped)
			mapped = end;
		/* The user's own id may be among them. */
		if (start <= own && own < end) {
			if (add_extent(out, start, own, e) < 0)
				goto fail;
			start = (uint64_t)own + 1;
		}
		if (add_extent(out, start, end, e) < 0)
			goto fail;
	}
	if (check_length(out, e) < 0)
		goto fail;
	return 0;
fail:
	idmap_fini(out);
	return -1;
}

int idmap_format(const struct idmap *m, struct str *out, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct idmap_extent *x = &m->extents[i];
		if (str_appendf(out, e, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", x->inside,
				x->outside, x->count) < 0)
			return -1;
	}
	return 0;
}

void idmap_fini(struct idmap *m)
{
	free(m->extents);
	*m = (struct idmap)IDMAP_INIT;
}

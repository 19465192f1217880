/* SPDX-License-Identifier: Apache-2.0 */
/* Subordinate ids: whatever the file says, the map is one that Linux takes, and has each id of the
 * user's lines, and no other, once. */
#include "base/idmap.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz.h"

enum { UID = 1000 };

static void check_ranges(const struct subids *s)
{
	FUZZ_CHECK(s->count <= LIMIT_IDMAP_EXTENTS);
	for (size_t i = 0; i < s->count; i++) {
		const struct subid_range *r = &s->ranges[i];
		FUZZ_CHECK(r->start > 0 && r->count > 0 && r->count - 1 <= SUBIDS_MAX - r->start);
		FUZZ_CHECK(i == 0 || s->ranges[i - 1].start <= r->start);
		FUZZ_CHECK(s->unused == 0 || s->unused >= (uint64_t)r->start + r->count);
	}
	FUZZ_CHECK(s->unused == 0 || s->unused - 1 <= SUBIDS_MAX - SUBIDS_COUNT);
}

/* How many ids the ranges have, each counted once, and the user's own. */
static uint64_t count_ids(const struct subids *s)
{
	uint64_t count = 0, end = 0;
	bool has_own = false;

	for (size_t i = 0; i < s->count; i++) {
		const uint64_t start = s->ranges[i].start;
		const uint64_t stop = start + s->ranges[i].count;
		if (stop > end)
			count += stop - (start > end ? start : end);
		end = stop > end ? stop : end;
		has_own = has_own || (start <= UID && UID < stop);
	}
	return count + !has_own;
}

static void check_map(const struct idmap *m, const struct subids *s)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err e = ERR_INIT;
	uint64_t inside = 0, outside = 0;

	FUZZ_CHECK(m->count >= 1 && m->count <= LIMIT_IDMAP_EXTENTS);
	FUZZ_CHECK(m->extents[0].outside == UID && m->extents[0].count == 1);
	for (size_t i = 0; i < m->count; i++) {
		const struct idmap_extent *x = &m->extents[i];
		FUZZ_CHECK(x->inside == inside && x->count > 0);
		FUZZ_CHECK(x->count - 1 <= SUBIDS_MAX - x->outside);
		inside += x->count;
		if (i == 0)
			continue;
		FUZZ_CHECK(x->outside >= outside);
		outside = (uint64_t)x->outside + x->count;
		FUZZ_CHECK(UID < x->outside || UID >= outside);
	}
	FUZZ_CHECK(inside == count_ids(s) && inside - 1 <= SUBIDS_MAX);
	FUZZ_CHECK(idmap_format(m, &text, &e) == 0 && text.len <= LIMIT_IDMAP_TEXT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	SCOPE(subids) struct subids s = SUBIDS_INIT;
	SCOPE(idmap) struct idmap m = IDMAP_INIT;
	struct err e = ERR_INIT;

	if (subids_parse(&s, (const char *)data, size, "alice", UID, &e) == 0) {
		check_ranges(&s);
		if (idmap_build(&m, UID, &s, &e) == 0)
			check_map(&m, &s);
	}
	FUZZ_CHECK(e.code == ERR_NONE || (e.code == ERR_LIMIT && m.count == 0));
	err_clear(&e);
	return 0;
}

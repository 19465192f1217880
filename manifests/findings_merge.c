/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "manifests/findings.h"

struct merging {
	struct findings *to;
	const struct findings *const *lists;
	const char *const *labels;
	size_t count;
};

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct finding *a, const struct finding *b)
{
	return a->at.line == b->at.line && a->at.column == b->at.column &&
	       a->at.file == b->at.file && a->code == b->code && is_same_text(a->msg, b->msg) &&
	       is_same_text(a->hint, b->hint);
}

static bool has(const struct findings *f, const struct finding *one)
{
	for (size_t i = 0; i < f->count; i++) {
		if (is_same(&f->items[i], one))
			return true;
	}
	return false;
}

/* "for linux/arm64, linux/s390x: ", of the lists from `first` on; nothing when all have it. */
static int append_labels(const struct merging *m, const struct finding *one, size_t first,
			 struct str *out, struct err *e)
{
	size_t found = 0;

	for (size_t i = first; i < m->count; i++) {
		if (!has(m->lists[i], one))
			continue;
		if (str_appendf(out, e, "%s%s", found ? ", " : "for ", m->labels[i]) < 0)
			return -1;
		found++;
	}
	if (found == m->count)
		str_truncate(out, 0);
	return out->len ? str_append_z(out, ": ", e) : 0;
}

static int add(const struct merging *m, const struct finding *one, size_t first, struct err *e)
{
	struct findings *to = m->to;
	SCOPE(str) struct str labels = STR_INIT;

	if (append_labels(m, one, first, &labels, e) < 0)
		return -1;
	const char *front = str_text(&labels);
	if ((one->code == ERR_NONE
		     ? findings_warn(to, one->at, e, "%s%s", front, one->msg)
		     : findings_error(to, one->code, one->at, e, "%s%s", front, one->msg)) < 0)
		return -1;
	if (!one->hint || !to->is_last_kept)
		return 0;
	struct finding *last = &to->items[to->count - 1];
	last->hint = str_dup(one->hint, e);
	return last->hint ? 0 : -1;
}

static bool was_added(const struct merging *m, const struct finding *one, size_t before)
{
	for (size_t i = 0; i < before; i++) {
		if (has(m->lists[i], one))
			return true;
	}
	return false;
}

/* Of those that were counted and not kept nobody knows whether others have them, too. */
static void add_unkept(const struct merging *m)
{
	size_t errors = 0, warnings = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct findings *f = m->lists[i];
		const size_t more_errors =
			f->error_count > FINDINGS_MAX ? f->error_count - FINDINGS_MAX : 0;
		const size_t more_warnings =
			f->warning_count > FINDINGS_MAX ? f->warning_count - FINDINGS_MAX : 0;
		errors = more_errors > errors ? more_errors : errors;
		warnings = more_warnings > warnings ? more_warnings : warnings;
		m->to->gravest = findings_graver(m->to->gravest, f->gravest);
	}
	m->to->error_count += errors;
	m->to->warning_count += warnings;
}

int findings_merge(struct findings *to, const struct findings *const *lists,
		   const char *const *labels, size_t count, struct err *e)
{
	const struct merging m = {to, lists, labels, count};

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < lists[i]->count; k++) {
			const struct finding *one = &lists[i]->items[k];
			if (!was_added(&m, one, i) && add(&m, one, i, e) < 0)
				return -1;
		}
	}
	add_unkept(&m);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A COPY changes what accounts there are when it writes to one of their files or above it.  Where
 * it writes is known from the tree before it, unless an earlier COPY may have left a link on the
 * way; then nothing is certain, and the check waits until the step is done.
 */
#include "packer/build_check.h"

#include <string.h>

#include "base/path.h"
#include "base/quote.h"
#include "image/whiteout.h"
#include "manifests/ignore.h"
#include "packer/accounts.h"
#include "packer/copy_parents.h"

static const char *const account_files[] = {"etc/passwd", "etc/group"};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* context_walk */
static int check_name(void *ctx, const struct context_entry *entry, struct err *e)
{
	char q[QUOTE_MAX];

	(void)ctx;
	if (!path_has_name_with(entry->below, strlen(entry->below), WHITEOUT_PREFIX))
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
		       "'%s' of the context: no image can hold a name that starts with "
		       "'" WHITEOUT_PREFIX "' (an ignore file can exclude it)",
		       quote_str(q, entry->path));
}

/* What a layer would take for whiteouts among the names that `paths` bring. */
static int check_names(const struct context *c, const struct plan_copy *copy,
		       const struct strlist *paths, const struct ignore *exclude, struct err *e)
{
	/* A single file may get another name; if it keeps its own after all, the step tells. */
	const bool is_into_dir = copy->is_dest_dir || paths->count > 1;

	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->items[i];
		struct stat st;
		if (context_stat(c, path, &st, e) < 0)
			return -1;
		const struct context_entry entry = {.path = path, .below = base_name(path)};
		if (S_ISDIR(st.st_mode)
			    ? context_walk_names(c, path, exclude, check_name, NULL, e) < 0
			    : is_into_dir &&
				      !(exclude && ignore_is_excluded(exclude, entry.below)) &&
				      check_name(NULL, &entry, e) < 0)
			return -1;
	}
	return exclude ? ignore_check_steps(exclude, e) : 0;
}

/* What a source with --parents selects. */
struct selected {
	const struct ignore *exclude;
	size_t count; /* --exclude or not */
};

/* context_walk */
static int check_selected(void *ctx, const struct context_entry *entry, struct err *e)
{
	struct selected *s = ctx;
	const bool is_out = s->exclude && ignore_is_excluded(s->exclude, entry->below);

	s->count++;
	if (s->exclude && ignore_check_steps(s->exclude, e) < 0)
		return -1;
	return is_out ? 0 : check_name(NULL, entry, e);
}

/* 1, 0 for a pattern that matches nothing, -1. */
static int check_parents(const struct context *c, const struct plan_copy *copy, size_t index,
			 const struct ignore *exclude, struct err *e)
{
	struct selected s = {exclude, 0};

	if (copy_parents_walk(c, copy, index, check_selected, &s, e) < 0)
		return -1;
	if (s.count || !copy_parents_is_literal(copy, index) ||
	    strcmp(copy->patterns.items[index], ".") == 0)
		return s.count > 0;
	return copy_parents_refuse(c, copy, index, e);
}

/* 1, 0 for a pattern that matches nothing, -1. */
static int check_plain(const struct context *c, const struct plan_copy *copy, size_t index,
		       const struct ignore *exclude, struct err *e)
{
	SCOPE(strlist) struct strlist paths = STRLIST_INIT;

	if (context_match(c, copy->sources.items[index], &paths, e) < 0)
		return -1;
	if (paths.count && check_names(c, copy, &paths, exclude, e) < 0)
		return -1;
	return paths.count > 0;
}

static int check_source(const struct context *c, const struct plan_copy *copy, size_t index,
			const struct ignore *exclude, struct findings *f, struct err *e)
{
	const char *source =
		copy->keeps_parents ? copy->patterns.items[index] : copy->sources.items[index];
	const struct place at = copy->sources_at[index];
	char q[QUOTE_MAX];

	const int found = copy->keeps_parents ? check_parents(c, copy, index, exclude, e)
					      : check_plain(c, copy, index, exclude, e);
	if (found < 0)
		return findings_take(f, at, e) < 0 ? findings_wrap(f, at, e) : 0;
	/* docker copies nothing without a word. */
	return found ? 0
		     : findings_warn(f, at, e, "nothing in the context matches '%s'",
				     quote_str(q, source));
}

int build_check_sources(const struct plan *p, const struct context *c, struct findings *f,
			struct err *e)
{
	for (size_t i = 0; i < p->step_count; i++) {
		const struct plan_copy *copy = &p->steps[i].copy;
		SCOPE(ignore) struct ignore *exclude = NULL;
		if (copy->exclude.count) {
			exclude = ignore_new(&copy->exclude, e);
			if (!exclude)
				return -1;
		}
		for (size_t k = 0; k < copy->sources.count; k++) {
			if (check_source(c, copy, k, exclude, f, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* "a" is above "a" and "a/b", "" above everything. */
static bool is_above(const char *path, const char *other)
{
	const size_t len = strlen(path);

	return len == 0 ||
	       (strncmp(path, other, len) == 0 && (other[len] == '/' || other[len] == '\0'));
}

/* Whether a source is one file: then it brings no links, and no more than its name.  One that is
 * not there is told of, and counts as one. */
static bool is_plain_file(const struct context *c, const char *source)
{
	struct err ignored = ERR_INIT;
	struct stat st;

	if (source[strcspn(source, "*?[\\")])
		return false;
	const bool is_there = context_stat(c, source, &st, &ignored) == 0;
	err_clear(&ignored);
	return !is_there || S_ISREG(st.st_mode);
}

/* Whether what is called `source`, copied to `dest` (canonical), may write one of the files of
 * accounts. */
static bool may_write_accounts(const char *source, bool is_file, const char *dest)
{
	for (size_t i = 0; i < ARRAY_LEN(account_files); i++) {
		const char *file = account_files[i];
		if (!is_above(dest, file))
			continue;
		if (!is_file || strcmp(dest, file) == 0)
			return true;
		/* Below a directory it has its own name. */
		const char *name = dest[0] ? file + strlen(dest) + 1 : file;
		if (strcmp(name, base_name(source)) == 0)
			return true;
	}
	return false;
}

/* The steps of one check. */
struct check {
	const struct context *context;
	const struct stage *stage;
	struct strlist trees; /* where earlier steps may have put links */
};

/* 1, 0, or -1 with ERR_NOMEM. */
static int may_change_accounts(struct check *k, const struct plan_copy *copy, struct err *e)
{
	SCOPE(str) struct str lexical = STR_INIT;
	SCOPE(str) struct str real = STR_INIT;
	bool has_tree = false;

	if (path_clean(copy->dest, &lexical, e) < 0)
		return -1;
	for (size_t i = 0; i < k->trees.count; i++) {
		if (is_above(k->trees.items[i], str_text(&lexical)) &&
		    strcmp(k->trees.items[i], str_text(&lexical)) != 0)
			return 1;
	}
	if (copy->is_link ? str_append(&real, str_text(&lexical), lexical.len, e) < 0
			  : merge_real_path(stage_tree(k->stage), copy->dest, &real, e) < 0) {
		/* The step itself says what is wrong with its destination. */
		if (e->code == ERR_NOMEM)
			return -1;
		err_clear(e);
		return 1;
	}
	for (size_t i = 0; i < copy->sources.count; i++) {
		const char *source = copy->sources.items[i];
		/* A tar brings whatever it holds, and a path what is on it. */
		const bool is_file = !copy->is_unpacked && !copy->keeps_parents &&
				     is_plain_file(k->context, source);
		if (may_write_accounts(source, is_file, str_text(&real)))
			return 1;
		has_tree |= !is_file;
	}
	for (size_t i = 0; i < copy->text_count; i++) {
		if (may_write_accounts(copy->texts[i].name, true, str_text(&real)))
			return 1;
	}
	return has_tree ? strlist_add(&k->trees, str_text(&real), e) : 0;
}

/* Whether the files of accounts are where their names say: 1, 0, or -1 with ERR_NOMEM. */
static int has_plain_accounts(const struct stage *st, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(account_files); i++) {
		SCOPE(str) struct str real = STR_INIT;
		if (merge_real_path(stage_tree(st), account_files[i], &real, e) < 0) {
			if (e->code == ERR_NOMEM)
				return -1;
			err_clear(e);
			return 0;
		}
		if (strcmp(str_text(&real), account_files[i]) != 0)
			return 0;
	}
	return 1;
}

static int check_owner(const struct plan_step *step, const struct stage *st, struct place *last,
		       struct findings *f, struct err *e)
{
	const bool is_copy = step->kind == PLAN_COPY;
	const struct place at = is_copy ? step->copy.chown_at : step->owner_at;
	struct owner ignored;

	if (accounts_owner(st, is_copy ? step->copy.chown : step->owner, &ignored, e) == 0)
		return 0;
	/* One USER is told of once, however many WORKDIRs follow it. */
	if (at.file == last->file && at.line == last->line && at.column == last->column) {
		err_clear(e);
		return 0;
	}
	*last = at;
	return findings_take(f, at, e) < 0 ? findings_wrap(f, at, e) : 0;
}

static int check_steps(struct check *k, const struct plan *p, size_t from, size_t *next,
		       struct findings *f, struct err *e)
{
	struct place last = {0, 0, 0};
	const int is_plain = has_plain_accounts(k->stage, e);

	*next = p->step_count;
	if (is_plain < 0)
		return -1;
	for (size_t i = from; i < p->step_count; i++) {
		const struct plan_step *step = &p->steps[i];
		/* What was left out may have brought accounts, too. */
		if (p->has_skipped && i >= p->skipped_at)
			return 0;
		if (check_owner(step, k->stage, &last, f, e) < 0)
			return -1;
		if (step->kind != PLAN_COPY)
			continue;
		const int changes = is_plain ? may_change_accounts(k, &step->copy, e) : 1;
		if (changes < 0)
			return -1;
		if (changes) {
			*next = i + 1;
			return 0;
		}
	}
	return 0;
}

int build_check_owners(const struct plan *p, const struct context *c, const struct stage *st,
		       size_t from, size_t *next, struct findings *f, struct err *e)
{
	struct check k = {.context = c, .stage = st, .trees = STRLIST_INIT};

	const int r = check_steps(&k, p, from, next, f, e);
	strlist_fini(&k.trees);
	return r;
}

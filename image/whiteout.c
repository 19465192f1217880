/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hardlink to another whiteout counts as an empty regular file: Docker wrote layers like that
 * when it removed several names of one inode.
 */
#include "image/whiteout.h"

#include <stdbool.h>
#include <string.h>

#include "base/quote.h"
#include "base/scope.h"

enum { PREFIX_LEN = sizeof(WHITEOUT_PREFIX) - 1 };

static bool name_is(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(name, want, len) == 0;
}

static bool has_prefix(const char *name, size_t len)
{
	return len >= PREFIX_LEN && memcmp(name, WHITEOUT_PREFIX, PREFIX_LEN) == 0;
}

/* aufs(5), "Branch Syntax" and the names that it keeps at the root of a branch. */
static bool is_aufs_name(const char *name, size_t len)
{
	static const char *const names[] = {".wh..wh.plnk", ".wh..wh.aufs", ".wh..wh.orph"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name_is(name, len, names[i]))
			return true;
	return false;
}

static int refuse(const struct entry *en, const char *why, struct err *e)
{
	char name[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "whiteout '%s' %s", quote_bytes(name, en->path, en->path_len),
		       why);
}

static bool is_link_to_whiteout(const struct entry *en)
{
	if (en->kind != ENTRY_HARDLINK)
		return false;
	const char *slash = memrchr(en->link, '/', en->link_len);
	const size_t start = slash ? (size_t)(slash - en->link) + 1 : 0;
	return has_prefix(en->link + start, en->link_len - start);
}

static int classify_last(const struct entry *en, size_t start, enum whiteout_kind *out,
			 size_t *hidden, struct err *e)
{
	const char *name = en->path + start;
	const size_t len = en->path_len - start;

	if (!has_prefix(name, len)) {
		*out = WHITEOUT_NONE;
		return 0;
	}
	if (!is_link_to_whiteout(en) && (en->kind != ENTRY_REG || en->size != 0))
		return refuse(en, "is not an empty regular file", e);
	if (name_is(name, len, WHITEOUT_OPAQUE)) {
		*out = WHITEOUT_OPAQUE_DIR;
		return 0;
	}

	const char *target = name + PREFIX_LEN;
	const size_t target_len = len - PREFIX_LEN;
	if (target_len == 0)
		return refuse(en, "hides no name", e);
	if (name_is(target, target_len, ".") || name_is(target, target_len, ".."))
		return refuse(en, "hides '.' or '..'", e);
	*out = WHITEOUT_FILE;
	*hidden = start + PREFIX_LEN;
	return 0;
}

int whiteout_classify(const struct entry *en, enum whiteout_kind *out, size_t *hidden,
		      struct err *e)
{
	size_t start = 0;

	for (;;) {
		const char *name = en->path + start;
		const char *slash = memchr(name, '/', en->path_len - start);
		const size_t len = slash ? (size_t)(slash - name) : en->path_len - start;

		/* AUFS keeps directories there: what is in them is dropped with them. */
		if (is_aufs_name(name, len)) {
			*out = WHITEOUT_AUFS;
			return 0;
		}
		if (!slash)
			return classify_last(en, start, out, hidden, e);
		if (has_prefix(name, len))
			return refuse(en, "is used as a directory", e);
		start += len + 1;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/entry_check.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/quote.h"

static int refuse(const struct entry *en, enum err_code code, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, code, "'%s' %s", quote_bytes(quoted, en->path, en->path_len), why);
}

/* As entry_canonical_path would leave it: without copying, because an index has many. */
static bool is_canonical(const char *path, size_t len)
{
	const char *end = path + len;

	if (len > LIMIT_PATH || memchr(path, '\0', len))
		return false;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const size_t n = (size_t)((slash ? slash : end) - path);
		if (n == 0 || n > LIMIT_NAME || (n <= 2 && memcmp(path, "..", n) == 0))
			return false;
		if (!slash)
			return true;
		path = slash + 1;
	}
	return len == 0;
}

static int check_path(const char *path, size_t len, struct err *e)
{
	char canonical[LIMIT_PATH + 1];
	char quoted[QUOTE_MAX];
	size_t canonical_len;

	if (is_canonical(path, len))
		return 0;
	if (entry_canonical_path(path, len, canonical, &canonical_len, e) < 0)
		return -1;
	return err_set(e, ERR_FORMAT, "path '%s' is not canonical", quote_bytes(quoted, path, len));
}

static int check_link(const struct entry *en, struct err *e)
{
	if (en->kind != ENTRY_SYMLINK && en->kind != ENTRY_HARDLINK)
		return en->link_len > 0 ? refuse(en, ERR_FORMAT, "has a target, but is no link", e)
					: 0;
	if (en->link_len == 0)
		return refuse(en, ERR_FORMAT, "is a link without a target", e);
	if (en->kind == ENTRY_HARDLINK)
		return check_path(en->link, en->link_len, e);
	if (memchr(en->link, '\0', en->link_len))
		return refuse(en, ERR_FORMAT, "is a link to what holds a NUL", e);
	if (en->link_len > LIMIT_SYMLINK)
		return refuse(en, ERR_LIMIT, "is a link with too long a target", e);
	return 0;
}

int entry_check(const struct entry *en, struct err *e)
{
	char quoted[QUOTE_MAX];

	if (check_path(en->path, en->path_len, e) < 0 || check_link(en, e) < 0)
		return -1;
	if (en->path_len == 0 && en->kind != ENTRY_DIR)
		return err_set(e, ERR_FORMAT, "the root is not a directory");
	if (en->kind != ENTRY_REG && en->size > 0)
		return refuse(en, ERR_FORMAT, "has content, but is no regular file", e);
	if (en->size > INT64_MAX)
		return refuse(en, ERR_LIMIT, "is too long", e);
	if (en->mode > ENTRY_MODE_MAX)
		return refuse(en, ERR_FORMAT, "has more than permissions in its mode", e);
	if (en->uid == UINT32_MAX || en->gid == UINT32_MAX)
		return refuse(en, ERR_FORMAT, "has an id that chown takes for none", e);
	if (en->mtime_nsec > ENTRY_NSEC_MAX || en->mtime > ENTRY_TIME_MAX ||
	    en->mtime < -ENTRY_TIME_MAX)
		return refuse(en, ERR_FORMAT, "has a time that is none", e);
	if (entry_check_xattrs(en->xattrs, en->xattr_count, e) < 0)
		return err_wrap(e, "'%s'", quote_bytes(quoted, en->path, en->path_len));
	return 0;
}

int entry_compare_xattrs(const struct xattr *a, const struct xattr *b)
{
	const size_t common = a->name_len < b->name_len ? a->name_len : b->name_len;
	const int order = memcmp(a->name, b->name, common);

	if (order != 0)
		return order;
	return a->name_len < b->name_len ? -1 : a->name_len > b->name_len;
}

static int refuse_xattr(const struct xattr *x, enum err_code code, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, code, "extended attribute '%s' %s",
		       quote_bytes(quoted, x->name, x->name_len), why);
}

int entry_check_xattrs(const struct xattr *items, size_t count, struct err *e)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		const struct xattr *x = &items[i];
		if (x->name_len == 0)
			return refuse_xattr(x, ERR_FORMAT, "has no name", e);
		if (memchr(x->name, '\0', x->name_len))
			return refuse_xattr(x, ERR_FORMAT, "has a NUL in its name", e);
		if (x->name_len > LIMIT_XATTR_NAME)
			return refuse_xattr(x, ERR_LIMIT, "has too long a name", e);
		if (x->value_len > LIMIT_XATTR_VALUE)
			return refuse_xattr(x, ERR_LIMIT, "has too long a value", e);
		total += x->name_len + x->value_len;
		if (total > LIMIT_XATTRS)
			return refuse_xattr(x, ERR_LIMIT, "is one too many", e);
		const int order = i > 0 ? entry_compare_xattrs(&items[i - 1], x) : -1;
		if (order == 0)
			return refuse_xattr(x, ERR_FORMAT, "is there twice", e);
		if (order > 0)
			return refuse_xattr(x, ERR_FORMAT, "is not in order", e);
	}
	return 0;
}

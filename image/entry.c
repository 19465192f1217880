/* SPDX-License-Identifier: Apache-2.0 */
#include "image/entry.h"

#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/quote.h"

static int refuse(enum err_code code, const char *name, size_t len, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, code, "path '%s' %s", quote_bytes(quoted, name, len), why);
}

int entry_canonical_path(const char *name, size_t len, char *out, size_t *out_len, struct err *e)
{
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		const char *part = name + i;
		const char *slash = memchr(part, '/', len - i);
		const size_t part_len = slash ? (size_t)(slash - part) : len - i;

		i += part_len + 1;
		if (part_len == 0 || (part_len == 1 && part[0] == '.'))
			continue;
		if (part_len == 2 && part[0] == '.' && part[1] == '.')
			return refuse(ERR_FORMAT, name, len, "has a '..' component", e);
		if (memchr(part, '\0', part_len))
			return refuse(ERR_FORMAT, name, len, "holds a NUL", e);
		if (part_len > LIMIT_NAME)
			return refuse(ERR_LIMIT, name, len, "has a component that is too long", e);
		if (used + (used > 0) + part_len > LIMIT_PATH)
			return refuse(ERR_LIMIT, name, len, "is too long", e);
		if (used > 0)
			out[used++] = '/';
		memcpy(out + used, part, part_len);
		used += part_len;
	}
	out[used] = '\0';
	*out_len = used;
	return 0;
}

uint32_t entry_st_mode(const struct entry *en)
{
	switch (en->kind) {
	case ENTRY_REG:
		return S_IFREG | en->mode;
	case ENTRY_DIR:
		return S_IFDIR | en->mode;
	case ENTRY_SYMLINK:
		return S_IFLNK | en->mode;
	case ENTRY_HARDLINK:
		return 0;
	case ENTRY_CHAR:
		return S_IFCHR | en->mode;
	case ENTRY_BLOCK:
		return S_IFBLK | en->mode;
	case ENTRY_FIFO:
		return S_IFIFO | en->mode;
	}
	return 0;
}

bool entry_kind_of(uint32_t st_mode, enum entry_kind *out)
{
	switch (st_mode & S_IFMT) {
	case S_IFREG:
		*out = ENTRY_REG;
		return true;
	case S_IFDIR:
		*out = ENTRY_DIR;
		return true;
	case S_IFLNK:
		*out = ENTRY_SYMLINK;
		return true;
	case S_IFCHR:
		*out = ENTRY_CHAR;
		return true;
	case S_IFBLK:
		*out = ENTRY_BLOCK;
		return true;
	case S_IFIFO:
		*out = ENTRY_FIFO;
		return true;
	default:
		return false;
	}
}

int entry_path_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	const size_t common = a_len < b_len ? a_len : b_len;
	size_t i = 0;

	while (i < common && a[i] == b[i])
		i++;
	if (i == common)
		return a_len == b_len ? 0 : (a_len < b_len ? -1 : 1);
	/* The end of a component comes before any byte of a longer one. */
	if (a[i] == '/')
		return -1;
	if (b[i] == '/')
		return 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/host_xattrs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/array.h"
#include "base/limits.h"

enum {
	PROC_PATH_MAX = 32 + LIMIT_NAME,
	LIST_ROOM = 1024, /* bytes for names at first; most files have none */
};

static int compare_xattrs(const void *a, const void *b)
{
	const struct xattr *x = a, *y = b;
	return strcmp(x->name, y->name);
}

/* The list of names, NUL after each; 0 bytes where the file system has no xattrs. */
static int list_names(struct host_xattrs *x, const char *path, struct err *e)
{
	size_t room = LIST_ROOM;

	for (;;) {
		x->names.len = 0;
		if (str_reserve(&x->names, room, e) < 0)
			return -1;
		const ssize_t n = llistxattr(path, x->names.data, room);
		if (n >= 0) {
			x->names.len = (size_t)n;
			return 0;
		}
		if (errno == ENOTSUP)
			return 0;
		if (errno != ERANGE || room >= LIMIT_XATTRS)
			return err_sys(e, errno, "cannot list extended attributes");
		room *= 4;
	}
}

/* Appends one value to `bytes`; 1, or 0 when it is gone by now. */
static int read_value(struct host_xattrs *x, const char *path, const char *name, size_t *len,
		      struct err *e)
{
	for (;;) {
		const ssize_t want = lgetxattr(path, name, NULL, 0);
		if (want < 0)
			return errno == ENODATA
				       ? 0
				       : err_sys(e, errno, "cannot read the attribute '%s'", name);
		if (x->bytes.len + (size_t)want > LIMIT_XATTRS)
			return err_set(e, ERR_LIMIT,
				       "extended attributes take more than %llu bytes",
				       (unsigned long long)LIMIT_XATTRS);
		if (str_reserve(&x->bytes, (size_t)want + 1, e) < 0)
			return -1;
		const ssize_t n = lgetxattr(path, name, x->bytes.data + x->bytes.len, (size_t)want);
		if (n >= 0) {
			x->bytes.len += (size_t)n;
			*len = (size_t)n;
			return 1;
		}
		if (errno != ERANGE)
			return err_sys(e, errno, "cannot read the attribute '%s'", name);
	}
}

int host_xattrs_read(struct host_xattrs *x, int dirfd, const char *name, struct err *e)
{
	char path[PROC_PATH_MAX];

	x->count = 0;
	x->bytes.len = 0;
	/* The only way to an xattr of a link or a device beneath a descriptor. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, *name ? name : ".");
	if (list_names(x, path, e) < 0)
		return -1;
	for (size_t at = 0; at < x->names.len;) {
		const char *key = x->names.data + at;
		const size_t key_len = strlen(key);
		size_t len = 0;

		at += key_len + 1;
		const int r = read_value(x, path, key, &len, e);
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		if (array_reserve(&x->items, &x->cap, x->count + 1, sizeof(*x->items), e) < 0)
			return -1;
		x->items[x->count++] = (struct xattr){key, key_len, NULL, len};
	}
	/* `bytes` does not move any more. */
	const char *value = x->bytes.data;
	for (size_t i = 0; i < x->count; i++) {
		x->items[i].value = value;
		value += x->items[i].value_len;
	}
	if (x->count > 1)
		qsort(x->items, x->count, sizeof(*x->items), compare_xattrs);
	return 0;
}

void host_xattrs_fini(struct host_xattrs *x)
{
	free(x->items);
	str_fini(&x->names);
	str_fini(&x->bytes);
	*x = (struct host_xattrs){.items = NULL};
}

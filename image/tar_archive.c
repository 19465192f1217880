/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_archive.h"

#include <assert.h>
#include <string.h>

#include "image/tar_write.h"

enum { FILE_MODE = 0644, DIR_MODE = 0755, ZEROS_SIZE = 64 * 1024 };

static const uint8_t zeros[ZEROS_SIZE];

static int write_zeros(struct tar_archive *a, uint64_t len, struct err *e)
{
	while (len > 0) {
		const size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);
		if (a->write(a->to, zeros, n, e) < 0)
			return -1;
		len -= n;
	}
	return 0;
}

int tar_archive_member(struct tar_archive *a, const struct entry *en, struct err *e)
{
	assert(a->left == 0);
	str_truncate(&a->header, 0);
	if (tar_header_append(&a->header, en, e) < 0 ||
	    a->write(a->to, a->header.data, a->header.len, e) < 0)
		return -1;
	a->left = en->size;
	a->padding = tar_padding(en->size);
	return 0;
}

int tar_archive_plain(struct tar_archive *a, const char *path, uint64_t size, struct err *e)
{
	const bool is_dir = str_has_suffix(path, "/");
	const struct entry en = {
		.path = path,
		.path_len = strlen(path) - is_dir,
		.kind = is_dir ? ENTRY_DIR : ENTRY_REG,
		.mode = is_dir ? DIR_MODE : FILE_MODE,
		.size = size,
	};

	return tar_archive_member(a, &en, e);
}

static int take(struct tar_archive *a, uint64_t len, struct err *e)
{
	a->left -= len;
	return len > 0 && a->left == 0 ? write_zeros(a, a->padding, e) : 0;
}

int tar_archive_put(struct tar_archive *a, const void *bytes, size_t len, struct err *e)
{
	assert(len <= a->left);
	return a->write(a->to, bytes, len, e) < 0 ? -1 : take(a, len, e);
}

int tar_archive_put_zeros(struct tar_archive *a, uint64_t len, struct err *e)
{
	assert(len <= a->left);
	return write_zeros(a, len, e) < 0 ? -1 : take(a, len, e);
}

int tar_archive_finish(struct tar_archive *a, struct err *e)
{
	assert(a->left == 0);
	return write_zeros(a, TAR_END_SIZE, e);
}

void tar_archive_fini(struct tar_archive *a)
{
	str_fini(&a->header);
}

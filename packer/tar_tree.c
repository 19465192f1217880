/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/tar_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/path.h"
#include "base/quote.h"
#include "image/layer_scan.h"
#include "image/whiteout.h"
#include "packer/archive_input.h"
#include "store/blobs.h"

enum { MAGIC_MAX = 10 };

/* How a tar is compressed, by its first bytes. */
static const struct magic {
	const char *bytes;
	size_t len;
	enum layer_encoding encoding;
	bool is_foreign; /* nothing that a layer may be: libarchive decompresses it first */
} magics[] = {
	{"\x1f\x8b", 2, LAYER_GZIP, false},
	{"\x28\xb5\x2f\xfd", 4, LAYER_ZSTD, false},
	{"\xfd"
	 "7zXZ\0",
	 6, LAYER_TAR, true},
	/* bzip2 has no version of its own: its first block's magic (the digits of pi) tells it from
	   a tar whose first name starts with "BZh". */
	{"BZh11AY&SY", 10, LAYER_TAR, true},
};

enum { BZIP2_LEVEL_AT = 3 };

static const struct magic *find_magic(int fd, struct err *e)
{
	static const struct magic plain = {"", 0, LAYER_TAR, false};
	char head[MAGIC_MAX] = {0};

	if (io_pread_full(fd, head, sizeof(head), 0) < 0) {
		err_sys(e, errno, "cannot read");
		return NULL;
	}
	/* Any level of bzip2 is the same to us. */
	if (head[0] == 'B' && head[BZIP2_LEVEL_AT] >= '1' && head[BZIP2_LEVEL_AT] <= '9')
		head[BZIP2_LEVEL_AT] = '1';
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		if (memcmp(head, magics[i].bytes, magics[i].len) == 0)
			return &magics[i];
	}
	return &plain;
}

int tar_tree_probe(int fd, struct err *e)
{
	const struct magic *magic = find_magic(fd, e);
	uint8_t block[TAR_READ_BLOCK];
	ssize_t n;

	if (!magic)
		return -1;
	if (magic->len) {
		n = archive_peek(fd, block, sizeof(block), e);
	} else {
		n = io_pread_full(fd, block, sizeof(block), 0);
		if (n < 0)
			return err_sys(e, errno, "cannot read");
	}
	return n < 0 ? -1 : (size_t)n == sizeof(block) && tar_read_is_header(block);
}

/* OCI gives such names a meaning of their own: an image with them would be another tree. */
static int refuse_whiteouts(const struct layer_index *ix, struct err *e)
{
	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		const char *path;
		char quoted[QUOTE_MAX];
		size_t len;
		layer_index_path(ix, i, &path, &len);
		if (path_has_name_with(path, len, WHITEOUT_PREFIX))
			return err_set(e, ERR_FORMAT,
				       "'%s': no image can hold a name that starts with "
				       "'" WHITEOUT_PREFIX "'",
				       quote_bytes(quoted, path, len));
	}
	return 0;
}

/* Makes the tar in `fd` readable at any place: `*frames_fd` is -1 when it is so already. */
static int index_tar(const struct tar_tree_options *opt, int fd, uint64_t size,
		     enum layer_encoding encoding, int *frames_fd, struct layer_index **out,
		     struct err *e)
{
	const struct derive_options derive = {opt->workers, opt->progress, opt->losses};
	struct derive_result derived = {.index = STR_INIT};
	int r;

	SCOPE_FD int frames = encoding == LAYER_TAR ? -1 : blobs_tmpfile(opt->store, e);
	if (encoding != LAYER_TAR && frames < 0)
		return -1;
	if (layer_derive(fd, size, encoding, frames, &derive, &derived, e) < 0)
		return -1;
	r = layer_index_decode(derived.index.data, derived.index.len, out, e);
	str_fini(&derived.index);
	if (derived.is_reframed)
		*frames_fd = steal_fd(&frames);
	return r;
}

/* A nameless file with the content of `fd`, whose size it replaces. */
static int spool(const struct tar_tree_options *opt, int fd, const char *what, uint64_t *size,
		 struct err *e)
{
	struct stat st;
	SCOPE_FD int copy = blobs_tmpfile(opt->store, e);

	if (copy < 0 || archive_inflate(fd, what, copy, opt->progress, e) < 0)
		return -1;
	if (fstat(copy, &st) < 0)
		return err_sys(e, errno, "cannot stat");
	*size = (uint64_t)st.st_size;
	return steal_fd(&copy);
}

int tar_tree_open(struct tar_tree *out, int fd, uint64_t size, const char *what,
		  const struct tar_tree_options *opt, struct err *e)
{
	const struct magic *magic = find_magic(fd, e);
	SCOPE(layer_index) struct layer_index *ix = NULL;

	if (!magic)
		return -1;
	SCOPE_FD int tar =
		magic->is_foreign ? spool(opt, fd, what, &size, e) : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (tar < 0)
		return magic->is_foreign ? -1 : err_sys(e, errno, "cannot duplicate a descriptor");
	SCOPE_FD int frames = -1;
	if (index_tar(opt, tar, size, magic->encoding, &frames, &ix, e) < 0 ||
	    refuse_whiteouts(ix, e) < 0)
		return -1;
	out->fd = frames < 0 ? steal_fd(&tar) : steal_fd(&frames);
	out->ix = steal_ptr(&ix);
	return 0;
}

void tar_tree_fini(struct tar_tree *t)
{
	if (t->fd >= 0)
		close(t->fd);
	layer_index_free(t->ix);
	*t = (struct tar_tree)TAR_TREE_INIT;
}

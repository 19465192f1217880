/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/layer_text.h"

#include <inttypes.h>
#include <sys/mman.h>

#include "base/hasher.h"
#include "base/io.h"
#include "image/layer_scan.h"
#include "main.h"

int layer_file(void)
{
	const int fd = memfd_create("layer", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

struct layer_index *layer_file_index(int fd, const struct layer_result *r)
{
	struct layer_index *ix = NULL;
	struct err e = ERR_INIT;
	char *bytes = malloc(r->index_size);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(io_pread_full(fd, bytes, r->index_size, r->index_offset),
			 (ssize_t)r->index_size);
	const struct digest d = hasher_sha256(bytes, r->index_size);
	ck_assert(digest_equal(&d, &r->index));
	layer_index_decode(bytes, r->index_size, &ix, &e);
	ck_assert_no_err(&e);
	free(bytes);
	return ix;
}

static void entry_text(const struct entry *en, struct str *out)
{
	static const char kinds[] = "fdlhcbp";
	struct err e = ERR_INIT;

	str_appendf(out, &e, "%c /%.*s %o %u:%u %" PRIu64, kinds[en->kind], (int)en->path_len,
		    en->path, en->mode, en->uid, en->gid, en->size);
	if (en->kind == ENTRY_CHAR || en->kind == ENTRY_BLOCK)
		str_appendf(out, &e, " %u,%u", en->rdev_major, en->rdev_minor);
	if (en->link)
		str_appendf(out, &e, " -> %.*s", (int)en->link_len, en->link);
	for (size_t i = 0; i < en->xattr_count; i++)
		str_appendf(out, &e, " %.*s=%.*s", (int)en->xattrs[i].name_len, en->xattrs[i].name,
			    (int)en->xattrs[i].value_len, (const char *)en->xattrs[i].value);
	str_append_c(out, '\n', &e);
	ck_assert_no_err(&e);
}

void layer_text(const struct layer_index *ix, struct str *out)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < layer_index_entry_count(ix); i++) {
		struct entry en;
		layer_index_entry(ix, i, &scratch, &en, &e);
		ck_assert_no_err(&e);
		entry_text(&en, out);
	}
}

void layer_content(int fd, const struct layer_index *ix, const char *path, struct str *out)
{
	SCOPE(entry_scratch) struct entry_scratch scratch = ENTRY_SCRATCH_INIT;
	struct err e = ERR_INIT;
	struct entry en = {.path = NULL};
	bool is_found = false;

	for (size_t i = 0; i < layer_index_entry_count(ix) && !is_found; i++) {
		layer_index_entry(ix, i, &scratch, &en, &e);
		ck_assert_no_err(&e);
		is_found = en.path_len == strlen(path) && memcmp(en.path, path, en.path_len) == 0;
	}
	ck_assert(is_found);
	str_append_zeros(out, en.size, &e);
	for (size_t i = 0; i < en.extent_count; i++) {
		const struct extent *x = &en.extents[i];
		layer_read(fd, ix, x->tar_offset, out->data + x->file_offset, x->length, &e);
	}
	ck_assert_no_err(&e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections are written one after the other.  Inodes come before what they point at, so while they
 * are written, running counts say where their targets, extents, xattrs and links will be; the later
 * sections then put the same things in the same order.  Memory: the plan, and nothing else that
 * grows with names.
 */
#include "image/catalog.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/hasher.h"
#include "base/io.h"
#include "image/catalog_format.h"
#include "image/catalog_output.h"
#include "image/catalog_plan.h"
#include "image/catalog_xattrs.h"
#include "image/merge_tree.h"

struct writer {
	const struct merge *m;
	const struct catalog_layer *layers;
	struct catalog_header header;
	struct catalog_plan plan;
	struct catalog_output out;
	struct catalog_xattrs xattrs;
	struct entry_scratch scratch;
	uint32_t *sparse; /* inodes that have extents, in order */
	size_t sparse_count;
	size_t sparse_cap;
	uint32_t next_name; /* the first dirent whose inode is not written yet */
	uint32_t next_dirent;
	uint32_t next_link;
	uint64_t next_extent;
	uint64_t next_target; /* bytes */
};

static void fini(struct writer *w)
{
	catalog_plan_fini(&w->plan);
	catalog_output_fini(&w->out);
	catalog_xattrs_fini(&w->xattrs);
	entry_scratch_fini(&w->scratch);
	free(w->sparse);
}

/* The entry of an inode; `layer` is 0 for a directory that is made up. */
static int load_entry(struct writer *w, uint32_t inode, struct entry *out, size_t *layer,
		      struct err *e)
{
	return merge_entry(w->m, w->plan.nodes[inode], &w->scratch, out, layer, e) < 0 ? -1 : 0;
}

static uint32_t number_of(const struct writer *w, merge_node node)
{
	return w->plan.numbers[merge_inode(w->m, node)];
}

static int put_layers(struct writer *w, struct err *e)
{
	uint64_t first_frame = 0;

	for (size_t i = 0; i < w->m->layer_count; i++) {
		const struct layer_index *ix = w->m->layers[i];
		struct catalog_layer_record record = {
			.layer = w->layers[i],
			.tar_size = layer_index_tar_size(ix),
			.first_frame = first_frame,
		};
		uint8_t bytes[CATALOG_LAYER_SIZE];

		assert(w->layers[i].index.alg != DIGEST_NONE &&
		       w->layers[i].blob.alg != DIGEST_NONE);
		record.layer.encoding = layer_index_encoding(ix);
		record.layer.frame_count = layer_index_frame_count(ix);
		first_frame += record.layer.frame_count;
		catalog_pack_layer(&record, bytes);
		if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
			return -1;
	}
	return 0;
}

static void describe_dir(struct writer *w, merge_node node, struct catalog_inode *out)
{
	uint32_t count = 0;

	out->nlink = 2;
	for (merge_node child = merge_first_child(w->m, node); child != MERGE_ROOT;
	     child = merge_next_sibling(w->m, child)) {
		count++;
		if (merge_kind(w->m, child) == ENTRY_DIR)
			out->nlink++;
	}
	out->where = catalog_pair(w->next_dirent, count);
	w->next_dirent += count;
}

static int describe_sparse(struct writer *w, const struct entry *en, uint32_t inode,
			   struct catalog_inode *out, struct err *e)
{
	if (w->next_extent + en->extent_count > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "the image's files have more than %" PRIu32 " extents",
			       UINT32_MAX);
	if (array_reserve(&w->sparse, &w->sparse_cap, w->sparse_count + 1, sizeof(*w->sparse), e) <
	    0)
		return -1;
	w->sparse[w->sparse_count++] = inode;
	for (size_t i = 0; i < en->extent_count; i++)
		out->data_bytes += en->extents[i].length;
	out->flags = CATALOG_HAS_EXTENTS;
	out->where = catalog_pair((uint32_t)w->next_extent, (uint32_t)en->extent_count);
	w->next_extent += en->extent_count;
	return 0;
}

static int describe_file(struct writer *w, const struct entry *en, uint32_t inode,
			 struct catalog_inode *out, struct err *e)
{
	uint64_t *total = &w->header.content_size;

	out->size = en->size;
	/* Holes cost nothing, so a few files can claim more than there are numbers. */
	if (add_overflows(*total, en->size, total))
		*total = UINT64_MAX;
	if (en->size == 0)
		return 0;
	if (en->extent_count == 1 && en->extents[0].file_offset == 0 &&
	    en->extents[0].length == en->size) {
		out->where = en->extents[0].tar_offset;
		out->data_bytes = en->size;
		return 0;
	}
	return describe_sparse(w, en, inode, out, e);
}

static int describe_kind(struct writer *w, const struct entry *en, uint32_t inode,
			 struct catalog_inode *out, struct err *e)
{
	/* A merge resolves hardlinks. */
	assert(en->kind != ENTRY_HARDLINK);
	switch (en->kind) {
	case ENTRY_DIR:
		describe_dir(w, w->plan.nodes[inode], out);
		return 0;
	case ENTRY_REG:
		return describe_file(w, en, inode, out, e);
	case ENTRY_SYMLINK:
		out->size = en->link_len;
		out->where = w->next_target;
		w->next_target += en->link_len;
		return 0;
	case ENTRY_CHAR:
	case ENTRY_BLOCK:
		out->where = catalog_pair(en->rdev_major, en->rdev_minor);
		return 0;
	case ENTRY_FIFO:
	case ENTRY_HARDLINK:
		break;
	}
	return 0;
}

/* Where an inode's name or names are; the root has none. */
static void describe_names(struct writer *w, uint32_t inode, struct catalog_inode *out)
{
	if (inode == CATALOG_ROOT) {
		out->name = CATALOG_NONE;
		return;
	}
	while (number_of(w, w->plan.dirents[w->next_name]) != inode)
		w->next_name++;
	out->name = w->next_name++;
	if (out->nlink > 1 && !S_ISDIR(out->mode)) {
		out->name = w->next_link;
		w->next_link += out->nlink;
	}
}

static int put_inodes(struct writer *w, struct err *e)
{
	for (uint32_t inode = 0; inode < w->plan.inode_count; inode++) {
		struct entry en;
		size_t layer;
		uint8_t bytes[CATALOG_INODE_SIZE];

		if (load_entry(w, inode, &en, &layer, e) < 0)
			return -1;
		struct catalog_inode record = {
			.mode = entry_st_mode(&en),
			.uid = en.uid,
			.gid = en.gid,
			.nlink = catalog_plan_names(w->m, w->plan.nodes[inode]),
			.mtime = en.mtime,
			.mtime_nsec = en.mtime_nsec,
			.layer = (uint16_t)layer,
		};
		if (catalog_xattrs_add(&w->xattrs, &en, inode, &record.xattrs, e) < 0 ||
		    describe_kind(w, &en, inode, &record, e) < 0)
			return -1;
		describe_names(w, inode, &record);
		catalog_pack_inode(&record, bytes);
		if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
			return -1;
	}
	return 0;
}

static uint32_t type_of(enum entry_kind kind)
{
	const struct entry en = {.kind = kind};

	return entry_st_mode(&en) >> CATALOG_TYPE_SHIFT;
}

static int put_dirents(struct writer *w, struct err *e)
{
	uint32_t name_offset = 0;

	for (uint32_t i = 0; i < w->plan.dirent_count; i++) {
		const merge_node node = w->plan.dirents[i];
		size_t len;
		uint8_t bytes[CATALOG_DIRENT_SIZE];

		merge_name(w->m, node, &len);
		const struct catalog_dirent_record record = {
			.inode = number_of(w, node),
			.parent = number_of(w, merge_parent(w->m, node)),
			.name_offset = name_offset,
			.name_len = (uint8_t)len,
			.type = (uint8_t)type_of(merge_kind(w->m, node)),
		};
		/* LIMIT_ENTRIES names of LIMIT_NAME bytes: no overflow. */
		name_offset += (uint32_t)len;
		catalog_pack_dirent(&record, bytes);
		if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
			return -1;
	}
	return 0;
}

static int put_names(struct writer *w, struct err *e)
{
	for (uint32_t i = 0; i < w->plan.dirent_count; i++) {
		size_t len;
		const char *name = merge_name(w->m, w->plan.dirents[i], &len);
		if (catalog_output_put(&w->out, name, len, e) < 0)
			return -1;
	}
	return 0;
}

static int put_targets(struct writer *w, struct err *e)
{
	for (uint32_t inode = 0; inode < w->plan.inode_count; inode++) {
		struct entry en;
		size_t layer;

		if (merge_kind(w->m, w->plan.nodes[inode]) != ENTRY_SYMLINK)
			continue;
		if (load_entry(w, inode, &en, &layer, e) < 0 ||
		    catalog_output_put(&w->out, en.link, en.link_len, e) < 0)
			return -1;
	}
	return 0;
}

static int put_xattrs(struct writer *w, struct err *e)
{
	for (size_t i = 0; i < w->xattrs.count; i++) {
		struct entry en;
		size_t layer;

		if (load_entry(w, w->xattrs.sets[i].inode, &en, &layer, e) < 0 ||
		    catalog_xattrs_encode(&en, &w->xattrs.encoded, e) < 0 ||
		    catalog_output_put(&w->out, w->xattrs.encoded.data, w->xattrs.encoded.len, e) <
			    0)
			return -1;
	}
	return 0;
}

static int put_extents(struct writer *w, struct err *e)
{
	for (size_t i = 0; i < w->sparse_count; i++) {
		struct entry en;
		size_t layer;

		if (load_entry(w, w->sparse[i], &en, &layer, e) < 0)
			return -1;
		for (size_t at = 0; at < en.extent_count; at++) {
			uint8_t bytes[CATALOG_EXTENT_SIZE];
			catalog_pack_extent(&en.extents[at], bytes);
			if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
				return -1;
		}
	}
	return 0;
}

static int put_links(struct writer *w, struct err *e)
{
	for (size_t i = 0; i < w->plan.link_count; i++) {
		uint8_t bytes[CATALOG_LINK_SIZE];
		catalog_pack_link(w->plan.links[i].dirent, bytes);
		if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
			return -1;
	}
	return 0;
}

static int put_frames(struct writer *w, struct err *e)
{
	for (size_t i = 0; i < w->m->layer_count; i++) {
		const struct layer_index *ix = w->m->layers[i];
		const size_t count = layer_index_frame_count(ix);
		for (size_t at = 0; at < count; at++) {
			const struct frame f = layer_index_frame(ix, at);
			uint8_t bytes[CATALOG_FRAME_SIZE];
			catalog_pack_frame(&f, bytes);
			if (catalog_output_put(&w->out, bytes, sizeof(bytes), e) < 0)
				return -1;
		}
	}
	return 0;
}

static int put_sections(struct writer *w, struct err *e)
{
	static int (*const put[CATALOG_SECTION_COUNT])(struct writer *, struct err *) = {
		[CATALOG_LAYERS] = put_layers,   [CATALOG_INODES] = put_inodes,
		[CATALOG_DIRENTS] = put_dirents, [CATALOG_NAMES] = put_names,
		[CATALOG_TARGETS] = put_targets, [CATALOG_XATTRS] = put_xattrs,
		[CATALOG_EXTENTS] = put_extents, [CATALOG_LINKS] = put_links,
		[CATALOG_FRAMES] = put_frames,
	};

	for (int i = 0; i < CATALOG_SECTION_COUNT; i++) {
		const uint64_t start = catalog_output_offset(&w->out);
		if (put[i](w, e) < 0)
			return -1;
		w->header.sections[i].size = catalog_output_offset(&w->out) - start;
		if (catalog_output_align(&w->out, CATALOG_ALIGN, e) < 0)
			return -1;
	}
	return catalog_output_finish(&w->out, e);
}

static int put_header(struct writer *w, struct err *e)
{
	uint8_t bytes[CATALOG_HEADER_SIZE];

	w->header.flags = w->xattrs.count > 0 ? CATALOG_HAS_XATTRS : 0;
	w->header.inode_count = w->plan.inode_count;
	w->header.dirent_count = w->plan.dirent_count;
	w->header.layer_count = (uint32_t)w->m->layer_count;
	if (!catalog_layout(&w->header))
		return err_set(e, ERR_LIMIT, "the catalog is larger than %" PRIu64 " bytes",
			       CATALOG_FILE_MAX);
	assert(w->header.table.offset == catalog_output_offset(&w->out));
	assert(w->header.table.size == w->out.digests.len);
	const struct digest d = hasher_sha256(w->out.digests.data, w->out.digests.len);
	memcpy(w->header.table_sha256, d.raw, DIGEST_SHA256_LEN);
	catalog_pack_header(&w->header, bytes);
	if (io_pwrite_all(w->out.fd, bytes, sizeof(bytes), 0) < 0)
		return err_sys(e, errno, "cannot write the catalog");
	return 0;
}

int catalog_write(const struct merge *m, const struct catalog_layer *layers, int fd, struct err *e)
{
	struct writer w = {.m = m, .layers = layers, .scratch = ENTRY_SCRATCH_INIT};
	int result = catalog_plan_init(&w.plan, m, e);

	if (result == 0)
		result = catalog_output_init(&w.out, fd, e);
	if (result == 0)
		result = put_sections(&w, e);
	/* Last: before it, the file is not a catalog. */
	if (result == 0)
		result = put_header(&w, e);
	fini(&w);
	return result;
}

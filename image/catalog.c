/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/hasher.h"
#include "image/catalog_read.h"

enum { BITS = 64, MODE_BITS = 07777, NSEC_MAX = 999999999 };
/* Read from the disk ahead of a block that is touched for the first time: neighbours in a section
 * are neighbours in the tree. */
enum { PREFETCH = 8 * CATALOG_BLOCK };

int catalog_malformed(const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "the catalog is damaged: %s", what);
}

/*
 * After every copy: were the bytes the file's?  A page that the file lost is noticed when it is
 * touched (base/mapping.h), except the one that the new end lies in, whose tail reads as zeros.  So
 * the file's last page is touched too: it is lost with any shorter end but one inside itself, and
 * it holds nothing but digests, which zeros would not be.  This is done for every record, so a
 * system call is too much, unless pages are so large that the last one holds more than digests.
 */
static int catalog_settle(const struct catalog *c, struct err *e)
{
	/* The copy comes before the touch. */
	atomic_thread_fence(memory_order_acquire);
	(void)*(const volatile uint8_t *)(c->map.data + c->map.size - 1);
	if (c->has_large_pages ? mapping_is_damaged(&c->map) : mapping_has_faulted(&c->map))
		return err_set(e, ERR_DIGEST, "the catalog was cut short, or cannot be read");
	return 0;
}

static int check_block(const struct catalog *c, uint64_t block, struct err *e)
{
	const uint64_t start = CATALOG_HEADER_SIZE + block * CATALOG_BLOCK;
	const uint64_t rest = c->header.table.offset - start;
	const size_t size = rest < CATALOG_BLOCK ? (size_t)rest : CATALOG_BLOCK;
	const struct digest d = hasher_sha256(c->map.data + start, size);
	const uint8_t *want = c->map.data + c->header.table.offset + block * DIGEST_SHA256_LEN;

	if (memcmp(d.raw, want, DIGEST_SHA256_LEN) != 0)
		return err_set(e, ERR_DIGEST,
			       "block %" PRIu64 " of the catalog does not match its digest", block);
	return catalog_settle(c, e);
}

static int check_range(const struct catalog *c, uint64_t offset, size_t size, struct err *e)
{
	const uint64_t first = (offset - CATALOG_HEADER_SIZE) / CATALOG_BLOCK;
	const uint64_t last = (offset + size - 1 - CATALOG_HEADER_SIZE) / CATALOG_BLOCK;

	for (uint64_t block = first; block <= last; block++) {
		atomic_uint_least64_t *word = &c->checked[block / BITS];
		const uint64_t bit = UINT64_C(1) << (block % BITS);
		if (atomic_load_explicit(word, memory_order_acquire) & bit)
			continue;
		mapping_prefetch(&c->map, CATALOG_HEADER_SIZE + block * CATALOG_BLOCK, PREFETCH);
		if (check_block(c, block, e) < 0)
			return -1;
		atomic_fetch_or_explicit(word, bit, memory_order_release);
	}
	return 0;
}

int catalog_fetch(const struct catalog *c, enum catalog_section section, uint64_t offset, void *out,
		  size_t size, struct err *e)
{
	const struct catalog_span *s = &c->header.sections[section];

	if (offset > s->size || size > s->size - offset)
		return catalog_malformed("something lies outside of its section", e);
	if (size == 0)
		return 0;
	if (check_range(c, s->offset + offset, size, e) < 0)
		return -1;
	memcpy(out, c->map.data + s->offset + offset, size);
	return catalog_settle(c, e);
}

int catalog_fetch_all(const struct catalog *c, struct err *e)
{
	return check_range(c, CATALOG_HEADER_SIZE,
			   (size_t)(c->header.table.offset - CATALOG_HEADER_SIZE), e);
}

static int check_table(const struct catalog *c, struct err *e)
{
	const struct catalog_span *t = &c->header.table;

	mapping_prefetch(&c->map, t->offset, (size_t)t->size);
	const struct digest d = hasher_sha256(c->map.data + t->offset, (size_t)t->size);

	if (memcmp(d.raw, c->header.table_sha256, DIGEST_SHA256_LEN) != 0)
		return err_set(e, ERR_DIGEST,
			       "the catalog's table of digests does not match its own");
	return catalog_settle(c, e);
}

static int load_header(struct catalog *c, struct err *e)
{
	uint8_t bytes[CATALOG_HEADER_SIZE];

	memcpy(bytes, c->map.data, sizeof(bytes));
	if (catalog_settle(c, e) < 0 || catalog_unpack_header(bytes, &c->header, e) < 0)
		return -1;
	if (c->header.file_size != c->map.size)
		return err_set(e, ERR_DIGEST, "the catalog has %zu bytes instead of %" PRIu64,
			       c->map.size, c->header.file_size);
	if ((c->header.sections[CATALOG_XATTRS].size > 0) != catalog_has_xattrs(c))
		return catalog_malformed("whether it has xattrs", e);
	return 0;
}

static int load_layers(struct catalog *c, struct err *e)
{
	const uint64_t frames = c->header.sections[CATALOG_FRAMES].size / CATALOG_FRAME_SIZE;
	uint64_t next_frame = 0;

	c->layers = array_new(c->header.layer_count, sizeof(*c->layers), e);
	if (!c->layers)
		return -1;
	for (uint32_t i = 0; i < c->header.layer_count; i++) {
		struct catalog_layer_record *l = &c->layers[i];
		uint8_t bytes[CATALOG_LAYER_SIZE];
		if (catalog_fetch(c, CATALOG_LAYERS, (uint64_t)i * CATALOG_LAYER_SIZE, bytes,
				  sizeof(bytes), e) < 0 ||
		    catalog_unpack_layer(bytes, l, e) < 0)
			return -1;
		if (l->first_frame != next_frame || l->layer.frame_count > frames - next_frame ||
		    l->layer.frame_count > UINT32_MAX || l->tar_size > LIMIT_LAYER_CONTENT)
			return catalog_malformed("a layer's frames or size", e);
		next_frame += l->layer.frame_count;
	}
	if (next_frame != frames)
		return catalog_malformed("frames of no layer", e);
	return 0;
}

static int check_root(const struct catalog *c, struct err *e)
{
	struct catalog_inode root = {0};

	if (catalog_inode_get(c, CATALOG_ROOT, &root, e) < 0)
		return -1;
	return S_ISDIR(root.mode) ? 0 : catalog_malformed("its root", e);
}

static int load(struct catalog *c, int fd, size_t size, struct err *e)
{
	if (mapping_init(&c->map, fd, size, e) < 0 || load_header(c, e) < 0)
		return -1;
	const uint64_t words = (catalog_block_count(&c->header) + BITS - 1) / BITS;
	c->checked = array_new((size_t)words, sizeof(*c->checked), e);
	if (!c->checked)
		return -1;
	if (check_table(c, e) < 0 || load_layers(c, e) < 0)
		return -1;
	return check_root(c, e);
}

int catalog_open(int fd, struct catalog **out, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat the catalog");
	if (!S_ISREG(st.st_mode) || st.st_size < CATALOG_HEADER_SIZE)
		return catalog_malformed("it has no header", e);
	if ((uint64_t)st.st_size > CATALOG_FILE_MAX)
		return catalog_malformed("it is larger than catalogs are", e);

	struct catalog *c = array_new(1, sizeof(*c), e);
	if (!c)
		return -1;
	c->map = (struct mapping)MAPPING_INIT;
	c->has_large_pages = sysconf(_SC_PAGESIZE) > CATALOG_TABLE_ALIGN;
	if (load(c, fd, (size_t)st.st_size, e) < 0) {
		catalog_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	mapping_fini(&c->map);
	free(c->layers);
	free(c->checked);
	free(c);
}

size_t catalog_layer_count(const struct catalog *c)
{
	return c->header.layer_count;
}

int catalog_layer(const struct catalog *c, size_t at, struct catalog_layer *out, struct err *e)
{
	if (at >= c->header.layer_count)
		return err_set(e, ERR_NOT_FOUND, "the catalog has no layer %zu", at);
	*out = c->layers[at].layer;
	return 0;
}

uint32_t catalog_inode_count(const struct catalog *c)
{
	return c->header.inode_count;
}

uint64_t catalog_content_size(const struct catalog *c)
{
	return c->header.content_size;
}

bool catalog_has_xattrs(const struct catalog *c)
{
	return c->header.flags & CATALOG_HAS_XATTRS;
}

static bool is_possible_mode(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return (mode & ~(uint32_t)(S_IFMT | MODE_BITS)) == 0;
	default:
		return false;
	}
}

int catalog_inode_get(const struct catalog *c, uint32_t inode, struct catalog_inode *out,
		      struct err *e)
{
	uint8_t bytes[CATALOG_INODE_SIZE];

	if (inode >= c->header.inode_count)
		return err_set(e, ERR_NOT_FOUND, "the catalog has no inode %" PRIu32, inode);
	if (catalog_fetch(c, CATALOG_INODES, (uint64_t)inode * CATALOG_INODE_SIZE, bytes,
			  sizeof(bytes), e) < 0)
		return -1;
	catalog_unpack_inode(bytes, out);
	if (!is_possible_mode(out->mode) || out->nlink == 0 || out->mtime_nsec > NSEC_MAX ||
	    out->size > INT64_MAX || out->data_bytes > out->size ||
	    (S_ISLNK(out->mode) && out->size > LIMIT_SYMLINK) ||
	    (out->flags & ~(unsigned)CATALOG_HAS_EXTENTS) != 0)
		return catalog_malformed("impossible metadata of an inode", e);
	return 0;
}

static const char *kind_name(uint32_t type)
{
	return type == S_IFDIR ? "directory" : type == S_IFLNK ? "symlink" : "regular file";
}

int catalog_inode_get_kind(const struct catalog *c, uint32_t inode, uint32_t type,
			   struct catalog_inode *out, struct err *e)
{
	if (catalog_inode_get(c, inode, out, e) < 0)
		return -1;
	if ((out->mode & S_IFMT) != type)
		return err_set(e, ERR_UNSUPPORTED, "inode %" PRIu32 " is not a %s", inode,
			       kind_name(type));
	return 0;
}

int catalog_stat(const struct catalog *c, uint32_t inode, struct catalog_stat *out, struct err *e)
{
	struct catalog_inode i = {0};

	if (catalog_inode_get(c, inode, &i, e) < 0)
		return -1;
	*out = (struct catalog_stat){
		.mode = i.mode,
		.uid = i.uid,
		.gid = i.gid,
		.nlink = i.nlink,
		.mtime = i.mtime,
		.mtime_nsec = i.mtime_nsec,
		.layer = i.layer,
	};
	if (S_ISREG(i.mode) || S_ISLNK(i.mode))
		out->size = i.size;
	if (S_ISREG(i.mode))
		out->data_bytes = i.data_bytes;
	if (S_ISCHR(i.mode) || S_ISBLK(i.mode)) {
		out->rdev_major = (uint32_t)i.where;
		out->rdev_minor = (uint32_t)(i.where >> 32);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/catalog_format.h"

#include <assert.h>
#include <string.h>

#include "base/hasher.h"
#include "base/le.h"

enum {
	MAGIC_SIZE = sizeof(CATALOG_MAGIC) - 1,
	HEADER_DIGEST_AT = CATALOG_HEADER_SIZE - DIGEST_SHA256_LEN,
	ENCODING_RAW = 0,
	ENCODING_ZSTD = 1,
	ENCODING_GZIP = 2,
	LAYER_REFRAMED = 1, /* flag */
	LAYER_INDEX_AT = 64,
	LAYER_BLOB_AT = LAYER_INDEX_AT + DIGEST_RAW_MAX,
};

static uint64_t align_up(uint64_t offset, uint64_t to)
{
	return (offset + to - 1) / to * to;
}

uint64_t catalog_block_count(const struct catalog_header *h)
{
	return (h->table.offset - CATALOG_HEADER_SIZE + CATALOG_BLOCK - 1) / CATALOG_BLOCK;
}

bool catalog_layout(struct catalog_header *h)
{
	uint64_t end = CATALOG_HEADER_SIZE;

	for (int i = 0; i < CATALOG_SECTION_COUNT; i++) {
		if (h->sections[i].size > CATALOG_FILE_MAX - end)
			return false;
		h->sections[i].offset = end;
		end = align_up(end + h->sections[i].size, CATALOG_ALIGN);
		if (end > CATALOG_FILE_MAX)
			return false;
	}
	h->table.offset = align_up(end, CATALOG_TABLE_ALIGN);
	h->table.size = catalog_block_count(h) * DIGEST_SHA256_LEN;
	h->file_size = h->table.offset + h->table.size;
	return h->file_size <= CATALOG_FILE_MAX;
}

void catalog_pack_header(const struct catalog_header *h, uint8_t out[static CATALOG_HEADER_SIZE])
{
	uint8_t *p = out;

	memset(out, 0, CATALOG_HEADER_SIZE);
	memcpy(p, CATALOG_MAGIC, MAGIC_SIZE);
	p += MAGIC_SIZE;
	le_put32(&p, CATALOG_VERSION);
	le_put32(&p, CATALOG_HEADER_SIZE);
	le_put32(&p, CATALOG_BLOCK);
	le_put32(&p, h->flags);
	le_put64(&p, h->file_size);
	le_put64(&p, h->content_size);
	le_put32(&p, h->inode_count);
	le_put32(&p, h->dirent_count);
	le_put32(&p, h->layer_count);
	le_put32(&p, 0);
	for (int i = 0; i < CATALOG_SECTION_COUNT; i++) {
		le_put64(&p, h->sections[i].offset);
		le_put64(&p, h->sections[i].size);
	}
	le_put64(&p, h->table.offset);
	le_put64(&p, h->table.size);
	memcpy(p, h->table_sha256, DIGEST_SHA256_LEN);

	const struct digest d = hasher_sha256(out, HEADER_DIGEST_AT);
	memcpy(out + HEADER_DIGEST_AT, d.raw, DIGEST_SHA256_LEN);
}

static int refuse(const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "the catalog's header is malformed: %s", what);
}

/* The counts, and the sizes of sections made of records. */
static bool sizes_agree(const struct catalog_header *h)
{
	const struct catalog_span *s = h->sections;

	return h->layer_count <= LIMIT_LAYERS && h->inode_count > 0 &&
	       h->inode_count - 1 <= h->dirent_count && h->dirent_count < CATALOG_NONE &&
	       s[CATALOG_LAYERS].size == (uint64_t)h->layer_count * CATALOG_LAYER_SIZE &&
	       s[CATALOG_INODES].size == (uint64_t)h->inode_count * CATALOG_INODE_SIZE &&
	       s[CATALOG_DIRENTS].size == (uint64_t)h->dirent_count * CATALOG_DIRENT_SIZE &&
	       s[CATALOG_EXTENTS].size % CATALOG_EXTENT_SIZE == 0 &&
	       s[CATALOG_LINKS].size % CATALOG_LINK_SIZE == 0 &&
	       s[CATALOG_FRAMES].size % CATALOG_FRAME_SIZE == 0;
}

static bool spans_equal(const struct catalog_header *a, const struct catalog_header *b)
{
	for (int i = 0; i < CATALOG_SECTION_COUNT; i++)
		if (a->sections[i].offset != b->sections[i].offset)
			return false;
	return a->table.offset == b->table.offset && a->table.size == b->table.size &&
	       a->file_size == b->file_size;
}

/* What a reader needs to know before it believes a digest's place: 0, or -1. */
static int unpack_start(const uint8_t **p, struct err *e)
{
	if (memcmp(*p, CATALOG_MAGIC, MAGIC_SIZE) != 0)
		return refuse("it does not start as one", e);
	*p += MAGIC_SIZE;
	const uint32_t version = le_get32(p);
	if (version != CATALOG_VERSION)
		return err_set(e, ERR_FORMAT, "the catalog has version %u, not %d", version,
			       CATALOG_VERSION);
	if (le_get32(p) != CATALOG_HEADER_SIZE)
		return refuse("its size", e);
	return 0;
}

int catalog_unpack_header(const uint8_t in[static CATALOG_HEADER_SIZE], struct catalog_header *out,
			  struct err *e)
{
	const uint8_t *p = in;
	struct catalog_header h = {0};

	if (unpack_start(&p, e) < 0)
		return -1;
	const struct digest d = hasher_sha256(in, HEADER_DIGEST_AT);
	if (memcmp(d.raw, in + HEADER_DIGEST_AT, DIGEST_SHA256_LEN) != 0)
		return err_set(e, ERR_DIGEST, "the catalog's header does not match its digest");
	if (le_get32(&p) != CATALOG_BLOCK)
		return refuse("the size of its blocks", e);
	h.flags = le_get32(&p);
	h.file_size = le_get64(&p);
	h.content_size = le_get64(&p);
	h.inode_count = le_get32(&p);
	h.dirent_count = le_get32(&p);
	h.layer_count = le_get32(&p);
	if (h.flags > CATALOG_HAS_XATTRS || le_get32(&p) != 0)
		return refuse("unknown flags", e);
	for (int i = 0; i < CATALOG_SECTION_COUNT; i++) {
		h.sections[i].offset = le_get64(&p);
		h.sections[i].size = le_get64(&p);
	}
	h.table.offset = le_get64(&p);
	h.table.size = le_get64(&p);
	memcpy(h.table_sha256, p, DIGEST_SHA256_LEN);
	if (!sizes_agree(&h))
		return refuse("counts and sizes disagree", e);

	struct catalog_header laid_out = h;
	if (!catalog_layout(&laid_out) || !spans_equal(&h, &laid_out))
		return refuse("sections are not where their sizes put them", e);
	*out = h;
	return 0;
}

static uint32_t pack_encoding(enum frame_encoding encoding)
{
	switch (encoding) {
	case FRAME_RAW:
		return ENCODING_RAW;
	case FRAME_GZIP:
		return ENCODING_GZIP;
	case FRAME_ZSTD:
		break;
	}
	return ENCODING_ZSTD;
}

/* False for a number that is none. */
static bool unpack_encoding(uint32_t number, enum frame_encoding *out)
{
	switch (number) {
	case ENCODING_RAW:
		*out = FRAME_RAW;
		return true;
	case ENCODING_ZSTD:
		*out = FRAME_ZSTD;
		return true;
	case ENCODING_GZIP:
		*out = FRAME_GZIP;
		return true;
	default:
		return false;
	}
}

void catalog_pack_layer(const struct catalog_layer_record *l,
			uint8_t out[static CATALOG_LAYER_SIZE])
{
	uint8_t *p = out;

	memset(out, 0, CATALOG_LAYER_SIZE);
	le_put32(&p, l->layer.index.alg);
	le_put32(&p, l->layer.blob.alg);
	le_put32(&p, pack_encoding(l->layer.encoding));
	le_put32(&p, l->layer.is_reframed ? LAYER_REFRAMED : 0);
	le_put64(&p, l->tar_size);
	le_put64(&p, l->first_frame);
	le_put64(&p, l->layer.frame_count);
	memcpy(out + LAYER_INDEX_AT, l->layer.index.raw, DIGEST_RAW_MAX);
	memcpy(out + LAYER_BLOB_AT, l->layer.blob.raw, DIGEST_RAW_MAX);
}

/* False for an unknown algorithm, or bytes behind its digest. */
static bool unpack_digest(uint32_t alg, const uint8_t *raw, struct digest *out)
{
	static const uint8_t zeros[DIGEST_RAW_MAX];

	if (alg != DIGEST_SHA256 && alg != DIGEST_SHA512)
		return false;
	*out = (struct digest){.alg = (enum digest_alg)alg};
	const size_t len = digest_raw_len(out->alg);
	memcpy(out->raw, raw, len);
	return memcmp(raw + len, zeros, DIGEST_RAW_MAX - len) == 0;
}

int catalog_unpack_layer(const uint8_t in[static CATALOG_LAYER_SIZE],
			 struct catalog_layer_record *out, struct err *e)
{
	const uint8_t *p = in;
	const uint32_t index_alg = le_get32(&p);
	const uint32_t blob_alg = le_get32(&p);
	const uint32_t encoding = le_get32(&p);
	const uint32_t flags = le_get32(&p);

	*out = (struct catalog_layer_record){0};
	out->tar_size = le_get64(&p);
	out->first_frame = le_get64(&p);
	out->layer.frame_count = le_get64(&p);
	out->layer.is_reframed = flags == LAYER_REFRAMED;
	if (!unpack_encoding(encoding, &out->layer.encoding) || flags > LAYER_REFRAMED ||
	    !unpack_digest(index_alg, in + LAYER_INDEX_AT, &out->layer.index) ||
	    !unpack_digest(blob_alg, in + LAYER_BLOB_AT, &out->layer.blob))
		return err_set(e, ERR_FORMAT, "a layer record of the catalog is malformed");
	return 0;
}

void catalog_pack_inode(const struct catalog_inode *i, uint8_t out[static CATALOG_INODE_SIZE])
{
	uint8_t *p = out;

	le_put32(&p, i->mode);
	le_put32(&p, i->uid);
	le_put32(&p, i->gid);
	le_put32(&p, i->nlink);
	le_put64(&p, i->size);
	le_put64(&p, (uint64_t)i->mtime);
	le_put32(&p, i->mtime_nsec);
	le_put32(&p, i->xattrs);
	le_put32(&p, i->name);
	le_put16(&p, i->layer);
	le_put16(&p, i->flags);
	le_put64(&p, i->where);
	le_put64(&p, i->data_bytes);
	assert(p == out + CATALOG_INODE_SIZE);
}

void catalog_unpack_inode(const uint8_t in[static CATALOG_INODE_SIZE], struct catalog_inode *out)
{
	const uint8_t *p = in;

	out->mode = le_get32(&p);
	out->uid = le_get32(&p);
	out->gid = le_get32(&p);
	out->nlink = le_get32(&p);
	out->size = le_get64(&p);
	out->mtime = (int64_t)le_get64(&p);
	out->mtime_nsec = le_get32(&p);
	out->xattrs = le_get32(&p);
	out->name = le_get32(&p);
	out->layer = le_get16(&p);
	out->flags = le_get16(&p);
	out->where = le_get64(&p);
	out->data_bytes = le_get64(&p);
}

void catalog_pack_dirent(const struct catalog_dirent_record *d,
			 uint8_t out[static CATALOG_DIRENT_SIZE])
{
	uint8_t *p = out;

	le_put32(&p, d->inode);
	le_put32(&p, d->parent);
	le_put32(&p, d->name_offset);
	*p++ = d->name_len;
	*p++ = d->type;
	le_put16(&p, 0);
}

void catalog_unpack_dirent(const uint8_t in[static CATALOG_DIRENT_SIZE],
			   struct catalog_dirent_record *out)
{
	const uint8_t *p = in;

	out->inode = le_get32(&p);
	out->parent = le_get32(&p);
	out->name_offset = le_get32(&p);
	out->name_len = p[0];
	out->type = p[1];
}

void catalog_pack_extent(const struct extent *x, uint8_t out[static CATALOG_EXTENT_SIZE])
{
	uint8_t *p = out;

	le_put64(&p, x->file_offset);
	le_put64(&p, x->tar_offset);
	le_put64(&p, x->length);
}

void catalog_unpack_extent(const uint8_t in[static CATALOG_EXTENT_SIZE], struct extent *out)
{
	const uint8_t *p = in;

	out->file_offset = le_get64(&p);
	out->tar_offset = le_get64(&p);
	out->length = le_get64(&p);
}

void catalog_pack_frame(const struct frame *f, uint8_t out[static CATALOG_FRAME_SIZE])
{
	uint8_t *p = out;

	le_put64(&p, f->tar_offset);
	le_put64(&p, f->blob_offset);
	le_put32(&p, f->blob_length);
	le_put32(&p, f->length);
	memcpy(p, f->sha256, DIGEST_SHA256_LEN);
}

void catalog_unpack_frame(const uint8_t in[static CATALOG_FRAME_SIZE], struct frame *out)
{
	const uint8_t *p = in;

	out->tar_offset = le_get64(&p);
	out->blob_offset = le_get64(&p);
	out->blob_length = le_get32(&p);
	out->length = le_get32(&p);
	memcpy(out->sha256, p, DIGEST_SHA256_LEN);
}

void catalog_pack_xattr(uint32_t first, uint32_t second, uint8_t out[static CATALOG_XATTR_HEAD])
{
	le_put32(&out, first);
	le_put32(&out, second);
}

void catalog_unpack_xattr(const uint8_t in[static CATALOG_XATTR_HEAD], uint32_t *first,
			  uint32_t *second)
{
	*first = le_get32(&in);
	*second = le_get32(&in);
}

void catalog_pack_link(uint32_t dirent, uint8_t out[static CATALOG_LINK_SIZE])
{
	le_put32(&out, dirent);
}

uint32_t catalog_unpack_link(const uint8_t in[static CATALOG_LINK_SIZE])
{
	return le_get32(&in);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_index_format.h"

#include <assert.h>
#include <string.h>

#include "base/le.h"

static void put_bytes(uint8_t **at, const void *bytes, size_t len)
{
	memcpy(*at, bytes, len);
	*at += len;
}

uint32_t index_pack_encoding(enum frame_encoding encoding)
{
	switch (encoding) {
	case FRAME_RAW:
		return INDEX_RAW;
	case FRAME_GZIP:
		return INDEX_GZIP;
	case FRAME_ZSTD:
		break;
	}
	return INDEX_ZSTD;
}

bool index_unpack_encoding(uint32_t number, enum frame_encoding *out)
{
	switch (number) {
	case INDEX_RAW:
		*out = FRAME_RAW;
		return true;
	case INDEX_ZSTD:
		*out = FRAME_ZSTD;
		return true;
	case INDEX_GZIP:
		*out = FRAME_GZIP;
		return true;
	default:
		return false;
	}
}

void index_pack_stored(uint32_t version, uint64_t size, uint8_t out[static INDEX_STORED_SIZE])
{
	uint8_t *at = out;

	put_bytes(&at, INDEX_MAGIC, INDEX_MAGIC_SIZE);
	le_put32(&at, version);
	le_put32(&at, 0);
	le_put64(&at, size);
	assert(at == out + INDEX_STORED_SIZE);
}

void index_unpack_stored(const uint8_t in[static INDEX_STORED_SIZE], uint32_t *version,
			 uint32_t *zero, uint64_t *size)
{
	in += INDEX_MAGIC_SIZE;
	*version = le_get32(&in);
	*zero = le_get32(&in);
	*size = le_get64(&in);
}

void index_pack_header(const struct index_header *h, uint8_t out[static INDEX_HEADER_SIZE])
{
	uint8_t *at = out;

	put_bytes(&at, INDEX_CONTENT_MAGIC, INDEX_MAGIC_SIZE);
	le_put32(&at, h->version);
	le_put32(&at, h->header_size);
	le_put32(&at, h->encoding);
	le_put32(&at, h->frame_count);
	le_put32(&at, h->entry_count);
	le_put32(&at, h->extent_count);
	le_put64(&at, h->xattrs_size);
	le_put64(&at, h->texts_size);
	le_put64(&at, h->tar_size);
	put_bytes(&at, h->diff_id, sizeof(h->diff_id));
	assert(at == out + INDEX_HEADER_SIZE);
}

void index_unpack_header(const uint8_t in[static INDEX_HEADER_SIZE], struct index_header *out)
{
	in += INDEX_MAGIC_SIZE;
	out->version = le_get32(&in);
	out->header_size = le_get32(&in);
	out->encoding = le_get32(&in);
	out->frame_count = le_get32(&in);
	out->entry_count = le_get32(&in);
	out->extent_count = le_get32(&in);
	out->xattrs_size = le_get64(&in);
	out->texts_size = le_get64(&in);
	out->tar_size = le_get64(&in);
	memcpy(out->diff_id, in, sizeof(out->diff_id));
}

void index_pack_frame(const struct frame *f, uint8_t out[static INDEX_FRAME_SIZE])
{
	uint8_t *at = out;

	le_put64(&at, f->blob_offset);
	le_put32(&at, f->blob_length);
	le_put32(&at, f->length);
	put_bytes(&at, f->sha256, sizeof(f->sha256));
	assert(at == out + INDEX_FRAME_SIZE);
}

void index_unpack_frame(const uint8_t in[static INDEX_FRAME_SIZE], struct frame *out)
{
	out->tar_offset = 0;
	out->blob_offset = le_get64(&in);
	out->blob_length = le_get32(&in);
	out->length = le_get32(&in);
	memcpy(out->sha256, in, sizeof(out->sha256));
}

void index_pack_entry(const struct index_entry *en, uint8_t out[static INDEX_ENTRY_SIZE])
{
	uint8_t *at = out;

	le_put64(&at, en->size);
	le_put64(&at, en->gap);
	le_put64(&at, (uint64_t)en->mtime);
	le_put32(&at, en->mtime_nsec);
	le_put32(&at, en->uid);
	le_put32(&at, en->gid);
	le_put32(&at, en->rdev_major);
	le_put32(&at, en->rdev_minor);
	le_put32(&at, en->xattr_count);
	le_put32(&at, en->extent_count);
	le_put16(&at, en->path_len);
	le_put16(&at, en->link_len);
	le_put16(&at, en->mode);
	*at++ = en->kind;
	*at++ = en->layout;
	assert(at == out + INDEX_ENTRY_SIZE);
}

void index_unpack_entry(const uint8_t in[static INDEX_ENTRY_SIZE], struct index_entry *out)
{
	out->size = le_get64(&in);
	out->gap = le_get64(&in);
	out->mtime = (int64_t)le_get64(&in);
	out->mtime_nsec = le_get32(&in);
	out->uid = le_get32(&in);
	out->gid = le_get32(&in);
	out->rdev_major = le_get32(&in);
	out->rdev_minor = le_get32(&in);
	out->xattr_count = le_get32(&in);
	out->extent_count = le_get32(&in);
	out->path_len = le_get16(&in);
	out->link_len = le_get16(&in);
	out->mode = le_get16(&in);
	out->kind = *in++;
	out->layout = *in;
}

void index_pack_extent(const struct index_extent *x, uint8_t out[static INDEX_EXTENT_SIZE])
{
	uint8_t *at = out;

	le_put64(&at, x->file_offset);
	le_put64(&at, x->length);
	assert(at == out + INDEX_EXTENT_SIZE);
}

void index_unpack_extent(const uint8_t in[static INDEX_EXTENT_SIZE], struct index_extent *out)
{
	out->file_offset = le_get64(&in);
	out->length = le_get64(&in);
}

void index_pack_xattr(const struct index_xattr *x, uint8_t out[static INDEX_XATTR_SIZE])
{
	uint8_t *at = out;

	le_put32(&at, x->value_len);
	*at++ = x->name_len;
	assert(at == out + INDEX_XATTR_SIZE);
}

void index_unpack_xattr(const uint8_t in[static INDEX_XATTR_SIZE], struct index_xattr *out)
{
	out->value_len = le_get32(&in);
	out->name_len = *in;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_index_format.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Each moves `*at` behind the number. */
static void put_u16(uint8_t **at, uint16_t value)
{
	const uint16_t le = htole16(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static void put_u32(uint8_t **at, uint32_t value)
{
	const uint32_t le = htole32(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static void put_u64(uint8_t **at, uint64_t value)
{
	const uint64_t le = htole64(value);

	memcpy(*at, &le, sizeof(le));
	*at += sizeof(le);
}

static void put_bytes(uint8_t **at, const void *bytes, size_t len)
{
	memcpy(*at, bytes, len);
	*at += len;
}

static uint16_t get_u16(const uint8_t **at)
{
	uint16_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le16toh(le);
}

static uint32_t get_u32(const uint8_t **at)
{
	uint32_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le32toh(le);
}

static uint64_t get_u64(const uint8_t **at)
{
	uint64_t le;

	memcpy(&le, *at, sizeof(le));
	*at += sizeof(le);
	return le64toh(le);
}

void index_pack_stored(uint32_t version, uint64_t size, uint8_t out[static INDEX_STORED_SIZE])
{
	uint8_t *at = out;

	put_bytes(&at, INDEX_MAGIC, INDEX_MAGIC_SIZE);
	put_u32(&at, version);
	put_u32(&at, 0);
	put_u64(&at, size);
	assert(at == out + INDEX_STORED_SIZE);
}

void index_unpack_stored(const uint8_t in[static INDEX_STORED_SIZE], uint32_t *version,
			 uint32_t *zero, uint64_t *size)
{
	in += INDEX_MAGIC_SIZE;
	*version = get_u32(&in);
	*zero = get_u32(&in);
	*size = get_u64(&in);
}

void index_pack_header(const struct index_header *h, uint8_t out[static INDEX_HEADER_SIZE])
{
	uint8_t *at = out;

	put_bytes(&at, INDEX_CONTENT_MAGIC, INDEX_MAGIC_SIZE);
	put_u32(&at, h->version);
	put_u32(&at, h->header_size);
	put_u32(&at, h->encoding);
	put_u32(&at, h->frame_count);
	put_u32(&at, h->entry_count);
	put_u32(&at, h->extent_count);
	put_u64(&at, h->xattrs_size);
	put_u64(&at, h->texts_size);
	put_u64(&at, h->tar_size);
	put_bytes(&at, h->diff_id, sizeof(h->diff_id));
	assert(at == out + INDEX_HEADER_SIZE);
}

void index_unpack_header(const uint8_t in[static INDEX_HEADER_SIZE], struct index_header *out)
{
	in += INDEX_MAGIC_SIZE;
	out->version = get_u32(&in);
	out->header_size = get_u32(&in);
	out->encoding = get_u32(&in);
	out->frame_count = get_u32(&in);
	out->entry_count = get_u32(&in);
	out->extent_count = get_u32(&in);
	out->xattrs_size = get_u64(&in);
	out->texts_size = get_u64(&in);
	out->tar_size = get_u64(&in);
	memcpy(out->diff_id, in, sizeof(out->diff_id));
}

void index_pack_frame(const struct frame *f, uint8_t out[static INDEX_FRAME_SIZE])
{
	uint8_t *at = out;

	put_u64(&at, f->blob_offset);
	put_u32(&at, f->blob_length);
	put_u32(&at, f->length);
	put_bytes(&at, f->sha256, sizeof(f->sha256));
	assert(at == out + INDEX_FRAME_SIZE);
}

void index_unpack_frame(const uint8_t in[static INDEX_FRAME_SIZE], struct frame *out)
{
	out->tar_offset = 0;
	out->blob_offset = get_u64(&in);
	out->blob_length = get_u32(&in);
	out->length = get_u32(&in);
	memcpy(out->sha256, in, sizeof(out->sha256));
}

void index_pack_entry(const struct index_entry *en, uint8_t out[static INDEX_ENTRY_SIZE])
{
	uint8_t *at = out;

	put_u64(&at, en->size);
	put_u64(&at, en->gap);
	put_u64(&at, (uint64_t)en->mtime);
	put_u32(&at, en->mtime_nsec);
	put_u32(&at, en->uid);
	put_u32(&at, en->gid);
	put_u32(&at, en->rdev_major);
	put_u32(&at, en->rdev_minor);
	put_u32(&at, en->xattr_count);
	put_u32(&at, en->extent_count);
	put_u16(&at, en->path_len);
	put_u16(&at, en->link_len);
	put_u16(&at, en->mode);
	*at++ = en->kind;
	*at++ = en->layout;
	assert(at == out + INDEX_ENTRY_SIZE);
}

void index_unpack_entry(const uint8_t in[static INDEX_ENTRY_SIZE], struct index_entry *out)
{
	out->size = get_u64(&in);
	out->gap = get_u64(&in);
	out->mtime = (int64_t)get_u64(&in);
	out->mtime_nsec = get_u32(&in);
	out->uid = get_u32(&in);
	out->gid = get_u32(&in);
	out->rdev_major = get_u32(&in);
	out->rdev_minor = get_u32(&in);
	out->xattr_count = get_u32(&in);
	out->extent_count = get_u32(&in);
	out->path_len = get_u16(&in);
	out->link_len = get_u16(&in);
	out->mode = get_u16(&in);
	out->kind = *in++;
	out->layout = *in;
}

void index_pack_extent(const struct index_extent *x, uint8_t out[static INDEX_EXTENT_SIZE])
{
	uint8_t *at = out;

	put_u64(&at, x->file_offset);
	put_u64(&at, x->length);
	assert(at == out + INDEX_EXTENT_SIZE);
}

void index_unpack_extent(const uint8_t in[static INDEX_EXTENT_SIZE], struct index_extent *out)
{
	out->file_offset = get_u64(&in);
	out->length = get_u64(&in);
}

void index_pack_xattr(const struct index_xattr *x, uint8_t out[static INDEX_XATTR_SIZE])
{
	uint8_t *at = out;

	put_u32(&at, x->value_len);
	*at++ = x->name_len;
	assert(at == out + INDEX_XATTR_SIZE);
}

void index_unpack_xattr(const uint8_t in[static INDEX_XATTR_SIZE], struct index_xattr *out)
{
	out->value_len = get_u32(&in);
	out->name_len = *in;
}

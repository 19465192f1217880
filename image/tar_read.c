/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member is one block, or several: extended headers in front (x, L and K; at most one each),
 * then the header proper, then what belongs to a sparse map.  Values are taken by precedence, and
 * only from where they count: a field that a PAX record overrides is not even parsed, because
 * writers leave in it what fits.
 *
 *	PAX record of the member > global PAX record > field of the header
 *
 * GNU long names have no place in this order: beside a PAX name for the same thing readers
 * disagree, so both together are refused.
 */
#include "image/tar_read.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/entry_check.h"
#include "image/holes.h"
#include "image/tar_block.h"
#include "image/tar_pax.h"
#include "image/tar_sparse.h"
#include "image/tar_stream.h"

enum {
	NAME_MAX_USTAR = 155 + 1 + 100, /* prefix, "/", name */
	SYMLINK_MODE = 0777,            /* symlink(7) */
};

enum stage { STAGE_READING, STAGE_ENDED, STAGE_FAILED };

/* Text of a GNU long name or link. */
struct long_text {
	bool is_given;
	struct str text;
};

struct tar_reader {
	struct tar_stream stream;
	struct tar_losses *losses; /* NULL: nobody asks */
	enum stage stage;
	uint64_t left;    /* bytes of the payload */
	uint64_t padding; /* after it */
	uint32_t member_count;

	struct pax global;
	bool has_pax;
	struct pax pax; /* of the coming member; points into `records` */
	struct str records;
	struct long_text long_name, long_link;

	struct tar_block header; /* of the member, or the last one seen */
	uint64_t header_at;
	bool has_path;
	char path[LIMIT_PATH + 1];
	size_t path_len;
	char link[LIMIT_PATH + 1];
	struct tar_sparse sparse; /* of the header or the payload */
	struct extent whole;
};

_Static_assert(LIMIT_SYMLINK <= LIMIT_PATH, "`link` holds both kinds of links");

struct tar_reader *tar_reader_new(const struct tar_input *in, struct err *e)
{
	struct tar_reader *r = array_new(1, sizeof(*r), e);

	if (!r)
		return NULL;
	if (tar_stream_init(&r->stream, in, e) < 0) {
		tar_reader_free(r);
		return NULL;
	}
	r->losses = in->losses;
	return r;
}

void tar_reader_free(struct tar_reader *r)
{
	if (!r)
		return;
	pax_fini(&r->global);
	pax_fini(&r->pax);
	str_fini(&r->records);
	str_fini(&r->long_name.text);
	str_fini(&r->long_link.text);
	tar_sparse_fini(&r->sparse);
	tar_stream_fini(&r->stream);
	free(r);
}

uint64_t tar_reader_offset(const struct tar_reader *r)
{
	return r->stream.offset;
}

/* The content of an extended header, whose size is checked before it is read. */
static int read_extended(struct tar_reader *r, struct str *out, struct err *e)
{
	uint64_t size;

	str_truncate(out, 0);
	if (tar_number(r->header.size, sizeof(r->header.size), INT64_MAX, &size) < 0)
		return err_set(e, ERR_FORMAT, "bad size");
	if (size > LIMIT_PAX)
		return err_set(e, ERR_LIMIT, "extended header of %" PRIu64 " bytes", size);
	if (tar_stream_append(&r->stream, out, size, e) < 0)
		return -1;
	return tar_stream_skip(&r->stream, tar_padding(size), e);
}

static int read_long_text(struct tar_reader *r, struct long_text *t, struct err *e)
{
	if (t->is_given)
		return err_set(e, ERR_FORMAT, "two GNU long names for one member");
	t->is_given = true;
	if (read_extended(r, &t->text, e) < 0)
		return -1;
	const size_t len = tar_text_len(str_text(&t->text), t->text.len);
	if (len == 0)
		return err_set(e, ERR_FORMAT, "an empty GNU long name");
	if (len == t->text.len || !holes_is_zero(t->text.data + len, t->text.len - len))
		return err_set(e, ERR_FORMAT, "a GNU long name that does not end with a NUL");
	str_truncate(&t->text, len);
	return 0;
}

static int read_pax(struct tar_reader *r, struct err *e)
{
	if (r->has_pax)
		return err_set(e, ERR_FORMAT, "two PAX headers for one member");
	r->has_pax = true;
	if (read_extended(r, &r->records, e) < 0)
		return -1;
	return pax_parse(&r->pax, str_text(&r->records), r->records.len, e);
}

static bool has_extended(const struct tar_reader *r)
{
	return r->has_pax || r->long_name.is_given || r->long_link.is_given;
}

static int read_global(struct tar_reader *r, struct err *e)
{
	if (has_extended(r))
		return err_set(e, ERR_FORMAT, "a global header between a member and its own");
	if (read_extended(r, &r->records, e) < 0)
		return -1;
	return pax_parse_global(&r->global, str_text(&r->records), r->records.len, e);
}

/* The name of the volume, which is nothing of the tree. */
static int skip_label(struct tar_reader *r, struct err *e)
{
	const enum tar_dialect dialect = tar_block_dialect(&r->header);
	uint64_t size;

	/* GNU tar leaves the magic out of it. */
	if (dialect != TAR_GNU && dialect != TAR_V7)
		return err_set(e, ERR_FORMAT, "a GNU volume label in another dialect");
	if (has_extended(r))
		return err_set(e, ERR_FORMAT, "an extended header of a volume label");
	/* Readers disagree whether data follows. */
	if (tar_number(r->header.size, sizeof(r->header.size), INT64_MAX, &size) < 0 || size > 0)
		return err_set(e, ERR_FORMAT, "a volume label with a size");
	return 0;
}

/* The first block of zeros has been read: there is another one, and then nothing but zeros. */
static int read_end(struct tar_reader *r, struct err *e)
{
	uint64_t count;

	if (has_extended(r))
		return err_set(e, ERR_FORMAT, "an extended header without a member");
	const int rc = tar_stream_zeros(&r->stream, &count, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_FORMAT, "data after the end of the archive");
	if (count < TAR_BLOCK)
		return err_set(e, ERR_FORMAT, "no second block of zeros at the end");
	r->stage = STAGE_ENDED;
	return 0;
}

/* A number of the member, at most `max`: of a PAX record, or of a field of the header.  0 or -1,
 * without an error. */
static int number(const struct tar_reader *r, enum pax_field pax, const char *field, size_t width,
		  uint64_t max, uint64_t *out)
{
	if (pax_has(&r->pax, pax)) {
		*out = r->pax.values[pax].number;
		return 0;
	}
	if (pax_has(&r->global, pax) && !pax_is_cleared(&r->pax, pax)) {
		*out = r->global.values[pax].number;
		return 0;
	}
	return tar_number(field, width, max, out);
}

static int number_u32(const struct tar_reader *r, enum pax_field pax, const char field[8],
		      uint32_t max, uint32_t *out)
{
	uint64_t value;

	if (number(r, pax, field, sizeof(r->header.uid), max, &value) < 0)
		return -1;
	*out = (uint32_t)value;
	return 0;
}

/* The name in the header: prefix and name by dialect. */
static int header_name(const struct tar_reader *r, char out[static NAME_MAX_USTAR], size_t *len,
		       struct err *e)
{
	const struct tar_block *h = &r->header;
	const size_t name_len = tar_text_len(h->name, sizeof(h->name));
	const enum tar_dialect dialect = tar_block_dialect(h);
	size_t prefix_len = 0;
	int64_t time;

	if (dialect == TAR_USTAR)
		prefix_len = tar_text_len(h->tail.prefix, sizeof(h->tail.prefix));
	else if (dialect == TAR_STAR)
		prefix_len = tar_text_len(h->tail.star.prefix, sizeof(h->tail.star.prefix));
	else if (dialect == TAR_GNU &&
		 (tar_time(h->tail.gnu.access_time, sizeof(h->tail.gnu.access_time), &time) < 0 ||
		  tar_time(h->tail.gnu.change_time, sizeof(h->tail.gnu.change_time), &time) < 0))
		/* Go before 1.8 wrote prefixes here. */
		return err_set(e, ERR_FORMAT, "bad times in a GNU header");
	*len = 0;
	if (prefix_len > 0) {
		memcpy(out, h->tail.prefix, prefix_len);
		out[prefix_len] = '/';
		*len = prefix_len + 1;
	}
	memcpy(out + *len, h->name, name_len);
	*len += name_len;
	return 0;
}

/* Finds the path; `*is_slashed` when its spelling ends with "/". */
static int take_path(struct tar_reader *r, bool *is_slashed, struct err *e)
{
	char name[NAME_MAX_USTAR];
	const char *text = name;
	size_t len = 0;

	const bool has_sparse_name = pax_has(&r->pax, PAX_SPARSE_NAME);
	if (has_sparse_name || pax_has(&r->pax, PAX_PATH)) {
		const struct pax_value *v =
			&r->pax.values[has_sparse_name ? PAX_SPARSE_NAME : PAX_PATH];
		if (r->long_name.is_given)
			return err_set(e, ERR_FORMAT, "both a PAX path and a GNU long name");
		text = v->text;
		len = v->len;
	} else if (r->long_name.is_given) {
		text = r->long_name.text.data;
		len = r->long_name.text.len;
	} else if (header_name(r, name, &len, e) < 0) {
		return -1;
	}
	*is_slashed = len > 0 && text[len - 1] == '/';
	if (entry_canonical_path(text, len, r->path, &r->path_len, e) < 0)
		return -1;
	r->has_path = true;
	return 0;
}

static int kind_of_member(const struct tar_reader *r, bool is_slashed, enum entry_kind *out,
			  struct err *e)
{
	const char type = r->header.type;
	const enum tar_dialect dialect = tar_block_dialect(&r->header);
	char quoted[QUOTE_MAX];

	/* Before POSIX there were no others. */
	if (dialect == TAR_V7 && type != '\0' && !strchr("0125", type))
		return err_set(e, ERR_FORMAT, "unsupported type '%s' in an old header",
			       quote_bytes(quoted, &type, 1));
	switch ((enum tar_type)type) {
	case TAR_REG_OLD:
		*out = is_slashed ? ENTRY_DIR : ENTRY_REG;
		return 0;
	case TAR_REG:
	case TAR_CONTIGUOUS:
		*out = ENTRY_REG;
		return 0;
	case TAR_GNU_SPARSE:
		if (dialect != TAR_GNU)
			break;
		*out = ENTRY_REG;
		return 0;
	case TAR_HARDLINK:
		*out = ENTRY_HARDLINK;
		return 0;
	case TAR_SYMLINK:
		*out = ENTRY_SYMLINK;
		return 0;
	case TAR_CHAR:
		*out = ENTRY_CHAR;
		return 0;
	case TAR_BLOCK_DEVICE:
		*out = ENTRY_BLOCK;
		return 0;
	case TAR_DIR:
		*out = ENTRY_DIR;
		return 0;
	case TAR_FIFO:
		*out = ENTRY_FIFO;
		return 0;
	case TAR_PAX_LOCAL:
	case TAR_PAX_GLOBAL:
	case TAR_GNU_LONG_NAME:
	case TAR_GNU_LONG_LINK:
	case TAR_GNU_LABEL:
		break;
	}
	return err_set(e, ERR_FORMAT, "unsupported type '%s'", quote_bytes(quoted, &type, 1));
}

static int take_link(struct tar_reader *r, struct entry *out, struct err *e)
{
	const char *text = r->header.link;
	size_t len = tar_text_len(text, sizeof(r->header.link));

	if (pax_has(&r->pax, PAX_LINKPATH)) {
		if (r->long_link.is_given)
			return err_set(e, ERR_FORMAT, "both a PAX linkpath and a GNU long link");
		text = r->pax.values[PAX_LINKPATH].text;
		len = r->pax.values[PAX_LINKPATH].len;
	} else if (r->long_link.is_given) {
		text = r->long_link.text.data;
		len = r->long_link.text.len;
	}
	if (len == 0)
		return err_set(e, ERR_FORMAT, "a link without a target");
	out->link = r->link;
	if (out->kind == ENTRY_SYMLINK) {
		if (memchr(text, '\0', len))
			return err_set(e, ERR_FORMAT, "a link target that holds a NUL");
		if (len > LIMIT_SYMLINK)
			return err_set(e, ERR_LIMIT, "a link target of %zu bytes", len);
		memcpy(r->link, text, len);
		r->link[len] = '\0';
		out->link_len = len;
		return 0;
	}
	if (entry_canonical_path(text, len, r->link, &out->link_len, e) < 0)
		return err_wrap(e, "hardlink");
	if (out->link_len == 0)
		return err_set(e, ERR_FORMAT, "a hardlink to the root");
	return 0;
}

static int take_mtime(const struct tar_reader *r, struct entry *out, struct err *e)
{
	const struct pax *from = &r->pax;

	if (!pax_has(from, PAX_MTIME) && !pax_is_cleared(from, PAX_MTIME))
		from = &r->global;
	if (pax_has(from, PAX_MTIME)) {
		out->mtime = from->mtime;
		out->mtime_nsec = from->mtime_nsec;
		return 0;
	}
	if (tar_time(r->header.mtime, sizeof(r->header.mtime), &out->mtime) < 0)
		return err_set(e, ERR_FORMAT, "bad mtime");
	return 0;
}

static int take_attributes(const struct tar_reader *r, struct entry *out, struct err *e)
{
	const struct tar_block *h = &r->header;
	const bool is_device = out->kind == ENTRY_CHAR || out->kind == ENTRY_BLOCK;
	uint64_t mode;

	/* Some writers have the bits of the kind in it. */
	if (tar_number(h->mode, sizeof(h->mode), UINT32_MAX, &mode) < 0)
		return err_set(e, ERR_FORMAT, "bad mode");
	/* Linux gives every link the same; what writers have here nobody can unpack. */
	out->mode = out->kind == ENTRY_SYMLINK ? SYMLINK_MODE : (uint32_t)mode & 07777;
	/* 2^32 - 1 means "leave it" to chown(2). */
	if (number_u32(r, PAX_UID, h->uid, UINT32_MAX - 1, &out->uid) < 0)
		return err_set(e, ERR_FORMAT, "bad uid");
	if (number_u32(r, PAX_GID, h->gid, UINT32_MAX - 1, &out->gid) < 0)
		return err_set(e, ERR_FORMAT, "bad gid");
	if (is_device && (number_u32(r, PAX_DEVMAJOR, h->major, UINT32_MAX, &out->rdev_major) < 0 ||
			  number_u32(r, PAX_DEVMINOR, h->minor, UINT32_MAX, &out->rdev_minor) < 0))
		return err_set(e, ERR_FORMAT, "bad device number");
	out->xattrs = r->pax.xattrs.items;
	out->xattr_count = r->pax.xattrs.count;
	return take_mtime(r, out, e);
}

/* Bytes of payload in the stream, a sparse map included. */
static int take_size(const struct tar_reader *r, enum entry_kind kind, uint64_t *out, struct err *e)
{
	const struct tar_block *h = &r->header;

	*out = 0;
	/* POSIX: no data follows directories, devices and FIFOs, whatever their size says. */
	if (kind != ENTRY_REG && kind != ENTRY_HARDLINK && kind != ENTRY_SYMLINK)
		return 0;
	if (number(r, PAX_SIZE, h->size, sizeof(h->size), INT64_MAX, out) < 0)
		return err_set(e, ERR_FORMAT, "bad size");
	/* Readers disagree whether data follows. */
	if (kind != ENTRY_REG && *out > 0)
		return err_set(e, ERR_FORMAT, "a link with a size");
	if (*out > LIMIT_LAYER_CONTENT || r->stream.offset > LIMIT_LAYER_CONTENT - *out)
		return err_set(e, ERR_LIMIT, "a payload of %" PRIu64 " bytes", *out);
	return 0;
}

static int read_map_block(struct tar_reader *r, void *block, struct err *e)
{
	const int rc = tar_stream_block(&r->stream, block, e);

	return rc != 0 ? rc : err_set(e, ERR_FORMAT, "the archive ends in a sparse map");
}

/* The map of an old GNU sparse member, in its header and the blocks after it. */
static int read_old_map(struct tar_reader *r, uint64_t *size, struct err *e)
{
	const struct tar_block *h = &r->header;
	bool is_extended = h->tail.gnu.is_extended != 0;

	if (tar_number(h->tail.gnu.real_size, sizeof(h->tail.gnu.real_size), INT64_MAX, size) < 0)
		return err_set(e, ERR_FORMAT, "bad size of a sparse file");
	if (tar_sparse_add_fields(&r->sparse, h->tail.gnu.sparse, ARRAY_LEN(h->tail.gnu.sparse),
				  e) < 0)
		return -1;
	while (is_extended) {
		struct tar_sparse_block block;
		if (read_map_block(r, &block, e) < 0)
			return -1;
		if (tar_sparse_add_fields(&r->sparse, block.sparse, ARRAY_LEN(block.sparse), e) < 0)
			return -1;
		is_extended = block.is_extended != 0;
	}
	return 0;
}

/* The map of a 1.0 sparse member, at the start of its payload. */
static int read_new_map(struct tar_reader *r, uint64_t *data_size, struct err *e)
{
	for (;;) {
		char block[TAR_BLOCK];
		if (*data_size < TAR_BLOCK)
			return err_set(e, ERR_FORMAT, "sparse map that does not fit the data");
		if (read_map_block(r, block, e) < 0)
			return -1;
		*data_size -= TAR_BLOCK;
		const int more = tar_sparse_read_block(&r->sparse, block, sizeof(block), e);
		if (more <= 0)
			return more;
	}
}

static bool has_any(const struct pax *p, enum pax_field first, enum pax_field last)
{
	return (p->given & ((1U << (last + 1)) - (1U << first))) != 0;
}

/* The map of a sparse member in PAX records: NULL with the error set, or where it is. */
static struct tar_sparse *pax_map(struct tar_reader *r, uint64_t *size, uint64_t *data_size,
				  struct err *e)
{
	struct pax *p = &r->pax;
	const bool has_version = pax_has(p, PAX_SPARSE_MAJOR) || pax_has(p, PAX_SPARSE_MINOR);

	if (has_version && pax_has(p, PAX_SPARSE_MAJOR) && pax_has(p, PAX_SPARSE_MINOR) &&
	    p->values[PAX_SPARSE_MAJOR].number == 1 && p->values[PAX_SPARSE_MINOR].number == 0 &&
	    pax_has(p, PAX_SPARSE_REALSIZE) && !pax_has(p, PAX_SPARSE_MAP)) {
		*size = p->values[PAX_SPARSE_REALSIZE].number;
		return read_new_map(r, data_size, e) < 0 ? NULL : &r->sparse;
	}
	if (!has_version && pax_has(p, PAX_SPARSE_SIZE) && pax_has(p, PAX_SPARSE_BLOCKS) &&
	    !pax_has(p, PAX_SPARSE_REALSIZE) &&
	    p->values[PAX_SPARSE_BLOCKS].number == p->sparse.seen) {
		*size = p->values[PAX_SPARSE_SIZE].number;
		return &p->sparse;
	}
	err_set(e, ERR_FORMAT, "a sparse member of an unknown version");
	return NULL;
}

static int take_data(struct tar_reader *r, struct entry *out, struct err *e)
{
	struct tar_sparse *map = NULL;
	uint64_t size, data_size;

	if (take_size(r, out->kind, &data_size, e) < 0)
		return -1;
	const bool is_pax_sparse = has_any(&r->pax, PAX_SPARSE_NAME, PAX_SPARSE_MAP);
	const bool is_old_sparse = r->header.type == TAR_GNU_SPARSE;
	if (is_pax_sparse && (is_old_sparse || out->kind != ENTRY_REG))
		return err_set(e, ERR_FORMAT, "a sparse map for what is no regular file");
	size = data_size;
	if (is_old_sparse) {
		map = &r->sparse;
		if (read_old_map(r, &size, e) < 0)
			return -1;
	} else if (is_pax_sparse) {
		map = pax_map(r, &size, &data_size, e);
		if (!map)
			return -1;
	}
	r->left = data_size;
	r->padding = tar_padding(data_size);
	if (out->kind != ENTRY_REG)
		return 0;
	out->size = size;
	out->data_offset = r->stream.offset;
	out->data_size = data_size;
	r->whole = (struct extent){0, r->stream.offset, size};
	out->extents = &r->whole;
	out->extent_count = size > 0;
	if (map) {
		if (tar_sparse_finish(map, size, r->stream.offset, data_size, e) < 0)
			return -1;
		out->extents = map->extents;
		out->extent_count = map->count;
	}
	return 0;
}

static void count_loss(struct tar_loss *loss, const struct entry *en)
{
	if (loss->count++ == 0)
		quote_bytes(loss->first, en->path, en->path_len);
}

static void count_losses(struct tar_reader *r, const struct entry *en)
{
	if (!r->losses)
		return;
	if (r->pax.has_acl)
		count_loss(&r->losses->acls, en);
	/* Of the limit itself nobody will miss a second. */
	if (en->mtime == ENTRY_TIME_MAX || en->mtime == -ENTRY_TIME_MAX)
		count_loss(&r->losses->times, en);
}

static int take_member(struct tar_reader *r, struct entry *out, struct err *e)
{
	struct entry en = {.path = r->path};
	bool is_slashed = false;

	if (++r->member_count > LIMIT_ENTRIES)
		return err_set(e, ERR_LIMIT, "more than %d members", LIMIT_ENTRIES);
	if (take_path(r, &is_slashed, e) < 0 || kind_of_member(r, is_slashed, &en.kind, e) < 0)
		return -1;
	en.path_len = r->path_len;
	if (en.path_len == 0 && en.kind != ENTRY_DIR)
		return err_set(e, ERR_FORMAT, "the root is not a directory");
	if ((en.kind == ENTRY_SYMLINK || en.kind == ENTRY_HARDLINK) && take_link(r, &en, e) < 0)
		return -1;
	if (take_attributes(r, &en, e) < 0 || take_data(r, &en, e) < 0)
		return -1;
	count_losses(r, &en);
	*out = en;
	return 1;
}

/* A block that is not zero: 1 when it was a member, 0 when it belongs to one that is to come. */
static int take_block(struct tar_reader *r, struct entry *out, struct err *e)
{
	if (!tar_block_checksum_is_right(&r->header))
		return err_set(e, ERR_FORMAT, "bad checksum");
	if (tar_block_dialect(&r->header) == TAR_UNKNOWN)
		return err_set(e, ERR_FORMAT, "unknown dialect of tar");
	switch (r->header.type) {
	case TAR_PAX_LOCAL:
		return read_pax(r, e);
	case TAR_PAX_GLOBAL:
		return read_global(r, e);
	case TAR_GNU_LONG_NAME:
		return read_long_text(r, &r->long_name, e);
	case TAR_GNU_LONG_LINK:
		return read_long_text(r, &r->long_link, e);
	case TAR_GNU_LABEL:
		return skip_label(r, e);
	default:
		return take_member(r, out, e);
	}
}

static int next_member(struct tar_reader *r, struct entry *out, struct err *e)
{
	for (;;) {
		r->header_at = r->stream.offset;
		int rc = tar_stream_block(&r->stream, &r->header, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			return err_set(e, ERR_FORMAT, "no blocks of zeros at the end");
		if (tar_block_is_zero(&r->header))
			return read_end(r, e);
		rc = take_block(r, out, e);
		if (rc != 0)
			return rc;
	}
}

static void forget_member(struct tar_reader *r)
{
	r->has_pax = false;
	pax_clear(&r->pax);
	r->long_name.is_given = false;
	r->long_link.is_given = false;
	r->has_path = false;
	tar_sparse_clear(&r->sparse);
	r->left = 0;
	r->padding = 0;
}

/* Says where in the archive the error is; nothing can be read any more. */
static int fail(struct tar_reader *r, struct err *e)
{
	char quoted[QUOTE_MAX];

	r->stage = STAGE_FAILED;
	if (r->stream.has_input_failed || e->code == ERR_NOMEM)
		return -1;
	if (r->has_path)
		return err_wrap(e, "tar member '%s'", quote_bytes(quoted, r->path, r->path_len));
	return err_wrap(e, "tar header at byte %" PRIu64, r->header_at);
}

int tar_reader_next(struct tar_reader *r, struct entry *out, struct err *e)
{
	int rc;

	if (r->stage == STAGE_ENDED)
		return 0;
	if (r->stage == STAGE_FAILED)
		return err_set(e, ERR_FORMAT, "the archive is damaged");
	rc = tar_stream_skip(&r->stream, r->left + r->padding, e);
	if (rc == 0) {
		forget_member(r);
		rc = next_member(r, out, e);
	}
	return rc < 0 ? fail(r, e) : rc;
}

ssize_t tar_reader_read(struct tar_reader *r, void *buf, size_t len, struct err *e)
{
	const size_t want = len < r->left ? len : (size_t)r->left;

	if (want == 0 || r->stage != STAGE_READING)
		return 0;
	const ssize_t n = tar_stream_read(&r->stream, buf, want, e);
	if (n < 0)
		return fail(r, e);
	r->left -= (uint64_t)n;
	return n;
}

bool tar_read_is_header(const uint8_t block[static TAR_READ_BLOCK])
{
	struct tar_block b;

	memcpy(&b, block, sizeof(b));
	return tar_block_checksum_is_right(&b);
}

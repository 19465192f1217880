/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every choice below is a part of the promise that an entry gives the same bytes for ever:
 *
 * - A name of up to 100 bytes (a directory's ends with "/", the root is "./") is in `name`; a
 *   longer one is cut at the last "/" that leaves at most 155 bytes in `prefix`, when the rest fits
 *   `name`; else it is a PAX path, and `name` holds its first 100 bytes.
 * - Numbers are octal with leading zeros and a NUL; one that does not fit is a PAX record, and 0.
 * - A time with nanoseconds, before 1970 or beyond 33 bits is a PAX mtime; the field holds the
 *   seconds if it can, else 0.
 * - PAX records are sorted by key.  Their header is named "PaxHeaders/" and the last component of
 *   the path (cut to fit; "." for the root); its mode is 0644, all other numbers are 0.
 */
#include "image/tar_write.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "image/entry_check.h"
#include "image/tar_block.h"
#include "image/tar_xattr.h"

enum {
	PAX_MODE = 0644,
	DECIMAL_MAX = 20 /* digits of 2^64 */ + 1,
	TIME_TEXT_MAX = DECIMAL_MAX + 1 /* sign */ + 1 /* point */ + 9 /* digits */,
};

/* Appends "LENGTH KEY=VALUE\n", whose length counts its own digits. */
static int put_record(struct str *out, const char *key, size_t key_len, const void *value,
		      size_t value_len, struct err *e)
{
	const size_t rest = 1 + key_len + 1 + value_len + 1;
	size_t digits = 1, total;

	for (;;) {
		char text[DECIMAL_MAX];
		total = rest + digits;
		const size_t needed = (size_t)snprintf(text, sizeof(text), "%zu", total);
		if (needed == digits)
			break;
		digits = needed;
	}
	if (out->len + total > LIMIT_PAX)
		return err_set(e, ERR_LIMIT, "PAX records of more than %" PRIu64 " bytes",
			       LIMIT_PAX);
	if (str_appendf(out, e, "%zu ", total) < 0 || str_append(out, key, key_len, e) < 0 ||
	    str_append_c(out, '=', e) < 0 || str_append(out, value, value_len, e) < 0)
		return -1;
	return str_append_c(out, '\n', e);
}

static int put_text(struct str *out, const char *key, const char *text, size_t len, struct err *e)
{
	return put_record(out, key, strlen(key), text, len, e);
}

static int put_number(struct str *out, const char *key, uint64_t number, struct err *e)
{
	char text[DECIMAL_MAX];
	const int len = snprintf(text, sizeof(text), "%" PRIu64, number);

	return put_text(out, key, text, (size_t)len, e);
}

static int put_time(struct str *out, int64_t seconds, uint32_t nanoseconds, struct err *e)
{
	char text[TIME_TEXT_MAX];
	/* The sign is of the whole number: 1.75 s before 1970 is -2 s and 250000000 ns. */
	const bool is_negative = seconds < 0;
	if (is_negative && nanoseconds > 0) {
		seconds++;
		nanoseconds = (uint32_t)ENTRY_NSEC_MAX + 1 - nanoseconds;
	}
	int len = snprintf(text, sizeof(text), "%s%" PRIi64, is_negative ? "-" : "",
			   is_negative ? -seconds : seconds);
	if (nanoseconds > 0) {
		len += snprintf(text + len, sizeof(text) - (size_t)len, ".%09" PRIu32, nanoseconds);
		while (text[len - 1] == '0')
			len--;
	}
	return put_text(out, "mtime", text, (size_t)len, e);
}

/* Where a byte of a name is in the order of keys, which have "=" as "%3D" and "%" as "%25". */
static int key_rank(char c)
{
	return c == '=' ? 2 * '%' + 1 : 2 * (unsigned char)c;
}

static int compare_keys(const void *a, const void *b)
{
	const struct xattr *x = a, *y = b;

	for (size_t i = 0; i < x->name_len && i < y->name_len; i++) {
		if (x->name[i] != y->name[i])
			return key_rank(x->name[i]) - key_rank(y->name[i]);
	}
	return x->name_len < y->name_len ? -1 : x->name_len > y->name_len;
}

static int put_xattrs(struct str *out, const struct entry *en, struct err *e)
{
	SCOPE(str) struct str key = STR_INIT;

	if (en->xattr_count == 0)
		return 0;
	SCOPE_FREE struct xattr *sorted = array_new(en->xattr_count, sizeof(*sorted), e);
	if (!sorted)
		return -1;
	memcpy(sorted, en->xattrs, en->xattr_count * sizeof(*sorted));
	qsort(sorted, en->xattr_count, sizeof(*sorted), compare_keys);
	for (size_t i = 0; i < en->xattr_count; i++) {
		const struct xattr *x = &sorted[i];
		str_truncate(&key, 0);
		if (str_append_z(&key, TAR_XATTR_SCHILY, e) < 0 ||
		    tar_xattr_key_append(&key, x->name, x->name_len, e) < 0 ||
		    put_record(out, key.data, key.len, x->value, x->value_len, e) < 0)
			return -1;
	}
	return 0;
}

/* The header block and the PAX records that say what it cannot. */
struct draft {
	struct tar_block block;
	bool has_path, has_link, has_size, has_uid, has_gid, has_mtime;
	struct str name; /* as an archive has it */
};

/* In the order of their keys. */
static int put_records(struct str *out, const struct draft *d, const struct entry *en,
		       struct err *e)
{
	const bool is_binary = (d->has_path && !utf8_is_valid(d->name.data, d->name.len)) ||
			       (d->has_link && !utf8_is_valid(en->link, en->link_len));

	if (put_xattrs(out, en, e) < 0)
		return -1;
	if (d->has_gid && put_number(out, "gid", en->gid, e) < 0)
		return -1;
	if (is_binary && put_text(out, "hdrcharset", "BINARY", strlen("BINARY"), e) < 0)
		return -1;
	if (d->has_link && put_text(out, "linkpath", en->link, en->link_len, e) < 0)
		return -1;
	if (d->has_mtime && put_time(out, en->mtime, en->mtime_nsec, e) < 0)
		return -1;
	if (d->has_path && put_text(out, "path", d->name.data, d->name.len, e) < 0)
		return -1;
	if (d->has_size && put_number(out, "size", en->size, e) < 0)
		return -1;
	return d->has_uid ? put_number(out, "uid", en->uid, e) : 0;
}

/* The name as an archive has it, into the fields that take it. */
static int draft_name(struct draft *d, const struct entry *en, struct err *e)
{
	struct tar_block *b = &d->block;
	size_t slash;

	if (en->path_len == 0) {
		if (str_append_c(&d->name, '.', e) < 0)
			return -1;
	} else if (str_append(&d->name, en->path, en->path_len, e) < 0) {
		return -1;
	}
	if (en->kind == ENTRY_DIR && str_append_c(&d->name, '/', e) < 0)
		return -1;

	const char *name = d->name.data;
	const size_t len = d->name.len;
	if (len <= sizeof(b->name)) {
		memcpy(b->name, name, len);
		return 0;
	}
	/* A directory's own "/" is no place to cut. */
	slash = len - 2 < sizeof(b->tail.prefix) ? len - 2 : sizeof(b->tail.prefix);
	while (slash > 0 && name[slash] != '/')
		slash--;
	if (slash > 0 && len - slash - 1 <= sizeof(b->name)) {
		memcpy(b->tail.prefix, name, slash);
		memcpy(b->name, name + slash + 1, len - slash - 1);
		return 0;
	}
	d->has_path = true;
	memcpy(b->name, name, sizeof(b->name));
	return 0;
}

static void draft_link(struct draft *d, const struct entry *en)
{
	struct tar_block *b = &d->block;

	if (en->kind != ENTRY_SYMLINK && en->kind != ENTRY_HARDLINK)
		return;
	d->has_link = en->link_len > sizeof(b->link);
	memcpy(b->link, en->link, d->has_link ? sizeof(b->link) : en->link_len);
}

/* Fills a number field; with 0 when it is too small, and then the answer is true. */
static bool number_overflows(char *field, size_t width, uint64_t number)
{
	if (tar_put_number(field, width, number))
		return false;
	tar_put_number(field, width, 0);
	return true;
}

static char type_of_kind(enum entry_kind kind)
{
	switch (kind) {
	case ENTRY_REG:
		return TAR_REG;
	case ENTRY_DIR:
		return TAR_DIR;
	case ENTRY_SYMLINK:
		return TAR_SYMLINK;
	case ENTRY_HARDLINK:
		return TAR_HARDLINK;
	case ENTRY_CHAR:
		return TAR_CHAR;
	case ENTRY_BLOCK:
		return TAR_BLOCK_DEVICE;
	case ENTRY_FIFO:
		return TAR_FIFO;
	}
	return TAR_REG;
}

static int draft_numbers(struct draft *d, const struct entry *en, struct err *e)
{
	struct tar_block *b = &d->block;
	const bool is_device = en->kind == ENTRY_CHAR || en->kind == ENTRY_BLOCK;
	const bool is_early = en->mtime < 0;
	char quoted[QUOTE_MAX];

	tar_put_number(b->mode, sizeof(b->mode), en->mode);
	d->has_uid = number_overflows(b->uid, sizeof(b->uid), en->uid);
	d->has_gid = number_overflows(b->gid, sizeof(b->gid), en->gid);
	d->has_size = number_overflows(b->size, sizeof(b->size), en->size);
	d->has_mtime =
		number_overflows(b->mtime, sizeof(b->mtime), is_early ? 0 : (uint64_t)en->mtime);
	d->has_mtime = d->has_mtime || is_early || en->mtime_nsec > 0;
	if (!tar_put_number(b->major, sizeof(b->major), is_device ? en->rdev_major : 0) ||
	    !tar_put_number(b->minor, sizeof(b->minor), is_device ? en->rdev_minor : 0))
		return err_set(e, ERR_FORMAT, "'%s' is a device whose number does not fit in tar",
			       quote_bytes(quoted, en->path, en->path_len));
	return 0;
}

static void finish_block(struct tar_block *b, char type)
{
	b->type = type;
	memcpy(b->magic, "ustar", sizeof(b->magic));
	memcpy(b->version, "00", sizeof(b->version));
	tar_block_set_checksum(b);
}

static int put_pax(struct str *out, const struct str *records, const struct entry *en,
		   struct err *e)
{
	static const char folder[] = "PaxHeaders/";
	struct tar_block b;
	const char *slash = memrchr(en->path, '/', en->path_len);
	const char *base = slash ? slash + 1 : en->path;
	size_t base_len = (size_t)(en->path + en->path_len - base);

	if (base_len == 0) {
		base = ".";
		base_len = 1;
	}
	memset(&b, 0, sizeof(b));
	if (base_len > sizeof(b.name) - strlen(folder))
		base_len = sizeof(b.name) - strlen(folder);
	memcpy(b.name, folder, strlen(folder));
	memcpy(b.name + strlen(folder), base, base_len);
	tar_put_number(b.mode, sizeof(b.mode), PAX_MODE);
	tar_put_number(b.uid, sizeof(b.uid), 0);
	tar_put_number(b.gid, sizeof(b.gid), 0);
	tar_put_number(b.size, sizeof(b.size), records->len);
	tar_put_number(b.mtime, sizeof(b.mtime), 0);
	tar_put_number(b.major, sizeof(b.major), 0);
	tar_put_number(b.minor, sizeof(b.minor), 0);
	finish_block(&b, TAR_PAX_LOCAL);
	if (str_append(out, &b, sizeof(b), e) < 0 ||
	    str_append(out, records->data, records->len, e) < 0)
		return -1;
	return str_append_zeros(out, tar_padding(records->len), e);
}

static int append(struct str *out, struct draft *d, const struct entry *en, struct err *e)
{
	SCOPE(str) struct str records = STR_INIT;

	if (draft_name(d, en, e) < 0 || draft_numbers(d, en, e) < 0)
		return -1;
	draft_link(d, en);
	finish_block(&d->block, type_of_kind(en->kind));
	if (put_records(&records, d, en, e) < 0 ||
	    (records.len > 0 && put_pax(out, &records, en, e) < 0))
		return -1;
	return str_append(out, &d->block, sizeof(d->block), e);
}

int tar_header_append(struct str *out, const struct entry *en, struct err *e)
{
	const size_t before = out->len;
	struct draft d;
	int rc;

	if (entry_check(en, e) < 0)
		return -1;
	memset(&d, 0, sizeof(d));
	rc = append(out, &d, en, e);
	if (rc < 0 && out->data)
		str_truncate(out, before);
	str_fini(&d.name);
	return rc;
}

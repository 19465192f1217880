/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_pax.h"

#include <string.h>

#include "base/quote.h"
#include "base/str.h"
#include "image/entry_check.h"

enum { DECIMAL = 10, NSEC_DIGITS = 9 };

#define NSEC_PER_SEC   1000000000U
#define WINDOWS_PREFIX "MSWINDOWS."

enum pax_kind {
	KIND_IGNORED,
	KIND_TEXT,
	KIND_NUMBER,
	KIND_ID,
	KIND_DEVICE,
	KIND_TIME,
	KIND_CHARSET,
	KIND_SPARSE_OFFSET,
	KIND_SPARSE_LENGTH,
	KIND_SPARSE_LIST,
	KIND_SELINUX,
	KIND_ACL,
};

struct pax_key {
	const char *name;
	enum pax_kind kind;
	enum pax_field field; /* PAX_FIELD_COUNT: of none */
	bool may_be_global;
};

/* clang-format off */
static const struct pax_key keys[] = {
	{"path",                        KIND_TEXT,          PAX_PATH,            false},
	{"linkpath",                    KIND_TEXT,          PAX_LINKPATH,        false},
	{"size",                        KIND_NUMBER,        PAX_SIZE,            false},
	{"uid",                         KIND_ID,            PAX_UID,             true},
	{"gid",                         KIND_ID,            PAX_GID,             true},
	{"mtime",                       KIND_TIME,          PAX_MTIME,           true},
	{"hdrcharset",                  KIND_CHARSET,       PAX_FIELD_COUNT,     true},
	{"SCHILY.devmajor",             KIND_DEVICE,        PAX_DEVMAJOR,        false},
	{"SCHILY.devminor",             KIND_DEVICE,        PAX_DEVMINOR,        false},
	{TAR_XATTR_SELINUX,             KIND_SELINUX,       PAX_FIELD_COUNT,     false},
	{"GNU.sparse.name",             KIND_TEXT,          PAX_SPARSE_NAME,     false},
	{"GNU.sparse.major",            KIND_NUMBER,        PAX_SPARSE_MAJOR,    false},
	{"GNU.sparse.minor",            KIND_NUMBER,        PAX_SPARSE_MINOR,    false},
	{"GNU.sparse.size",             KIND_NUMBER,        PAX_SPARSE_SIZE,     false},
	{"GNU.sparse.realsize",         KIND_NUMBER,        PAX_SPARSE_REALSIZE, false},
	{"GNU.sparse.numblocks",        KIND_NUMBER,        PAX_SPARSE_BLOCKS,   false},
	{"GNU.sparse.offset",           KIND_SPARSE_OFFSET, PAX_FIELD_COUNT,     false},
	{"GNU.sparse.numbytes",         KIND_SPARSE_LENGTH, PAX_FIELD_COUNT,     false},
	{"GNU.sparse.map",              KIND_SPARSE_LIST,   PAX_SPARSE_MAP,      false},
	/* Names of owners, other times, and what the source's file system knew of the file. */
	{"uname",                       KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"gname",                       KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"atime",                       KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"ctime",                       KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"comment",                     KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"charset",                     KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"SCHILY.dev",                  KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"SCHILY.ino",                  KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"SCHILY.nlink",                KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"SCHILY.fflags",               KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"SCHILY.acl.access",           KIND_ACL,           PAX_FIELD_COUNT,     true},
	{"SCHILY.acl.default",          KIND_ACL,           PAX_FIELD_COUNT,     true},
	{"SCHILY.acl.ace",              KIND_ACL,           PAX_FIELD_COUNT,     true},
	{"LIBARCHIVE.creationtime",     KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	{"LIBARCHIVE.symlinktype",      KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	/* Of the volume; what GNU tar knows of a part of several is refused. */
	{"GNU.volume.label",            KIND_IGNORED,       PAX_FIELD_COUNT,     true},
	/* Of the file's content, in packages of Alpine that some tools turn into layers. */
	{"APK-TOOLS.checksum.SHA1",     KIND_IGNORED,       PAX_FIELD_COUNT,     true},
};
/* clang-format on */

/* What TAR_XATTR_SELINUX is the value of. */
static const char selinux_name[] = "security.selinux";

/* One record; borrowed. */
struct record {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

void pax_clear(struct pax *p)
{
	p->given = 0;
	p->cleared = 0;
	p->has_acl = false;
	tar_xattrs_clear(&p->xattrs);
	tar_sparse_clear(&p->sparse);
}

void pax_fini(struct pax *p)
{
	tar_xattrs_fini(&p->xattrs);
	tar_sparse_fini(&p->sparse);
	memset(p, 0, sizeof(*p));
}

static int refuse(const struct record *r, const char *why, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_set(e, ERR_FORMAT, "PAX key '%s' %s", quote_bytes(quoted, r->key, r->key_len),
		       why);
}

static bool has_text(const char *bytes, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static bool has_prefix(const struct record *r, const char *prefix)
{
	return r->key_len >= strlen(prefix) && memcmp(r->key, prefix, strlen(prefix)) == 0;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Nanoseconds of ".123"; `*is_more` when digits that are not 0 follow the ninth. */
static int fraction(const char *text, size_t len, uint32_t *nanoseconds, bool *is_more)
{
	uint32_t value = 0;

	*is_more = false;
	for (size_t i = 0; i < len || i < NSEC_DIGITS; i++) {
		const int c = i < len ? text[i] : '0';
		if (!is_digit(c))
			return -1;
		if (i < NSEC_DIGITS)
			value = value * DECIMAL + (uint32_t)(c - '0');
		else
			*is_more = *is_more || c != '0';
	}
	*nanoseconds = value;
	return 0;
}

int pax_time(const char *text, size_t len, int64_t *seconds, uint32_t *nanoseconds)
{
	const bool is_negative = len > 0 && text[0] == '-';
	int64_t s = 0;
	uint32_t ns = 0;
	bool is_more = false;
	size_t i = is_negative;

	if (i == len || !is_digit(text[i]))
		return -1;
	for (; i < len && is_digit(text[i]); i++)
		s = s > ENTRY_TIME_MAX / DECIMAL ? ENTRY_TIME_MAX : s * DECIMAL + (text[i] - '0');
	if (i < len && (text[i] != '.' || fraction(text + i + 1, len - i - 1, &ns, &is_more) < 0))
		return -1;
	if (s >= ENTRY_TIME_MAX) {
		s = ENTRY_TIME_MAX;
		ns = 0;
		is_more = false;
	}
	if (is_negative) {
		/* "the greatest time not greater than the value" */
		ns += is_more;
		s = -s - (ns > 0);
		ns = ns > 0 ? (uint32_t)ENTRY_NSEC_MAX + 1 - ns : 0;
	}
	*seconds = s;
	*nanoseconds = ns;
	return 0;
}

static int parse_number(const struct record *r, uint64_t max, uint64_t *out, struct err *e)
{
	if (str_to_u64(r->value, r->value_len, DECIMAL, max, out) < 0)
		return refuse(r, "has a bad number", e);
	return 0;
}

static int parse_charset(const struct record *r, struct err *e)
{
	if (r->value_len == 0 || has_text(r->value, r->value_len, "BINARY") ||
	    has_text(r->value, r->value_len, "ISO-IR 10646 2000 UTF-8"))
		return 0;
	return refuse(r, "names a charset that nobody knows", e);
}

/* Ranges of maps 0.0 are records of their own, and come many times. */
static int parse_sparse_number(struct pax *p, const struct pax_key *key, const struct record *r,
			       struct err *e)
{
	uint64_t number;

	if (parse_number(r, INT64_MAX, &number, e) < 0)
		return -1;
	if (pax_has(p, PAX_SPARSE_MAP) && p->values[PAX_SPARSE_MAP].text)
		return refuse(r, "is there beside another map", e);
	p->given |= 1U << PAX_SPARSE_MAP;
	p->values[PAX_SPARSE_MAP].text = NULL;
	return key->kind == KIND_SPARSE_OFFSET ? tar_sparse_add_offset(&p->sparse, number, e)
					       : tar_sparse_add_length(&p->sparse, number, e);
}

static int add_xattr(struct pax *p, enum tar_xattr_source source, const char *key, size_t key_len,
		     const struct record *r, struct err *e)
{
	const struct tar_xattr_record record = {source, key, key_len, r->value, r->value_len};

	return tar_xattrs_add(&p->xattrs, &record, e);
}

static int parse_value(struct pax *p, const struct pax_key *key, const struct record *r,
		       struct err *e)
{
	struct pax_value *v = &p->values[key->field];

	v->text = r->value;
	v->len = r->value_len;
	switch (key->kind) {
	case KIND_NUMBER:
		return parse_number(r, INT64_MAX, &v->number, e);
	case KIND_ID:
		/* 2^32 - 1 means "leave it" to chown(2). */
		return parse_number(r, UINT32_MAX - 1, &v->number, e);
	case KIND_DEVICE:
		return parse_number(r, UINT32_MAX, &v->number, e);
	case KIND_TIME:
		if (pax_time(r->value, r->value_len, &p->mtime, &p->mtime_nsec) < 0)
			return refuse(r, "has a bad time", e);
		return 0;
	case KIND_SPARSE_LIST:
		return tar_sparse_add_list(&p->sparse, r->value, r->value_len, e);
	case KIND_TEXT:
	case KIND_IGNORED:
	case KIND_CHARSET:
	case KIND_SPARSE_OFFSET:
	case KIND_SPARSE_LENGTH:
	case KIND_SELINUX:
	case KIND_ACL:
		break;
	}
	return 0;
}

static int parse_known(struct pax *p, const struct pax_key *key, const struct record *r,
		       struct err *e)
{
	switch (key->kind) {
	case KIND_IGNORED:
		return 0;
	case KIND_ACL:
		p->has_acl = p->has_acl || r->value_len > 0;
		return 0;
	case KIND_CHARSET:
		return parse_charset(r, e);
	case KIND_SPARSE_OFFSET:
	case KIND_SPARSE_LENGTH:
		return parse_sparse_number(p, key, r, e);
	case KIND_SELINUX:
		return add_xattr(p, TAR_XATTR_FROM_SELINUX, selinux_name, strlen(selinux_name), r,
				 e);
	case KIND_TEXT:
	case KIND_NUMBER:
	case KIND_ID:
	case KIND_DEVICE:
	case KIND_TIME:
	case KIND_SPARSE_LIST:
		break;
	}
	const uint32_t bit = 1U << key->field;
	if ((p->given | p->cleared) & bit)
		return refuse(r, "is there twice", e);
	if (r->value_len == 0) {
		p->cleared |= bit;
		return 0;
	}
	p->given |= bit;
	return parse_value(p, key, r, e);
}

static int parse_record(struct pax *p, const struct record *r, bool is_global, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (!has_text(r->key, r->key_len, keys[i].name))
			continue;
		if (is_global && !keys[i].may_be_global)
			return refuse(r, "is in a global header", e);
		return parse_known(p, &keys[i], r, e);
	}
	if (has_prefix(r, WINDOWS_PREFIX))
		return refuse(r, "is of a Windows layer", e);

	const bool is_schily = has_prefix(r, TAR_XATTR_SCHILY);
	if (!is_schily && !has_prefix(r, TAR_XATTR_LIBARCHIVE))
		return refuse(r, "is unknown", e);
	if (is_global)
		return refuse(r, "is in a global header", e);
	const size_t prefix = strlen(is_schily ? TAR_XATTR_SCHILY : TAR_XATTR_LIBARCHIVE);
	return add_xattr(p, is_schily ? TAR_XATTR_FROM_SCHILY : TAR_XATTR_FROM_LIBARCHIVE,
			 r->key + prefix, r->key_len - prefix, r, e);
}

/* The record at the start of `text`: its length, or 0. */
static size_t split_record(const char *text, size_t len, struct record *out)
{
	uint64_t total;
	const char *blank = memchr(text, ' ', len);

	if (!blank || str_to_u64(text, (size_t)(blank - text), DECIMAL, (uint64_t)len, &total) < 0)
		return 0;
	const char *end = text + total;
	out->key = blank + 1;
	if (end <= out->key || end[-1] != '\n')
		return 0;
	const char *equals = memchr(out->key, '=', (size_t)(end - out->key));
	if (!equals || equals == out->key)
		return 0;
	out->key_len = (size_t)(equals - out->key);
	out->value = equals + 1;
	out->value_len = (size_t)(end - 1 - out->value);
	return (size_t)total;
}

static int parse_records(struct pax *p, const char *text, size_t len, bool is_global, struct err *e)
{
	while (len > 0) {
		struct record r;
		const size_t n = split_record(text, len, &r);
		if (n == 0)
			return err_set(e, ERR_FORMAT, "malformed PAX record");
		if (parse_record(p, &r, is_global, e) < 0)
			return -1;
		text += n;
		len -= n;
	}
	return 0;
}

int pax_parse(struct pax *p, const char *records, size_t len, struct err *e)
{
	if (parse_records(p, records, len, false, e) < 0)
		return -1;
	return tar_xattrs_finish(&p->xattrs, e);
}

int pax_parse_global(struct pax *p, const char *records, size_t len, struct err *e)
{
	const uint32_t before = p->given;

	/* A key may be in each of several global headers, but not twice in one. */
	p->given = 0;
	p->cleared = 0;
	if (parse_records(p, records, len, true, e) < 0)
		return -1;
	p->given |= before & ~p->cleared;
	p->cleared = 0;
	return 0;
}

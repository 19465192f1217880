/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/accounts.h"

#include <string.h>

#include "base/limits.h"
#include "base/quote.h"
#include "base/strlist.h"
#include "base/suggest.h"

enum {
	ACCOUNTS_FILE_MAX = 4 * 1024 * 1024, /* bytes of a passwd or group file */
	ID_FIELD = 2,                        /* name:password:id:... in both files */
	GROUP_FIELD = 3,                     /* of passwd: the primary group */
};

static const char passwd_file[] = "/etc/passwd";
static const char group_file[] = "/etc/group";

/* 2^32 - 1 means "leave it" to chown(2). */
#define ID_MAX (UINT32_MAX - 1)

/* A field of the line [line, end) that is an id. */
static bool read_id(const char *line, const char *end, int index, uint32_t *out)
{
	const char *field = line;
	uint64_t id;

	for (int i = 0; field && i < index; i++) {
		field = memchr(field, ':', (size_t)(end - field));
		field = field ? field + 1 : NULL;
	}
	if (!field)
		return false;
	const char *stop = memchr(field, ':', (size_t)(end - field));
	if (str_to_u64(field, (size_t)((stop ? stop : end) - field), 10, ID_MAX, &id) < 0)
		return false;
	*out = (uint32_t)id;
	return true;
}

/* The first line that starts with `name` and has an id; NULL. */
static const char *find_line(const char *text, const char *name, size_t name_len, uint32_t *out)
{
	/* Such a name would match several fields at once. */
	if (memchr(name, ':', name_len))
		return NULL;
	while (text && *text) {
		const char *end = strchrnul(text, '\n');
		if ((size_t)(end - text) > name_len && text[name_len] == ':' &&
		    memcmp(text, name, name_len) == 0 && read_id(text, end, ID_FIELD, out))
			return text;
		text = *end ? end + 1 : NULL;
	}
	return NULL;
}

/* "no user 'wwww-data' in /etc/passwd of the image (did you mean 'www-data'?)" */
static int set_unknown(const char *text, const char *file, const char *what, const char *name,
		       size_t len, struct err *e)
{
	SCOPE(strlist) struct strlist known = STRLIST_INIT;
	struct err ignored = ERR_INIT;
	char q[QUOTE_MAX], q_near[QUOTE_MAX];

	SCOPE_FREE char *wanted = str_dup_n(name, len, e);
	if (!wanted)
		return -1;
	while (*text && ignored.code == ERR_NONE) {
		SCOPE_FREE char *one = str_dup_n(text, strcspn(text, ":\n"), &ignored);
		if (one)
			strlist_add(&known, one, &ignored);
		text = strchrnul(text, '\n');
		text += *text != '\0';
	}
	err_clear(&ignored);
	const char *near = suggest_nearest(wanted, (const char *const *)known.items, known.count);
	if (!near)
		return err_set(e, ERR_NOT_FOUND, "no %s '%s' in %s of the image", what,
			       quote_bytes(q, name, len), file);
	return err_set(e, ERR_NOT_FOUND, "no %s '%s' in %s of the image (did you mean '%s'?)", what,
		       quote_bytes(q, name, len), file, quote_str(q_near, near));
}

static bool read_number(const char *text, size_t len, uint32_t *out)
{
	uint64_t id;

	if (str_to_u64(text, len, 10, ID_MAX, &id) < 0)
		return false;
	*out = (uint32_t)id;
	return true;
}

/* `gid` NULL: a group is given.  A number alone is the group's, too. */
static int resolve_user(const struct stage *st, const char *name, size_t len, uint32_t *uid,
			uint32_t *gid, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	char q[QUOTE_MAX];

	if (read_number(name, len, uid)) {
		if (gid)
			*gid = *uid;
		return 0;
	}
	if (stage_read_file(st, passwd_file, ACCOUNTS_FILE_MAX, &text, e) < 0)
		return -1;
	const char *line = find_line(str_text(&text), name, len, uid);
	if (!line)
		return set_unknown(str_text(&text), passwd_file, "user", name, len, e);
	if (gid && !read_id(line, strchrnul(line, '\n'), GROUP_FIELD, gid))
		return err_set(e, ERR_NOT_FOUND,
			       "user '%s' has no group in %s of the image (user:group names one)",
			       quote_bytes(q, name, len), passwd_file);
	return 0;
}

static int resolve_group(const struct stage *st, const char *name, uint32_t *gid, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	const size_t len = strlen(name);

	if (read_number(name, len, gid))
		return 0;
	if (stage_read_file(st, group_file, ACCOUNTS_FILE_MAX, &text, e) < 0)
		return -1;
	if (find_line(str_text(&text), name, len, gid))
		return 0;
	return set_unknown(str_text(&text), group_file, "group", name, len, e);
}

int accounts_owner(const struct stage *st, const char *text, struct owner *out, struct err *e)
{
	struct owner o = {0, 0};

	if (!text || !*text) {
		*out = o;
		return 0;
	}
	const size_t user_len = strcspn(text, ":");
	const char *group = text[user_len] ? text + user_len + 1 : NULL;
	if (resolve_user(st, text, user_len, &o.uid, group ? NULL : &o.gid, e) < 0 ||
	    (group && resolve_group(st, group, &o.gid, e) < 0))
		return -1;
	*out = o;
	return 0;
}

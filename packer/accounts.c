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
};

/* 2^32 - 1 means "leave it" to chown(2). */
#define ID_MAX (UINT32_MAX - 1)

/* The id field of the line that starts with `name`: 1, 0 no such line. */
static int find_id(const char *text, const char *name, size_t name_len, uint32_t *out)
{
	/* Such a name would match several fields at once. */
	if (memchr(name, ':', name_len))
		return 0;
	while (text && *text) {
		const char *end = strchrnul(text, '\n');
		const char *field = text;
		uint64_t id;

		for (int i = 0; field && i < ID_FIELD; i++) {
			field = memchr(field, ':', (size_t)(end - field));
			field = field ? field + 1 : NULL;
		}
		if (field && (size_t)(end - text) > name_len && text[name_len] == ':' &&
		    memcmp(text, name, name_len) == 0) {
			const char *stop = memchr(field, ':', (size_t)(end - field));
			if (str_to_u64(field, (size_t)((stop ? stop : end) - field), 10, ID_MAX,
				       &id) == 0) {
				*out = (uint32_t)id;
				return 1;
			}
		}
		text = *end ? end + 1 : NULL;
	}
	return 0;
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

static int resolve(const struct stage *st, const char *file, const char *what, const char *name,
		   size_t len, uint32_t *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	uint64_t id;

	if (str_to_u64(name, len, 10, ID_MAX, &id) == 0) {
		*out = (uint32_t)id;
		return 0;
	}
	if (stage_read_file(st, file, ACCOUNTS_FILE_MAX, &text, e) < 0)
		return -1;
	if (find_id(str_text(&text), name, len, out))
		return 0;
	return set_unknown(str_text(&text), file, what, name, len, e);
}

int accounts_owner(const struct stage *st, const char *text, struct owner *out, struct err *e)
{
	struct owner o = {0, 0};

	if (!text || !*text) {
		*out = o;
		return 0;
	}
	const size_t user_len = strcspn(text, ":");
	if (resolve(st, "/etc/passwd", "user", text, user_len, &o.uid, e) < 0)
		return -1;
	const char *group = text[user_len] ? text + user_len + 1 : NULL;
	if (!group)
		o.gid = o.uid;
	else if (resolve(st, "/etc/group", "group", group, strlen(group), &o.gid, e) < 0)
		return -1;
	*out = o;
	return 0;
}

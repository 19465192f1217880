/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/owner_names.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"

/* A file of the image; nothing when there is none. */
static int read_file(struct view *v, const char *path, struct str *out, struct err *e)
{
	struct catalog_stat st;
	uint32_t inode;

	const int found = VIEW_RETRY(v, e, catalog_resolve(view_catalog(v), path, true, &inode, e));
	if (found < 0 && e->code == ERR_UNSUPPORTED) {
		/* Links without end. */
		err_clear(e);
		return 0;
	}
	if (found <= 0)
		return found;
	if (VIEW_RETRY(v, e, catalog_stat(view_catalog(v), inode, &st, e)) < 0)
		return -1;
	if (!S_ISREG(st.mode))
		return 0;
	if (st.size > LIMIT_ACCOUNT_FILE)
		return err_set(e, ERR_LIMIT, "more than %" PRIu64 " bytes", LIMIT_ACCOUNT_FILE);
	if (str_reserve(out, (size_t)st.size, e) < 0)
		return -1;
	const ssize_t n = view_read(v, inode, 0, out->data, (size_t)st.size, e);
	if (n < 0)
		return -1;
	out->len = (size_t)n;
	out->data[n] = '\0';
	return 0;
}

/* "name:password:id:...", NUL at the end; cuts the line behind the name. */
static int add_line(struct owner_list *l, char *line, struct err *e)
{
	char *password = strchr(line, ':');
	const char *id_text = password ? strchr(password + 1, ':') : NULL;
	uint64_t id;

	if (!id_text || password == line)
		return 0;
	id_text++;
	if (str_to_u64(id_text, strcspn(id_text, ":"), 10, UINT32_MAX, &id) < 0)
		return 0;
	if (array_reserve(&l->items, &l->cap, l->count + 1, sizeof(*l->items), e) < 0)
		return -1;
	*password = '\0';
	l->items[l->count++] = (struct owner_name){(uint32_t)id, line};
	return 0;
}

/* By id; the first line of two for one id is the one that counts, as for getpwuid(3). */
static int compare(const void *a, const void *b)
{
	const struct owner_name *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static int read_list(struct view *v, const char *path, struct owner_list *out, struct err *e)
{
	if (read_file(v, path, &out->text, e) < 0)
		return err_wrap(e, "'%s' of the image", path);
	for (char *line = out->text.data; line && *line;) {
		char *end = strchrnul(line, '\n');
		const bool is_last = *end == '\0';
		*end = '\0';
		if (add_line(out, line, e) < 0)
			return -1;
		line = is_last ? end : end + 1;
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), compare);
	return 0;
}

int owner_names_read(struct view *v, struct owner_names *out, struct err *e)
{
	if (read_list(v, "/etc/passwd", &out->users, e) < 0)
		return -1;
	return read_list(v, "/etc/group", &out->groups, e);
}

const char *owner_names_get(const struct owner_list *l, uint32_t id)
{
	size_t first = 0, count = l->count;

	while (count > 0) {
		const size_t half = count / 2;
		if (l->items[first + half].id < id) {
			first += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return first < l->count && l->items[first].id == id ? l->items[first].name : NULL;
}

void owner_names_fini(struct owner_names *n)
{
	str_fini(&n->users.text);
	free(n->users.items);
	str_fini(&n->groups.text);
	free(n->groups.items);
	*n = (struct owner_names)OWNER_NAMES_INIT;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_file.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "store/folder.h"
#include "store/layout.h"

enum { INDEX_FILE_MODE = 0644 };

/* The entries of an index as this program writes them. */
static json_t *entries_to_json(const struct image_index *ix, struct err *e)
{
	SCOPE(json) json_t *array = json_array();

	if (!array) {
		err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < ix->count; i++) {
		json_t *entry = descriptor_to_json(&ix->manifests[i], e);
		if (!entry || json_push(array, entry, e) < 0)
			return NULL;
	}
	return steal_ptr(&array);
}

static int read_text(const struct store *s, struct str *text, struct err *e)
{
	struct err why = ERR_INIT;

	if (folder_read_file(store_dirfd(s, STORE_DIR_ROOT), LAYOUT_INDEX, LIMIT_STORE_INDEX, text,
			     &why) == 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return err_set(e, ERR_FORMAT, "'%s' is missing", LAYOUT_INDEX);
}

static int parse_entries(const struct str *text, struct image_index *out, struct err *e)
{
	if (image_index_parse(out, str_text(text), text->len, NULL, INDEX_FILE_ENTRIES_MAX, e) < 0)
		return err_wrap(e, "'%s'", LAYOUT_INDEX);
	return 0;
}

static int wrap(const struct store *s, struct err *e)
{
	char quoted[QUOTE_MAX];

	return err_wrap(e, "store '%s'", quote_str(quoted, store_path(s)));
}

int index_file_list(const struct store *s, struct image_index *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (read_text(s, &text, e) < 0 || parse_entries(&text, out, e) < 0)
		return wrap(s, e);
	return 0;
}

static int parse(const struct str *text, struct index_file *f, struct err *e)
{
	if (parse_entries(text, &f->ix, e) < 0)
		return -1;
	f->root = json_parse_object(str_text(text), text->len, LIMIT_STORE_INDEX, LAYOUT_INDEX, e);
	if (!f->root)
		return -1;
	f->before = entries_to_json(&f->ix, e);
	return f->before ? 0 : -1;
}

int index_file_read(const struct store *s, struct index_file *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(index_file) struct index_file f = INDEX_FILE_INIT;

	if (read_text(s, &text, e) < 0 || parse(&text, &f, e) < 0)
		return wrap(s, e);
	*out = f;
	f = (struct index_file)INDEX_FILE_INIT;
	return 0;
}

/*
 * The entries to write: one that says what an entry said before is that entry as it was read, with
 * the members that this program does not know.  Changes mostly keep the order, so a search goes on
 * where the last one ended.
 */
static json_t *find_original(const struct index_file *f, const json_t *entry, size_t *next)
{
	const size_t count = json_array_size(f->before);

	for (size_t i = 0; i < count; i++) {
		const size_t at = (*next + i) % count;
		if (json_equal(json_array_get(f->before, at), entry)) {
			*next = at + 1;
			return json_array_get(json_object_get(f->root, "manifests"), at);
		}
	}
	return NULL;
}

static json_t *merge_entries(const struct index_file *f, json_t *after, struct err *e)
{
	SCOPE(json) json_t *merged = json_array();
	size_t next = 0, i;
	json_t *entry;

	if (!merged) {
		err_nomem(e);
		return NULL;
	}
	json_array_foreach(after, i, entry)
	{
		json_t *original = find_original(f, entry, &next);
		if (json_push(merged, json_incref(original ? original : entry), e) < 0)
			return NULL;
	}
	return steal_ptr(&merged);
}

int index_file_write(const struct store *s, const struct index_file *f, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(json) json_t *root = json_copy(f->root);
	SCOPE(json) json_t *after = entries_to_json(&f->ix, e);

	if (!after)
		return -1;
	/* Jansson leaves out what it has no memory to copy, and says nothing. */
	if (!root || json_object_size(root) != json_object_size(f->root))
		return err_nomem(e);
	json_t *merged = merge_entries(f, after, e);
	if (!merged || json_put(root, "manifests", merged, e) < 0 ||
	    json_format(root, &text, e) < 0)
		return -1;
	if (text.len > LIMIT_STORE_INDEX)
		return err_set(e, ERR_LIMIT, "the store's 'index.json' would be too long");
	return tmpfile_write_at(store_dirfd(s, STORE_DIR_ROOT), LAYOUT_INDEX, INDEX_FILE_MODE,
				text.data, text.len, e);
}

void index_file_fini(struct index_file *f)
{
	image_index_fini(&f->ix);
	json_decref(f->root);
	json_decref(f->before);
	*f = (struct index_file)INDEX_FILE_INIT;
}

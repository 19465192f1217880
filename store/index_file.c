/* SPDX-License-Identifier: Apache-2.0 */
#include "store/index_file.h"

#include "base/array.h"
#include "base/hasher.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/quote.h"
#include "base/tmpfile.h"
#include "store/folder.h"
#include "store/layout.h"
#include "store/reserve.h"

enum { INDEX_FILE_MODE = 0644 };

/* An entry as this program writes it, and the digest of that. */
static json_t *entry_to_json(const struct descriptor *d, struct digest *digest, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(json) json_t *entry = descriptor_to_json(d, e);

	if (!entry || json_format(entry, &text, e) < 0)
		return NULL;
	*digest = hasher_sha256(text.data, text.len);
	return steal_ptr(&entry);
}

/* Digests, because the entries of a long index would take more memory than all the rest. */
static int note_entries(struct index_file *f, struct err *e)
{
	f->before = array_new(f->ix.count, sizeof(*f->before), e);
	if (!f->before)
		return -1;
	for (size_t i = 0; i < f->ix.count; i++) {
		SCOPE(json)
		json_t *entry = entry_to_json(&f->ix.manifests[i], &f->before[i], e);
		if (!entry)
			return -1;
	}
	f->before_count = f->ix.count;
	return 0;
}

static int read_text(const struct store *s, struct str *text, struct err *e)
{
	struct err why = ERR_INIT;

	if (folder_read_own(store_dirfd(s, STORE_DIR_ROOT), LAYOUT_INDEX, LIMIT_STORE_INDEX, text,
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
	return note_entries(f, e);
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
static json_t *find_original(const struct index_file *f, const struct digest *entry, size_t *next)
{
	for (size_t i = 0; i < f->before_count; i++) {
		const size_t at = (*next + i) % f->before_count;
		if (digest_equal(&f->before[at], entry)) {
			*next = at + 1;
			return json_array_get(json_object_get(f->root, "manifests"), at);
		}
	}
	return NULL;
}

static json_t *merge_entries(const struct index_file *f, struct err *e)
{
	SCOPE(json) json_t *merged = json_array();
	size_t next = 0;

	if (!merged) {
		err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < f->ix.count; i++) {
		struct digest digest;
		SCOPE(json) json_t *entry = entry_to_json(&f->ix.manifests[i], &digest, e);
		if (!entry)
			return NULL;
		json_t *original = find_original(f, &digest, &next);
		if (json_push(merged, json_incref(original ? original : entry), e) < 0)
			return NULL;
	}
	return steal_ptr(&merged);
}

static int format(const struct index_file *f, struct str *text, struct err *e)
{
	SCOPE(json) json_t *root = json_copy(f->root);

	/* Jansson leaves out what it has no memory to copy, and says nothing. */
	if (!root || json_object_size(root) != json_object_size(f->root))
		return err_nomem(e);
	json_t *merged = merge_entries(f, e);
	if (!merged || json_put(root, "manifests", merged, e) < 0 || json_format(root, text, e) < 0)
		return -1;
	if (text->len > LIMIT_STORE_INDEX)
		return err_set(e, ERR_LIMIT, "the store's '%s' would be too long", LAYOUT_INDEX);
	return 0;
}

static int replace(const struct store *s, const struct str *text, struct err *e)
{
	return tmpfile_write_at(store_dirfd(s, STORE_DIR_ROOT), LAYOUT_INDEX, INDEX_FILE_MODE,
				text->data, text->len, e);
}

int index_file_write(const struct store *s, const struct index_file *f, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;

	if (format(f, &text, e) < 0)
		return -1;
	int r = replace(s, &text, e);
	if (r < 0 && folder_is_full(e) && reserve_release(s)) {
		err_clear(e);
		r = replace(s, &text, e);
	}
	if (r < 0)
		return folder_is_full(e) ? err_wrap(e,
						    "no room for a new '%s' ('shale gc' may "
						    "make some)",
						    LAYOUT_INDEX)
					 : -1;
	reserve_fill(s);
	return 0;
}

void index_file_fini(struct index_file *f)
{
	image_index_fini(&f->ix);
	json_decref(f->root);
	free(f->before);
	*f = (struct index_file)INDEX_FILE_INIT;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "store/builds.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hasher.h"
#include "base/limits.h"
#include "base/tmpfile.h"
#include "image/manifest.h"
#include "image/mediatype.h"
#include "store/blobs.h"
#include "store/folder.h"
#include "store/locks.h"

#define FILE_NAME "builds"
/* What a record says beside its layer. */
#define KEY_KEY     "io.shale.build.key"
#define DIFF_ID_KEY "io.shale.build.diff-id"
#define BLOB_KEY    "io.shale.build.blob"

enum {
	FILE_MODE = 0644,
	STAMP_MAX = 128,
};

/*
 * Which file the blob is, and that nobody wrote to it: to make a layer again mends a damaged blob,
 * and must not be left out for one.  "" for one that is not there.
 */
static const char *blob_stamp(const struct store *s, const struct digest *layer,
			      char out[static STAMP_MAX])
{
	char hex[DIGEST_HEX_MAX];
	const struct folder_stamp st =
		folder_stamp(store_dirfd(s, STORE_DIR_BLOBS_SHA256), digest_hex(layer, hex));

	out[0] = '\0';
	if (st.is_there && layer->alg == DIGEST_SHA256)
		(void)snprintf(out, STAMP_MAX, "%ju %jd.%09ld %jd.%09ld", (uintmax_t)st.file.ino,
			       (intmax_t)st.file.modified.tv_sec, st.file.modified.tv_nsec,
			       (intmax_t)st.file.changed.tv_sec, st.file.changed.tv_nsec);
	return out;
}

/* Where the text starts: behind "sha256:<hex>\n". */
static size_t head_len(void)
{
	return strlen("sha256:") + 2 * (size_t)DIGEST_SHA256_LEN + 1;
}

static int parse(const struct str *text, struct image_index *out, struct err *e)
{
	const size_t head = head_len();
	struct digest want;

	if (text->len < head || text->data[head - 1] != '\n' ||
	    digest_parse(&want, text->data, head - 1, e) < 0)
		return err_set(e, ERR_DIGEST, "'" FILE_NAME "' does not start with its digest");
	const struct digest got = hasher_sha256(text->data + head, text->len - head);
	if (!digest_equal(&got, &want))
		return err_set(e, ERR_DIGEST, "'" FILE_NAME "' does not match its digest");
	return image_index_parse(out, text->data + head, text->len - head, MEDIATYPE_INDEX,
				 LIMIT_BUILDS, e);
}

/* All records, the newest last; none of a file that is missing, damaged or not ours.  A disk that
 * cannot be read is told of. */
static int read_all(const struct store *s, struct image_index *out, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	struct err why = ERR_INIT;

	if (folder_read_own(store_dirfd(s, STORE_DIR_SHALE), FILE_NAME, LIMIT_DOCUMENT, &text,
			    &why) < 0 ||
	    parse(&text, out, &why) < 0) {
		if (why.code == ERR_NOMEM || why.code == ERR_SYS)
			return err_move(e, &why);
		err_clear(&why);
	}
	return 0;
}

static int write_all(const struct store *s, const struct image_index *ix, struct err *e)
{
	SCOPE(str) struct str text = STR_INIT;
	SCOPE(str) struct str file = STR_INIT;
	char digest[DIGEST_STR_MAX];

	if (image_index_format(ix, &text, e) < 0)
		return -1;
	const struct digest d = hasher_sha256(text.data, text.len);
	if (str_appendf(&file, e, "%s\n", digest_format(&d, digest)) < 0 ||
	    str_append(&file, text.data, text.len, e) < 0)
		return -1;
	return tmpfile_write_at(store_dirfd(s, STORE_DIR_SHALE), FILE_NAME, FILE_MODE, file.data,
				file.len, e);
}

/* The record of a key, or NULL. */
static struct descriptor *find(const struct image_index *ix, const char *key)
{
	for (size_t i = 0; i < ix->count; i++) {
		const char *have = strmap_get(&ix->manifests[i].annotations, KEY_KEY);
		if (have && strcmp(have, key) == 0)
			return &ix->manifests[i];
	}
	return NULL;
}

int builds_get(const struct store *s, struct lease *l, const struct digest *key,
	       struct descriptor *layer, struct digest *diff_id, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	char text[DIGEST_STR_MAX], now[STAMP_MAX];
	struct err why = ERR_INIT;

	if (read_all(s, &ix, e) < 0)
		return -1;
	struct descriptor *found = find(&ix, digest_format(key, text));
	if (!found)
		return 0;
	const char *id = strmap_get(&found->annotations, DIFF_ID_KEY);
	if (!id || digest_parse(diff_id, id, strlen(id), &why) < 0) {
		err_clear(&why);
		return 0;
	}
	const int is_there = blobs_has(s, l, &found->digest, found->size, e);
	if (is_there < 1)
		return is_there;
	const char *stamp = strmap_get(&found->annotations, BLOB_KEY);
	if (!stamp || strcmp(stamp, blob_stamp(s, &found->digest, now)) != 0)
		return 0;
	strmap_remove(&found->annotations, KEY_KEY);
	strmap_remove(&found->annotations, DIFF_ID_KEY);
	strmap_remove(&found->annotations, BLOB_KEY);
	descriptor_move(layer, found);
	return 1;
}

static int add(const struct store *s, struct image_index *ix, const char *key,
	       const struct descriptor *layer, const struct digest *diff_id, struct err *e)
{
	char id[DIGEST_STR_MAX], stamp[STAMP_MAX];
	const struct descriptor *old = find(ix, key);

	if (old)
		image_index_remove(ix, (size_t)(old - ix->manifests));
	while (ix->count >= LIMIT_BUILDS)
		image_index_remove(ix, 0);
	if (image_index_add(ix, layer, e) < 0)
		return -1;
	struct strmap *says = &ix->manifests[ix->count - 1].annotations;
	if (strmap_set(says, KEY_KEY, key, e) < 0 ||
	    strmap_set(says, DIFF_ID_KEY, digest_format(diff_id, id), e) < 0)
		return -1;
	return strmap_set(says, BLOB_KEY, blob_stamp(s, &layer->digest, stamp), e);
}

/* On a full disk nothing is kept: what is not remembered is only made again, and a record of what
 * is gone does no harm. */
static int write_if_room(const struct store *s, const struct image_index *ix, struct err *e)
{
	if (write_all(s, ix, e) == 0)
		return 0;
	if (!folder_is_full(e))
		return -1;
	err_clear(e);
	return 0;
}

int builds_put(const struct store *s, const struct digest *key, const struct descriptor *layer,
	       const struct digest *diff_id, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;
	char text[DIGEST_STR_MAX];
	SCOPE_FD int gc_lock = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);

	if (gc_lock < 0)
		return -1;
	SCOPE_FD int lock = locks_take(s, LOCKS_INDEX, LOCKS_EXCLUSIVE, e);
	if (lock < 0 || read_all(s, &ix, e) < 0 ||
	    add(s, &ix, digest_format(key, text), layer, diff_id, e) < 0)
		return -1;
	return write_if_room(s, &ix, e);
}

int builds_sweep(const struct store *s, bool (*is_live)(void *ctx, const struct digest *layer),
		 void *ctx, struct err *e)
{
	SCOPE(image_index) struct image_index ix = IMAGE_INDEX_INIT;

	if (read_all(s, &ix, e) < 0)
		return -1;
	const size_t before = ix.count;
	for (size_t i = ix.count; i-- > 0;) {
		if (!is_live(ctx, &ix.manifests[i].digest))
			image_index_remove(&ix, i);
	}
	if (ix.count == before && before > 0)
		return 0;
	if (ix.count == 0)
		return folder_remove(store_dirfd(s, STORE_DIR_SHALE), FILE_NAME, e) < 0 ? -1 : 0;
	return write_if_room(s, &ix, e);
}

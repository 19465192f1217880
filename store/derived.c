/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <hex>.index:
 *
 *	the encoded layer index
 *	flags			8 bytes, little endian: 1 the frames are in <hex>.frames
 *	SHA-256 of the index	32 bytes
 *	SHA-256			32 bytes: of the 40 before, and the text of the blob's digest
 *
 * So the end alone says which index this is, and a file under another blob's name is damaged.
 */
#include "store/derived.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hasher.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/tmpfile.h"
#include "image/layer_scan.h"
#include "store/blobs.h"
#include "store/folder.h"
#include "store/locks.h"

#define SUFFIX_INDEX  ".index"
#define SUFFIX_FRAMES ".frames"

enum {
	FLAGS_SIZE = 8,
	FOOTER_HEAD = FLAGS_SIZE + DIGEST_SHA256_LEN,
	FOOTER_SIZE = FOOTER_HEAD + DIGEST_SHA256_LEN,
	FLAG_REFRAMED = 1,
	FILE_MODE = 0444,
	NAME_MAX_SIZE = DIGEST_HEX_MAX + sizeof(SUFFIX_FRAMES),
};

static const char *file_name(char buf[static NAME_MAX_SIZE], const struct digest *blob,
			     const char *suffix)
{
	char hex[DIGEST_HEX_MAX];

	snprintf(buf, NAME_MAX_SIZE, "%s%s", digest_hex(blob, hex), suffix);
	return buf;
}

static struct digest seal(const uint8_t head[static FOOTER_HEAD], const struct digest *blob)
{
	char bytes[FOOTER_HEAD + DIGEST_STR_MAX];

	memcpy(bytes, head, FOOTER_HEAD);
	digest_format(blob, bytes + FOOTER_HEAD);
	return hasher_sha256(bytes, FOOTER_HEAD + strlen(bytes + FOOTER_HEAD));
}

static void format_footer(const struct digest *index, bool is_reframed, const struct digest *blob,
			  uint8_t out[static FOOTER_SIZE])
{
	memset(out, 0, FOOTER_SIZE);
	out[0] = is_reframed ? FLAG_REFRAMED : 0;
	memcpy(out + FLAGS_SIZE, index->raw, DIGEST_SHA256_LEN);
	const struct digest sum = seal(out, blob);
	memcpy(out + FOOTER_HEAD, sum.raw, DIGEST_SHA256_LEN);
}

static int parse_footer(const uint8_t in[static FOOTER_SIZE], const struct digest *blob,
			struct derived *out, struct err *e)
{
	static const uint8_t rest[FLAGS_SIZE - 1];
	const struct digest sum = seal(in, blob);

	if (memcmp(sum.raw, in + FOOTER_HEAD, DIGEST_SHA256_LEN) != 0)
		return err_set(e, ERR_DIGEST, "the derived index does not match its own digest");
	if (in[0] > FLAG_REFRAMED || memcmp(in + 1, rest, sizeof(rest)) != 0)
		return err_set(e, ERR_FORMAT, "the derived index has unknown flags");
	out->is_reframed = in[0] == FLAG_REFRAMED;
	out->index_digest = digest_from_sha256(in + FLAGS_SIZE);
	return 0;
}

/* As folder_open_own, with 0 and a clean error for what is not there. */
static int open_kept(const struct store *s, const char *name, int *fd, struct stat *st,
		     struct err *e)
{
	struct err why = ERR_INIT;

	*fd = folder_open_own(store_dirfd(s, STORE_DIR_LAYERS), name, st, &why);
	if (*fd >= 0)
		return 1;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return 0;
}

int derived_peek(const struct store *s, const struct digest *blob, struct derived *out,
		 struct err *e)
{
	char name[NAME_MAX_SIZE];
	uint8_t footer[FOOTER_SIZE];
	struct stat st;
	SCOPE_FD int fd = -1;

	const int r = open_kept(s, file_name(name, blob, SUFFIX_INDEX), &fd, &st, e);
	if (r < 1)
		return r;
	if (st.st_size < FOOTER_SIZE)
		return err_set(e, ERR_DIGEST, "the derived index is cut short");
	const ssize_t n =
		io_pread_full(fd, footer, sizeof(footer), (uint64_t)st.st_size - FOOTER_SIZE);
	if (n < 0)
		return err_sys(e, errno, "cannot read a derived index");
	if (n < FOOTER_SIZE)
		return err_set(e, ERR_DIGEST, "the derived index is cut short");
	return parse_footer(footer, blob, out, e) < 0 ? -1 : 1;
}

/* The size of the file that holds the frames. */
static int stat_frames(const struct store *s, const struct digest *blob, bool is_reframed,
		       uint64_t *size, struct err *e)
{
	struct stat st;
	SCOPE_FD int fd = is_reframed ? derived_open_frames(s, blob, e)
				      : blobs_open(s, blob, BLOBS_ANY_SIZE, e);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "cannot stat the frames of a layer");
	*size = (uint64_t)st.st_size;
	return 0;
}

static int check_frames(const struct layer_index *ix, uint64_t size, struct err *e)
{
	for (size_t i = 0; i < layer_index_frame_count(ix); i++) {
		const struct frame f = layer_index_frame(ix, i);
		if (frame_check(&f, layer_index_encoding(ix), size, e) < 0)
			return -1;
	}
	return 0;
}

/* `text`: a whole index file. */
static int parse(const struct store *s, const struct digest *blob, const struct str *text,
		 struct derived *out, struct err *e)
{
	uint8_t footer[FOOTER_SIZE];
	uint64_t size = 0;

	if (text->len < FOOTER_SIZE)
		return err_set(e, ERR_DIGEST, "the derived index is cut short");
	const size_t len = text->len - FOOTER_SIZE;
	memcpy(footer, text->data + len, sizeof(footer));
	if (parse_footer(footer, blob, out, e) < 0)
		return -1;
	const struct digest got = hasher_sha256(text->data, len);
	if (!digest_equal(&got, &out->index_digest))
		return err_set(e, ERR_DIGEST, "the derived index does not match its own digest");
	if (layer_index_decode(text->data, len, &out->index, e) < 0)
		return -1;
	/* Frames that are gone are damage of what is derived, not of the layer. */
	if (stat_frames(s, blob, out->is_reframed, &size, e) < 0) {
		if (e->code == ERR_NOT_FOUND && out->is_reframed) {
			err_clear(e);
			err_set(e, ERR_DIGEST, "the derived frames are missing");
		}
		return -1;
	}
	return check_frames(out->index, size, e);
}

int derived_load(const struct store *s, const struct digest *blob, struct derived *out,
		 struct err *e)
{
	char name[NAME_MAX_SIZE];
	SCOPE(derived) struct derived d = DERIVED_INIT;
	SCOPE(str) struct str text = STR_INIT;
	SCOPE_FD int fd = -1;

	const int r = open_kept(s, file_name(name, blob, SUFFIX_INDEX), &fd, NULL, e);
	if (r < 1)
		return r;
	if (io_slurp(fd, LIMIT_LAYER_INDEX + FOOTER_SIZE, "derived index", &text, e) < 0 ||
	    parse(s, blob, &text, &d, e) < 0)
		return -1;
	*out = d;
	d = (struct derived)DERIVED_INIT;
	return 1;
}

int derived_open_frames(const struct store *s, const struct digest *blob, struct err *e)
{
	char name[NAME_MAX_SIZE];

	const int fd = folder_open_file(store_dirfd(s, STORE_DIR_LAYERS),
					file_name(name, blob, SUFFIX_FRAMES), NULL, e);
	/* What is no file cannot hold them either, and is replaced. */
	if (fd < 0 && e->code == ERR_FORMAT)
		e->code = ERR_NOT_FOUND;
	return fd;
}

struct derived_stamp derived_stamp(const struct store *s, const struct digest *blob)
{
	char name[NAME_MAX_SIZE];
	const int dir = store_dirfd(s, STORE_DIR_LAYERS);

	return (struct derived_stamp){
		folder_stamp(dir, file_name(name, blob, SUFFIX_INDEX)),
		folder_stamp(dir, file_name(name, blob, SUFFIX_FRAMES)),
	};
}

bool derived_stamp_equal(const struct derived_stamp *a, const struct derived_stamp *b)
{
	return folder_stamp_equal(&a->index, &b->index) &&
	       folder_stamp_equal(&a->frames, &b->frames);
}

/* What keeps gc and other writers out: else the frames that are removed may be newer than the
 * index that was. */
struct keys {
	int gc, index;
};

static void keys_fini(struct keys *k)
{
	scope_close(&k->index);
	scope_close(&k->gc);
}
SCOPE_DEFINE_VALUE(keys, struct keys, keys_fini)

static int take_keys(const struct store *s, struct keys *k, struct err *e)
{
	k->gc = locks_take(s, LOCKS_GC, LOCKS_SHARED, e);
	if (k->gc < 0)
		return -1;
	k->index = locks_take(s, LOCKS_INDEX, LOCKS_EXCLUSIVE, e);
	return k->index < 0 ? -1 : 0;
}

static int remove_files(const struct store *s, const struct digest *blob, struct err *e)
{
	char name[NAME_MAX_SIZE];
	const int dir = store_dirfd(s, STORE_DIR_LAYERS);

	if (folder_remove(dir, file_name(name, blob, SUFFIX_INDEX), e) < 0 ||
	    folder_remove(dir, file_name(name, blob, SUFFIX_FRAMES), e) < 0)
		return -1;
	return 0;
}

int derived_remove(const struct store *s, const struct digest *blob, struct err *e)
{
	SCOPE(keys) struct keys keys = {-1, -1};

	return take_keys(s, &keys, e) < 0 ? -1 : remove_files(s, blob, e);
}

bool derived_parse_name(const char *name, struct digest *blob)
{
	const char *dot = strchr(name, '.');

	if (!dot || (strcmp(dot, SUFFIX_INDEX) != 0 && strcmp(dot, SUFFIX_FRAMES) != 0))
		return false;
	return folder_parse_hex(name, (size_t)(dot - name), blob);
}

/* A nameless file with the index and its footer. */
static int write_nameless(int dir, const struct str *index,
			  const uint8_t footer[static FOOTER_SIZE], struct err *e)
{
	SCOPE_FD int fd = tmpfile_open_at(dir, e);

	if (fd >= 0 && (io_write_all(fd, index->data, index->len) < 0 ||
			io_write_all(fd, footer, FOOTER_SIZE) < 0))
		return err_sys(e, errno, "cannot write a derived index");
	return steal_fd(&fd);
}

/*
 * Frames, then index, under locks that keep gc and other writers out.  The old index goes first:
 * a crash in between must not leave it with frames that it does not speak of.  But not before there
 * was room for the new one.  `frames`: -1 when they are in the blob.
 */
static int keep(const struct store *s, const struct digest *blob, int frames,
		const struct str *encoded, const struct digest *digest, struct err *e)
{
	char name[NAME_MAX_SIZE];
	uint8_t footer[FOOTER_SIZE];
	const int dir = store_dirfd(s, STORE_DIR_LAYERS);

	format_footer(digest, frames >= 0, blob, footer);
	/* Long, so before the locks. */
	if (frames >= 0 && fdatasync(frames) < 0)
		return err_sys(e, errno, "cannot sync the frames of a layer");
	SCOPE_FD int index = write_nameless(dir, encoded, footer, e);
	if (index < 0)
		return -1;
	SCOPE(keys) struct keys keys = {-1, -1};
	if (take_keys(s, &keys, e) < 0 || remove_files(s, blob, e) < 0)
		return -1;
	if (frames >= 0 &&
	    tmpfile_replace_at(frames, dir, file_name(name, blob, SUFFIX_FRAMES), FILE_MODE, e) < 0)
		return -1;
	return tmpfile_replace_at(index, dir, file_name(name, blob, SUFFIX_INDEX), FILE_MODE, e);
}

int derived_keep(const struct store *s, const struct digest *blob, const struct str *index,
		 struct err *e)
{
	SCOPE(derived) struct derived kept = DERIVED_INIT;
	struct err why = ERR_INIT;
	const struct digest digest = hasher_sha256(index->data, index->len);

	/* A mount may be about to open what is there. */
	const bool is_kept = derived_load(s, blob, &kept, &why) == 1 && !kept.is_reframed &&
			     digest_equal(&kept.index_digest, &digest);
	err_clear(&why);
	return is_kept ? 0 : keep(s, blob, -1, index, &digest, e);
}

/* What is kept must be what was just derived. */
static int compare_kept(const struct store *s, const struct digest *blob, const struct derived *new,
			struct err *e)
{
	SCOPE(derived) struct derived kept = DERIVED_INIT;

	if (!new->is_reframed)
		return 0;
	const int r = derived_load(s, blob, &kept, e);
	if (r < 0)
		return -1;
	if (r != 0 && digest_equal(&kept.index_digest, &new->index_digest))
		return 0;
	if (locks_need_writable(s, e) < 0)
		return err_wrap(e, "cannot keep the frames of the layer");
	return err_sys(e, ENOSPC, "cannot keep the frames of the layer in the store");
}

static int derive(const struct store *s, const struct descriptor *layer,
		  const struct layers_options *opt, int frames, struct derive_result *out,
		  struct err *e)
{
	const struct derive_options derive_opt = {opt->workers, opt->progress, opt->losses};
	SCOPE_FD int blob = blobs_open(s, &layer->digest, layer->size, e);

	if (blob < 0)
		return -1;
	return layer_derive(blob, layer->size,
			    (enum layer_encoding)mediatype_encoding(layer->media_type), frames,
			    &derive_opt, out, e);
}

static int make(const struct store *s, const struct descriptor *layer, enum folder_place place,
		int frames, const struct derive_result *r, struct derived *out, struct err *e)
{
	out->is_reframed = r->is_reframed;
	out->index_digest = hasher_sha256(r->index.data, r->index.len);
	if (layer_index_decode(r->index.data, r->index.len, &out->index, e) < 0)
		return -1;
	if (place != FOLDER_IN_STORE)
		return compare_kept(s, &layer->digest, out, e);
	if (keep(s, &layer->digest, r->is_reframed ? frames : -1, &r->index, &out->index_digest,
		 e) == 0)
		return 0;
	/* It is good for this once, when its frames are in the blob. */
	if (r->is_reframed || !folder_is_full(e))
		return -1;
	err_clear(e);
	return 0;
}

/* Before anything is kept: of a damaged blob nothing may stay. */
static int check_diff_id(const struct derive_result *r, const struct digest *diff_id, struct err *e)
{
	if (diff_id && !digest_equal(&r->diff_id, diff_id))
		return err_set(e, ERR_DIGEST,
			       "the content has another diff_id than the config says");
	return 0;
}

/* `out` is the caller's to fini, also on failure. */
static int make_at(const struct store *s, const struct descriptor *layer,
		   const struct digest *diff_id, const struct layers_options *opt,
		   enum folder_place place, struct derived *out, struct err *e)
{
	const int encoding = mediatype_encoding(layer->media_type);
	struct derive_result result = {.index = STR_INIT};
	SCOPE_FD int frames = -1;

	if (encoding != LAYER_TAR)
		frames = folder_spill(s, STORE_DIR_LAYERS, place, e);
	if (e->code && (encoding != LAYER_GZIP || !folder_is_full(e)))
		return -1;
	/* Without room, gzip may still turn out to need no frames of its own. */
	err_clear(e);
	if (derive(s, layer, opt, frames, &result, e) < 0)
		return -1;
	progress_begin(opt->progress, "writing to disk", 0);
	const int r = check_diff_id(&result, diff_id, e) < 0
			      ? -1
			      : make(s, layer, place, frames, &result, out, e);
	str_fini(&result.index);
	return r;
}

/* Whether an index with frames of its own can be used without being kept: there are some already,
 * which make compares. */
static bool has_frames(const struct store *s, const struct descriptor *layer)
{
	struct derived kept = DERIVED_INIT;
	struct err why = ERR_INIT;

	const bool is_kept = derived_peek(s, &layer->digest, &kept, &why) == 1;
	err_clear(&why);
	return is_kept;
}

int derived_make(const struct store *s, const struct descriptor *layer,
		 const struct digest *diff_id, const struct layers_options *opt,
		 struct derived *out, struct err *e)
{
	enum folder_place place = folder_first_place(s);

	for (;;) {
		SCOPE(derived) struct derived d = DERIVED_INIT;
		if (make_at(s, layer, diff_id, opt, place, &d, e) == 0) {
			*out = d;
			d = (struct derived)DERIVED_INIT;
			return 0;
		}
		if (!has_frames(s, layer) || !folder_try_next(&place, FOLDER_IN_TMPDIR, e))
			return -1;
	}
}

void derived_fini(struct derived *d)
{
	layer_index_free(d->index);
	*d = (struct derived)DERIVED_INIT;
}

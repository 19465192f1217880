/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/archive_input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/entry.h"
#include "image/holes.h"
#include "packer/libarchive.h"

enum { READ_STEP = 128 * 1024 };

/*
 * Two of libarchive's readers, one behind the other: the first decompresses, the second takes the
 * tar apart.  With one for both nobody could see what follows the end of the tar, or the end of the
 * compressed data, and libarchive skips it without a word.
 */
struct archive_input {
	struct libarchive lib;
	struct archive *stream;
	struct archive *tar; /* NULL for archive_inflate */
	int fd;
	struct progress *progress;
	uint64_t size; /* bytes of the file from where it was when it was opened */
	uint64_t done; /* those that were read */
	uint8_t *buf;  /* READ_STEP bytes for `stream` */
	/* What `tar` got last, and bytes that it got in all. */
	const uint8_t *block;
	size_t block_size;
	uint64_t given;
	/* What went wrong in a callback: libarchive hands nothing on. */
	int read_errno;
	struct err why; /* of `stream`, while `tar` read from it */
};

/* archive_read_callback of `stream` */
static la_ssize_t read_file(struct archive *a, void *ctx, const void **bytes)
{
	struct archive_input *in = ctx;
	const ssize_t n = io_read(in->fd, in->buf, READ_STEP);

	if (n < 0) {
		in->read_errno = errno;
		in->lib.archive_set_error(a, EIO, "cannot read");
		return -1;
	}
	*bytes = in->buf;
	in->done += (uint64_t)n;
	progress_add(in->progress, (uint64_t)n);
	return n;
}

/* Turns what libarchive says into an error. */
static int refuse(const struct archive_input *in, struct archive *a, struct err *e)
{
	const char *text = in->lib.archive_error_string(a);
	char quoted[QUOTE_MAX];

	if (in->lib.archive_errno(a) == ENOMEM)
		return err_nomem(e);
	return err_set(e, ERR_FORMAT, "%s", quote_str(quoted, text ? text : "malformed archive"));
}

static int refuse_stream(const struct archive_input *in, struct err *e)
{
	if (in->read_errno)
		return err_sys(e, in->read_errno, "cannot read");
	return refuse(in, in->stream, e);
}

static int refuse_tar(struct archive_input *in, struct err *e)
{
	return in->why.code ? err_move(e, &in->why) : refuse(in, in->tar, e);
}

static int check_expansion(const struct archive_input *in, struct err *e)
{
	const uint64_t content = (uint64_t)in->lib.archive_filter_bytes(in->stream, 0);
	const uint64_t file = (uint64_t)in->lib.archive_filter_bytes(in->stream, -1);

	if (content > LIMIT_LAYER_CONTENT)
		return err_set(e, ERR_LIMIT, "more than %" PRIu64 " bytes of content",
			       LIMIT_LAYER_CONTENT);
	if (content > LIMIT_EXPANSION_FREE && content / LIMIT_EXPANSION_RATIO > file)
		return err_set(e, ERR_LIMIT, "expands more than %d times", LIMIT_EXPANSION_RATIO);
	return 0;
}

/* gzip(1), bzip2(1) and libarchive leave alone what follows the compressed data. */
static int check_end(const struct archive_input *in, struct err *e)
{
	if ((uint64_t)in->lib.archive_filter_bytes(in->stream, -1) < in->size)
		return err_set(e, ERR_FORMAT, "garbage after the compressed data");
	return 0;
}

/* The next decompressed bytes, which live until the next call: 1, 0 at the end, -1. */
static int pull(struct archive_input *in, const uint8_t **bytes, size_t *len, struct err *e)
{
	const void *block;
	la_int64_t offset;

	const int r = in->lib.archive_read_data_block(in->stream, &block, len, &offset);
	if (r == ARCHIVE_EOF)
		return check_end(in, e);
	if (r != ARCHIVE_OK)
		return refuse_stream(in, e);
	*bytes = block;
	return check_expansion(in, e) < 0 ? -1 : 1;
}

/* archive_read_callback of `tar`.  No callback skips: a bomb would not be seen. */
static la_ssize_t read_stream(struct archive *a, void *ctx, const void **bytes)
{
	struct archive_input *in = ctx;

	const int r = pull(in, &in->block, &in->block_size, &in->why);
	if (r <= 0)
		in->block_size = 0;
	if (r < 0) {
		in->lib.archive_set_error(a, EIO, "cannot read");
		return -1;
	}
	in->given += in->block_size;
	*bytes = in->block;
	return (la_ssize_t)in->block_size;
}

/* libarchive's answer to "enable this": it may fall back on running a program of that name. */
static int need(int answer, const char *what, struct err *e)
{
	if (answer == ARCHIVE_OK)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "this libarchive cannot read %s", what);
}

static int enable_filters(struct archive_input *in, struct err *e)
{
	struct archive *a = in->stream;

	if (need(in->lib.archive_read_support_filter_none(a), "plain files", e) < 0 ||
	    need(in->lib.archive_read_support_filter_gzip(a), "gzip", e) < 0 ||
	    need(in->lib.archive_read_support_filter_zstd(a), "zstd", e) < 0 ||
	    need(in->lib.archive_read_support_filter_xz(a), "xz", e) < 0 ||
	    need(in->lib.archive_read_support_filter_bzip2(a), "bzip2", e) < 0)
		return -1;
	return need(in->lib.archive_read_support_format_raw(a), "plain files", e);
}

static int open_stream(struct archive_input *in, struct err *e)
{
	struct archive_entry *entry;

	if (enable_filters(in, e) < 0)
		return -1;
	if (in->lib.archive_read_open(in->stream, in, NULL, read_file, NULL) != ARCHIVE_OK)
		return refuse_stream(in, e);
	const int r = in->lib.archive_read_next_header(in->stream, &entry);
	return r != ARCHIVE_OK && r != ARCHIVE_WARN ? refuse_stream(in, e) : 0;
}

/* One filter for the compression, one for the file itself. */
static bool is_compressed_again(const struct archive_input *in)
{
	return in->lib.archive_filter_count(in->stream) > 2;
}

/* However often it is compressed. */
static struct archive_input *input_any(int fd, const char *what, struct progress *progress,
				       struct err *e)
{
	struct archive_input *in = array_new(1, sizeof(*in), e);

	if (!in)
		return NULL;
	in->fd = fd;
	in->progress = progress;
	/* Asked without moving: who cannot seek back would read nothing. */
	const off_t here = lseek(fd, 0, SEEK_CUR);
	struct stat st;
	if (here >= 0 && fstat(fd, &st) == 0 && st.st_size > here)
		in->size = (uint64_t)(st.st_size - here);
	progress_begin(progress, "reading", in->size);
	progress_name(progress, what);
	in->buf = array_new(1, READ_STEP, e);
	if (!in->buf || libarchive_load(&in->lib, e) < 0) {
		archive_input_free(in);
		return NULL;
	}
	in->stream = in->lib.archive_read_new();
	if (!in->stream)
		err_nomem(e);
	if (!in->stream || open_stream(in, e) < 0) {
		archive_input_free(in);
		return NULL;
	}
	return in;
}

static struct archive_input *input_new(int fd, const char *what, struct progress *progress,
				       struct err *e)
{
	struct archive_input *in = input_any(fd, what, progress, e);

	if (in && is_compressed_again(in)) {
		err_set(e, ERR_UNSUPPORTED, "compressed more than once");
		archive_input_free(in);
		return NULL;
	}
	return in;
}

struct archive_input *archive_input_open(int fd, const char *what, struct progress *progress,
					 struct err *e)
{
	SCOPE(archive_input) struct archive_input *in = input_new(fd, what, progress, e);

	if (!in)
		return NULL;
	in->tar = in->lib.archive_read_new();
	if (!in->tar) {
		err_nomem(e);
		return NULL;
	}
	if (need(in->lib.archive_read_support_filter_none(in->tar), "plain files", e) < 0 ||
	    need(in->lib.archive_read_support_format_tar(in->tar), "tar", e) < 0)
		return NULL;
	if (in->lib.archive_read_open(in->tar, in, NULL, read_stream, NULL) != ARCHIVE_OK) {
		refuse_tar(in, e);
		return NULL;
	}
	return steal_ptr(&in);
}

void archive_input_free(struct archive_input *in)
{
	if (!in)
		return;
	if (in->tar)
		in->lib.archive_read_free(in->tar);
	if (in->stream)
		in->lib.archive_read_free(in->stream);
	err_clear(&in->why);
	free(in->buf);
	free(in);
}

ssize_t archive_input_read(void *input, void *buf, size_t len, struct err *e)
{
	struct archive_input *in = input;
	const la_ssize_t n = in->lib.archive_read_data(in->tar, buf, len);

	return n < 0 ? refuse_tar(in, e) : n;
}

/* Other tools stop at the end of the archive or look for another one behind it: nobody is to see
 * other files than we do. */
static int read_end(struct archive_input *in, struct err *e)
{
	const uint64_t taken = (uint64_t)in->lib.archive_filter_bytes(in->tar, -1);
	const uint64_t rest = in->given - taken;
	size_t len = rest < in->block_size ? (size_t)rest : in->block_size;
	const uint8_t *bytes = len ? in->block + (in->block_size - len) : NULL;
	int r;

	/* libarchive takes a failure behind the first block of zeros for the end. */
	if (in->why.code)
		return err_move(e, &in->why);
	do {
		if (len && !holes_is_zero(bytes, len))
			return err_set(e, ERR_FORMAT, "data after the end of the archive");
		r = pull(in, &bytes, &len, e);
	} while (r > 0);
	return r;
}

/* The canonical form of a name; a NULL one, which libarchive gives for what the locale cannot say,
 * has none: 1, 0, -1 for a name that leads out of the archive. */
static int get_path(const char *name, char out[static LIMIT_PATH + 1], struct err *e)
{
	size_t len;

	out[0] = '\0';
	if (!name)
		return 0;
	return entry_canonical_path(name, strlen(name), out, &len, e) < 0 ? -1 : 1;
}

/* Where the symlink at `path` leads, by its text alone: ".." never climbs above the root. */
static int get_target(const char *path, const char *target, char out[static LIMIT_PATH + 1],
		      struct err *e)
{
	SCOPE(str) struct str joined = STR_INIT;
	SCOPE(str) struct str clean = STR_INIT;
	const char *slash = target[0] == '/' ? NULL : strrchr(path, '/');

	out[0] = '\0';
	if ((slash && str_append(&joined, path, (size_t)(slash - path) + 1, e) < 0) ||
	    str_append_z(&joined, target, e) < 0 || path_clean(str_text(&joined), &clean, e) < 0)
		return -1;
	if (clean.len <= LIMIT_PATH)
		memcpy(out, str_text(&clean), clean.len + 1);
	return 0;
}

static int get_member(const struct libarchive *lib, struct archive_entry *entry,
		      struct archive_member *out, struct err *e)
{
	const char *link = lib->archive_entry_hardlink(entry);

	out->kind = ARCHIVE_OTHER;
	out->link[0] = '\0';
	out->size = 0;
	const int is_named = get_path(lib->archive_entry_pathname(entry), out->path, e);
	if (is_named <= 0)
		return is_named;
	if (link) {
		const int is_link = get_path(link, out->link, e);
		out->kind = is_link > 0 ? ARCHIVE_HARDLINK : ARCHIVE_OTHER;
		return is_link < 0 ? -1 : 0;
	}
	switch (lib->archive_entry_filetype(entry)) {
	case AE_IFREG:
		out->kind = ARCHIVE_FILE;
		out->size = (uint64_t)lib->archive_entry_size(entry);
		return 0;
	case AE_IFLNK:
		link = lib->archive_entry_symlink(entry);
		out->kind = link ? ARCHIVE_SYMLINK : ARCHIVE_OTHER;
		return link ? get_target(out->path, link, out->link, e) : 0;
	default:
		return 0;
	}
}

int archive_input_next(struct archive_input *in, struct archive_member *out, struct err *e)
{
	struct archive_entry *entry;

	/* ARCHIVE_WARN: a name that the locale cannot say; it is none of those that count. */
	const int r = in->lib.archive_read_next_header(in->tar, &entry);
	if (r == ARCHIVE_EOF)
		return read_end(in, e);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return refuse_tar(in, e);
	return get_member(&in->lib, entry, out, e) < 0 ? -1 : 1;
}

int archive_inflate(int fd, const char *what, int out_fd, struct progress *progress, struct err *e)
{
	SCOPE(archive_input) struct archive_input *in = input_new(fd, what, progress, e);
	const uint8_t *bytes = NULL;
	size_t len = 0;
	int r;

	if (!in)
		return -1;
	while ((r = pull(in, &bytes, &len, e)) > 0) {
		if (io_write_all(out_fd, bytes, len) < 0)
			return err_sys(e, errno, "cannot write its content");
	}
	return r;
}

/* Fills `buf` as far as there are bytes. */
static ssize_t read_start(struct archive_input *in, uint8_t *buf, size_t len, struct err *e)
{
	size_t got = 0;

	while (got < len) {
		const uint8_t *bytes = NULL;
		size_t n = 0;
		const int r = pull(in, &bytes, &n, e);
		if (r <= 0 || !bytes)
			return r < 0 ? -1 : (ssize_t)got;
		n = n < len - got ? n : len - got;
		memcpy(buf + got, bytes, n);
		got += n;
	}
	return (ssize_t)got;
}

ssize_t archive_peek(int fd, void *buf, size_t len, struct err *e)
{
	const off_t here = lseek(fd, 0, SEEK_CUR);
	SCOPE(archive_input) struct archive_input *in = input_any(fd, "", NULL, e);
	ssize_t n = in ? 0 : -1;

	if (in && !is_compressed_again(in))
		n = read_start(in, buf, len, e);
	if (n < 0 && e->code == ERR_FORMAT) {
		err_clear(e);
		n = 0;
	}
	if (here < 0 || lseek(fd, here, SEEK_SET) < 0)
		return n < 0 ? -1 : err_sys(e, errno, "cannot seek");
	return n;
}

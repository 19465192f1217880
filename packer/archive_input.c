/* SPDX-License-Identifier: Apache-2.0 */
#include "packer/archive_input.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/io.h"
#include "base/path.h"
#include "base/quote.h"
#include "base/str.h"
#include "image/entry.h"

enum { READ_STEP = 128 * 1024 };

struct archive_input {
	struct archive *a;
	int fd;
	int read_errno; /* of a read(2) that failed inside of libarchive */
	const char *what;
	struct progress *progress;
	uint64_t size; /* bytes of the file; 0: not known */
	uint64_t done;
	uint8_t *buf; /* READ_STEP bytes for libarchive */
};

/* archive_read_callback */
static la_ssize_t read_file(struct archive *a, void *ctx, const void **bytes)
{
	struct archive_input *in = ctx;
	const ssize_t n = io_read(in->fd, in->buf, READ_STEP);

	if (n < 0) {
		in->read_errno = errno;
		archive_set_error(a, errno, "cannot read");
		return -1;
	}
	*bytes = in->buf;
	in->done += (uint64_t)n;
	progress_show(in->progress, in->what, in->done, in->size);
	return n;
}

/* Turns what libarchive says into an error. */
static int refuse(struct archive_input *in, struct err *e)
{
	const char *text = archive_error_string(in->a);
	char quoted[QUOTE_MAX];

	if (in->read_errno)
		return err_sys(e, in->read_errno, "%s: cannot read", in->what);
	if (archive_errno(in->a) == ENOMEM)
		return err_nomem(e);
	return err_set(e, ERR_FORMAT, "%s: %s", in->what,
		       quote_str(quoted, text ? text : "malformed archive"));
}

/* libarchive's answer to "enable this": it may fall back on running a program of that name. */
static int need(struct archive_input *in, int answer, const char *filter, struct err *e)
{
	if (answer == ARCHIVE_OK)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "%s: this libarchive cannot read %s", in->what, filter);
}

static int enable_filters(struct archive_input *in, struct err *e)
{
	if (need(in, archive_read_support_filter_none(in->a), "plain files", e) < 0 ||
	    need(in, archive_read_support_filter_gzip(in->a), "gzip", e) < 0 ||
	    need(in, archive_read_support_filter_zstd(in->a), "zstd", e) < 0 ||
	    need(in, archive_read_support_filter_xz(in->a), "xz", e) < 0)
		return -1;
	return need(in, archive_read_support_filter_bzip2(in->a), "bzip2", e);
}

static struct archive_input *open_format(int fd, const char *what, int (*format)(struct archive *),
					 struct progress *progress, struct err *e)
{
	struct archive_input *in = array_new(1, sizeof(*in), e);

	if (!in)
		return NULL;
	in->fd = fd;
	in->what = what;
	in->progress = progress;
	const off_t here = lseek(fd, 0, SEEK_CUR), end = lseek(fd, 0, SEEK_END);
	if (here >= 0 && end >= here && lseek(fd, here, SEEK_SET) == here)
		in->size = (uint64_t)(end - here);
	in->buf = array_new(1, READ_STEP, e);
	in->a = in->buf ? archive_read_new() : NULL;
	if (in->buf && !in->a)
		err_nomem(e);
	if (!in->a)
		goto fail;
	if (enable_filters(in, e) < 0 || need(in, format(in->a), "tar", e) < 0)
		goto fail;
	if (archive_read_open(in->a, in, NULL, read_file, NULL) != ARCHIVE_OK) {
		refuse(in, e);
		goto fail;
	}
	return in;
fail:
	archive_input_free(in);
	return NULL;
}

struct archive_input *archive_input_open(int fd, const char *what, struct progress *progress,
					 struct err *e)
{
	return open_format(fd, what, archive_read_support_format_tar, progress, e);
}

void archive_input_free(struct archive_input *in)
{
	if (!in)
		return;
	if (in->a)
		archive_read_free(in->a);
	free(in->buf);
	free(in);
}

static int check_expansion(const struct archive_input *in, struct err *e)
{
	const uint64_t content = (uint64_t)archive_filter_bytes(in->a, 0);
	const uint64_t file = (uint64_t)archive_filter_bytes(in->a, -1);

	if (content > LIMIT_LAYER_CONTENT)
		return err_set(e, ERR_LIMIT, "%s: more than %" PRIu64 " bytes of content", in->what,
			       LIMIT_LAYER_CONTENT);
	if (content > LIMIT_EXPANSION_FREE && content / LIMIT_EXPANSION_RATIO > file)
		return err_set(e, ERR_LIMIT, "%s: expands more than %d times", in->what,
			       LIMIT_EXPANSION_RATIO);
	return 0;
}

ssize_t archive_input_read(void *input, void *buf, size_t len, struct err *e)
{
	struct archive_input *in = input;
	const la_ssize_t n = archive_read_data(in->a, buf, len);

	if (n < 0)
		return refuse(in, e);
	return check_expansion(in, e) < 0 ? -1 : n;
}

/* What is left of a member is read here and not skipped by libarchive, which would go through a
 * bomb to its end without asking. */
static int drain(struct archive_input *in, struct err *e)
{
	uint8_t buf[64 * 1024];
	ssize_t n;

	do {
		n = archive_input_read(in, buf, sizeof(buf), e);
	} while (n > 0);
	return (int)n;
}

/* The canonical form of a name; false for one that has none. */
static bool get_path(const char *name, char out[static LIMIT_PATH + 1])
{
	struct err why = ERR_INIT;
	size_t len;

	out[0] = '\0';
	if (!name || entry_canonical_path(name, strlen(name), out, &len, &why) == 0)
		return name != NULL;
	err_clear(&why);
	out[0] = '\0';
	return false;
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

static int get_member(struct archive_entry *entry, struct archive_member *out, struct err *e)
{
	const char *link = archive_entry_hardlink(entry);

	out->kind = ARCHIVE_OTHER;
	out->link[0] = '\0';
	out->size = 0;
	if (!get_path(archive_entry_pathname(entry), out->path))
		return 0;
	if (link) {
		out->kind = get_path(link, out->link) ? ARCHIVE_HARDLINK : ARCHIVE_OTHER;
		return 0;
	}
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		out->kind = ARCHIVE_FILE;
		out->size = (uint64_t)archive_entry_size(entry);
		return 0;
	case AE_IFLNK:
		link = archive_entry_symlink(entry);
		out->kind = link ? ARCHIVE_SYMLINK : ARCHIVE_OTHER;
		return link ? get_target(out->path, link, out->link, e) : 0;
	default:
		return 0;
	}
}

int archive_input_next(struct archive_input *in, struct archive_member *out, struct err *e)
{
	struct archive_entry *entry;

	if (archive_file_count(in->a) > 0 && drain(in, e) < 0)
		return -1;
	/* ARCHIVE_WARN: a name that the locale cannot say; it is none of those that count. */
	const int r = archive_read_next_header(in->a, &entry);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return refuse(in, e);
	if (check_expansion(in, e) < 0)
		return -1;
	return get_member(entry, out, e) < 0 ? -1 : 1;
}

int archive_inflate(int fd, const char *what, int out_fd, struct progress *progress, struct err *e)
{
	SCOPE(archive_input)
	struct archive_input *in =
		open_format(fd, what, archive_read_support_format_raw, progress, e);
	SCOPE_FREE uint8_t *buf = in ? array_new(1, READ_STEP, e) : NULL;
	struct archive_entry *entry;

	if (!buf)
		return -1;
	const int r = archive_read_next_header(in->a, &entry);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN && r != ARCHIVE_EOF)
		return refuse(in, e);
	while (r != ARCHIVE_EOF) {
		const ssize_t n = archive_input_read(in, buf, READ_STEP, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		if (io_write_all(out_fd, buf, (size_t)n) < 0)
			return err_sys(e, errno, "%s: cannot write its content", what);
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two layouts: a directory, in which a blob is opened when the image names it; and a tar of one,
 * which is read once from its start to its end, so that every blob in it is taken before anybody
 * knows whether the image names it.  What it does not name, gc removes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/limits.h"
#include "packer/archive_input.h"
#include "packer/importer.h"
#include "packer/oci_layout.h"
#include "store/blobs.h"

struct layout_dir {
	struct importer *im;
	int fd;
};

/* blob_source.read */
static ssize_t read_blob(void *ctx, void *buf, size_t len, struct err *e)
{
	const int *fd = ctx;
	const ssize_t n = io_read(*fd, buf, len);

	return n < 0 ? err_sys(e, errno, "cannot read") : n;
}

/* import_layout.take */
static int take_from_dir(void *ctx, const struct descriptor *d, struct err *e)
{
	const struct layout_dir *dir = ctx;
	struct importer *im = dir->im;
	char path[OCI_LAYOUT_BLOB_MAX];
	struct stat st = {.st_size = 0};

	oci_layout_blob_path(&d->digest, path);
	SCOPE_FD int fd = oci_layout_open_file(dir->fd, path, &st, e);
	if (fd < 0)
		return -1;
	if ((uint64_t)st.st_size != d->size)
		return err_set(e, ERR_DIGEST, "'%s' has %" PRIu64 " bytes, not %" PRIu64, path,
			       (uint64_t)st.st_size, d->size);
	const struct blob_source src = {read_blob, &fd};
	return blobs_put(im->store, im->lease, &d->digest, d->size, &src, im->opt->progress, e);
}

int import_from_oci(struct importer *im, const struct import_source *src, struct import_image *out,
		    struct err *e)
{
	SCOPE(import_layout) struct import_layout l = {.take = take_from_dir};
	struct layout_dir dir = {im, -1};
	SCOPE_FD int fd = open(src->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "no such directory");
	if (fd < 0 && errno == ENOTDIR)
		return err_set(e, ERR_USAGE, "not a directory (did you mean oci-archive:?)");
	if (fd < 0)
		return err_sys(e, errno, "cannot open");
	dir.fd = fd;
	l.ctx = &dir;
	const int version =
		oci_layout_read_file(fd, OCI_LAYOUT_FILE, LIMIT_DOCUMENT, &l.version, e);
	if (version < 0)
		return -1;
	const int index =
		oci_layout_read_file(fd, OCI_LAYOUT_INDEX, LIMIT_STORE_INDEX, &l.index, e);
	if (index < 0)
		return -1;
	l.has_version = version > 0;
	l.has_index = index > 0;
	return import_layout(im, &l, src->name, out, e);
}

/* import_layout.take: of what went by, the store has it. */
static int take_from_store(void *ctx, const struct descriptor *d, struct err *e)
{
	const struct importer *im = ctx;
	char digest[DIGEST_STR_MAX];
	const int there = blobs_has(im->store, im->lease, &d->digest, d->size, e);

	if (there != 0)
		return there < 0 ? -1 : 0;
	struct err why = ERR_INIT;
	SCOPE_FD int fd = blobs_open(im->store, &d->digest, d->size, &why);
	if (fd >= 0)
		return 0;
	if (why.code != ERR_NOT_FOUND)
		return err_move(e, &why);
	err_clear(&why);
	return err_set(e, ERR_NOT_FOUND, "blob '%s' is not in the archive",
		       digest_format(&d->digest, digest));
}

static int read_member(struct archive_input *in, const struct archive_member *m, uint64_t limit,
		       struct str *out, bool *has, struct err *e)
{
	char buf[8 * 1024];
	ssize_t n;

	/* Another tool may take the other one. */
	if (*has)
		return err_set(e, ERR_FORMAT, "'%s' is there twice", m->path);
	*has = true;
	while ((n = archive_input_read(in, buf, sizeof(buf), e)) > 0) {
		if ((uint64_t)n > limit - out->len)
			return err_set(e, ERR_LIMIT, "'%s' has more than %" PRIu64 " bytes",
				       m->path, limit);
		if (str_append(out, buf, (size_t)n, e) < 0)
			return -1;
	}
	return (int)n;
}

/* "blobs/sha256/<hex>" as a digest; false for any other name. */
static bool digest_of_member(const char *path, struct digest *out)
{
	struct err why = ERR_INIT;
	char text[DIGEST_STR_MAX];

	if (!str_has_prefix(path, OCI_LAYOUT_BLOBS))
		return false;
	const char *name = path + strlen(OCI_LAYOUT_BLOBS);
	const size_t len = strlen(name);
	const char *slash = strchr(name, '/');
	if (!slash || len >= sizeof(text))
		return false;
	memcpy(text, name, len + 1);
	text[slash - name] = ':';
	const int r = digest_parse(out, text, len, &why);
	err_clear(&why);
	return r == 0;
}

static int take_member(struct importer *im, struct archive_input *in,
		       const struct archive_member *m, struct import_layout *l, struct err *e)
{
	struct digest d;

	if (m->kind != ARCHIVE_FILE)
		return 0;
	if (strcmp(m->path, OCI_LAYOUT_FILE) == 0)
		return read_member(in, m, LIMIT_DOCUMENT, &l->version, &l->has_version, e);
	if (strcmp(m->path, OCI_LAYOUT_INDEX) == 0)
		return read_member(in, m, LIMIT_STORE_INDEX, &l->index, &l->has_index, e);
	if (!digest_of_member(m->path, &d))
		return 0;
	const struct blob_source src = {archive_input_read, in};
	return blobs_put(im->store, im->lease, &d, m->size, &src, NULL, e);
}

int import_from_oci_archive(struct importer *im, const struct import_source *src,
			    struct import_image *out, struct err *e)
{
	SCOPE(import_layout) struct import_layout l = {.take = take_from_store, .ctx = im};
	struct archive_member m;
	int r;
	SCOPE_FD int fd = import_open_file(im, src, NULL, e);

	if (fd < 0)
		return -1;
	SCOPE(archive_input)
	struct archive_input *in = archive_input_open(fd, src->path, im->opt->progress, e);
	if (!in)
		return -1;
	while ((r = archive_input_next(in, &m, e)) > 0) {
		if (take_member(im, in, &m, &l, e) < 0)
			return -1;
	}
	return r < 0 ? -1 : import_layout(im, &l, src->name, out, e);
}
